"""Points, worked by hand: 1 point a yuan on the house card, valid 365 days. Money in fen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import translation

from members.domain.bills import Line
from members.domain.cards import open_card, recharge_card
from members.domain.deeds import NotOffered
from members.domain.earning_words import reasons_of
from members.domain.events import publish
from members.domain.expiry import expire_lots
from members.domain.expiry_warnings import warn_expiring
from members.domain.ledger import Actor, TenderPaid
from members.domain.points import award_birthdays
from members.domain.refunds import refund
from members.domain.rewards import (
    InsufficientPoints,
    OutOfStock,
    RewardLimitReached,
    put_back,
    redeem_points,
)
from members.domain.spending import spend
from members.domain.tiers import rejudge
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import (
    Account,
    CardProduct,
    CustomEventType,
    Earning,
    EarningRule,
    GoodsCategory,
    Lot,
    MembershipEvent,
    Operation,
    Purchase,
    RechargePlan,
    Reward,
    RewardTaking,
    Tier,
    TierScheme,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def pays(at_till, riverside, card):
    """`pays(12_000)`: a bill in cash with Li Lei's card shown; `days` after NOON, of these `lines`."""

    def _pays(amount: int, *, at: datetime = NOON, lines=(), to=card, store=riverside) -> Operation:
        cash = [TenderPaid(TenderType.CASH, amount)]
        key = f"bill-{Operation.objects.count()}"
        return spend(
            actor=at_till,
            key=key,
            at=at,
            store=store,
            card=to,
            amount_minor=amount,
            tenders=cash,
            lines=lines,
        ).operation

    return _pays


def points(member) -> int:
    return Account.objects.filter(member=member, kind=AccountKind.POINTS).values_list("balance", flat=True)[0]


def rule(**fields) -> EarningRule:
    return EarningRule.objects.create(**{"name": "Rule", **fields})


def double(**fields) -> EarningRule:
    return rule(**{"name": "Double", "effect": "times", "percent": 200, **fields})


def why(operation: Operation) -> list[tuple[int, str]]:
    with translation.override("en"):
        return [(row["points"], row["words"]) for row in reasons_of([operation.pk]).get(operation.pk, [])]


# --- rates -----------------------------------------------------------------------------------------------------


def test_without_a_rule_the_card_product_says(li_lei, pays):
    """120.90 at 1 a yuan: 120; the ninety fen are dropped."""
    bill = pays(12_090)

    assert points(li_lei) == 120
    assert why(bill) == []


def test_a_rate_takes_the_place_of_the_card_products(li_lei, pays):
    """5 points for every 10.00 of 128.00: 12 whole tens, 60 points."""
    rule(name="Fives", effect="rate", points=5, per_minor=1000)
    bill = pays(12_800)

    assert points(li_lei) == 60
    assert why(bill) == [(60, "Fives: 5 for every ¥10.00 of ¥128.00")]


def test_the_first_rate_in_order_decides(li_lei, pays):
    rule(name="Later", effect="rate", points=9, position=20)
    rule(name="First", effect="rate", points=2, position=10)
    pays(10_000)

    assert points(li_lei) == 200


def test_a_category_earns_by_its_own_rate_and_the_rest_by_the_card(li_lei, pays):
    """100.00 of wine at 3 a yuan, 50.00 of food at 1: 350."""
    wine = GoodsCategory.objects.create(name="Wine")
    rule(name="Wine", effect="rate", points=3, category=wine)
    bill = pays(15_000, lines=(Line(10_000, category=wine.pk), Line(5_000)))

    assert points(li_lei) == 350
    assert why(bill) == [(300, "Wine: 3 for every ¥1.00 of ¥100.00"), (50, "¥50.00 at 1 a whole unit")]


def test_a_discount_line_earns_nothing(li_lei, pays):
    """100.00 at full price, 50.00 already reduced: only the hundred earns."""
    pays(15_000, lines=(Line(10_000), Line(5_000, is_discounted=True)))

    assert points(li_lei) == 100


# --- what adds to them -----------------------------------------------------------------------------------------


