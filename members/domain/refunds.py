"""Taking a deed back: value to the lots it came from, earned points out again, outside money by its tender."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from constance import config
from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from members.domain import coupons, heirs, ledger, restoring, services
from members.domain.allocation import OpenLot, Use, give_back, take_in_order
from members.domain.deeds import Outcome, check_amount, replayed
from members.domain.heirs import Heir
from members.domain.ledger import Actor, Deed, Leg, TenderPaid
from members.domain.payments import settlement_legs
from members.domain.refund_parts import Parts
from members.domain.rewards import put_back
from members.enums import MEMBER_ACCOUNTS, AccountKind, OperationKind
from members.models import Card, Entry, Lot, LotUse, Operation, Store, Tender
from members.refusals import Refused

WHOLE_ONLY = (OperationKind.REDEEM, OperationKind.SERVE)


class NotRefundable(Refused):
    """Only a spend, a reward and a service can be taken back."""

    code = "not_refundable"


class RefundExceedsOriginal(Refused):
    """More than is left of the spend. `facts["refundable_minor"]` says what is left."""

    code = "refund_exceeds_original"
    field = "amount"


class PointsUsed(Refused):
    """The points a spend earned are gone, and the house does not forgive that. `facts["missing"]` says how many."""

    code = "points_used"


@dataclass(frozen=True)
class _Sale:
    """A spend as it was, and what refunds have given back to each lot so far."""

    operation: Operation
    store_id: int
    paid: Parts
    uses: dict[str, list[Use]]
    sold_at: dict[int, int]
    back: dict[int, int]


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
    """Take back a spend, whole (no amount) or in part, or a reward or service, whole. Publishes card_refunded,
    for a service service_returned.

    A part is shared over outside money, points, principal and bonus as the bill was paid. The points it earned
    leave the lots they came in, then the member's others; what is gone is forgiven, kept back in money or refuses
    the refund, as the house has set (POINTS_MISSING_ON_REFUND). The sale and what stores owe each other for it are
    taken back where they were written; `store` hands out the outside money. Coupons come back, as each one's policy
    says, once nothing of the bill is left.

    Raises NotRefundable, RefundExceedsOriginal, PointsUsed, services.ReturnExceedsTaken,
    ledger.IdempotencyConflict.
    """
    if operation.card is None or operation.kind not in (OperationKind.SPEND, *WHOLE_ONLY):
        raise NotRefundable(_("Only a spend, a reward or a service can be taken back."))
    is_whole = operation.kind in WHOLE_ONLY or not operation.amount_minor
    card = operation.card
    with transaction.atomic():
        Operation.objects.select_for_update(no_key=True).only("pk").get(pk=operation.pk)
        heir = heirs.heir_of(card)
        heirs.lock(actor, heir)
        deed = _open(actor, key, at, store, operation, amount_minor, is_whole, note)
        if deed.is_replay:
            return replayed(deed)
        heirs.check(deed, heir, card)
        if operation.kind == OperationKind.SERVE:
            return _return_services(deed, operation, card, store, heir)
        _check_left(deed, operation, is_whole)
        if operation.kind == OperationKind.REDEEM:
            return _return_reward(deed, operation, card, heir)
        return _give_back(deed, _read_sale(operation, deed), card, store, heir)


def _open(
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    operation: Operation,
    amount_minor: int | None,
    is_whole: bool,
    note: str,
) -> Deed:
    if amount_minor is not None and not is_whole:
        amount = check_amount(amount_minor)
    else:
        amount = operation.amount_minor if is_whole else max(refundable_minor(operation), 1)
    return ledger.open_deed(
        kind=OperationKind.REFUND,
        actor=actor,
        key=key,
        at=at,
        store_id=store.pk,
        member_id=operation.member_id,
        card_id=operation.card_id,
        request={"operation": operation.pk, "amount": amount_minor, **_measured(operation)},
        lots_of=(AccountKind.POINTS,),
        amount_minor=amount,
        reverses_id=operation.pk,
        note=note,
    )


def _measured(operation: Operation) -> dict[str, int]:
    """What the limits of a person count of a deed without an amount: services, or a reward's points."""
    if operation.kind == OperationKind.SERVE:
        return {"services": operation.request["count"]}
    if operation.kind == OperationKind.REDEEM:
        taken = Entry.objects.filter(operation=operation, account_kind=AccountKind.REWARDS)
        return {"points": taken.aggregate(total=Sum("amount"))["total"] or 0}
    return {}


