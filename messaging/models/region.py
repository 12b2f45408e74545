from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Region(models.Model):
    """Numbers that go the same way: a list of countries, groups of them and beginnings of numbers under one name.

    `covers` is how a person wrote it, "EU, CH, +1310"; `beginnings` what that means (messaging/rules/regions.py), which is
    what the rule of the ways reads. A change holds for what is queued from then on.
    """

    name = models.CharField(_("name"), max_length=60, unique=True)
    covers = models.TextField(_("countries and beginnings of numbers"), max_length=20_000)
    beginnings = ArrayField(models.CharField(max_length=15), editable=False)

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ("name",)
        constraints = [models.CheckConstraint(condition=Q(beginnings__len__gt=0), name="region_is_somewhere")]

    def __str__(self) -> str:
        return self.name
