"""The demo's coupons: three definitions; members hold some, one is used, one ends soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from members.domain import coupons
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import TenderType
from members.models import Card, Coupon, CouponDefinition, CouponKind, CouponRefundPolicy, Store

SEEDER = Actor(scope="seed")
BILL_MINOR = 26_800


def open_coupons(stores: Sequence[Store], cards: Sequence[Card], *, at: datetime) -> None:
    """Money off from 200.00, a weekday percentage of one store, something free; given to the holders of `cards`."""
    off = CouponDefinition.objects.create(
        name="满200减20 · 20 off",
        kind=CouponKind.AMOUNT,
        off_minor=2_000,
        min_spend_minor=20_000,
        valid_days=30,
        quota=500,
        budget_minor=500_000,
        member_limit=2,
        stacks_with_coupons=True,
    )
    weekday = CouponDefinition.objects.create(
        name="工作日八五折 · Weekday 15%",
        kind=CouponKind.PERCENT,
        percent=15,
        off_max_minor=10_000,
        weekdays=[1, 2, 3, 4],
        valid_days=14,
        stacks_with_tier=False,
        refund_policy=CouponRefundPolicy.REISSUE,
        refund_days=7,
    )
    weekday.stores.set(stores[:1])
    free = CouponDefinition.objects.create(
        name="免费头皮护理 · Free scalp care",
        kind=CouponKind.ITEM,
        item="头皮护理 scalp care",
        off_minor=6_800,
        valid_days=5,
        staff_daily_limit=5,
        refund_policy=CouponRefundPolicy.VOID,
    )
    for card in cards:
        for definition, days_ago in ((off, 3), (weekday, 2), (free, 1)):
            _give(definition, card, at - timedelta(days=days_ago))
    for card in cards[:1]:
        _use(_give(off, card, at - timedelta(days=20), "second"), card, at - timedelta(hours=20))


def _give(definition: CouponDefinition, card: Card, at: datetime, which: str = "first") -> Coupon:
    key = f"coupon:{definition.pk}:{card.pk}:{which}"
    given: dict[str, Any] = {"definition": definition, "member": card.member, "store": card.store}
    return coupons.issue(actor=SEEDER, key=key, at=at, **given)


def _use(coupon: Coupon, card: Card, at: datetime) -> None:
    """A bill of 268.00, 20.00 off, the rest in cash."""
    cash = TenderPaid(TenderType.CASH, 1)
    spend(
        actor=SEEDER,
        key=f"used:{coupon.pk}",
        at=at,
        store=card.store,
        card=card,
        amount_minor=BILL_MINOR,
        coupons=[coupon],
        rest=cash,
        card_minor=0,
    )
