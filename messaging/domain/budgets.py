"""What texts may cost: caps, what a run puts aside at its launch, and where each budget stands.

The rules for a text stand in the database (messaging/sql/budgets.sql) and are asked by the outbox in its one
statement. Here a person sets a budget, a launch asks for a whole run, and what has come to rest is settled.
Amounts of a text are in thousandths of a minor unit (`_milli`); a budget is in minor units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.models import AuditVerb, Staff, Store
from members.refusals import Refused
from messaging.models import Budget, BudgetPeriod, BudgetScope, Purse
from messaging.sql import statement

MILLI = 1000
SETTLED_MAX = 20_000
ALTOGETHER = date(2000, 1, 1)

_STANDING = statement("budget_standing")
_UNBALANCED = statement("budget_unbalanced")
_REFUSES = """
SELECT coalesce(bool_or(is_refused), false)
FROM sms_budget_count(ARRAY[%s]::bigint[], ARRAY[%s]::text[], ARRAY[%s]::text[], ARRAY[%s]::bigint[], ARRAY[NULL]::bigint[],
                      ARRAY[%s]::text[], ARRAY[%s]::smallint[], %s)"""


class OverBudget(Refused):
    """A run that would cost more than a budget has left. `facts`: budget, needed_milli, left_milli."""

    code = "over_budget"


class WrongBudget(Refused):
    """A budget that cannot be meant."""

    code = "wrong_budget"


@dataclass(frozen=True)
class Standing:
    """A budget in one period. `open_milli` is put aside for texts that are not at rest and for runs under way.

    `other_left_milli` is what texts may still take that are neither codes nor notices of a debit. `begins_on` and
    `ends_on` are days in the budget's zone, the end not included; None for a budget without a period.
    """

    budget: Budget
    reserved_milli: int
    charged_milli: int
    released_milli: int
    other_milli: int
    begins_on: date | None
    ends_on: date | None
    at: datetime

    @property
    def cap_milli(self) -> int:
        return self.budget.amount_minor * MILLI

    @property
    def used_milli(self) -> int:
        """Put aside and charged: what no other text can have."""
        return self.reserved_milli - self.released_milli

    @property
    def open_milli(self) -> int:
        return self.used_milli - self.charged_milli

    @property
    def left_milli(self) -> int:
        return self.cap_milli - self.used_milli

    @property
    def share_milli(self) -> int:
        """The protected share."""
        return self.cap_milli * self.budget.protected_percent // 100

    @property
    def other_left_milli(self) -> int:
        return min(self.left_milli, self.cap_milli - self.share_milli - self.other_milli)

    @property
    def percent(self) -> int:
        return self.used_milli * 100 // self.cap_milli

    @property
    def forecast_milli(self) -> int | None:
        """What the whole period will have cost if it goes on as it began; None before a tenth of it is over."""
        if self.begins_on is None or self.ends_on is None:
            return None
        zone = ZoneInfo(self.budget.timezone)
        begins, ends = (
            datetime.combine(day, datetime.min.time(), zone) for day in (self.begins_on, self.ends_on)
        )
        gone = (self.at - begins) / (ends - begins)
        return round(self.used_milli / gone) if gone >= 0.1 else None


@transaction.atomic
def set_budget(
    *,
    scope: str,
    period: str,
    amount_minor: int,
    protected_percent: int,
    by: Staff | None,
    at: datetime,
    store: Store | None = None,
    subject: str = "",
) -> Budget:
    """Set the cap of a scope and period, or change the one that is in force. Audited.

    A new amount holds at once, also for what is used already. Raises WrongBudget.
    """
    _check(scope, period, amount_minor, protected_percent, store, subject)
    found = _in_force().filter(scope=scope, store=store, subject=subject, period=period)
    budget = found.select_for_update().first()
    before = _said(budget) if budget else None
    if budget is None:
        budget = Budget(scope=scope, store=store, subject=subject, period=period, from_at=at)
        budget.timezone = store.timezone if store else _house_zone()
    budget.amount_minor, budget.protected_percent, budget.set_by = amount_minor, protected_percent, by
    budget.save()
    verb = AuditVerb.CHANGED if before else AuditVerb.ADDED
    audit.write(actor=by, verb=verb, subject=budget, store=store, before=before, after=_said(budget), at=at)
    return budget


@transaction.atomic
def end_budget(*, budget: Budget, by: Staff, at: datetime) -> None:
    """From now on this budget holds nothing back; what it holds aside is still settled. Audited."""
    if _in_force().filter(pk=budget.pk).update(until_at=at):
        audit.write(
            actor=by, verb=AuditVerb.REMOVED, subject=budget, store=budget.store, before=_said(budget), at=at
        )


def _check(
    scope: str, period: str, amount_minor: int, protected_percent: int, store: Store | None, subject: str
) -> None:
    if scope not in BudgetScope.values or period not in BudgetPeriod.values:
        raise WrongBudget(_("Choose what the budget is for."), field="scope")
    if not 0 < amount_minor <= 10**11:
        raise WrongBudget(_("Enter an amount above zero."), field="amount")
    if not 0 <= protected_percent <= 100:
        raise WrongBudget(_("Enter a share from 0 to 100."), field="protected_percent")
    if (scope == BudgetScope.STORE) != (store is not None and not subject):
        raise WrongBudget(_("Choose what the budget is for."), field="scope")
    if scope in (BudgetScope.CAMPAIGN, BudgetScope.API_KEY) and not subject:
        raise WrongBudget(_("Choose what the budget is for."), field="scope")


def _said(budget: Budget) -> dict[str, Any]:
    return {
        "amount_minor": budget.amount_minor,
        "period": budget.period,
        "protected_percent": budget.protected_percent,
    }


def _house_zone() -> str:
    return Store.objects.order_by("pk").values_list("timezone", flat=True).first() or "UTC"


def _in_force() -> Any:
    return Budget.objects.filter(until_at=None)


def budgets_for(store: Store | None, subject: str = "") -> list[Budget]:
    """The budgets in force that texts of this store (and of this campaign or key) count under."""
    wanted = Q(scope=BudgetScope.HOUSE) | Q(scope=BudgetScope.STORE, store=store)
    if subject:
        wanted |= Q(subject=subject)
    return list(_in_force().filter(wanted).select_related("store").order_by("pk"))


def standings(budgets: Iterable[Budget], *, at: datetime) -> list[Standing]:
    """Where each of these budgets stands in its current period; one query."""
    known = {budget.pk: budget for budget in budgets}
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"ids": list(known), "at": at})
        rows = cursor.fetchall()
    return [
        Standing(known[row[0]], row[2], row[3], row[4], row[5], *_days(known[row[0]].period, row[1]), at)
        for row in rows
    ]


def standing(budget: Budget, *, at: datetime) -> Standing:
    """Where one budget stands."""
    return standings([budget], at=at)[0]


def _days(period: str, first: date) -> tuple[date | None, date | None]:
    if period == BudgetPeriod.DAY:
        return first, first + timedelta(days=1)
    if period == BudgetPeriod.MONTH:
        return first, (first + timedelta(days=32)).replace(day=1)
    return None, None


def part_price_milli(phone: str, *, at: datetime) -> int:
    """What a part to this number is put aside with: the dearest gateway's price."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sms_dearest_price(%s, %s)", [phone, at])
        return int(cursor.fetchone()[0])