def _check_left(deed: Deed, operation: Operation, is_whole: bool) -> None:
    """Under the lock: what others have taken back of it counts. Raises RefundExceedsOriginal."""
    others = operation.reversals.exclude(pk=deed.operation.pk)
    if is_whole:
        if others.exists():
            raise RefundExceedsOriginal(_("This has been taken back already."), refundable_minor=0)
        return
    left = operation.amount_minor - (others.aggregate(total=Sum("amount_minor"))["total"] or 0)
    if deed.operation.amount_minor > left:
        raise RefundExceedsOriginal(_("More than is left of this spend."), refundable_minor=max(left, 0))


def _give_back(deed: Deed, sale: _Sale, card: Card, store: Store, heir: Heir | None) -> Outcome:
    amount, before = deed.operation.amount_minor, _done_before(deed, sale)
    part = sale.paid.between(before, before + amount)
    taken, missing = _points_taken(deed, sale, part.points_earned)
    if missing and heir and heir.is_other_member:
        deed = heirs.fetch_points(deed, heir, sale.operation, missing)
        taken, missing = _points_taken(deed, sale, part.points_earned)
    kept = _kept_back(card, missing, part)
    given = part.less(kept)
    if given.stored_minor:
        heirs.check_may_receive(deed, heir)
    stored = _lots_back(deed, sale, given)
    if sale.paid.discount_minor and before + amount == sale.paid.net_minor:
        coupons.restore(deed.operation, deed.operation.at)
    legs = [
        *stored,
        *_points_legs(deed, sale, given, taken),
        *_counter_legs(sale.store_id, store.pk, part, given, kept),
        *_settlement_back(sale, stored),
    ]
    facts = {
        "amount": amount - kept,
        "stored_value": given.stored_minor,
        "points": -sum(use.amount for use in taken),
        "points_back": given.points_used,
    }
    tenders = _tenders_back(sale.operation, given.outside_minor)
    return heirs.conclude_for(
        heir,
        deed,
        legs,
        event="card_refunded",
        facts=facts,
        card=card,
        store=store,
        tenders=tenders,
        visit={"returned": amount},
    )


def _done_before(deed: Deed, sale: _Sale) -> int:
    others = sale.operation.reversals.exclude(pk=deed.operation.pk)
    return others.aggregate(total=Sum("amount_minor"))["total"] or 0


def _points_taken(deed: Deed, sale: _Sale, due: int) -> tuple[list[Use], int]:
    """The earned points to take back, from the lots they came in and then from the others; and what is missing."""
    if not due:
        return [], 0
    came_in = Lot.objects.filter(
        source=sale.operation, account_id=deed.accounts[AccountKind.POINTS], remaining__gt=F("held")
    )
    own = [
        OpenLot(lot.pk, AccountKind.POINTS, sale.operation.pk, lot.remaining - lot.held)
        for lot in came_in.order_by("id")
    ]
    known = {lot.id for lot in own}
    others = [lot for lot in deed.lots_of(AccountKind.POINTS) if lot.id not in known]
    taken = take_in_order([*own, *others], due)
    return taken, due + sum(use.amount for use in taken)


def _kept_back(card: Card, missing: int, part: Parts) -> int:
    """What the house keeps of the money for points that are gone. Raises PointsUsed."""
    if not missing or config.POINTS_MISSING_ON_REFUND == "forgive":
        return 0
    if config.POINTS_MISSING_ON_REFUND == "refuse":
        said = _("The member has already used %(n)d of the points this spend earned.") % {"n": missing}
        raise PointsUsed(said, missing=missing)
    worth = missing * (card.product.point_value_minor or 0) // 100
    return min(worth, part.stored_minor + part.outside_minor)


def _lots_back(deed: Deed, sale: _Sale, given: Parts) -> list[Leg]:
    parts = {AccountKind.PRINCIPAL: given.principal_minor, AccountKind.BONUS: given.bonus_minor}
    return [
        leg
        for kind, part in parts.items()
        if part
        for leg in restoring.legs_into(deed, kind, give_back(sale.uses[kind], sale.back, part))
    ]


def _points_legs(deed: Deed, sale: _Sale, given: Parts, taken: Sequence[Use]) -> list[Leg]:
    """Points that paid come back; points that were earned leave."""
    account, legs = deed.accounts.get(AccountKind.POINTS), []
    if given.points_used:
        uses = give_back(sale.uses[AccountKind.POINTS], sale.back, given.points_used)
        legs += [
            *restoring.legs_into(deed, AccountKind.POINTS, uses),
            Leg(-given.points_used, store=sale.store_id, kind=AccountKind.REWARDS),
        ]
    if taken:
        total = sum(use.amount for use in taken)
        legs += [
            Leg(total, account=account, uses=tuple(taken)),
            Leg(-total, store=sale.store_id, kind=AccountKind.POINTS_COST),
        ]
    return legs


