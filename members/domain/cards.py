"""A card from its opening on, and the money paid onto it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import coupon_issuing, coupon_locks, earning, express, ledger
from members.domain.deeds import (
    AmountRefused,
    CardNotUsable,
    Outcome,
    begin,
    check_amount,
    check_tender,
    conclude,
    replayed,
    replayed_payment,
)
from members.domain.earning import Award, Earnable
from members.domain.ledger import Actor, Deed, Leg, NewLot, TenderPaid
from members.domain.local_days import day_of, midnight_after
from members.domain.plans import check_plan, terms_of
from members.domain.recharge_limits import check_sale
from members.enums import STORED_VALUE, AccountKind, OperationKind
from members.models import Account, Card, CardKind, CardProduct, Member, RechargePlan, Store
from members.models.points import EarningOccasion


def open_card(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    member: Member,
    product: CardProduct,
    is_announced: bool = True,
) -> tuple[Card, Outcome]:
    """Open a card with its accounts. Publishes card_opened. The same key again gives the same card.

    An import's card is stored, but not announced; nor is one that takes another's value over, as it begins empty.
    """
    with transaction.atomic():
        Account.objects.bulk_create(
            [Account(kind=AccountKind.POINTS, member=member, balance=0)], ignore_conflicts=True
        )
        deed = ledger.open_deed(
            kind=OperationKind.OPEN_CARD,
            actor=actor,
            key=key,
            at=at,
            store_id=store.pk,
            member_id=member.pk,
            card_id=None,
            request={"product": product.pk},
        )
        if deed.is_replay:
            card = Card.objects.get(member=member, number=_opened_number(deed.operation.pk))
            return card, replayed(deed)
        card = Card.objects.create(
            number=_opened_number(deed.operation.pk),
            product=product,
            member=member,
            store=store,
            opened_at=at,
        )
        open_accounts(card)
        balances = {AccountKind.PRINCIPAL: 0, AccountKind.BONUS: 0, **deed.balances}
        opened = replace(deed, balances=balances)
        done = conclude(
            opened, [], event="card_opened", facts={}, card=card, store=store, is_announced=is_announced
        )
        return card, done


def open_accounts(card: Card) -> None:
    """The accounts of a new card: every one has principal and bonus, a count card services too."""
    kinds = [*STORED_VALUE]
    if card.product.kind == CardKind.SERVICES:
        kinds.append(AccountKind.SERVICES)
    Account.objects.bulk_create(
        [Account(kind=kind, member_id=card.member_id, card=card, balance=0) for kind in kinds]
    )


def _opened_number(operation_id: int) -> str:
    """A card number that no other card has and nobody can count: two random-looking halves of the deed's id."""
    return str(
        8_000_000_000_000_000 + (operation_id * 6_364_136_223_846_793 + 1_442_695_040_888_963) % 10**15
    )


class WrongCard(CardNotUsable):
    """The card is of a kind that does not take this."""

    code = "wrong_card_kind"


def recharge_card(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    tender: TenderPaid,
    plan: RechargePlan | None = None,
) -> Outcome:
    """Money paid in becomes principal; a plan adds its bonus, points and coupon. Publishes card_recharged.

    With a plan the tender must be exactly its price; whether the member may take it, and the law's limits, are
    judged under the card's locks. Raises AmountRefused, CardNotUsable, NotOffered, IdentityNeeded,
    CardLimitReached, ledger.PaymentReferenceUsed, ledger.IdempotencyConflict.
    """
    paid = check_amount(tender.amount_minor)
    check_tender(tender)
    if card.product.kind != CardKind.STORED_VALUE:
        raise WrongCard(_("Only a stored-value card can be recharged."))
    request = {"card": card.pk, "amount": paid, "plan": plan.pk if plan else None, "tender": tender.type}
    done = express.recharge(
        actor=actor, key=key, at=at, store=store, card=card, tender=tender, plan=plan, request=request
    )
    if done:
        return done
    with transaction.atomic():
        deed = begin(
            OperationKind.RECHARGE,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request=request,
            amount_minor=paid,
        )
        if deed.is_replay:
            return replayed_payment(deed, tender)
        if plan:
            check_plan(plan, card, store, at=at, deed=deed.operation)
            if paid != plan.pay_minor:
                raise AmountRefused(_("The amount paid is not the price of the plan."))
        check_sale(deed.house, card.member, held_minor=deed.balances[AccountKind.PRINCIPAL], paid_minor=paid)
        return _load(deed, card, store, actor, tender, plan)


def _load(
    deed: Deed, card: Card, store: Store, actor: Actor, tender: TenderPaid, plan: RechargePlan | None
) -> Outcome:
    paid, at = tender.amount_minor, deed.operation.at
    awards = _awards(deed, card, store, paid, plan)
    legs = [
        Leg(paid, account=deed.accounts[AccountKind.PRINCIPAL], lots=(NewLot(paid, paid_minor=paid),)),
        Leg(-paid, store=store.pk, kind=AccountKind.TENDER),
        *(_bonus_legs(deed, store, plan) if plan else ()),
        *earning.legs_of(deed, awards, store),
    ]
    facts = {"amount": paid, "bonus": plan.bonus_minor if plan else 0, "points": earning.total(awards)}
    if plan and plan.coupon_id:
        coupon_locks.lock_before_rise([plan.coupon_id])
    outcome = conclude(
        deed, legs, event="card_recharged", facts=facts, card=card, store=store, tenders=[tender]
    )
    if awards:
        earning.record(deed.operation, awards)
    if plan and plan.coupon:
        coupon_issuing.issue(
            definition=plan.coupon,
            member=card.member,
            actor=actor,
            key=coupon_issuing.key_of_gift(deed.operation),
            at=at,
            store=store,
            reason=plan.name,
            is_in_deed=True,
        )
    return outcome


def _bonus_legs(deed: Deed, store: Store, plan: RechargePlan) -> list[Leg]:
    """The bonus with its own expiry (the store's midnight) and what it may pay for, frozen as the plan says now."""
    if not plan.bonus_minor:
        return []
    days = plan.bonus_valid_days
    last = day_of(store, deed.operation.at) + timedelta(days=days) if days else None
    lot = NewLot(
        plan.bonus_minor, expires_at=midnight_after(store, last) if last else None, terms=terms_of(plan)
    )
    return [
        Leg(plan.bonus_minor, account=deed.accounts[AccountKind.BONUS], lots=(lot,)),
        Leg(-plan.bonus_minor, store=store.pk, kind=AccountKind.BONUS_COST),
    ]


def _awards(deed: Deed, card: Card, store: Store, paid: int, plan: RechargePlan | None) -> Sequence[Award]:
    """The plan's points, and what the rules that ask for recharges give."""
    at, occasion = deed.operation.at, EarningOccasion.RECHARGE
    facts = Earnable(card.member, card, store, at, net_minor=paid, occasion=occasion, house=deed.house)
    awards = earning.awards_for(facts)
    if plan and plan.points:
        why = {"by": "plan", "plan": plan.name}
        awards.insert(0, earning.given(plan.points, card=card, store=store, at=at, why=why))
    return awards
