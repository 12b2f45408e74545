"""What is done at a till: open, recharge, spend, redeem. Each is one transaction through the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from members.domain import events, ledger
from members.domain.allocation import Use, take, take_in_order
from members.domain.ledger import Actor, Deed, Leg, TenderPaid
from members.enums import AccountKind, CardStatus, OperationKind, SpendOrder, TenderType
from members.models import (
    Account,
    Card,
    CardProduct,
    Entry,
    Member,
    MemberFacts,
    MembershipEvent,
    Operation,
    Purchase,
    RechargePlan,
    Reward,
    Store,
)
from members.refusals import Refused

AMOUNT_MAX = 10**9
STORED_VALUE = (AccountKind.PRINCIPAL, AccountKind.BONUS)


class AmountRefused(Refused):
    """The amount is not one the ledger takes."""

    code = "amount_invalid"
    field = "amount"


class CardNotUsable(Refused):
    """The card is frozen, replaced or closed."""

    code = "card_not_usable"


class InsufficientBalance(Refused):
    """The card does not hold that much. `facts["available_minor"]` says how much it holds."""

    code = "insufficient_balance"
    field = "amount"


class InsufficientPoints(Refused):
    """The member does not have that many points."""

    code = "insufficient_points"
    field = "reward"


class NotOffered(Refused):
    """The plan, reward or tender is not offered at this store."""

    code = "not_offered"


@dataclass(frozen=True)
class Outcome:
    """What a deed did: its operation, the balances after it by account kind, the event that told it."""

    operation: Operation
    balances: Mapping[str, int]
    is_replay: bool = False
    event: MembershipEvent | None = None

    @property
    def balance_minor(self) -> int:
        """Principal and bonus together."""
        return sum(self.balances.get(kind, 0) for kind in STORED_VALUE)


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
        return card, told("card_opened", deed, actor, at, card, store, balances, {})


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
    _check_tender(tender)
    bonus, points = (plan.bonus_minor, plan.points) if plan else (0, 0)
    if plan:
        _check_plan(plan, store, paid)
    with transaction.atomic():
        request = {"card": card.pk, "amount": paid, "plan": plan.pk if plan else None, "tender": tender.type}
        deed = _open(card, OperationKind.RECHARGE, actor, key, at, store, request, paid)
        if deed.is_replay:
            return replayed(deed)
        legs = [
            Leg(paid, account=deed.accounts[AccountKind.PRINCIPAL], paid_minor=paid),
            Leg(-paid, store=store.pk, kind=AccountKind.TENDER),
        ]
        if plan and bonus:
            expires = at + timedelta(days=plan.bonus_valid_days) if plan.bonus_valid_days else None
            legs += [
                Leg(bonus, account=deed.accounts[AccountKind.BONUS], expires_at=expires),
                Leg(-bonus, store=store.pk, kind=AccountKind.BONUS_COST),
            ]
        if points:
            legs += _points_earned(deed, card.product, store, points, at)
        balances = ledger.post(deed, legs, [tender])
        facts = {"amount": paid, "bonus": bonus, "points": points}
        return told("card_recharged", deed, actor, at, card, store, balances, facts)


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
) -> Outcome:
    """A bill, paid by outside tenders and the rest from the card; earns points. Publishes card_spent.

    Raises AmountRefused, InsufficientBalance, CardNotUsable, ledger.PaymentReferenceUsed.
    """
    bill = check_amount(amount_minor)
    outside = sum(check_amount(tender.amount_minor) for tender in tenders)
    for tender in tenders:
        _check_tender(tender)
    if outside > bill:
        raise AmountRefused(_("More was tendered than the bill."))
    stored = bill - outside
    with transaction.atomic():
        request = {
            "card": card.pk,
            "amount": bill,
            "tenders": sorted([tender.type, tender.amount_minor, tender.reference] for tender in tenders),
        }
        deed = _open(card, OperationKind.SPEND, actor, key, at, store, request, bill, STORED_VALUE, note)
        if deed.is_replay:
            return replayed(deed)
        lots = deed.lots_of(*STORED_VALUE)
        available = sum(lot.remaining for lot in lots)
        if stored > available:
            raise InsufficientBalance(
                _("The card does not hold that much."), available_minor=available, wanted_minor=stored
            )
        uses = take(lots, stored, SpendOrder(card.product.spend_order))
        legs = [*legs_by_kind(deed, uses), Leg(bill, store=store.pk, kind=AccountKind.SALES)]
        if outside:
            legs.append(Leg(-outside, store=store.pk, kind=AccountKind.TENDER))
        points = points_for(card.product, bill)
        if points:
            legs += _points_earned(deed, card.product, store, points, at)
        balances = ledger.post(deed, legs, tenders)
        _count_visit(deed, card, store, bill, at)
        taken = {
            kind: -sum(leg.amount for leg in legs if leg.account == deed.accounts[kind])
            for kind in STORED_VALUE
        }
        facts = {
            "amount": bill,
            "stored_value": stored,
            "principal": taken[AccountKind.PRINCIPAL],
            "bonus": taken[AccountKind.BONUS],
            "points": points,
        }
        return told("card_spent", deed, actor, at, card, store, balances, facts)


def redeem_points(
    *, actor: Actor, key: str, at: datetime, store: Store, card: Card, reward: Reward
) -> Outcome:
    """Points for a reward, soonest to expire first. Publishes points_redeemed. Raises InsufficientPoints."""
    if not reward.is_active or reward.store_id not in (None, store.pk):
        raise NotOffered(_("This reward is not offered at this store."), field="reward")
    with transaction.atomic():
        request = {"card": card.pk, "reward": reward.pk}
        deed = _open(
            card,
            OperationKind.REDEEM,
            actor,
            key,
            at,
            store,
            request,
            0,
            (AccountKind.POINTS,),
            reward.name,
        )
        if deed.is_replay:
            return replayed(deed)
        lots = deed.lots_of(AccountKind.POINTS)
        if sum(lot.remaining for lot in lots) < reward.points:
            raise InsufficientPoints(_("There are not enough points for this reward."))
        uses = take_in_order(lots, reward.points)
        legs = [*legs_by_kind(deed, uses), Leg(reward.points, store=store.pk, kind=AccountKind.REWARDS)]
        balances = ledger.post(deed, legs)
        facts = {"reward": reward.name, "points": reward.points}
        return told("points_redeemed", deed, actor, at, card, store, balances, facts)


def points_for(product: CardProduct, amount_minor: int) -> int:
    """Points a bill earns: per whole unit of money (100 minor units), remainder dropped."""
    return amount_minor // 100 * product.points_per_unit


def check_amount(amount_minor: int) -> int:
    """An amount the ledger takes: whole minor units from 1 to 10⁹. Raises AmountRefused."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise AmountRefused(_("The amount must be a number."))
    if amount_minor <= 0:
        raise AmountRefused(_("The amount must be more than zero."))
    if amount_minor > AMOUNT_MAX:
        raise AmountRefused(_("The amount is too large."))
    return amount_minor