def _counter_legs(sold_at: int, paid_at: int, part: Parts, given: Parts, kept: int) -> list[Leg]:
    """The sale taken back where it was made; outside money handed out here, and owed to us if it was elsewhere."""
    at_sale = {
        AccountKind.SALES: -part.gross_minor,
        AccountKind.DISCOUNTS: part.discount_minor,
        AccountKind.POINTS_TENDER: part.points_minor + kept,
    }
    legs = [Leg(amount, store=sold_at, kind=kind) for kind, amount in at_sale.items() if amount]
    if given.outside_minor:
        legs.append(Leg(given.outside_minor, store=paid_at, kind=AccountKind.TENDER))
        if paid_at != sold_at:
            legs += settlement_legs(paid_at, {sold_at: given.outside_minor})
    return legs


def _settlement_back(sale: _Sale, stored: Sequence[Leg]) -> list[Leg]:
    """What other stores owed for their value is no longer owed, as far as it went back into their lots."""
    owed: dict[int, int] = defaultdict(int)
    for leg in stored:
        for use in leg.uses:
            owed[sale.sold_at[use.lot]] -= use.amount
        for new in leg.lots:
            owed[sale.sold_at[new.restores or 0]] -= new.amount
    owed.pop(sale.store_id, None)
    return settlement_legs(sale.store_id, owed)


def _return_services(
    deed: Deed, operation: Operation, card: Card, store: Store, heir: Heir | None
) -> Outcome:
    """All services of it that are not back yet."""
    heirs.check_may_receive(deed, heir)
    count, legs = services.legs_back(deed, operation)
    facts = {"service": str(card.product.service_group), "count": count}
    return heirs.conclude_for(heir, deed, legs, event="service_returned", facts=facts, card=card, store=store)


def _return_reward(deed: Deed, operation: Operation, card: Card, heir: Heir | None) -> Outcome:
    """A reward's points, every entry the other way round, to where they came from; the reward is in stock again."""
    put_back(operation, deed.operation.at)
    uses = [
        Use(use.lot_id, -use.amount)
        for use in LotUse.objects.filter(entry__operation=operation).order_by("id")
    ]
    entries = Entry.objects.filter(operation=operation).select_related("account").order_by("id")
    legs = restoring.legs_into(deed, AccountKind.POINTS, uses)
    legs += [
        Leg(-entry.amount, store=entry.account.store_id, kind=AccountKind(entry.account_kind))
        for entry in entries
        if entry.account_kind not in MEMBER_ACCOUNTS
    ]
    points = sum(entry.amount for entry in entries if entry.account_kind == AccountKind.REWARDS)
    facts = {"amount": 0, "stored_value": 0, "points": 0, "points_back": points}
    return heirs.conclude_for(
        heir, deed, legs, event="card_refunded", facts=facts, card=card, store=operation.store
    )


def _read_sale(operation: Operation, deed: Deed) -> _Sale:
    moved: dict[tuple[str, int], int] = defaultdict(int)
    for kind, sign, amount in Entry.objects.filter(operation=operation).values_list(
        "account_kind", "sign", "amount"
    ):
        moved[kind, sign] += abs(amount)
    taken = LotUse.objects.filter(entry__operation=operation).select_related("entry", "lot__source")
    uses: dict[str, list[Use]] = defaultdict(list)
    sold_at = {}
    for use in taken.order_by("id"):
        uses[use.entry.account_kind].append(Use(use.lot_id, use.amount))
        sold_at[use.lot_id] = use.lot.source.store_id
    paid = Parts(
        gross_minor=moved[AccountKind.SALES, 1],
        outside_minor=moved[AccountKind.TENDER, -1],
        points_minor=moved[AccountKind.POINTS_TENDER, -1],
        principal_minor=moved[AccountKind.PRINCIPAL, -1],
        bonus_minor=moved[AccountKind.BONUS, -1],
        points_used=moved[AccountKind.POINTS, -1],
        points_earned=moved[AccountKind.POINTS, 1],
    )
    return _Sale(operation, operation.store_id, paid, uses, sold_at, restoring.back_in(operation))


def _tenders_back(operation: Operation, outside: int) -> list[TenderPaid]:
    """Outside money goes back by the tenders that paid, in their order, less what went back already."""
    gone: dict[tuple[str, str], int] = defaultdict(int)
    for tender in Tender.objects.filter(operation__reverses=operation):
        gone[(tender.type, tender.reference)] -= tender.amount_minor
    back = []
    for tender in operation.tenders.order_by("id"):
        name = (tender.type, tender.reference)
        went = min(gone[name], tender.amount_minor)
        gone[name] -= went
        if part := min(outside, tender.amount_minor - went):
            back.append(TenderPaid(tender.type, -part, tender.reference))
            outside -= part
    return back
