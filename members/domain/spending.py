"""A bill: what a tier and coupons take off, then points, outside money, and the card for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from members.domain import bill_lines, events, express, hold_uses
from members.domain import coupons as coupon_book
from members.domain.allocation import OpenLot, Use
from members.domain.bills import Bill, Line, bill_of
from members.domain.deeds import Outcome, begin, conclude, legs_by_kind, replayed
from members.domain.earning import Award, Earnable, awards_for, legs_of, record, total
from members.domain.housebook import house
from members.domain.ledger import Actor, Deed, Leg, TenderPaid
from members.domain.payments import (
    Asked,
    CodeRequired,
    InsufficientBalance,
    Payment,
    PointsNotTaken,
    pay,
    settlement_legs,
)
from members.domain.tiers import Privileges, privileges_of
from members.enums import STORED_VALUE, AccountKind, HoldStatus, OperationKind
from members.event_types import BALANCES
from members.models import BillLineKind, Card, Coupon, Hold, Operation, Store

__all__ = ["CodeRequired", "InsufficientBalance", "PointsNotTaken", "spend"]


@dataclass(frozen=True)
class _Priced:
    """A bill with its discounts, what each coupon took off, and what the member's tier gives."""

    bill: Bill
    privileges: Privileges
    taken_off: dict[Coupon, int] = field(default_factory=dict)


def spend(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    amount_minor: int,
    tenders: Sequence[TenderPaid] = (),
    note: str = "",
    lines: Sequence[Line] = (),
    coupons: Sequence[Coupon] = (),
    points: int = 0,
    rest: TenderPaid | None = None,
    card_minor: int | None = None,
    hold: Hold | None = None,
    is_confirmed: bool = False,
) -> Outcome:
    """A bill of `amount_minor` before discounts, paid by points, outside tenders and the rest from the card.

    `rest` names the tender that pays what the card cannot; its amount is worked out here. `card_minor` is the most
    the card pays. `hold` is captured: its value pays first, and what is left of it is free again. `is_confirmed`
    says that the member's code was right. A coupon that does not go with a tier's discount goes instead of it.
    The deed's amount is what is to be paid. Earns points; publishes card_spent.

    Raises AmountRefused, InsufficientBalance, InsufficientPoints, PointsNotTaken, CouponDoesNotFit, CodeRequired,
    HoldEnded, CardNotUsable, ledger.PaymentReferenceUsed.
    """
    wanted = Asked(card, amount_minor, tenders, lines, coupons, points, rest, card_minor, hold, is_confirmed)
    wanted.check()
    if wanted.is_plain and (
        done := express.bill(
            actor=actor,
            key=key,
            at=at,
            store=store,
            wanted=wanted,
            note=note,
        )
    ):
        return done
    with transaction.atomic():
        priced = _price(wanted, store, at, is_done=bool(coupons) and _is_done(actor, key))
        deed = begin(
            OperationKind.SPEND,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request=wanted.request(),
            amount_minor=priced.bill.net_minor,
            lots_of=(*STORED_VALUE, AccountKind.POINTS) if points else STORED_VALUE,
            note=note,
        )
        if deed.is_replay:
            return replayed(deed)
        payment = pay(deed, priced.bill, wanted, store)
        coupon_book.lock_for_use(priced.taken_off)
        for coupon in coupon_book.in_lock_order(priced.taken_off):
            coupon_book.use(coupon, deed.operation, at, amount_minor=priced.taken_off[coupon])
        if hold:
            hold_uses.end(hold, HoldStatus.CAPTURED, deed.operation, at)
        return _take(replace(deed, lots=payment.lots), card, store, priced, payment)


def _is_done(actor: Actor, key: str) -> bool:
    """Whether this is a replay: its coupons are used by now and fit nothing."""
    return Operation.objects.filter(scope=actor.scope, key=key).exists()


