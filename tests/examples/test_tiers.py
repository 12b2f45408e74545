"""Tiers, worked by hand: Silver from 1,000.00, Gold from 3,000.00, spent in twelve months. Money in fen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from members.domain import tiers
from members.domain.cards import recharge_card
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.tier_outlook import outlook
from members.domain.tier_planning import ThresholdsRefused, preview, save_thresholds
from members.enums import TenderType
from members.models import (
    AuditEntry,
    Coupon,
    CouponDefinition,
    Member,
    MembershipEvent,
    Operation,
    Purchase,
    Tier,
    TierEntry,
    TierScheme,
    TierStanding,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheme(db):
    """In use: Silver from 1,000.00, Gold from 3,000.00, over twelve months; falls at once."""
    scheme = TierScheme.objects.create(name="House", measure="spend", window_months=12, is_active=True)
    Tier.objects.create(scheme=scheme, name="Silver", threshold=100_000, points_percent=120)
    Tier.objects.create(scheme=scheme, name="Gold", threshold=300_000, discount_percent=5, points_percent=150)
    return scheme


@pytest.fixture
def pays(at_till, riverside, card):
    """`pays(350_000)`: Li Lei pays a bill in cash, so many days after NOON."""

    def _pays(amount: int, *, days: float = 0) -> Operation:
        at = NOON + timedelta(days=days)
        cash = [TenderPaid(TenderType.CASH, amount)]
        done = spend(
            actor=at_till,
            key=f"bill-{amount}-{days}",
            at=at,
            store=riverside,
            card=card,
            amount_minor=amount,
            tenders=cash,
        )
        return done.operation

    return _pays


def bought(member: Member, amount: int, on: datetime) -> Purchase:
    """A bill of an old till."""
    return Purchase.objects.create(member=member, store=member.home_store, at=on, amount_minor=amount)


def tier_of(member: Member, at: datetime = NOON) -> str | None:
    tier = tiers.privileges_of(member, at).tier
    return tier.name if tier else None


def folded(member: Member, at: datetime) -> str | None:
    tiers.fold(at=at)
    return tier_of(member, at)


def test_below_the_first_threshold_there_is_no_tier(scheme, li_lei, pays):
    pays(99_999)

    assert tier_of(li_lei) is None
    assert not TierEntry.objects.exists()


def test_the_bill_that_reaches_the_threshold_gives_the_tier_at_once(scheme, li_lei, pays):
    pays(99_999)
    pays(1, days=1)

    assert tier_of(li_lei) == "Silver"
    told = MembershipEvent.objects.get(type="tier_changed")
    assert told.payload == {"tier": "Silver", "tier_before": ""}


def test_a_full_refund_restores_the_tier(scheme, li_lei, pays, at_till, riverside):
    pays(150_000)
    big = pays(200_000, days=1)
    assert tier_of(li_lei) == "Gold"

    refund(actor=at_till, key="back", at=NOON + timedelta(days=2), store=riverside, operation=big)

    assert tier_of(li_lei) == "Silver"
    assert [
        e.payload["tier"] for e in MembershipEvent.objects.filter(type="tier_changed").order_by("id")
    ] == [
        "Silver",
        "Gold",
        "Silver",
    ]


@pytest.mark.parametrize("policy", ["at_once", "period_end", "one_step"])
def test_a_refund_takes_the_tier_back_whatever_the_policy(scheme, li_lei, pays, at_till, riverside, policy):
    TierScheme.objects.update(policy=policy)
    bill = pays(300_000)
    refund(actor=at_till, key="back", at=NOON + timedelta(days=1), store=riverside, operation=bill)

    assert tier_of(li_lei) is None


def test_a_part_refund_counts_for_what_was_kept(scheme, li_lei, pays, at_till, riverside):
    bill = pays(300_000)
    refund(
        actor=at_till,
        key="back",
        at=NOON + timedelta(days=1),
        store=riverside,
        operation=bill,
        amount_minor=1,
    )

    assert tier_of(li_lei) == "Silver"


def test_without_a_scheme_nothing_is_judged(li_lei, pays):
    pays(900_000)

    assert tier_of(li_lei) is None
    assert not TierEntry.objects.exists()
    assert outlook(li_lei, NOON) is None


def test_a_bill_leaves_the_window_after_its_day_a_year_on(scheme, li_lei):
    bought(li_lei, 100_000, datetime(2025, 6, 10, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 6, 10, 4, 0, tzinfo=UTC)) == "Silver"
    assert folded(li_lei, datetime(2026, 6, 11, 4, 0, tzinfo=UTC)) is None


def test_the_days_are_those_of_the_home_store(scheme, li_lei):
    """23:30 in Shanghai on the 10th is 15:30 UTC; half an hour later it is the 11th there and the 10th here."""
    bought(li_lei, 100_000, datetime(2025, 6, 10, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 6, 10, 15, 30, tzinfo=UTC)) == "Silver"
    assert folded(li_lei, datetime(2026, 6, 10, 16, 0, tzinfo=UTC)) is None


def test_grace_keeps_a_tier_some_days_longer(scheme, li_lei):
    TierScheme.objects.update(grace_days=30)
    bought(li_lei, 100_000, datetime(2025, 6, 10, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 7, 10, 4, 0, tzinfo=UTC)) == "Silver"
    assert folded(li_lei, datetime(2026, 7, 11, 4, 0, tzinfo=UTC)) is None


def test_kept_until_the_end_of_the_period(scheme, li_lei):
    TierScheme.objects.update(policy="period_end", period_months=6)
    bought(li_lei, 300_000, datetime(2025, 2, 10, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 3, 1, 4, 0, tzinfo=UTC)) == "Gold"
    assert folded(li_lei, datetime(2026, 6, 30, 4, 0, tzinfo=UTC)) == "Gold"
    assert folded(li_lei, datetime(2026, 7, 1, 4, 0, tzinfo=UTC)) is None


def test_one_step_down_a_period(scheme, li_lei):
    TierScheme.objects.update(policy="one_step", period_months=6)
    bought(li_lei, 300_000, datetime(2025, 2, 10, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 6, 30, 4, 0, tzinfo=UTC)) == "Gold"
    assert folded(li_lei, datetime(2026, 7, 1, 4, 0, tzinfo=UTC)) == "Silver"
    assert folded(li_lei, datetime(2026, 12, 31, 4, 0, tzinfo=UTC)) == "Silver"
    assert folded(li_lei, datetime(2027, 1, 1, 4, 0, tzinfo=UTC)) is None


def test_the_tier_does_not_depend_on_how_often_it_was_judged(scheme, li_lei):
    """A pure function of ledger and day: skipping two years of nights gives the same."""
    TierScheme.objects.update(policy="one_step", period_months=6)
    bought(li_lei, 300_000, datetime(2025, 2, 10, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 8, 1, 4, 0, tzinfo=UTC)) == "Silver"


@pytest.mark.parametrize(("measure", "silver"), [("visits", 3), ("recharge", 60_000), ("points", 500)])
def test_each_measure_counts_its_own(scheme, li_lei, card, pays, at_till, riverside, measure, silver):
    """Three bills of 200.00 and a recharge of 600.00: 3 visits, 600.00 recharged, 600 points."""
    TierScheme.objects.update(measure=measure)
    Tier.objects.filter(name="Silver").update(threshold=silver)
    for day in range(3):
        pays(20_000, days=day)
    tender = TenderPaid(TenderType.CASH, 60_000)
    recharge_card(
        actor=at_till, key="r", at=NOON + timedelta(days=3), store=riverside, card=card, tender=tender
    )

    assert folded(li_lei, NOON + timedelta(days=4)) == "Silver"
    figure = {"visits": 3, "recharge": 60_000, "points": 600}[measure]
    assert outlook(li_lei, NOON + timedelta(days=4)).figure == figure


def test_a_refunded_visit_is_no_visit_and_its_points_were_not_earned(
    scheme, li_lei, card, pays, at_till, riverside
):
    for measure in ("visits", "points"):
        TierScheme.objects.update(measure=measure)
        bill = pays(20_000, days={"visits": 1, "points": 2}[measure])
        refund(actor=at_till, key=measure, at=NOON + timedelta(days=3), store=riverside, operation=bill)
        assert outlook(li_lei, NOON + timedelta(days=4)).figure == 0


def test_judging_twice_changes_nothing_and_tells_nothing(scheme, li_lei):
    bought(li_lei, 100_000, NOON - timedelta(days=1))

    assert tiers.fold(at=NOON)["moved"] == 1
    assert tiers.fold(at=NOON + timedelta(hours=1)) == {"moved": 0, "told": 0}
    assert MembershipEvent.objects.filter(type="tier_changed").count() == 1


def test_a_move_whose_telling_was_lost_is_told_at_the_next_fold(scheme, li_lei):
    bought(li_lei, 100_000, NOON - timedelta(days=1))
    tiers.judge(NOON)

    assert tiers.fold(at=NOON + timedelta(days=1)) == {"moved": 0, "told": 1}


def test_only_who_moved_is_told(scheme, li_lei, enrol):
    han = enrol("13800138001", name="Han Meimei")
    bought(li_lei, 100_000, NOON - timedelta(days=1))
    bought(han, 99_999, NOON - timedelta(days=1))
    tiers.fold(at=NOON)

    assert [event.member for event in MembershipEvent.objects.filter(type="tier_changed")] == [li_lei]


def test_what_is_lacking_by_when_at_once(scheme, li_lei):
    """2,310 over twelve months of which 2,000 leave on 1 July: 690 more by 30 June keep Silver."""
    bought(li_lei, 200_000, datetime(2025, 6, 30, 3, 0, tzinfo=UTC))
    bought(li_lei, 31_000, datetime(2026, 3, 1, 3, 0, tzinfo=UTC))
    at = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
    tiers.fold(at=at)

    seen = outlook(li_lei, at)

    assert (seen.figure, seen.lacking, seen.by_on) == (231_000, 69_000, date(2026, 6, 30))
    assert seen.to_next == 69_000
    assert seen.progress_percent == 77
    with translation.override("en"):
        assert seen.keeps_words == "¥690.00 more by Jun 30, 2026 keeps Silver."


def test_what_is_lacking_is_what_the_fold_then_asks(scheme, li_lei):
    """One cent less than the projection says loses the tier; the projection itself keeps it."""
    bought(li_lei, 200_000, datetime(2025, 6, 30, 3, 0, tzinfo=UTC))
    at = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
    tiers.fold(at=at)
    seen = outlook(li_lei, at)
    more = bought(li_lei, seen.lacking - 1, datetime(2026, 6, 30, 3, 0, tzinfo=UTC))

    assert folded(li_lei, datetime(2026, 7, 1, 4, 0, tzinfo=UTC)) is None
    Purchase.objects.filter(pk=more.pk).update(amount_minor=seen.lacking)
    assert folded(li_lei, datetime(2026, 7, 1, 4, 0, tzinfo=UTC)) == "Silver"


def test_what_is_lacking_by_the_end_of_the_period(scheme, li_lei):
    TierScheme.objects.update(policy="period_end", period_months=6)
    bought(li_lei, 300_000, datetime(2025, 5, 10, 3, 0, tzinfo=UTC))
    bought(li_lei, 281_000, datetime(2026, 4, 10, 3, 0, tzinfo=UTC))
    at = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)
    tiers.fold(at=at)

    seen = outlook(li_lei, at)

    assert (seen.tier.name, seen.lacking, seen.by_on) == ("Gold", 19_000, date(2026, 6, 30))
    with translation.override("en"):
        assert seen.keeps_words == "¥190.00 more by Jun 30, 2026 keeps Gold."
        assert seen.words == "Gold: ¥2,810.00 in 12 months."


def test_a_tier_given_by_hand_stands_until_its_last_day(scheme, li_lei, mei, at_till):
    gold = Tier.objects.get(name="Gold")
    tiers.set_by_hand(
        actor=at_till, at=NOON, member=li_lei, tier=gold, until_on=date(2026, 12, 31), reason="A wedding"
    )

    assert tier_of(li_lei) == "Gold"
    assert folded(li_lei, datetime(2026, 12, 31, 15, 0, tzinfo=UTC)) == "Gold"
    assert tier_of(li_lei, datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) is None
    assert AuditEntry.objects.filter(verb="tier_overridden").count() == 1
    assert [entry.tier and entry.tier.name for entry in TierEntry.objects.order_by("id")] == ["Gold", None]


def test_by_hand_also_means_less_than_the_figures_say(scheme, li_lei, at_till, pays):
    pays(300_000)
    silver = Tier.objects.get(name="Silver")
    tiers.set_by_hand(
        actor=at_till, at=NOON, member=li_lei, tier=silver, until_on=date(2026, 12, 31), reason="Misuse"
    )
    assert tier_of(li_lei) == "Silver"

    tiers.let_figures_decide(actor=at_till, at=NOON, member=li_lei)
    assert tier_of(li_lei) == "Gold"


@pytest.mark.parametrize(
    ("reason", "until", "field"),
    [
        ("", date(2026, 12, 31), "reason"),
        ("  ", date(2026, 12, 31), "reason"),
        ("Why", date(2026, 11, 19), "until_on"),
    ],
)
def test_by_hand_needs_a_reason_and_a_day_to_come(scheme, li_lei, at_till, reason, until, field):
    gold = Tier.objects.get(name="Gold")
    with pytest.raises(tiers.OverrideRefused) as refused:
        tiers.set_by_hand(actor=at_till, at=NOON, member=li_lei, tier=gold, until_on=until, reason=reason)

    assert refused.value.field == field
    assert tier_of(li_lei) is None


def test_preview_of_moves_before_thresholds_are_saved(scheme, li_lei, enrol, at_till):
    han, zhao = enrol("13800138001", name="Han"), enrol("13800138002", name="Zhao")
    bought(li_lei, 150_000, NOON - timedelta(days=1))
    bought(han, 90_000, NOON - timedelta(days=1))
    bought(zhao, 350_000, NOON - timedelta(days=1))
    tiers.fold(at=NOON)
    silver, gold = scheme.tiers.all()

    seen = preview(scheme, {silver.pk: 80_000, gold.pk: 400_000}, at=NOON)

    assert (seen.up, seen.down) == (1, 1)
    assert [(m.before and m.before.name, m.after and m.after.name, m.member_ids) for m in seen.moves] == [
        (None, "Silver", (han.pk,)),
        ("Gold", "Silver", (zhao.pk,)),
    ]
    assert tier_of(zhao) == "Gold"

    save_thresholds(actor=at_till, at=NOON, scheme=scheme, thresholds={silver.pk: 80_000, gold.pk: 400_000})
    assert tiers.fold(at=NOON)["moved"] == 2
    assert (tier_of(han), tier_of(zhao)) == ("Silver", "Silver")


def test_thresholds_rise_from_tier_to_tier(scheme, at_till):
    silver, gold = scheme.tiers.all()
    for wanted in ({silver.pk: 300_000}, {silver.pk: 0}, {gold.pk: 100_000}, {gold.pk: 10**12 + 1}):
        with pytest.raises(ThresholdsRefused):
            save_thresholds(actor=at_till, at=NOON, scheme=scheme, thresholds=wanted)


def test_thresholds_may_change_places_with_each_other_on_the_way(scheme, at_till):
    silver, gold = scheme.tiers.all()
    save_thresholds(actor=at_till, at=NOON, scheme=scheme, thresholds={silver.pk: 300_000, gold.pk: 400_000})
    save_thresholds(actor=at_till, at=NOON, scheme=scheme, thresholds={silver.pk: 100_000, gold.pk: 300_000})

    assert [tier.threshold for tier in scheme.tiers.order_by("threshold")] == [100_000, 300_000]


def test_a_scheme_without_tiers_gives_none(li_lei):
    TierScheme.objects.create(name="Empty", is_active=True)
    bought(li_lei, 100_000, NOON - timedelta(days=1))

    assert tiers.fold(at=NOON) == {"moved": 0, "told": 0}


def test_a_standing_says_the_same_as_the_last_entry(scheme, li_lei, pays):
    pays(100_000)
    pays(200_000, days=1)

    last = TierEntry.objects.first()
    assert (TierStanding.objects.get().tier, last.tier_before.name, last.figure) == (
        last.tier,
        "Silver",
        300_000,
    )


def test_what_happens_after_a_day_does_not_count_on_it(scheme, li_lei):
    bought(li_lei, 100_000, NOON + timedelta(days=1))

    assert folded(li_lei, NOON) is None


def test_who_rises_to_a_tier_gets_its_coupon_once(scheme, li_lei, pays, at_till, riverside):
    welcome = CouponDefinition.objects.create(name="Welcome to Silver", off_minor=1000)
    Tier.objects.filter(name="Silver").update(coupon=welcome)

    bill = pays(150_000)
    refund(actor=at_till, key="r", at=NOON, store=riverside, operation=bill)
    pays(160_000)

    coupon = Coupon.objects.get()
    assert (coupon.member, coupon.reason, coupon.scope) == (li_lei, "Silver", "tiers")
    assert tier_of(li_lei) == "Silver"


def test_who_falls_to_a_tier_gets_nothing(scheme, li_lei, pays, at_till, riverside):
    welcome = CouponDefinition.objects.create(name="Welcome to Silver", off_minor=1000)
    pays(150_000)
    bill = pays(200_000)
    Tier.objects.filter(name="Silver").update(coupon=welcome)

    refund(actor=at_till, key="r", at=NOON, store=riverside, operation=bill)

    assert (tier_of(li_lei), Coupon.objects.count()) == ("Silver", 0)


def test_a_tier_whose_coupons_are_all_gone_is_given_all_the_same(scheme, li_lei, pays):
    none_left = CouponDefinition.objects.create(name="Gone", off_minor=1000, is_active=False)
    Tier.objects.filter(name="Silver").update(coupon=none_left)

    pays(150_000)

    assert (tier_of(li_lei), Coupon.objects.count()) == ("Silver", 0)