def refuses(
    *,
    store_id: int | None,
    message_class: str,
    cause: str,
    cause_id: int,
    phone: str,
    parts: int,
    at: datetime,
) -> bool:
    """Whether a budget would say no to such a text now. Nothing is put aside, and nobody is waited for."""
    with connection.cursor() as cursor:
        cursor.execute(_REFUSES, [store_id, message_class, cause, cause_id, phone, parts, at])
        return bool(cursor.fetchone()[0])


def shortage(store: Store, *, subject: str, milli: int, at: datetime) -> Standing | None:
    """The budget that would refuse texts costing this much, the tightest one; None when all allow it."""
    found = standings(budgets_for(store, subject), at=at)
    tight = [standing for standing in found if standing.other_left_milli < milli]
    return min(tight, key=lambda standing: standing.other_left_milli, default=None)


@transaction.atomic
def open_purse(
    *, cause: str, cause_id: int, store: Store, milli: int, subject: str, at: datetime
) -> Purse | None:
    """Put aside what a run will cost, under every budget of it at once. None when no budget is in force.

    The budgets are locked, in id order: of two launches at once the second sees the first. Raises OverBudget.
    A cause that has its purse keeps it.
    """
    budgets = budgets_for(store, subject)
    if not budgets:
        return None
    list(Budget.objects.select_for_update().filter(pk__in=[b.pk for b in budgets]).order_by("pk"))
    _stand_in_line(budgets)
    if purse := Purse.objects.filter(cause=cause, cause_id=cause_id).first():
        return purse
    if short := shortage(store, subject=subject, milli=milli, at=at):
        raise OverBudget(
            _("The budget does not reach."),
            field="budget",
            budget=str(short.budget.public_id),
            needed_milli=milli,
            left_milli=short.other_left_milli,
        )
    own = next((budget for budget in budgets if subject and budget.subject == subject), None)
    _note(budgets, at=at, reserved=milli, released=0)
    return Purse.objects.create(
        cause=cause, cause_id=cause_id, store=store, budget=own, reserved_milli=milli, opened_at=at
    )