def legs_by_kind(deed: Deed, uses: Iterable[Use]) -> list[Leg]:
    """One leg per account touched, carrying the lots it uses."""
    kinds = {lot.id: lot.kind for lot in deed.lots}
    by_kind: dict[str, list[Use]] = {}
    for use in uses:
        by_kind.setdefault(kinds[use.lot], []).append(use)
    return [
        Leg(sum(use.amount for use in part), account=deed.accounts[kind], uses=tuple(part))
        for kind, part in by_kind.items()
    ]


def told(
    name: str,
    deed: Deed,
    actor: Actor,
    at: datetime,
    card: Card,
    store: Store,
    balances: Mapping[str, int],
    facts: Mapping[str, Any],
) -> Outcome:
    """Publish what a deed did, with the balances after it. The text exists if and only if the money moved."""
    operation = deed.operation
    principal, bonus = balances.get(AccountKind.PRINCIPAL, 0), balances.get(AccountKind.BONUS, 0)
    payload = {
        **facts,
        "balance": principal + bonus,
        "principal_balance": principal,
        "bonus_balance": bonus,
        "points_balance": balances.get(AccountKind.POINTS, 0),
        "card": f"…{card.number[-4:]}",
    }
    event = events.publish(
        name,
        member=card.member,
        store=store,
        source=actor.scope,
        key=f"operation:{operation.public_id}",
        at=at,
        payload=payload,
        operation=operation,
    )
    return Outcome(operation, balances, event=event)


def replayed(deed: Deed) -> Outcome:
    """The outcome a used key had: the balances its entries left, and the event it told."""
    operation = deed.operation
    held = Account.objects.filter(Q(card_id=operation.card_id) | Q(card=None), member_id=operation.member_id)
    balances: dict[str, int] = {kind: balance or 0 for kind, balance in held.values_list("kind", "balance")}
    entries = Entry.objects.filter(operation=operation, balance_after__isnull=False).order_by("id")
    balances |= {kind: after or 0 for kind, after in entries.values_list("account_kind", "balance_after")}
    return Outcome(operation, balances, is_replay=True, event=operation.events.first())


def _check_usable(card: Card) -> None:
    if card.status != CardStatus.ACTIVE:
        raise CardNotUsable(_("This card is not active."))


def _open(
    card: Card,
    kind: OperationKind,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    request: Mapping[str, Any],
    amount: int,
    lots_of: Sequence[AccountKind] = (),
    note: str = "",
) -> Deed:
    deed = ledger.open_deed(
        kind=kind,
        actor=actor,
        key=key,
        at=at,
        store_id=store.pk,
        member_id=card.member_id,
        card_id=card.pk,
        request=request,
        lots_of=lots_of,
        amount_minor=amount,
        note=note,
    )
    if not deed.is_replay:  # a deed that was done keeps its answer, whatever became of the card
        _check_usable(card)
    return deed


def _points_earned(deed: Deed, product: CardProduct, store: Store, points: int, at: datetime) -> list[Leg]:
    expires = at + timedelta(days=product.points_valid_days) if product.points_valid_days else None
    return [
        Leg(points, account=deed.accounts[AccountKind.POINTS], expires_at=expires),
        Leg(-points, store=store.pk, kind=AccountKind.POINTS_COST),
    ]


def _check_plan(plan: RechargePlan, store: Store, paid: int) -> None:
    if not plan.is_active or plan.store_id not in (None, store.pk):
        raise NotOffered(_("This recharge plan is not on sale at this store."), field="plan")
    if paid != plan.pay_minor:
        raise AmountRefused(_("The amount paid is not the price of the plan."))


def _check_tender(tender: TenderPaid) -> None:
    if tender.type not in TenderType.values:
        raise NotOffered(_("Choose how it was paid."), field="tender")


def _count_visit(deed: Deed, card: Card, store: Store, bill: int, at: datetime) -> None:
    Purchase.objects.create(
        member_id=card.member_id, store=store, operation=deed.operation, at=at, amount_minor=bill
    )
    MemberFacts.objects.filter(pk=card.member_id).update(
        visits=F("visits") + 1,
        spend_minor=F("spend_minor") + bill,
        first_visit_at=Coalesce("first_visit_at", at),
        last_visit_at=Greatest(Coalesce("last_visit_at", at), at),
    )
