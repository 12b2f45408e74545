"""The demo's loyalty: earning rules, rewards by the piece, and tiers with a history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from crm.seeding.book import Book
from crm.seeding.history import Life, Place
from members.domain import tiers
from members.domain.local_days import on_day
from members.models import (
    Earning,
    EarningRule,
    MembershipEvent,
    Operation,
    Reward,
    Tier,
    TierEntry,
    TierScheme,
)
from members.models.points import EarningEffect, EarningOccasion
from members.models.tier import DowngradePolicy, TierMeasure

# (name, from in minor units, discount percent, points percent)
TIERS = (("Silver 银卡", 150_000, 0, 120), ("Gold 金卡", 400_000, 5, 150), ("Black 黑卡", 800_000, 8, 200))
BIRTHDAY, BIRTHDAY_POINTS = "Happy birthday 生日快乐", 88
JUDGED = (timedelta(days=180), timedelta(days=90), timedelta(days=30), timedelta(0))


def open_tiers(at: datetime) -> None:
    """A scheme in use, and every member judged as the nights of the year would have. Told without texts."""
    scheme = TierScheme.objects.create(
        name="Regulars 常客",
        measure=TierMeasure.SPEND,
        window_months=12,
        policy=DowngradePolicy.PERIOD_END,
        grace_days=14,
        is_active=True,
    )
    Tier.objects.bulk_create(
        Tier(
            scheme=scheme,
            name=name,
            threshold=threshold,
            discount_percent=discount,
            points_percent=points,
        )
        for name, threshold, discount, points in TIERS
    )
    moves = [move for before in JUDGED for move in tiers.judge(at - before)]
    _tell_as_past(moves)


def birthdays(book: Book, lives: Sequence[Life], at: datetime) -> list[Operation]:
    """The points of the birthdays of the last weeks, for who has not been there since."""
    earned = []
    for life in lives:
        if not life.wallet or not life.member.birthday:
            continue
        today = at.astimezone(life.place.store.zone)
        day = on_day(today.year, life.member.birthday.month, life.member.birthday.day)
        then = datetime.combine(day, time(9), tzinfo=life.place.store.zone)
        since = max([life.member.enrolled_at, *life.visits])
        if since + timedelta(days=1) < then < at and at - then < timedelta(days=60):
            earned.append(book.earn(life.wallet, BIRTHDAY_POINTS, BIRTHDAY, life.place.cashier, then))
    return earned


def say_why(operations: Sequence[Operation]) -> None:
    """Why these deeds earned."""
    rule = EarningRule.objects.get(name=BIRTHDAY)
    why = {"by": "extra", "rule": rule.name}
    Earning.objects.bulk_create(
        Earning(operation=operation, rule=rule, points=BIRTHDAY_POINTS, why=why) for operation in operations
    )


def _tell_as_past(moves: Sequence[int]) -> None:
    """The events of moves that lie behind us: stored, not announced."""
    entries = TierEntry.objects.filter(pk__in=moves).select_related("member", "tier", "tier_before")
    MembershipEvent.objects.bulk_create(
        MembershipEvent(
            type="tier_changed",
            member=entry.member,
            store_id=entry.member.home_store_id,
            payload={
                "tier": entry.tier.name if entry.tier else "",
                "tier_before": entry.tier_before.name if entry.tier_before else "",
            },
            source=tiers.SOURCE,
            key=f"tier:{entry.pk}",
            at=entry.at,
        )
        for entry in entries.order_by("pk")
    )


def write_rules(places: Sequence[Place], at: datetime) -> None:
    """Double points on birthdays, a welcome, a top-up, a weekday; the first reward of each shop by the piece."""
    spend, times, extra = EarningOccasion.SPEND, EarningEffect.TIMES, EarningEffect.EXTRA
    EarningRule.objects.bulk_create(
        [
            EarningRule(
                name="Birthday ×2 生日双倍", occasion=spend, effect=times, percent=200, birthday="day"
            ),
            EarningRule(
                name=BIRTHDAY,
                occasion=EarningOccasion.BIRTHDAY,
                effect=extra,
                points=BIRTHDAY_POINTS,
                valid_months=1,
                position=20,
            ),
            EarningRule(
                name="First visit 首次消费",
                occasion=spend,
                effect=extra,
                points=50,
                is_first_purchase=True,
                position=30,
            ),
            EarningRule(
                name="Quiet Tuesday 周二加倍",
                occasion=spend,
                effect=times,
                percent=150,
                weekdays=[2],
                store=places[0].store,
                starts_on=at.date(),
                position=40,
            ),
            EarningRule(
                name="Top-up 充值积分",
                occasion=EarningOccasion.RECHARGE,
                effect=EarningEffect.RATE,
                points=1,
                per_minor=1000,
                expires_month=12,
                expires_day=31,
                position=50,
            ),
        ]
    )
    for place in places:
        Reward.objects.filter(pk=place.rewards[0].pk).update(stock=24, per_member_max=3)
