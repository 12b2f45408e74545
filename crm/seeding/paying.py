"""The demo's payments: goods, value with terms, a hold for Friday, a store that does not take another's bonus."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from members.domain import ledger
from members.domain.deeds import begin
from members.domain.holds import authorise
from members.domain.ledger import Actor, Leg, NewLot
from members.domain.local_days import day_of, midnight_after
from members.enums import AccountKind, OperationKind
from members.models import Card, CardProduct, GoodsCategory, Store, StoreAcceptance

GOODS = ("Treatments 护理", "Retail 零售", "Drinks 饮品")
HELD_MINOR, GIFT_MINOR = 10_000, 8_800
SEEDER = Actor(scope="seed")


def open_payments(stores: Sequence[Store], cards: Sequence[Card], *, at: datetime) -> None:
    """Points pay bills; the first card holds a deposit, the second has value for some goods and a share of a bill."""
    goods = [GoodsCategory.objects.create(name=name) for name in GOODS]
    CardProduct.objects.filter(point_value_minor=None).update(
        point_value_minor=100, points_share_max_percent=50
    )
    if len(stores) > 1:
        StoreAcceptance.objects.create(issuer=stores[0], server=stores[1], takes_bonus=False)
    if cards:
        _hold(cards[0], at)
        _give(cards[-1], goods[1], at)


def _hold(card: Card, at: datetime) -> None:
    authorise(
        actor=SEEDER,
        key="hold",
        at=at,
        store=card.store,
        card=card,
        amount_minor=HELD_MINOR,
        until=midnight_after(card.store, day_of(card.store, at) + timedelta(days=3)),
        reason="Deposit 订金",
    )


def _give(card: Card, goods: GoodsCategory, at: datetime) -> None:
    """An opening balance of bonus, for one sort of goods, half of a bill at most, until a day."""
    terms = {"categories": [goods.pk], "share_max_percent": 50}
    ends = midnight_after(card.store, day_of(card.store, at) + timedelta(days=60))
    deed = begin(
        OperationKind.OPENING,
        card=card,
        actor=SEEDER,
        key="gift",
        at=at,
        store=card.store,
        request={"bonus": GIFT_MINOR},
        amount_minor=GIFT_MINOR,
    )
    lot = NewLot(GIFT_MINOR, expires_at=ends, terms=terms)
    legs = [
        Leg(GIFT_MINOR, account=deed.accounts[AccountKind.BONUS], lots=(lot,)),
        Leg(-GIFT_MINOR, store=card.store_id, kind=AccountKind.OPENING),
    ]
    ledger.post(deed, legs)
