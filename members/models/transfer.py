"""Value one member gives to another: proposed by the one, confirmed by the other."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TransferStatus(models.TextChoices):
    PROPOSED = "proposed", pgettext_lazy("transfer", "Proposed")
    DONE = "done", pgettext_lazy("transfer", "Passed on")
    WITHDRAWN = "withdrawn", pgettext_lazy("transfer", "Withdrawn")
    DECLINED = "declined", pgettext_lazy("transfer", "Declined")
    EXPIRED = "expired", pgettext_lazy("transfer", "Run out")


class Transfer(models.Model):
    """So much from one card to another member. Ends once; only a confirmed one moves value.

    `sent` is the sender's deed, `received` the receiver's; both are in the books or neither. An offer made in the portal
    to a number that is nobody's has no receiver and runs out: whoever made it learns nothing from that.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    card = models.ForeignKey(
        "members.Card", models.PROTECT, related_name="transfers", verbose_name=_("from card")
    )
    receiver = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        null=True,
        related_name="transfers_received",
        verbose_name=_("to member"),
    )
    to_number = models.CharField(
        _("to this number"), max_length=24, blank=True, default="", db_default="", help_text=_("Masked.")
    )
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    amount_minor = models.BigIntegerField(_("stored value"), default=0)
    services = models.PositiveIntegerField(_("services"), default=0)
    points = models.PositiveIntegerField(_("points"), default=0)
    note = models.CharField(_("note"), max_length=120, blank=True)
    is_confirmed = models.BooleanField(_("confirmed by the sender’s code"), default=False, db_default=False)
    status = models.CharField(
        _("status"), max_length=12, choices=TransferStatus, default=TransferStatus.PROPOSED
    )
    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("proposed at"))
    expires_at = models.DateTimeField(_("to be confirmed until"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    sent = models.OneToOneField("members.Operation", models.PROTECT, null=True, related_name="transfer_sent")
    received = models.OneToOneField(
        "members.Operation", models.PROTECT, null=True, related_name="transfer_received"
    )

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="transfer_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0)
                & (Q(amount_minor__gt=0) | Q(services__gt=0) | Q(points__gt=0)),
                name="transfer_of_something",
            ),
            models.CheckConstraint(
                condition=Q(status=TransferStatus.PROPOSED, ended_at=None)
                | (~Q(status=TransferStatus.PROPOSED) & Q(ended_at__isnull=False)),
                name="transfer_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(status=TransferStatus.DONE, sent__isnull=False, received__isnull=False)
                | (~Q(status=TransferStatus.DONE) & Q(sent=None, received=None)),
                name="transfer_done_has_deeds",
            ),
            models.CheckConstraint(
                condition=Q(receiver__isnull=False) | (~Q(to_number="") & ~Q(status=TransferStatus.DONE)),
                name="transfer_to_somebody",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("proposed_at")), name="transfer_expiry"),
        ]
        indexes = [
            models.Index(
                fields=["receiver"], name="transfer_to_confirm", condition=Q(status=TransferStatus.PROPOSED)
            ),
            models.Index(
                fields=["expires_at"], name="transfer_to_expire", condition=Q(status=TransferStatus.PROPOSED)
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"
