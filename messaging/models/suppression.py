from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.enums import SuppressionScope


class Suppression(models.Model):
    """A phone that is not to be texted, by its keyed hash: it outlives an erased member and a new import."""

    phone_hash = models.BinaryField(max_length=16)
    scope = models.CharField(
        _("scope"), max_length=16, choices=SuppressionScope, default=SuppressionScope.MARKETING
    )
    source = models.CharField(_("source"), max_length=32)
    at = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(
                fields=["phone_hash", "scope"], condition=Q(lifted_at=None), name="suppression_once"
            )
        ]
