"""Points under many hands: each is redeemed, expired, taken back or there; a reward is handed out once (2.16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum

from members.domain import tiers
from members.domain.cards import open_card
from members.domain.expiry import expire_lots
from members.domain.expiry_warnings import warn_expiring
from members.domain.ledger import TenderPaid
from members.domain.points import award_birthdays
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import TenderType
from members.models import (
    Account,
    EarningRule,
    Entry,
    Lot,
    MembershipEvent,
    Operation,
    Purchase,
    Reward,
    RewardTaking,
    Tier,
    TierEntry,
    TierScheme,
)
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_races import kinds

MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: every thread has its own connection and sees them."""


@pytest.fixture
def pays(at_till, riverside):
    def _pays(card, amount, key):
        cash = [TenderPaid(TenderType.CASH, amount)]
        here = {"actor": at_till, "at": NOON, "store": riverside}
        return spend(key=key, card=card, amount_minor=amount, tenders=cash, **here).operation

    return _pays


def moved(kind: str) -> int:
    """Points that deeds of this kind took from members."""
    lines = Entry.objects.filter(account_kind="points", operation_kind=kind)
    return -(lines.aggregate(total=Sum("amount"))["total"] or 0)


def test_points_at_the_second_they_end_are_redeemed_expired_taken_back_or_there(
    card, pays, at_till, riverside
):
    """Ten bills of 50 points that end at midnight and ten that do not; 64 hands, a second before and at midnight."""
    ends = EarningRule.objects.create(name="Ends", effect="rate", points=1, expires_month=11, expires_day=20)
    bills = [pays(card, 5_000, f"ends-{n}") for n in range(10)]
    EarningRule.objects.filter(pk=ends.pk).update(is_active=False)
    bills += [pays(card, 5_000, f"stays-{n}") for n in range(10)]
    reward = Reward.objects.create(name="Sweet", points=30)

    def redeem(n):
        at = MIDNIGHT - timedelta(seconds=n % 2)
        here = {"actor": at_till, "at": at, "store": riverside, "card": card, "reward": reward}
        return lambda: redeem_points(key=f"redeem-{n}", **here)

    def take_back(n):
        here = {"actor": at_till, "at": MIDNIGHT, "store": riverside}
        return lambda: refund(key=f"refund-{n}", operation=bills[n * 3], **here)

    acts = [redeem(n) for n in range(50)]
    acts += [lambda: expire_lots(at=MIDNIGHT) for _ in range(8)]
    acts += [take_back(n) for n in range(6)]
    results = at_once(acts)
    expire_lots(at=MIDNIGHT)

    left = Account.objects.get(member=card.member, kind="points").balance
    assert len(results) == 64
    assert moved("redeem") + moved("expire") + moved("refund") + left == 1000
    assert moved("redeem") % 30 == 0 and moved("expire") > 0
    assert not Lot.objects.filter(account__kind="points", expires_at__lte=MIDNIGHT, remaining__gt=0).exists()
    assert verify().faults == ()


def test_the_last_rewards_are_handed_out_once_each(enrol, product, pays, at_till, riverside):
    """64 members reach for 20 mugs."""
    reward = Reward.objects.create(name="Mug", points=10, stock=20)
    cards = []
    for n in range(64):
        member = enrol(f"138001400{n:02}")
        here = {"actor": at_till, "at": NOON, "store": riverside}
        card, _ = open_card(key=f"open-{n}", member=member, product=product, **here)
        pays(card, 1_000, f"bill-{n}")
        cards.append(card)

    def take(card):
        here = {"actor": at_till, "at": NOON, "store": riverside, "reward": reward}
        return lambda: redeem_points(key=f"take-{card.pk}", card=card, **here)

    results = at_once([take(card) for card in cards])

    reward.refresh_from_db()
    assert kinds(results) == {"Outcome": 20, "OutOfStock": 44}
    assert (reward.stock, RewardTaking.objects.count(), moved("redeem")) == (0, 20, 200)
    assert verify().faults == ()


def test_one_member_at_many_tills_takes_no_more_than_one_may(card, pays, at_till, riverside):
    pays(card, 100_000, "bill")
    reward = Reward.objects.create(name="Mug", points=10, per_member_max=3)
    here = {"actor": at_till, "at": NOON, "store": riverside, "card": card, "reward": reward}

    results = at_once([lambda n=n: redeem_points(key=f"take-{n}", **here) for n in range(16)])

    assert kinds(results) == {"Outcome": 3, "RewardLimitReached": 13}


def test_two_beats_give_a_birthday_once_and_warn_once(enrol):
    born = EarningRule.objects.create(
        name="Birthday", occasion="birthday", points=88, expires_month=11, expires_day=25
    )
    for n in range(10):
        enrol(f"1380014100{n}", birthday=NOON.date())
    at_once([lambda: award_birthdays(at=NOON, limit=3) for _ in range(6)])
    at_once([lambda: warn_expiring(at=NOON) for _ in range(6)])

    assert Operation.objects.filter(kind="earn").count() == 10
    assert MembershipEvent.objects.filter(type="points_earned").count() == 10
    assert MembershipEvent.objects.filter(type="value_expiring").count() == 10
    assert born.points * 10 == Account.objects.filter(kind="points").aggregate(all=Sum("balance"))["all"]


def test_folds_and_deeds_at_once_leave_each_member_where_the_figures_say(
    enrol, product, pays, at_till, riverside
):
    scheme = TierScheme.objects.create(name="House", is_active=True)
    silver = Tier.objects.create(scheme=scheme, name="Silver", threshold=10_000)
    gold = Tier.objects.create(scheme=scheme, name="Gold", threshold=20_000)
    cards = []
    for n in range(12):
        member = enrol(f"138001420{n:02}")
        here = {"actor": at_till, "at": NOON, "store": riverside}
        cards.append(open_card(key=f"open-{n}", member=member, product=product, **here)[0])
        Purchase.objects.create(member=member, store=riverside, at=NOON, amount_minor=10_000)

    acts = [lambda: tiers.fold(at=NOON) for _ in range(6)]
    acts += [lambda card=card: pays(card, 10_000, f"bill-{card.pk}") for card in cards]
    at_once(acts)
    tiers.fold(at=NOON)

    for card in cards:
        entries = list(TierEntry.objects.filter(member=card.member).order_by("id"))
        assert tiers.privileges_of(card.member, NOON).tier == gold
        assert [e.tier_before for e in entries] == [None, *[e.tier for e in entries[:-1]]]
        assert {e.tier for e in entries} <= {silver, gold}
    assert MembershipEvent.objects.filter(type="tier_changed").count() == TierEntry.objects.count()
