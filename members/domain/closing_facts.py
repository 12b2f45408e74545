"""How a recharge was used, read for the refund calculator: three queries whatever the card went through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from members.domain.allocation import OpenLot, share
from members.enums import AccountKind, OperationKind
from members.models import BillLine, BillLineKind, Lot, LotUse, Operation

_SPENT = (OperationKind.SPEND, OperationKind.REFUND)
_GONE = (OperationKind.MOVE_OUT, OperationKind.REFUND_RECHARGE, OperationKind.ADJUST)


@dataclass(frozen=True)
class Used:
    """One recharge on one card: its principal and bonus (less what was moved away), what was spent of both, and
    what those bills were reduced by."""

    principal_minor: int = 0
    bonus_minor: int = 0
    spent_minor: int = 0
    discounts_minor: int = 0


def used_by_source(principal: Sequence[OpenLot], lots: Sequence[OpenLot]) -> dict[int, Used]:
    """For each recharge that these principal lots came from, how it was used. Expired bonus is not use."""
    cards = list(
        Lot.objects.filter(pk__in=[lot.id for lot in principal])
        .values_list("account__card", flat=True)
        .distinct()
    )
    sources = {lot.source for lot in principal}
    of_source = Lot.objects.filter(account__card__in=cards, source__in=sources)
    rows = of_source.values_list(
        "id", "source_id", "account__kind", "original", "restored", "operation__reverses_id"
    )
    brought: dict[tuple[int, str], int] = defaultdict(int)
    origin: dict[int, tuple[int, str]] = {}
    apart: list[tuple[int, int, int]] = []
    for lot_id, source, kind, original, is_restored, reverses in rows:
        origin[lot_id] = (source, kind)
        if is_restored and reverses is not None:
            apart.append((source, reverses, original))
        else:
            brought[source, kind] += original
    spent, discounts = _spent(origin, brought, apart)
    return {
        source: Used(
            brought[source, AccountKind.PRINCIPAL],
            brought[source, AccountKind.BONUS],
            spent[source],
            discounts[source],
        )
        for source in sources
    }


def _spent(
    origin: dict[int, tuple[int, str]],
    brought: dict[tuple[int, str], int],
    apart: Sequence[tuple[int, int, int]],
) -> tuple[dict[int, int], dict[int, int]]:
    """What bills took, by recharge, and their discounts; what moved away is taken off `brought`.

    `apart` is what refunds gave back as lots of their own: (recharge, bill, amount).
    """
    spent: dict[int, int] = defaultdict(int)
    by_bill: dict[tuple[int, int], int] = defaultdict(int)
    uses = LotUse.objects.filter(lot__in=origin, entry__operation_kind__in=(*_SPENT, *_GONE)).values_list(
        "lot_id", "amount", "entry__operation_kind", "entry__operation_id", "entry__operation__reverses_id"
    )
    for lot_id, amount, kind, operation, reverses in uses:
        source, account_kind = origin[lot_id]
        if kind in _GONE:
            brought[source, account_kind] += amount
        else:
            spent[source] -= amount
            by_bill[source, reverses or operation] -= amount
    for source, bill, amount in apart:
        spent[source] -= amount
        by_bill[source, bill] -= amount
    return spent, _discounts(by_bill)


def _discounts(by_bill: dict[tuple[int, int], int]) -> dict[int, int]:
    """Each recharge's share of what was taken off the bills it paid."""
    bills = {bill for _source, bill in by_bill}
    reduced = _reduced(bills)
    net = dict(Operation.objects.filter(pk__in=reduced).values_list("pk", "amount_minor")) if reduced else {}
    discounts: dict[int, int] = defaultdict(int)
    for (source, bill), amount in by_bill.items():
        if reduced.get(bill) and net.get(bill):
            discounts[source] += share(reduced[bill], amount, net[bill])
    return discounts


def _reduced(bills: Iterable[int]) -> dict[int, int]:
    lines = BillLine.objects.filter(operation__in=list(bills)).exclude(kind=BillLineKind.GOODS)
    rows = lines.order_by().values("operation").annotate(off=Sum("amount_minor"))
    return {row["operation"]: -row["off"] for row in rows}
