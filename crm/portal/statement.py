"""The statement: every deed on a member's cards, with what it changed and what was left, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from members.domain.statements import Period
from members.enums import MEMBER_ACCOUNTS, AccountKind, OperationKind
from members.models import Entry, Member, Operation

PAGE = 25
_ICONS = {
    OperationKind.OPEN_CARD: ("credit-card", "plain"),
    OperationKind.RECHARGE: ("wallet", "good"),
    OperationKind.SPEND: ("shopping-bag", "plain"),
    OperationKind.REDEEM: ("gift", "brand"),
    OperationKind.EARN: ("sparkles", "good"),
    OperationKind.REFUND: ("undo-2", "good"),
    OperationKind.REFUND_RECHARGE: ("undo-2", "plain"),
    OperationKind.SELL_SERVICES: ("ticket", "good"),
    OperationKind.SERVE: ("ticket-check", "plain"),
    OperationKind.HOLD: ("lock", "wait"),
    OperationKind.RELEASE: ("lock-open", "good"),
    OperationKind.MOVE_OUT: ("arrow-up-right", "plain"),
    OperationKind.MOVE_IN: ("arrow-down-left", "good"),
    OperationKind.FREEZE: ("snowflake", "wait"),
    OperationKind.UNFREEZE: ("sun", "good"),
    OperationKind.CLOSE: ("archive", "plain"),
    OperationKind.ADJUST: ("scale", "plain"),
    OperationKind.OPENING: ("flag", "plain"),
    OperationKind.EXPIRE: ("timer-off", "wait"),
}


@dataclass
class Line:
    """One deed as the member sees it. Money in minor units; balances are those right after it."""

    operation: Operation
    changes: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    @property
    def money_minor(self) -> int:
        """What the card's balance changed by: principal and bonus together."""
        return self.principal_minor + self.bonus_minor

    @property
    def principal_minor(self) -> int:
        return self.changes.get(AccountKind.PRINCIPAL, 0)

    @property
    def bonus_minor(self) -> int:
        return self.changes.get(AccountKind.BONUS, 0)

    @property
    def points(self) -> int:
        return self.changes.get(AccountKind.POINTS, 0)

    @property
    def services(self) -> int:
        return self.changes.get(AccountKind.SERVICES, 0)

    @property
    def principal_after(self) -> int:
        return self.after.get(AccountKind.PRINCIPAL, 0)

    @property
    def bonus_after(self) -> int:
        return self.after.get(AccountKind.BONUS, 0)

    @property
    def balance_after(self) -> int:
        return self.principal_after + self.bonus_after

    @property
    def points_after(self) -> int:
        return self.after.get(AccountKind.POINTS, 0)

    @property
    def services_after(self) -> int:
        return self.after.get(AccountKind.SERVICES, 0)

    @property
    def icon(self) -> str:
        return _ICONS[OperationKind(self.operation.kind)][0]

    @property
    def tone(self) -> str:
        return _ICONS[OperationKind(self.operation.kind)][1]

    @property
    def reward(self) -> str:
        """The name of the reward; any other note is the shop's own."""
        return self.operation.note if self.operation.kind == OperationKind.REDEEM else ""

    @property
    def paid_outside_minor(self) -> int:
        """The part of a bill that did not come from the card."""
        return sum(tender.amount_minor for tender in self.operation.tenders.all())

    @property
    def reference(self) -> str:
        """What to name when asking about this line."""
        return str(self.operation.public_id)[:8].upper()


@dataclass(frozen=True)
class Month:
    first_day: date
    lines: list[Line]


@dataclass(frozen=True)
class StatementPage:
    """A page of lines, newest first, and the `before` of the next older page, if there is one."""

    lines: list[Line]
    older: UUID | None

    @property
    def months(self) -> list[Month]:
        return [Month(day, list(lines)) for day, lines in groupby(self.lines, key=_month)]


def own_operations(member: Member) -> QuerySet[Operation]:
    """The member's own deeds and nobody else's."""
    return Operation.objects.filter(member=member)


def statement_page(
    member: Member, *, before: Operation | None = None, period: Period | None = None, size: int = PAGE
) -> StatementPage:
    """The deeds older than `before`, or the newest, of a period if one is named; a fixed number of queries."""
    wanted = own_operations(member).select_related("store", "card").prefetch_related("tenders")
    if period and period.start:
        wanted = wanted.filter(at__gte=period.start)
    if period and period.end:
        wanted = wanted.filter(at__lt=period.end)
    if before:
        wanted = wanted.filter(pk__lt=before.pk)
    found = list(wanted.order_by("-id")[: size + 1])
    shown = found[:size]
    return StatementPage(_lines(member, shown), shown[-1].public_id if len(found) > size else None)


def line_of(member: Member, operation: Operation) -> Line:
    """One deed with its changes and balances."""
    return _lines(member, [operation])[0]


def _lines(member: Member, operations: Sequence[Operation]) -> list[Line]:
    entries = Entry.objects.filter(
        operation__in=operations, account__member=member, account_kind__in=MEMBER_ACCOUNTS
    )
    by_operation: dict[int, list[Entry]] = {operation.pk: [] for operation in operations}
    for entry in entries.select_related("account").order_by("id"):
        by_operation[entry.operation_id].append(entry)
    carried = _balances_before(member, operations)
    lines = {}
    for operation in sorted(operations, key=lambda one: one.pk):
        lines[operation.pk] = _line(operation, by_operation[operation.pk], carried)
    return [lines[operation.pk] for operation in operations]


def _line(operation: Operation, entries: Iterable[Entry], carried: dict[tuple[int | None, str], int]) -> Line:
    line = Line(operation)
    for entry in entries:
        carried[(entry.account.card_id, entry.account_kind)] = entry.balance_after or 0
        line.changes[entry.account_kind] = line.changes.get(entry.account_kind, 0) + entry.amount
    for kind in (AccountKind.PRINCIPAL, AccountKind.BONUS):
        line.after[kind] = carried.get((operation.card_id, kind), 0)
    line.after[AccountKind.POINTS] = carried.get((None, AccountKind.POINTS), 0)
    line.after[AccountKind.SERVICES] = sum(
        after for (_card, kind), after in carried.items() if kind == AccountKind.SERVICES
    )
    return line


def _balances_before(member: Member, operations: Sequence[Operation]) -> dict[tuple[int | None, str], int]:
    """Each account's balance just before the oldest of these deeds."""
    if not operations:
        return {}
    oldest = min(operation.pk for operation in operations)
    earlier = Entry.objects.filter(account__member=member, operation_id__lt=oldest)
    last = earlier.order_by("account_id", "-seq").distinct("account_id").select_related("account")
    return {(entry.account.card_id, entry.account_kind): entry.balance_after or 0 for entry in last}


def _month(line: Line) -> date:
    return timezone.localdate(line.operation.at).replace(day=1)
