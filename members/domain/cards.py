"""A card from its opening on, and the money paid onto it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import ledger
from members.domain.deeds import (
    AmountRefused,
    NotOffered,
    Outcome,
    begin,
    check_amount,
    check_tender,
    conclude,
    replayed,
)
from members.domain.earning import points_earned
from members.domain.ledger import Actor, Leg, NewLot, TenderPaid
from members.enums import STORED_VALUE, AccountKind, OperationKind
from members.models import Account, Card, CardProduct, Member, RechargePlan, Store


def open_card(
    *, actor: Actor, key: str, at: datetime, store: Store, member: Member, product: CardProduct
) -> tuple[Card, Outcome]:
    """Open a card with its accounts. Publishes card_opened. The same key again gives the same card."""
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
        for kind in STORED_VALUE:
            Account.objects.create(kind=kind, member=member, card=card, balance=0)
        balances = {AccountKind.PRINCIPAL: 0, AccountKind.BONUS: 0, **deed.balances}
        opened = replace(deed, balances=balances)
        return card, conclude(opened, [], event="card_opened", facts={}, card=card, store=store)


def _opened_number(operation_id: int) -> str:
    """A card number that no other card has and nobody can count: two random-looking halves of the deed's id."""
    return str(
        8_000_000_000_000_000 + (operation_id * 6_364_136_223_846_793 + 1_442_695_040_888_963) % 10**15
    )


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
    """Money paid in becomes principal; a plan adds its bonus and points. Publishes card_recharged.

    With a plan the tender must be exactly its price. Raises AmountRefused, CardNotUsable, NotOffered,
    ledger.PaymentReferenceUsed, ledger.IdempotencyConflict.
    """
    paid = check_amount(tender.amount_minor)
    check_tender(tender)
    bonus, points = (plan.bonus_minor, plan.points) if plan else (0, 0)
    if plan:
        _check_plan(plan, store, paid)
    with transaction.atomic():
        request = {"card": card.pk, "amount": paid, "plan": plan.pk if plan else None, "tender": tender.type}
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
            return replayed(deed)
        principal = NewLot(paid, paid_minor=paid)
        legs = [
            Leg(paid, account=deed.accounts[AccountKind.PRINCIPAL], lots=(principal,)),
            Leg(-paid, store=store.pk, kind=AccountKind.TENDER),
        ]
        if plan and bonus:
            expires = at + timedelta(days=plan.bonus_valid_days) if plan.bonus_valid_days else None
            extra = NewLot(bonus, expires_at=expires)
            legs += [
                Leg(bonus, account=deed.accounts[AccountKind.BONUS], lots=(extra,)),
                Leg(-bonus, store=store.pk, kind=AccountKind.BONUS_COST),
            ]
        if points:
            legs += points_earned(deed, card.product, store, points, at)
        facts = {"amount": paid, "bonus": bonus, "points": points}
        return conclude(
            deed, legs, event="card_recharged", facts=facts, card=card, store=store, tenders=[tender]
        )


def _check_plan(plan: RechargePlan, store: Store, paid: int) -> None:
    if not plan.is_active or plan.store_id not in (None, store.pk):
        raise NotOffered(_("This recharge plan is not on sale at this store."), field="plan")
    if paid != plan.pay_minor:
        raise AmountRefused(_("The amount paid is not the price of the plan."))
