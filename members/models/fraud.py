"""What looks wrong and somebody should look at: the patterns' thresholds and the cases found."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from members.models.staff import Staff


class FraudPattern(models.TextChoices):
    """Twelve stories the books tell. `crm.reports.fraud` says how each is found."""

    REPEATED_CREDITS = "repeated_credits", _("One card credited again and again")
    OWN_ACCOUNT = "own_account", _("Deeds on a colleague’s or their own account")
    AFTER_HOURS = "after_hours", _("Adjustments and refunds after hours")
    OTHER_TENDER = "other_tender", _("Refund by another tender than paid")
    UNTOLD_DEBITS = "untold_debits", _("Debits whose text did not arrive")
    REFUND_RATIO = "refund_ratio", _("Refunds far above colleagues")
    ROUND_AMOUNTS = "round_amounts", _("Round amounts only")
    ELSEWHERE_AT_ONCE = "elsewhere_at_once", _("Recharged, then spent at another store within minutes")
    BONUS_OUTLIER = "bonus_outlier", _("More bonus given than anybody")
    CASH_DIFFERENCES = "cash_differences", _("Cash missing again")
    NO_REFERENCE = "no_reference", _("Payments without a reference, in a run")
    IDENTITY_THEN_SPEND = "identity_then_spend", _("Value moved to another member, then spent")


class FraudState(models.TextChoices):
    OPEN = "open", _("Open")
    DISMISSED = "dismissed", _("Dismissed")
    CONFIRMED = "confirmed", _("Confirmed")


class FraudRule(models.Model):
    """The thresholds of one pattern, when they are not the usual ones."""

    pattern = models.CharField(_("pattern"), max_length=24, choices=FraudPattern, unique=True)
    thresholds = models.JSONField(_("thresholds"), default=dict, blank=True)
    is_active = models.BooleanField(_("on"), default=True)

    class Meta:
        verbose_name = _("fraud rule")
        verbose_name_plural = _("fraud rules")
        ordering = ("pattern",)

    def __str__(self) -> str:
        return self.get_pattern_display()


class FraudCaseQuerySet(models.QuerySet["FraudCase"]):
    def visible_to(self, staff: Staff) -> FraudCaseQuerySet:
        return self if staff.is_superuser else self.filter(store__roles__staff=staff).distinct()


class FraudCase(models.Model):
    """One pattern found about one subject in one window: found once, then judged by a person.

    `subject` is "staff:7", "card:12" or "member:5"; `evidence` the ids of the operations behind it (of shifts, for
    missing cash), newest last.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    pattern = models.CharField(_("pattern"), max_length=24, choices=FraudPattern)
    subject = models.CharField(_("about"), max_length=40)
    store = models.ForeignKey(
        "members.Store", models.PROTECT, related_name="fraud_cases", verbose_name=_("store")
    )
    from_on = models.DateField(_("from"))
    staff = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="+")
    amount_minor = models.BigIntegerField(_("amount"), default=0)
    facts = models.JSONField(default=dict)
    evidence = models.JSONField(default=list)
    found_at = models.DateTimeField(_("found at"))
    state = models.CharField(_("state"), max_length=12, choices=FraudState, default=FraudState.OPEN)
    assigned_to = models.ForeignKey(
        "members.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("with")
    )
    note = models.CharField(_("reason"), max_length=300, blank=True)
    decided_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided at"), null=True)

    objects = FraudCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("fraud case")
        verbose_name_plural = _("fraud cases")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["pattern", "subject", "from_on", "store"], name="fraud_case_once"
            ),
            models.CheckConstraint(
                condition=Q(state=FraudState.OPEN, decided_by=None, decided_at=None)
                | (
                    Q(
                        state__in=[FraudState.DISMISSED, FraudState.CONFIRMED],
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                    )
                    & ~Q(note="")
                ),
                name="fraud_case_decided",
            ),
        ]
        indexes = [models.Index(fields=["store", "state", "-id"], name="fraud_case_board")]

    def __str__(self) -> str:
        return f"{self.get_pattern_display()} · {self.subject}"
