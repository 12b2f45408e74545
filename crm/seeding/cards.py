"""The demo's count cards, a lost card, a gift on its way, and recharge plans with terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count

from members.domain import card_states, closing, holds, resting, transfers
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.services import sell_services, take_service
from members.enums import STORED_VALUE, CardStatus, TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    Member,
    RechargePlan,
    ServiceGroup,
    Store,
    Transfer,
)

SEEDER = Actor(scope="seed")
SHARERS = ("Ben", "Sofia")


def open_cards(stores: Sequence[Store], *, spared: Sequence[Card], at: datetime) -> None:
    """Two car-wash cards (one shared, one resting), a frozen card, a proposed transfer, plans with terms.

    `spared` are the cards that other parts of the demo have to themselves.
    """
    home, club = stores[0], stores[-1]
    washes = CardProduct.objects.create(
        name="Ten washes 十次洗车卡",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Car wash 洗车"),
        services_count=10,
        price_minor=90_000,
        full_price_minor=12_000,
        services_valid_days=365,
        sharers_max=2,
        close_method="full_price",
    )
    first, second = _owners(club, 2)
    shared = _sell(washes, first, club, at - timedelta(days=40), taken=3)
    for name in SHARERS:
        resting.add_sharer(actor=SEEDER, at=at - timedelta(days=39), store=club, card=shared, name=name)
    rested = _sell(washes, second, club, at - timedelta(days=90), taken=1)
    resting.pause(actor=SEEDER, at=at - timedelta(days=10), store=club, card=rested)
    _lose_and_offer(_rich(home, spared)[2:10], home, at)
    _plans(home)


def _owners(store: Store, count: int) -> list[Member]:
    members = Member.objects.filter(home_store=store, cards__status=CardStatus.ACTIVE).distinct()
    return list(members.order_by("id")[:count])


def _sell(product: CardProduct, owner: Member, store: Store, at: datetime, *, taken: int) -> Card:
    key = f"washes-{owner.pk}"
    card, _ = open_card(actor=SEEDER, key=key, at=at, store=store, member=owner, product=product)
    tender = TenderPaid(TenderType.BANK_CARD, product.price_minor or 0)
    sell_services(actor=SEEDER, key=f"{key}-sold", at=at, store=store, card=card, tender=tender)
    for turn in range(taken):
        later = at + timedelta(days=7 * (turn + 1))
        take_service(actor=SEEDER, key=f"{key}-{turn}", at=later, store=store, card=card)
    return card


def _lose_and_offer(cards: Sequence[Card], store: Store, at: datetime) -> None:
    """The richest cards of a store that nothing is held on: one is lost, of another a part is on its way."""
    lost, giver, receiver, *more = cards
    card_states.freeze(
        actor=SEEDER, key="lost", at=at, store=store, card=lost, note="Lost on the metro 地铁上遗失"
    )
    _offer(giver, receiver, at, key="gift", note="Birthday 生日")
    done = _offer(receiver, more[0], at - timedelta(hours=2), key="thanks", note="Thank you 谢谢")
    transfers.confirm(actor=SEEDER, at=at - timedelta(hours=1), transfer=done)
    _turn_round(more[1:], at)


def _rich(store: Store, spared: Sequence[Card]) -> list[Card]:
    """Those that nothing is held on, the richest first; who has two cards is left out."""
    rich = Account.objects.filter(kind=STORED_VALUE[0], card__store=store, card__status=CardStatus.ACTIVE)
    alone = rich.annotate(own=Count("card__member__cards")).filter(card__holds=None, own=1)
    alone = alone.exclude(card__in=spared)
    ordered = alone.select_related("card__member", "card__product", "card__store").order_by("-balance", "id")
    return [account.card for account in ordered[:10] if account.card]


def _offer(giver: Card, receiver: Card, at: datetime, *, key: str, note: str) -> Transfer:
    return transfers.propose(
        is_confirmed=True,
        actor=SEEDER,
        key=key,
        at=at,
        store=giver.store,
        card=giver,
        receiver=receiver.member,
        amount_minor=2_000,
        note=note,
    )


def _turn_round(cards: Sequence[Card], at: datetime) -> None:
    """A card found again, a recharge taken back, a hold released, a card closed."""
    found, regretted, held, left = cards[:4]
    lost_at, then = at - timedelta(days=1), at - timedelta(hours=3)
    card_states.freeze(actor=SEEDER, key="found-lost", at=lost_at, store=found.store, card=found)
    card_states.unfreeze(actor=SEEDER, key="found", at=then, store=found.store, card=found)
    cash = TenderPaid(TenderType.CASH, 30_000)
    paid = recharge_card(
        actor=SEEDER, key="regret", at=lost_at, store=regretted.store, card=regretted, tender=cash
    )
    closing.refund_recharge(
        actor=SEEDER, key="regretted", at=then, store=regretted.store, operation=paid.operation
    )
    deposit = holds.authorise(
        actor=SEEDER,
        key="deposit",
        at=lost_at,
        store=held.store,
        card=held,
        amount_minor=5_000,
        until=at + timedelta(days=1),
        reason="Deposit 订金",
    )
    holds.release(actor=SEEDER, key="released", at=then, store=held.store, hold=deposit.operation.hold)
    closing.close_card(actor=SEEDER, key="left", at=then, store=left.store, card=left, note="Moved away 搬家")


def _plans(store: Store) -> None:
    welcome = RechargePlan.objects.create(
        name="Welcome 新会员", pay_minor=20_000, bonus_minor=5_000, bonus_valid_days=90, is_first_only=True,
        store=store, bonus_share_max_percent=50,
    )  # fmt: skip
    welcome.bonus_stores.add(store)
    RechargePlan.objects.create(
        name="Once a season 每季一次", pay_minor=80_000, bonus_minor=20_000, bonus_valid_days=180,
        store=store, per_member_max=1,
    )  # fmt: skip
