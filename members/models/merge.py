"""Two members who are one person: which was kept, what moved, and the way back."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Merge(models.Model):
    """One member taken into another. Undone once at most, and only as a whole.

    `kept_before` holds what the kept member was (tags, consents), `moved` the ids of what was handed over: what an
    undo gives back. The value stands in `moves`.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kept = models.ForeignKey("members.Member", models.PROTECT, related_name="merges", verbose_name=_("kept"))
    merged = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="merges_away", verbose_name=_("merged")
    )
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=200)
    kept_before = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=100)
    at = models.DateTimeField(_("at"))
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undone_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="merge_once"),
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at=None), name="merge_one_standing"
            ),
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="merge_of_two"),
            models.CheckConstraint(condition=~Q(reason=""), name="merge_reason"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"


class MergeMove(models.Model):
    """One card's value (or the points of a member) gone over: out of the one account, into the other."""

    merge = models.ForeignKey(Merge, models.PROTECT, related_name="moves")
    card = models.ForeignKey("members.Card", models.PROTECT, related_name="+")
    new_card = models.ForeignKey("members.Card", models.PROTECT, related_name="+")
    sent = models.OneToOneField("members.Operation", models.PROTECT, null=True, related_name="merge_sent")
    received = models.OneToOneField(
        "members.Operation", models.PROTECT, null=True, related_name="merge_received"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merge", "card"], name="merge_move_once"),
            models.CheckConstraint(
                condition=Q(sent=None, received=None) | Q(sent__isnull=False, received__isnull=False),
                name="merge_move_both",
            ),
        ]
