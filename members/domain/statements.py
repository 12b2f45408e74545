"""A member's statement of a period: what each kind of value opened with, every entry, what it closed with.

The opening balance is summed forward from the first entry; the closing balance is counted back from the balance the
account stands at now. That opening + entries = closing is therefore a proof, not a definition. Days begin and end at
the midnight of the member's home store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from members.enums import MEMBER_ACCOUNTS, AccountKind, Unit
from members.models import Account, Entry, Member
from members.refusals import Refused

PAGE = 100
PRINTED_MAX = 5000
_EARLIEST, _LATEST = date(1990, 1, 1), date(2200, 1, 1)


class PeriodInvalid(Refused):
    """The days do not make a period."""

    code = "period_invalid"
    field = "until"


@dataclass(frozen=True)
class Period:
    """From the first day to the last, both included, in one zone; either may be open."""

    first: date | None
    last: date | None
    zone: ZoneInfo

    @property
    def start(self) -> datetime | None:
        return datetime.combine(self.first, time(), self.zone) if self.first else None

    @property
    def end(self) -> datetime | None:
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone) if self.last else None

    def before(self) -> Q:
        """Entries earlier than the period; none when it has no first day."""
        return Q(operation__at__lt=self.start) if self.start else Q(pk=None)

    def after(self) -> Q:
        return Q(operation__at__gte=self.end) if self.end else Q(pk=None)

    def within(self) -> Q:
        since = Q(operation__at__gte=self.start) if self.start else Q()
        return since & Q(operation__at__lt=self.end) if self.end else since


@dataclass(frozen=True)
class Total:
    """One kind of value over a period; `went_out` is negative. Money in minor units."""

    kind: AccountKind
    opening: int
    came_in: int
    went_out: int
    closing: int

    @property
    def is_money(self) -> bool:
        return self.kind in (AccountKind.PRINCIPAL, AccountKind.BONUS)

    @property
    def is_proven(self) -> bool:
        """Whether the entries lead from the opening balance to the closing one."""
        return self.opening + self.came_in + self.went_out == self.closing


@dataclass(frozen=True)
class Line:
    """One entry with the balance of its kind after it, over all of the member's cards."""

    entry: Entry
    balance: int

    @property
    def kind(self) -> AccountKind:
        return AccountKind(self.entry.account_kind)

    @property
    def is_money(self) -> bool:
        return self.entry.unit == Unit.MONEY


@dataclass(frozen=True)
class Cursor:
    """The entry a page continues after; written "moment|id" in addresses."""

    at: datetime
    entry: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}|{self.entry}"


@dataclass(frozen=True)
class Statement:
    """A member's period: a total of each kind that was ever held, and a page of lines, oldest first."""

    member: Member
    period: Period
    totals: tuple[Total, ...]
    lines: tuple[Line, ...]
    more: Cursor | None

    @property
    def is_proven(self) -> bool:
        return all(total.is_proven for total in self.totals)


def period_of(first: date | None, last: date | None, *, member: Member) -> Period:
    """The period between two days of the member's home store. Raises PeriodInvalid."""
    for day in (first, last):
        if day and not _EARLIEST <= day <= _LATEST:
            raise PeriodInvalid(_("This day cannot be right."))
    if first and last and last < first:
        raise PeriodInvalid(_("The last day is before the first."))
    return Period(first, last, member.home_store.zone)


def statement(member: Member, period: Period, *, after: Cursor | None = None, size: int = PAGE) -> Statement:
    """The totals of a period and a page of its lines. Three queries, whatever its length; four for a later page."""
    totals = totals_of(member, period)
    rows, carried = entries_of(member, period), {total.kind: total.opening for total in totals}
    if after:
        later = Q(operation__at__gt=after.at) | Q(operation__at=after.at, pk__gt=after.entry)
        for kind, amount in _sums(rows.filter(~later)):
            carried[kind] += amount
        rows = rows.filter(later)
    found = list(rows[: size + 1])
    shown = tuple(_lines(found[:size], carried))
    last = shown[-1].entry if len(found) > size else None
    return Statement(member, period, totals, shown, Cursor(last.operation.at, last.pk) if last else None)


def summary(member: Member, period: Period) -> Statement:
    """The totals of a period without its lines; two queries."""
    return Statement(member, period, totals_of(member, period), (), None)


def all_lines(member: Member, period: Period, *, totals: Sequence[Total]) -> Iterator[Line]:
    """Every line of a period, oldest first, read in portions: for files."""
    carried = {total.kind: total.opening for total in totals}
    return _lines(entries_of(member, period).iterator(chunk_size=1000), carried)


def printed(member: Member, period: Period) -> Statement:
    """The whole period on one page, up to five thousand lines; `more` says that there were others."""
    return statement(member, period, size=PRINTED_MAX)


def totals_of(member: Member, period: Period) -> tuple[Total, ...]:
    """Opening, in, out and closing of each kind the member has an account of; two queries."""
    own = Entry.objects.filter(account__member=member, account_kind__in=MEMBER_ACCOUNTS).order_by()
    summed = own.values("account_kind").annotate(
        opening=Coalesce(Sum("amount", filter=period.before()), 0),
        came_in=Coalesce(Sum("amount", filter=period.within() & Q(amount__gt=0)), 0),
        went_out=Coalesce(Sum("amount", filter=period.within() & Q(amount__lt=0)), 0),
        later=Coalesce(Sum("amount", filter=period.after()), 0),
    )
    held = Account.objects.filter(member=member).order_by().values_list("kind").annotate(now=Sum("balance"))
    by_kind = {row["account_kind"]: row for row in summed}
    balances = dict(held)
    return tuple(
        _total(kind, by_kind.get(kind), balances[kind]) for kind in MEMBER_ACCOUNTS if kind in balances
    )


def entries_of(member: Member, period: Period) -> QuerySet[Entry]:
    """The entries of a period, oldest first, each with `since`: the sum of its kind from the first of them to it."""
    running = Window(
        Sum("amount"), partition_by="account_kind", order_by=[F("operation__at").asc(), F("pk").asc()]
    )
    within = Entry.objects.filter(account__member=member, account_kind__in=MEMBER_ACCOUNTS)
    return (
        within.filter(period.within())
        .annotate(since=running)
        .select_related("operation__store", "operation__staff", "operation__card", "account__card")
        .order_by("operation__at", "pk")
    )


def read_cursor(text: str) -> Cursor | None:
    """The cursor of an address, or None when it is none."""
    moment, bar, number = text.partition("|")
    if not bar or not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Cursor(at, int(number)) if at.tzinfo else None


def _sums(entries: QuerySet[Entry]) -> Iterator[tuple[AccountKind, int]]:
    summed = entries.order_by().values_list("account_kind").annotate(total=Sum("amount"))
    return ((AccountKind(kind), total) for kind, total in summed)


def _lines(entries: Iterable[Entry], carried: Mapping[AccountKind, int]) -> Iterator[Line]:
    for entry in entries:
        yield Line(entry, carried[AccountKind(entry.account_kind)] + entry.since)  # type: ignore[attr-defined]


def _total(kind: AccountKind, summed: Mapping[str, Any] | None, balance: int) -> Total:
    if summed is None:
        return Total(kind, 0, 0, 0, balance)
    closing = balance - summed["later"]
    return Total(kind, summed["opening"], summed["came_in"], summed["went_out"], closing)
