"""Where value goes that a refund gives back: into the lots it came from, or into lots of its own.

What comes back may be used for seven days at least. A lot that ends before, and still has something in it, is not
prolonged for that: the part that comes back becomes a lot of its own with the same origin and terms, and a row that
names the lot it left. So a refund of 0.01 gives seven days to 0.01, not to a lot of 500.00. An empty lot takes its
value back and ends later (members/sql/ledger.sql).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db.models import Sum

from members.domain.allocation import Use
from members.domain.ledger import Deed, Leg, NewLot
from members.domain.lot_parts import open_lot, part_paid
from members.enums import AccountKind
from members.models import Lot, LotUse, Operation, RestoredLot

LIVES_FOR = timedelta(days=7)


def legs_into(
    deed: Deed, kind: AccountKind, uses: Sequence[Use], paid: Mapping[int, int] | None = None
) -> list[Leg]:
    """The legs that give `uses` back to one account, under the deed's locks. `keep` them once they are written.

    `paid` says by lot what was paid for what comes back, where a fen may lie between that and what the lot would say:
    it becomes a lot of its own then, too.
    """
    lots = Lot.objects.filter(pk__in=[use.lot for use in uses]).select_related("source").in_bulk()
    worth = {use.lot: -part_paid(open_lot(lots[use.lot], kind), -use.amount) for use in uses}
    paid = worth if paid is None else paid
    own = {pk for pk, lot in lots.items() if _ends_soon(lot, deed) or paid[pk] != worth[pk]}
    back = tuple(use for use in uses if use.lot not in own)
    apart = [use for use in uses if use.lot in own]
    account, legs = deed.accounts[kind], []
    if back:
        legs.append(Leg(sum(use.amount for use in back), account=account, uses=back))
    if apart:
        new = tuple(_apart(lots[use.lot], use.amount, paid[use.lot], deed) for use in apart)
        legs.append(Leg(sum(lot.amount for lot in new), account=account, lots=new))
    return legs


def _ends_soon(lot: Lot, deed: Deed) -> bool:
    """Whether it has something left that is not to live on with what comes back."""
    return bool(lot.remaining and lot.expires_at and lot.expires_at < deed.operation.at + LIVES_FOR)


def _apart(lot: Lot, amount: int, paid_minor: int, deed: Deed) -> NewLot:
    return NewLot(
        amount,
        paid_minor=paid_minor,
        expires_at=max(lot.expires_at, deed.operation.at + LIVES_FOR) if lot.expires_at else None,
        terms=lot.terms,
        source=lot.source_id,
        restores=lot.pk,
    )


def keep(deed: Deed, legs: Sequence[Leg]) -> None:
    """Name, for each lot of its own, the lot its value left. Once, after the deed was written."""
    for leg in legs:
        left = [lot.restores for lot in leg.lots if lot.restores is not None]
        if not left or leg.account is None:
            continue
        made = Lot.objects.filter(operation=deed.operation, account_id=leg.account).order_by("id")
        RestoredLot.objects.bulk_create(
            [RestoredLot(lot=new, left_id=old) for new, old in zip(made, left, strict=True)]
        )


def back_in(operation: Operation) -> dict[int, int]:
    """How much refunds of a deed have given back so far, by the lot it was taken from."""
    uses = LotUse.objects.filter(entry__operation__reverses=operation, amount__gt=0).order_by()
    totals = Counter({row["lot"]: row["total"] for row in uses.values("lot").annotate(total=Sum("amount"))})
    apart = RestoredLot.objects.filter(lot__operation__reverses=operation)
    totals.update(dict(apart.values_list("left").annotate(total=Sum("lot__original"))))
    return dict(totals)
