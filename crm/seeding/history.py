"""A year in three shops: who came when, what they paid, and who has stopped coming. Drawn from one seed number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.seeding.book import Book
from crm.seeding.shops import Shop
from crm.seeding.wallet import Wallet
from members.enums import TenderType
from members.models import Card, CardProduct, Member, RechargePlan, Reward, Staff, Store

YEAR = timedelta(days=365)
TENDERS = (TenderType.WECHAT, TenderType.WECHAT, TenderType.ALIPAY, TenderType.CASH, TenderType.BANK_CARD)


@dataclass(frozen=True)
class Place:
    """One shop as stored."""

    shop: Shop
    store: Store
    product: CardProduct
    plans: list[RechargePlan]
    rewards: list[Reward]
    cashier: Staff


@dataclass
class Life:
    """One member's habits: when they come, whether they keep money on the card."""

    member: Member
    place: Place
    rng: random.Random
    visits: list[datetime]
    keeps_money: bool
    wallet: Wallet | None = None


def draw_life(member: Member, place: Place, rng: random.Random, now: datetime) -> Life:
    """Visits at the member's own cadence, in opening hours; one in three has stayed away for a long time by now."""
    gap = rng.uniform(*place.shop.gap_days)
    ends = now - timedelta(days=rng.uniform(2.5, 6) * gap) if rng.random() < 0.33 else now
    visits, day = [], member.enrolled_at
    while True:
        at = _in_opening_hours(day, place, rng)
        if at >= ends or at >= now - timedelta(minutes=30):
            break
        visits.append(at)
        day += timedelta(days=max(1.0, rng.gauss(gap, gap * 0.25)))
    return Life(member, place, rng, visits, keeps_money=rng.random() < 0.6)


def _in_opening_hours(day: datetime, place: Place, rng: random.Random) -> datetime:
    opens, closes = place.shop.hours
    local = day.astimezone(place.store.zone)
    return local.replace(
        hour=rng.randrange(opens, closes), minute=rng.randrange(60), second=rng.randrange(60), microsecond=0
    ).astimezone(day.tzinfo)


def live(book: Book, lives: list[Life]) -> None:
    """Let every visit happen in the order of time."""
    for at, life in _in_order(lives):
        if life.wallet is None:
            card = Card(product=life.place.product, member=life.member, store=life.place.store, opened_at=at)
            life.wallet = book.open_card(life.member, life.place.store, card, life.place.cashier, at)
        _visit(book, life, life.wallet, at)


def _in_order(lives: list[Life]) -> Iterator[tuple[datetime, Life]]:
    visits = ((at, place, life) for place, life in enumerate(lives) for at in life.visits)
    for at, _place, life in sorted(visits, key=lambda visit: visit[:2]):
        yield at, life


def _visit(book: Book, life: Life, wallet: Wallet, at: datetime) -> None:
    place, rng = life.place, life.rng
    low, high = place.shop.bill_minor
    bill = round(rng.triangular(low, high, low + (high - low) // 4) / 100) * 100
    tender = rng.choice(TENDERS)
    if life.keeps_money and wallet.balance() < bill and rng.random() < 0.8:
        plan = rng.choices(place.plans, weights=range(len(place.plans), 0, -1))[0]
        book.recharge(wallet, plan, place.cashier, at, tender)
    sale = book.spend(wallet, bill, place.cashier, at + timedelta(minutes=3), tender)
    if rng.random() < 0.012:
        book.refund(wallet, sale, place.cashier, at + timedelta(minutes=11))
    elif rng.random() < 0.12:
        book.redeem(wallet, rng.choice(place.rewards), place.cashier, at + timedelta(minutes=5))