def test_double_and_tier_each_add_to_the_base_and_not_to_each_other(li_lei, pays):
    """100 points; Gold's 150% adds 50, double adds 100: 250, not 300."""
    scheme = TierScheme.objects.create(name="House", is_active=True)
    gold = Tier.objects.create(scheme=scheme, name="Gold", threshold=1, points_percent=150)
    from_before = pays(100)
    assert from_before.member_id == li_lei.pk and li_lei.standing.tier == gold
    double()

    bill = pays(10_000, at=NOON + timedelta(days=1))

    assert why(bill) == [
        (100, "¥100.00 at 1 a whole unit"),
        (50, "Gold: 150% of 100"),
        (100, "Double: 200% of 100"),
    ]
    assert points(li_lei) == 1 + 250


def test_nothing_is_asked_after_the_last_rule(li_lei, pays):
    rule(name="Extra", points=7, position=1, is_last=True)
    double(position=2)
    pays(10_000)

    assert points(li_lei) == 107


def test_points_of_the_birthday_in_a_leap_year_and_in_others(enrol, at_till, riverside, product, pays):
    """Born on 29 February: that day in 2028, the 28th in 2027."""
    leap = enrol("13800138009", name="Leap", birthday=date(2000, 2, 29))
    card, _ = open_card(actor=at_till, key="leap", at=NOON, store=riverside, member=leap, product=product)
    double(birthday="day")
    earned = {}
    for day in (date(2027, 2, 27), date(2027, 2, 28), date(2027, 3, 1), date(2028, 2, 28), date(2028, 2, 29)):
        before = points(leap)
        pays(10_000, at=datetime(day.year, day.month, day.day, 4, tzinfo=UTC), to=card)
        earned[day.isoformat()] = points(leap) - before

    assert earned == {
        "2027-02-27": 100,
        "2027-02-28": 200,
        "2027-03-01": 100,
        "2028-02-28": 100,
        "2028-02-29": 200,
    }


def test_the_birthday_begins_at_the_stores_midnight(li_lei, pays):
    """20 November in Shanghai begins at 16:00 UTC on the 19th."""
    li_lei.birthday = date(1990, 11, 20)
    li_lei.save()
    double(birthday="day")
    pays(10_000, at=datetime(2026, 11, 19, 15, 59, tzinfo=UTC))
    assert points(li_lei) == 100
    pays(10_000, at=datetime(2026, 11, 19, 16, 0, tzinfo=UTC))
    assert points(li_lei) == 300


def test_the_month_of_the_birthday(li_lei, pays):
    li_lei.birthday = date(1990, 11, 1)
    li_lei.save()
    double(birthday="month")
    pays(10_000)
    pays(10_000, at=NOON + timedelta(days=30))

    assert points(li_lei) == 300


def test_the_first_purchase_only(li_lei, pays):
    rule(name="Welcome", points=50, is_first_purchase=True)
    pays(10_000)
    pays(10_000)

    assert points(li_lei) == 250


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        ({"starts_on": date(2026, 11, 20), "ends_on": date(2026, 11, 20)}, True),
        ({"starts_on": date(2026, 11, 21)}, False),
        ({"ends_on": date(2026, 11, 19)}, False),
        ({"weekdays": [5]}, True),  # 20 November 2026 is a Friday
        ({"weekdays": [6, 7]}, False),
        ({"is_active": False}, False),
        ({"occasion": "recharge"}, False),
    ],
)
def test_a_rule_holds_on_its_days(li_lei, pays, limits, fits):
    rule(points=50, **limits)
    pays(10_000)

    assert points(li_lei) == (150 if fits else 100)


def test_a_rule_of_another_store_card_or_tier_does_not_fit(li_lei, pays, hilltop, product):
    other = CardProduct.objects.create(name="Other card")
    scheme = TierScheme.objects.create(name="House", is_active=True)
    silver = Tier.objects.create(scheme=scheme, name="Silver", threshold=10**9)
    rule(points=1, store=hilltop)
    rule(points=10, card_product=other)
    rule(points=1000, tier=silver)
    rule(points=10_000, category=GoodsCategory.objects.create(name="Wine"))
    pays(10_000)

    assert points(li_lei) == 100


def test_a_recharge_earns_only_when_a_rule_asks(li_lei, card, at_till, riverside):
    def recharge(key):
        cash = TenderPaid(TenderType.CASH, 50_000)
        return recharge_card(
            actor=at_till, key=key, at=NOON, store=riverside, card=card, tender=cash
        ).operation

    rule(effect="rate", points=10)
    recharge("without")
    assert points(li_lei) == 0
    rule(name="Top-up", occasion="recharge", effect="rate", points=1, per_minor=1000)
    with_rule = recharge("with")

    assert points(li_lei) == 50
    assert why(with_rule) == [(50, "Top-up: 1 for every ¥10.00 of ¥500.00")]


