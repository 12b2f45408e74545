"""Taking a spend back: value to the lots it came from, earned points out again, outside money by its tender."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from members.domain import ledger
from members.domain.allocation import OpenLot, Use, give_back, share, take_in_order
from members.domain.deeds import Outcome, check_amount, conclude, replayed
from members.domain.ledger import Actor, Deed, Leg, TenderPaid
from members.enums import STORED_VALUE, AccountKind, OperationKind
from members.models import Entry, LotUse, Operation, Store, Tender
from members.refusals import Refused


class NotRefundable(Refused):
    """Only a spend can be refunded."""

    code = "not_refundable"


class RefundExceedsOriginal(Refused):
    """More than is left of the spend. `facts["refundable_minor"]` says what is left."""

    code = "refund_exceeds_original"
    field = "amount"


@dataclass(frozen=True)
class _Sale:
    """What a spend took and what refunds have given back so far; all amounts positive, by account kind."""

    took: dict[str, int]
    returned: dict[str, int]
    uses: dict[str, list[Use]]
    back: dict[int, int]
    points_lot: int | None


def refundable_minor(operation: Operation) -> int:
    """How much of a spend has not been refunded yet."""
    returned = operation.reversals.aggregate(total=Sum("amount_minor"))["total"] or 0
    return operation.amount_minor - returned if operation.kind == OperationKind.SPEND else 0


def refund(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    operation: Operation,
    amount_minor: int | None = None,
    note: str = "",
) -> Outcome:
    """Give back a spend, whole (no amount) or in part. Publishes card_refunded.

    A part is shared over stored value and outside money, and over principal and bonus, as the spend was.
    Points it earned are taken back as far as the member still has them; what is gone is not charged.
    Raises NotRefundable, RefundExceedsOriginal, ledger.IdempotencyConflict.
    """
    if operation.kind != OperationKind.SPEND or operation.card is None:
        raise NotRefundable(_("Only a spend can be refunded."))
    card = operation.card
    with transaction.atomic():
        left = refundable_minor(operation)
        amount = check_amount(amount_minor) if amount_minor is not None else max(left, 1)
        deed = ledger.open_deed(
            kind=OperationKind.REFUND,
            actor=actor,
            key=key,
            at=at,
            store_id=store.pk,
            member_id=operation.member_id,
            card_id=card.pk,
            request={"operation": operation.pk, "amount": amount_minor},
            lots_of=(AccountKind.POINTS,),
            amount_minor=amount,
            reverses_id=operation.pk,
            note=note,
        )
        if deed.is_replay:
            return replayed(deed)
        left = refundable_minor(operation) + amount  # read again under the lock; this deed's own row counts
        if amount > left or left <= 0:
            raise RefundExceedsOriginal(_("More than is left of this spend."), refundable_minor=max(left, 0))
        return _give_back(deed, operation, store, amount)


def _give_back(deed: Deed, operation: Operation, store: Store, amount: int) -> Outcome:
    sale = _read_sale(operation)
    bill = operation.amount_minor
    done = sum(sale.returned.get(kind, 0) for kind in (*STORED_VALUE, AccountKind.TENDER)) + amount
    outside = share(sale.took.get(AccountKind.TENDER, 0), done, bill) - sale.returned.get(
        AccountKind.TENDER, 0
    )
    legs = _stored_legs(deed, sale, amount - outside)
    points, point_legs = _points_legs(deed, sale, store, done, bill)
    if outside:
        legs.append(Leg(outside, store=store.pk, kind=AccountKind.TENDER))
    legs += [Leg(-amount, store=store.pk, kind=AccountKind.SALES), *point_legs]
    facts = {"amount": amount, "stored_value": amount - outside, "points": points}
    assert operation.card is not None
    return conclude(
        deed,
        legs,
        event="card_refunded",
        facts=facts,
        card=operation.card,
        store=store,
        tenders=_tenders_back(operation, outside),
        visit={"returned": amount},
    )


def _stored_legs(deed: Deed, sale: _Sale, stored: int) -> list[Leg]:
    took = sum(sale.took.get(kind, 0) for kind in STORED_VALUE)
    if not stored or not took:
        return []
    done = stored + sum(sale.returned.get(kind, 0) for kind in STORED_VALUE)
    bonus = share(sale.took.get(AccountKind.BONUS, 0), done, took) - sale.returned.get(AccountKind.BONUS, 0)
    parts = {AccountKind.PRINCIPAL: stored - bonus, AccountKind.BONUS: bonus}
    return [
        Leg(part, account=deed.accounts[kind], uses=tuple(give_back(sale.uses[kind], sale.back, part)))
        for kind, part in parts.items()
        if part
    ]


def _points_legs(deed: Deed, sale: _Sale, store: Store, done: int, bill: int) -> tuple[int, list[Leg]]:
    earned = sale.took.get(AccountKind.POINTS, 0)
    due = share(earned, done, bill) - sale.returned.get(AccountKind.POINTS, 0)
    lots: list[OpenLot] = sorted(deed.lots, key=lambda lot: lot.id != sale.points_lot)
    uses = take_in_order(lots, due)
    taken = -sum(use.amount for use in uses)
    if not taken:
        return 0, []
    return taken, [
        Leg(-taken, account=deed.accounts[AccountKind.POINTS], uses=tuple(uses)),
        Leg(taken, store=store.pk, kind=AccountKind.POINTS_COST),
    ]


def _read_sale(operation: Operation) -> _Sale:
    took: dict[str, int] = defaultdict(int)
    returned: dict[str, int] = defaultdict(int)
    for entry in Entry.objects.filter(operation=operation):
        took[entry.account_kind] += abs(entry.amount)
    for entry in Entry.objects.filter(operation__reverses=operation):
        returned[entry.account_kind] += abs(entry.amount)
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in LotUse.objects.filter(entry__operation=operation).select_related("entry").order_by("id"):
        uses[use.entry.account_kind].append(Use(use.lot_id, use.amount))
    back = LotUse.objects.filter(entry__operation__reverses=operation, amount__gt=0).order_by()
    points_lot = operation.lots.filter(account__kind=AccountKind.POINTS).values_list("id", flat=True).first()
    totals = {row["lot"]: row["total"] for row in back.values("lot").annotate(total=Sum("amount"))}
    return _Sale(took, returned, uses, totals, points_lot)


def _tenders_back(operation: Operation, outside: int) -> list[TenderPaid]:
    """Outside money goes back by the tenders that paid, in their order, less what went back already."""
    gone: dict[tuple[str, str], int] = defaultdict(int)
    for tender in Tender.objects.filter(operation__reverses=operation):
        gone[(tender.type, tender.reference)] -= tender.amount_minor
    back = []
    for tender in operation.tenders.order_by("id"):
        part = min(outside, tender.amount_minor - gone[(tender.type, tender.reference)])
        if part > 0:
            back.append(TenderPaid(tender.type, -part, tender.reference))
            outside -= part
    return back
