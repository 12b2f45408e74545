"""The till's day: a person's shift with its drawer, and the close of a store's business day.

A business day is a date of the store's own clock. `members/sql/days.sql` gives cash its shift and refuses deeds of a
closed day; `members.domain.days` opens, counts, closes and signs.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import append_only

if TYPE_CHECKING:
    from members.models.staff import Staff

CASH_MAX = 10**9


class ShiftQuerySet(models.QuerySet["Shift"]):
    def visible_to(self, staff: Staff) -> ShiftQuerySet:
        return self if staff.is_superuser else self.filter(store__roles__staff=staff).distinct()


class Shift(models.Model):
    """One person's cash at one store on one business day; without a person, the cash other systems report.

    Opened by hand with a counted float, or by the first cash deed: then `opening_minor` is empty until it is
    counted. Closed with what was counted and what the ledger says should be there; a closed shift never changes.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="shifts", verbose_name=_("store"))
    staff = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="shifts", verbose_name=_("staff")
    )
    on = models.DateField(_("business day"))
    opened_at = models.DateTimeField(_("opened at"))
    opening_minor = models.BigIntegerField(_("counted at the start"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    expected_minor = models.BigIntegerField(_("should be there"), null=True)
    counted_minor = models.BigIntegerField(_("counted"), null=True)
    denominations = models.JSONField(_("notes and coins"), null=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    accepted_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")

    objects = ShiftQuerySet.as_manager()

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["store", "staff", "on"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="shift_open_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, counted_minor=None, expected_minor=None, closed_by=None)
                | Q(
                    closed_at__isnull=False,
                    opening_minor__isnull=False,
                    counted_minor__isnull=False,
                    expected_minor__isnull=False,
                    closed_by__isnull=False,
                ),
                name="shift_closed_is_counted",
            ),
            models.CheckConstraint(
                condition=(Q(opening_minor=None) | Q(opening_minor__gte=0, opening_minor__lte=CASH_MAX))
                & (Q(counted_minor=None) | Q(counted_minor__gte=0, counted_minor__lte=CASH_MAX)),
                name="shift_cash_range",
            ),
            models.CheckConstraint(
                condition=Q(accepted_by=None) | Q(staff=None) | ~Q(accepted_by=F("staff")),
                name="shift_accepted_by_another",
            ),
        ]
        indexes = [models.Index(fields=["store", "-on"], name="shift_store_on")]
        triggers = [
            pgtrigger.Trigger(
                name="shift_closed_stays",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
                func="RAISE EXCEPTION 'a closed shift stays as it was counted';",
            )
        ]

    def __str__(self) -> str:
        return f"{self.staff or self.store} · {self.on}"

    @property
    def difference_minor(self) -> int | None:
        """Counted less expected: negative when cash is missing. None while the shift is open."""
        if self.counted_minor is None or self.expected_minor is None:
            return None
        return self.counted_minor - self.expected_minor

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class DrawerMove(models.Model):
    """Cash put into (positive) or taken out of (negative) a drawer that is no deed: change, the bank, an errand."""

    shift = models.ForeignKey(Shift, models.PROTECT, related_name="moves")
    amount_minor = models.BigIntegerField(_("amount"))
    reason = models.CharField(_("what for"), max_length=120)
    staff = models.ForeignKey("members.Staff", models.PROTECT)
    key = models.CharField(max_length=128)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("drawer move")
        verbose_name_plural = _("drawer moves")
        constraints = [
            models.UniqueConstraint(fields=["shift", "key"], name="drawer_move_once"),
            models.CheckConstraint(
                condition=~Q(amount_minor=0) & Q(amount_minor__gte=-CASH_MAX, amount_minor__lte=CASH_MAX),
                name="drawer_move_amount",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="drawer_move_reason"),
        ]
        triggers = append_only("drawer_move")


class DayClose(models.Model):
    """A store's business day, signed: its figures as they were, and their hash. While it stands, the day is shut.

    Only reopening may touch the row, once: who, when and why. A reopened day is closed again by a new row.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    store = models.ForeignKey(
        "members.Store", models.PROTECT, related_name="day_closes", verbose_name=_("store")
    )
    on = models.DateField(_("business day"))
    figures = models.JSONField(_("figures"))
    figures_hash = models.CharField(_("hash of the figures"), max_length=64)
    note = models.CharField(_("note"), max_length=200, blank=True)
    signed_by = models.ForeignKey(
        "members.Staff", models.PROTECT, related_name="+", verbose_name=_("signed by")
    )
    signed_at = models.DateTimeField(_("signed at"))
    reopened_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    reopened_at = models.DateTimeField(_("reopened at"), null=True)
    reopen_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("day close")
        verbose_name_plural = _("day closes")
        ordering = ("-on", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "on"], condition=Q(reopened_at=None), name="day_closed_once"
            ),
            models.CheckConstraint(
                condition=Q(reopened_at=None, reopened_by=None, reopen_reason="")
                | (Q(reopened_at__isnull=False, reopened_by__isnull=False) & ~Q(reopen_reason="")),
                name="day_reopened_with_reason",
            ),
        ]
        indexes = [models.Index(fields=["store", "-on"], name="day_close_store_on")]
        triggers = [
            pgtrigger.Trigger(
                name="day_close_stays",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=(
                    "IF TG_OP = 'DELETE' OR OLD.reopened_at IS NOT NULL"
                    " OR (NEW.store_id, NEW.on, NEW.figures, NEW.figures_hash, NEW.note, NEW.signed_by_id,"
                    " NEW.signed_at) IS DISTINCT FROM (OLD.store_id, OLD.on, OLD.figures, OLD.figures_hash, OLD.note,"
                    " OLD.signed_by_id, OLD.signed_at)"
                    " THEN RAISE EXCEPTION 'a signed day stays as it was signed'; END IF; RETURN NEW;"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.store} · {self.on}"