# --- when they may be used, and until when ---------------------------------------------------------------------


def test_points_wait_until_the_goods_may_no_longer_be_brought_back(
    li_lei, card, pays, product, at_till, riverside
):
    product.points_pending_days = 7
    product.save()
    card.refresh_from_db()
    pays(30_000)
    reward = Reward.objects.create(name="Mug", points=300)
    here = {"actor": at_till, "store": riverside, "card": card, "reward": reward}

    with pytest.raises(InsufficientPoints):
        redeem_points(key="early", at=NOON + timedelta(days=7, seconds=-1), **here)
    redeem_points(key="then", at=NOON + timedelta(days=7), **here)

    assert points(li_lei) == 0
    assert verify().is_sound


def test_a_refund_takes_pending_points_back_from_their_own_lot(
    li_lei, card, pays, product, at_till, riverside
):
    older = pays(20_000)
    product.points_pending_days = 7
    product.save()
    card.refresh_from_db()
    bill = pays(30_000)
    refund(actor=at_till, key="back", at=NOON + timedelta(days=1), store=riverside, operation=bill)

    assert dict(Lot.objects.filter(account__kind="points").values_list("operation", "remaining")) == {
        older.pk: 200,
        bill.pk: 0,
    }
    assert points(li_lei) == 200


@pytest.mark.parametrize(
    ("says", "last_day"),
    [
        ({}, date(2027, 11, 20)),  # as the card product: 365 days
        ({"valid_months": 3}, date(2027, 2, 20)),
        ({"expires_month": 12, "expires_day": 31}, date(2026, 12, 31)),
        ({"expires_month": 3, "expires_day": 31}, date(2027, 3, 31)),
        ({"valid_months": 12, "expires_month": 3, "expires_day": 31}, date(2028, 3, 31)),
        ({"valid_months": 15, "expires_month": 2, "expires_day": 29}, date(2028, 2, 29)),
    ],
)
def test_points_end_at_the_stores_midnight_after_their_last_day(li_lei, pays, says, last_day):
    rule(effect="rate", points=1, **says)
    pays(10_000)

    ends = Lot.objects.get(account__kind="points").expires_at
    assert ends == datetime(last_day.year, last_day.month, last_day.day, 16, tzinfo=UTC)


def test_a_month_that_is_shorter_ends_on_its_last_day(li_lei, pays):
    rule(effect="rate", points=1, valid_months=3)
    pays(10_000, at=datetime(2026, 11, 30, 4, tzinfo=UTC))

    assert Lot.objects.get(account__kind="points").expires_at == datetime(2027, 2, 28, 16, tzinfo=UTC)


def test_expired_points_neither_spend_nor_load_and_midnight_is_the_stores(
    li_lei, card, pays, at_till, riverside
):
    rule(effect="rate", points=1, expires_month=11, expires_day=20)
    pays(30_000)
    reward = Reward.objects.create(name="Mug", points=100)
    here = {"actor": at_till, "store": riverside, "card": card, "reward": reward}
    midnight = datetime(2026, 11, 20, 16, tzinfo=UTC)

    redeem_points(key="before", at=midnight - timedelta(seconds=1), **here)
    with pytest.raises(InsufficientPoints):
        redeem_points(key="after", at=midnight, **here)
    assert expire_lots(at=midnight)["points"] == 200
    assert points(li_lei) == 0


# --- birthdays and events --------------------------------------------------------------------------------------


def test_birthday_points_come_once_a_year(li_lei):
    li_lei.birthday = date(1990, 11, 20)
    li_lei.save()
    rule(name="Birthday", occasion="birthday", points=88, valid_months=1)

    assert award_birthdays(at=NOON) == {"members": 1, "points": 88}
    assert award_birthdays(at=NOON + timedelta(hours=1)) == {"members": 0, "points": 0}
    assert award_birthdays(at=NOON + timedelta(days=365)) == {"members": 1, "points": 88}
    assert points(li_lei) == 176
    told = MembershipEvent.objects.filter(type="points_earned").order_by("id")
    assert told[0].payload == {"points": 88, "reason": "Birthday", "points_balance": 88}
    assert verify().is_sound


