"""Value set aside for a booking or a deposit, until it is captured, released or its time is over."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.enums import HoldStatus


class Hold(models.Model):
    """So much of one card's value, set aside. Ends once: captured by a spend, released, or expired (L15).

    `operation` authorised it. While it is open its `uses` stand in `Lot.held`.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    operation = models.OneToOneField("members.Operation", models.PROTECT, related_name="hold")
    card = models.ForeignKey("members.Card", models.PROTECT, related_name="holds")
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="holds")
    amount_minor = models.BigIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=HoldStatus, default=HoldStatus.OPEN)
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ended_by = models.ForeignKey("members.Operation", models.PROTECT, null=True, related_name="ended_holds")

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="hold_amount"),
            models.CheckConstraint(
                condition=Q(status=HoldStatus.OPEN, ended_at=None)
                | (~Q(status=HoldStatus.OPEN) & Q(ended_at__isnull=False)),
                name="hold_ends_once",
            ),
        ]
        indexes = [
            models.Index(fields=["card"], name="hold_open", condition=Q(status=HoldStatus.OPEN)),
            models.Index(fields=["expires_at"], name="hold_to_expire", condition=Q(status=HoldStatus.OPEN)),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"


class HoldUse(models.Model):
    """How much of one lot a hold has set aside."""

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="uses")
    lot = models.ForeignKey("members.Lot", models.PROTECT, related_name="hold_uses")
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="hold_use_amount")]