def _price(wanted: Asked, store: Store, at: datetime, *, is_done: bool) -> _Priced:
    """The bill with what comes off: the tier's discount first, the coupons from what it leaves."""
    member = wanted.card.member
    privileges = privileges_of(member, at, house())
    bill = bill_of(wanted.amount_minor, wanted.lines)
    if is_done:
        return _Priced(bill, privileges)
    coupons = coupon_book.in_lock_order(wanted.coupons)
    if all(coupon.definition.stacks_with_tier for coupon in coupons):
        bill = privileges.off(bill)
    taken_off: dict[Coupon, int] = {}
    for coupon in coupons:
        discount = coupon_book.price(
            coupon, bill.net_lines(), store=store, member=member, at=at, others=list(taken_off)
        )
        of = frozenset(category.pk for category in coupon.definition.categories.all())
        taken_off[coupon] = min(discount.amount_minor, bill.net_minor)
        bill = bill.less(BillLineKind.COUPON, discount.amount_minor, discount.words, of)
    return _Priced(bill, privileges, taken_off)


def _take(deed: Deed, card: Card, store: Store, priced: _Priced, payment: Payment) -> Outcome:
    """Write the bill, its legs and its points, and tell it."""
    bill = priced.bill
    bill_lines.keep(deed.operation, bill)
    awards = _earn(deed, card, store, priced, payment)
    uses = [
        *legs_by_kind(deed, payment.uses),
        *_counter_legs(store, bill, payment),
        *_settlement(store, deed.lots, payment.uses),
        *legs_of(deed, awards, store),
    ]
    outcome = conclude(
        deed,
        uses,
        event="card_spent",
        facts=_facts(deed, payment, bill, total(awards)),
        card=card,
        store=store,
        tenders=payment.tenders,
        visit={"bill": bill.net_minor},
    )
    _tell_if_low(outcome, payment.stored_minor, card, store)
    return outcome


def _tell_if_low(outcome: Outcome, stored_minor: int, card: Card, store: Store) -> None:
    """Publish balance_low when this bill brought the card below what its product calls low."""
    low = card.product.low_below_minor
    if (
        low is None
        or outcome.event is None
        or not outcome.balance_minor < low <= outcome.balance_minor + stored_minor
    ):
        return
    operation, told = outcome.operation, outcome.event.payload
    events.publish(
        "balance_low",
        member=card.member,
        store=store,
        source=operation.scope,
        key=f"low:{operation.public_id}",
        at=operation.at,
        payload={name: told[name] for name in BALANCES},
        operation=operation,
    )


def _earn(deed: Deed, card: Card, store: Store, priced: _Priced, payment: Payment) -> list[Award]:
    bill = priced.bill
    facts = Earnable(
        member=card.member,
        card=card,
        store=store,
        at=deed.operation.at,
        net_minor=bill.earning_minor(payment.points_minor),
        lines=bill.net_lines(),
        tier=priced.privileges,
        house=deed.house,
    )
    awards = awards_for(facts)
    record(deed.operation, awards)
    return awards


def _counter_legs(store: Store, bill: Bill, payment: Payment) -> list[Leg]:
    parts = {
        AccountKind.SALES: bill.gross_minor,
        AccountKind.DISCOUNTS: -bill.discount_minor,
        AccountKind.POINTS_TENDER: -payment.points_minor,
        AccountKind.REWARDS: payment.points,
        AccountKind.TENDER: -payment.outside_minor,
    }
    return [Leg(amount, store=store.pk, kind=kind) for kind, amount in parts.items() if amount]


def _settlement(store: Store, lots: Sequence[OpenLot], uses: Sequence[Use]) -> list[Leg]:
    """What the stores that sold the value owe the one that took it."""
    owed: dict[int, int] = {}
    sold_at = {lot.id: lot.sold_at for lot in lots if lot.kind in STORED_VALUE}
    for use in uses:
        issuer = sold_at.get(use.lot, store.pk)
        if issuer != store.pk:
            owed[issuer] = owed.get(issuer, 0) - use.amount
    return settlement_legs(store.pk, owed)


def _facts(deed: Deed, payment: Payment, bill: Bill, earned: int) -> dict[str, Any]:
    kinds = {lot.id: lot.kind for lot in deed.lots}
    bonus = -sum(use.amount for use in payment.uses if kinds[use.lot] == AccountKind.BONUS)
    return {
        "amount": bill.net_minor,
        "discount": bill.discount_minor,
        "stored_value": payment.stored_minor,
        "principal": payment.stored_minor - bonus,
        "bonus": bonus,
        "points": earned,
        "points_used": payment.points,
    }