def test_birthday_points_go_by_the_day_of_the_home_store(li_lei):
    li_lei.birthday = date(1990, 11, 20)
    li_lei.save()
    rule(name="Birthday", occasion="birthday", points=88)

    assert award_birthdays(at=datetime(2026, 11, 19, 15, 59, tzinfo=UTC))["members"] == 0
    assert award_birthdays(at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC))["members"] == 0
    assert award_birthdays(at=datetime(2026, 11, 19, 16, 0, tzinfo=UTC))["members"] == 1


def test_birthdays_of_many_are_awarded_page_by_page(enrol):
    rule(name="Birthday", occasion="birthday", points=88)
    for number in range(5):
        enrol(f"1380013810{number}", birthday=date(1990, 11, 20))

    assert award_birthdays(at=NOON, limit=2) == {"members": 5, "points": 440}


def test_an_event_of_the_shop_gives_points_once(li_lei, riverside):
    CustomEventType.objects.create(name="survey", label="Survey", fields={})
    rule(name="Thanks for the survey", occasion="event", event_type="custom.survey", points=20)
    said = {"member": li_lei, "store": riverside, "source": "api:forms", "key": "s1", "at": NOON}

    publish("custom.survey", **said)
    assert publish("custom.survey", **said) is None
    publish("customer_arrived", **{**said, "key": "a1"})

    assert points(li_lei) == 20
    assert why(Operation.objects.get(kind="earn")) == [(20, "Thanks for the survey")]
    assert verify().is_sound


def test_enrolling_gives_points_when_a_rule_says(enrol):
    rule(name="Welcome", occasion="event", event_type="member_enrolled", points=30)
    han = enrol("13800138001", name="Han")

    assert points(han) == 30


# --- spending them ---------------------------------------------------------------------------------------------


def test_points_earned_at_the_till_and_redeemed_at_a_booking_come_from_one_pool(
    li_lei, card, pays, riverside
):
    pays(30_000)
    booking = Actor(scope="api:booking")
    reward = Reward.objects.create(name="Head massage", points=300)

    redeem_points(actor=booking, key="b1", at=NOON, store=riverside, card=card, reward=reward)

    assert points(li_lei) == 0
    assert Account.objects.filter(member=li_lei, kind=AccountKind.POINTS).count() == 1


@pytest.fixture
def rich(li_lei, card, pays):
    pays(100_000)
    return card


def take(card, reward, key, at_till, riverside, at=NOON):
    return redeem_points(actor=at_till, key=key, at=at, store=riverside, card=card, reward=reward)


def test_the_stock_falls_and_then_there_is_none(rich, li_lei, at_till, riverside):
    reward = Reward.objects.create(name="Mug", points=10, stock=1)
    take(rich, reward, "1", at_till, riverside)

    with pytest.raises(OutOfStock):
        take(rich, reward, "2", at_till, riverside)
    reward.refresh_from_db()
    assert (reward.stock, points(li_lei), RewardTaking.objects.count()) == (0, 990, 1)


def test_the_same_key_hands_out_one(rich, li_lei, at_till, riverside):
    reward = Reward.objects.create(name="Mug", points=10, stock=5)
    take(rich, reward, "1", at_till, riverside)
    assert take(rich, reward, "1", at_till, riverside).is_replay

    reward.refresh_from_db()
    assert (reward.stock, points(li_lei)) == (4, 990)


def test_a_reward_put_back_is_in_stock_and_counts_no_more(rich, at_till, riverside):
    reward = Reward.objects.create(name="Mug", points=10, stock=1, per_member_max=1)
    taken = take(rich, reward, "1", at_till, riverside)

    assert put_back(taken.operation, NOON) is True
    assert put_back(taken.operation, NOON) is False
    reward.refresh_from_db()
    assert reward.stock == 1
    take(rich, reward, "2", at_till, riverside)


def test_as_many_as_one_member_may(rich, at_till, riverside):
    reward = Reward.objects.create(name="Mug", points=10, per_member_max=2)
    take(rich, reward, "1", at_till, riverside)
    take(rich, reward, "2", at_till, riverside)

    with pytest.raises(RewardLimitReached):
        take(rich, reward, "3", at_till, riverside)


