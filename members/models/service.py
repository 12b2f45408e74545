"""Count cards: what they are good for, who else may use one, and when one rests."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ServiceGroup(models.Model):
    """Services that count alike: one wash is one wash, whoever does it."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("service group")
        verbose_name_plural = _("service groups")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Sharer(models.Model):
    """Somebody the owner of a count card has named: takes services, decides nothing. Removed, never deleted."""

    card = models.ForeignKey("members.Card", models.PROTECT, related_name="sharers", verbose_name=_("card"))
    name = models.CharField(pgettext_lazy("person", "name"), max_length=80)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    added_at = models.DateTimeField(_("added at"))
    removed_at = models.DateTimeField(_("removed at"), null=True)

    class Meta:
        verbose_name = _("sharer")
        verbose_name_plural = _("sharers")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["card", "name"], condition=Q(removed_at=None), name="sharer_named_once"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="sharer_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class CardPause(models.Model):
    """A rest of a count card: nothing is taken from it meanwhile, and its services end that much later."""

    card = models.ForeignKey("members.Card", models.PROTECT, related_name="pauses", verbose_name=_("card"))
    began_at = models.DateTimeField(_("paused at"))
    ended_at = models.DateTimeField(_("resumed at"), null=True)
    moved_days = models.PositiveIntegerField(_("days added"), default=0)
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["card"], condition=Q(ended_at=None), name="pause_open_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None, moved_days=0) | Q(ended_at__gte=models.F("began_at")),
                name="pause_ends_later",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"