@transaction.atomic
def close_purse(*, cause: str, cause_id: int, at: datetime) -> int:
    """No more texts will draw on it: the rest is free again. Gives how much that was, in thousandths."""
    purse = (
        Purse.objects.select_for_update(of=("self",))
        .filter(cause=cause, cause_id=cause_id, closed_at=None)
        .select_related("store")
        .first()
    )
    if purse is None:
        return 0
    rest = purse.reserved_milli - purse.drawn_milli
    held = Q(scope=BudgetScope.HOUSE) | Q(scope=BudgetScope.STORE, store=purse.store) | Q(pk=purse.budget_id)
    then = Q(from_at__lte=purse.opened_at) & (Q(until_at=None) | Q(until_at__gt=purse.opened_at))
    _note(Budget.objects.filter(held, then).order_by("pk"), at=purse.opened_at, reserved=0, released=rest)
    Purse.objects.filter(pk=purse.pk).update(closed_at=at)
    return rest


def _stand_in_line(budgets: Iterable[Budget]) -> None:
    """Texts that are being written near a budget's end come first, if they are quick."""
    with connection.cursor() as cursor:
        for budget in budgets:
            cursor.execute(
                "SELECT sms_budget_alone(%s, clock_timestamp() + interval '2 seconds')", [budget.pk]
            )


def _note(budgets: Iterable[Budget], *, at: datetime, reserved: int, released: int) -> None:
    with connection.cursor() as cursor:
        for budget in budgets:
            cursor.execute(
                "SELECT sms_budget_note(%s, sms_budget_period(%s, %s, %s), false, %s, 0, %s)",
                [budget.pk, budget.period, budget.timezone, at, reserved, released],
            )


def settle(*, limit: int = SETTLED_MAX) -> int:
    """Charge the accepted parts of texts that have come to rest and free the rest. Safe to run twice, anywhere."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT sms_budget_settle(%s)", [limit])
        return int(cursor.fetchone()[0])


def unbalanced() -> list[dict[str, Any]]:
    """The budgets and periods where what was put aside is not charged, free or still aside (M18). Reads every text
    that money is aside for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UNBALANCED)
        names = ("budget", "period_on", "reserved", "charged", "released", "open")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