@pytest.mark.parametrize(
    "limits",
    [{"starts_on": date(2026, 11, 21)}, {"ends_on": date(2026, 11, 19)}, {"is_active": False}],
)
def test_a_reward_is_offered_on_its_days(rich, at_till, riverside, limits):
    reward = Reward.objects.create(name="Mug", points=10, **limits)
    with pytest.raises(NotOffered):
        take(rich, reward, "1", at_till, riverside)


def test_a_reward_for_a_tier(rich, li_lei, at_till, riverside):
    scheme = TierScheme.objects.create(name="House", is_active=True)
    silver = Tier.objects.create(scheme=scheme, name="Silver", threshold=150_000)
    Tier.objects.create(scheme=scheme, name="Gold", threshold=300_000)
    reward = Reward.objects.create(name="Mug", points=10, tier=silver)
    with pytest.raises(NotOffered, match="Silver"):
        take(rich, reward, "1", at_till, riverside)

    Purchase.objects.create(member=li_lei, store=riverside, at=NOON, amount_minor=400_000)
    rejudge(li_lei, at=NOON)
    take(rich, reward, "2", at_till, riverside)


# --- told before they end --------------------------------------------------------------------------------------


def test_one_warning_a_week_before_for_everything_together(li_lei, card, pays, at_till, riverside):
    rule(effect="rate", points=1, expires_month=11, expires_day=30)
    pays(10_000)
    pays(20_000)
    plan = RechargePlan.objects.create(
        name="500+80", pay_minor=50_000, bonus_minor=8_000, bonus_valid_days=11
    )
    cash = TenderPaid(TenderType.CASH, 50_000)
    recharge_card(actor=at_till, key="r", at=NOON, store=riverside, card=card, tender=cash, plan=plan)

    assert warn_expiring(at=NOON + timedelta(days=2)) == {"members": 0}
    assert warn_expiring(at=NOON + timedelta(days=5)) == {"members": 1}
    assert warn_expiring(at=NOON + timedelta(days=6)) == {"members": 0}

    told = MembershipEvent.objects.get(type="value_expiring")
    assert told.payload == {"amount": 8_000, "points": 300, "services": 0, "expires_on": "2026-11-30"}
    assert (told.member, told.store) == (li_lei, riverside)


def test_the_warning_names_what_is_left_and_leaves_out_what_is_gone(li_lei, card, pays, at_till, riverside):
    rule(effect="rate", points=1, expires_month=11, expires_day=30)
    pays(30_000)
    take(card, Reward.objects.create(name="Mug", points=100), "1", at_till, riverside)

    warn_expiring(at=NOON + timedelta(days=5))

    assert MembershipEvent.objects.get(type="value_expiring").payload["points"] == 200


def test_each_member_is_warned_for_themselves_and_a_limit_leaves_the_rest_for_the_next_run(enrol):
    rule(
        name="Welcome",
        occasion="event",
        event_type="member_enrolled",
        points=30,
        expires_month=11,
        expires_day=25,
    )
    for number in range(3):
        enrol(f"1380013820{number}")

    assert [warn_expiring(at=NOON, limit=2)["members"] for _ in range(3)] == [2, 1, 0]
    assert MembershipEvent.objects.filter(type="value_expiring").values("member").distinct().count() == 3


# --- the database keeps it too ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"effect": "rate", "points": 0},
        {"effect": "times", "percent": 100},
        {"effect": "extra", "points": 0},
        {"effect": "times", "percent": 200, "occasion": "birthday"},
        {"effect": "extra", "points": 5, "occasion": "event"},
        {"effect": "extra", "points": 5, "expires_month": 3},
    ],
)
def test_a_rule_that_gives_nothing_is_no_rule(db, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(**fields)


def test_why_points_were_earned_is_never_rewritten(li_lei, pays):
    rule(points=5)
    pays(100)
    with pytest.raises(DatabaseError), transaction.atomic():
        Earning.objects.update(points=500)


def test_the_words_are_there_in_chinese(li_lei, pays):
    double()
    bill = pays(10_000)
    with translation.override("zh-hans"):
        said = [row["words"] for row in reasons_of([bill.pk])[bill.pk]]

    assert len(said) == 2
    assert "100" in said[1]
