"""What texts may cost: caps, what has been put aside under them, and the price of a part."""

from __future__ import annotations

import uuid

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BudgetScope(models.TextChoices):
    HOUSE = "house", _("The whole house")
    STORE = "store", _("One store")
    CAMPAIGN = "campaign", _("One campaign")
    API_KEY = "api_key", _("One API key")


class BudgetPeriod(models.TextChoices):
    DAY = "day", _("a day")
    MONTH = "month", _("a month")
    WHOLE = "whole", pgettext_lazy("budget", "altogether")


class Budget(models.Model):
    """A cap on what the texts of its scope may cost in a period. Amounts of money are in minor units.

    `subject` names the campaign, as `campaign:12`: whoever sends for it opens a purse that names this budget. Or the
    key, as the source of what is reported with it, `api:` and its beginning: every text of such an event counts, and
    every code asked for with it. The protected share is kept for codes and for notices of a debit: other texts stop
    before it. A budget holds for the texts written from `from_at` until `until_at`, never for earlier ones.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scope = models.CharField(_("for"), max_length=10, choices=BudgetScope)
    store = models.ForeignKey(
        "members.Store",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("store"),
        related_name="budgets",
    )
    subject = models.CharField(max_length=80, blank=True)
    period = models.CharField(_("each"), max_length=8, choices=BudgetPeriod, default=BudgetPeriod.MONTH)
    timezone = models.CharField(max_length=64, default="UTC")
    amount_minor = models.BigIntegerField(_("amount"), validators=[MinValueValidator(1)])
    protected_percent = models.PositiveSmallIntegerField(
        _("kept for codes and debit notices, in percent"), default=20, validators=[MaxValueValidator(100)]
    )
    from_at = models.DateTimeField(_("since"))
    until_at = models.DateTimeField(_("until"), null=True, editable=False)
    set_by = models.ForeignKey("members.Staff", models.PROTECT, null=True, related_name="+", editable=False)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ("scope", "id")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="budget_positive"),
            models.CheckConstraint(condition=Q(protected_percent__lte=100), name="budget_share"),
            models.CheckConstraint(
                condition=Q(scope="store", store__isnull=False, subject="")
                | Q(scope="house", store__isnull=True, subject="")
                | (Q(scope__in=["campaign", "api_key"]) & ~Q(subject="")),
                name="budget_has_its_subject",
            ),
            models.UniqueConstraint(
                fields=["scope", "store", "subject", "period"],
                condition=Q(until_at=None),
                nulls_distinct=False,
                name="budget_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.store or self.subject}".strip()


class BudgetUse(models.Model):
    """What was put aside, charged and released under a budget in a period; amounts in thousandths of a minor unit.

    Several rows a period, to be summed: whoever writes takes one that nobody holds, so that no two wait for each
    other. Always: reserved = charged + released + what open texts and open purses still hold.
    """

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="uses", db_index=False)
    period_on = models.DateField()
    is_protected = models.BooleanField()
    reserved_milli = models.BigIntegerField(default=0)
    charged_milli = models.BigIntegerField(default=0)
    released_milli = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["budget", "period_on", "is_protected"], name="budget_use")]


class Purse(models.Model):
    """Money put aside for a whole cause at once (a run at its launch). Its texts draw on it; closed, the rest is free.

    `budget` is the campaign's or the key's own, besides those of the house and the store.
    """

    cause = models.CharField(max_length=8)
    cause_id = models.BigIntegerField()
    store = models.ForeignKey("members.Store", models.CASCADE, null=True, related_name="+")
    budget = models.ForeignKey(Budget, models.CASCADE, null=True, related_name="purses")
    reserved_milli = models.BigIntegerField(default=0)
    drawn_milli = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cause", "cause_id"], name="purse_once"),
            models.CheckConstraint(
                condition=Q(drawn_milli__gte=0, drawn_milli__lte=models.F("reserved_milli")),
                name="purse_not_overdrawn",
            ),
        ]


class Settling(models.Model):
    """A text with money put aside that has come to rest, written by the database; the next settling takes it off."""

    message_id = models.BigIntegerField()


class GatewayPrice(models.Model):
    """What a part costs at a gateway for numbers that begin so, from a moment on; the longest beginning counts.

    In thousandths of a minor unit: carriers quote fractions of a cent. Rows are added, never changed, so that what
    was sent keeps its price. The empty beginning is the gateway's own price, written by the database.
    """

    gateway = models.ForeignKey("messaging.Gateway", models.CASCADE, related_name="prices")
    prefix = models.CharField(
        _("number begins with"),
        max_length=8,
        blank=True,
        validators=[RegexValidator(r"^\+[1-9]\d{0,6}$", _("A plus and digits, as +86."))],
    )
    price_milli = models.PositiveIntegerField(_("price per part, in thousandths of the smallest coin"))
    from_at = models.DateTimeField(_("from"))

    class Meta:
        verbose_name = _("price of a gateway")
        verbose_name_plural = _("prices of gateways")
        ordering = ("gateway", "prefix", "-from_at")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "prefix", "from_at"], name="gateway_price_once")
        ]
        triggers = [
            pgtrigger.Trigger(
                name="gateway_price_stays",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="RAISE EXCEPTION 'a price is followed by another, never changed';",
            )
        ]
