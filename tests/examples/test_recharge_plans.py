"""Worked examples of recharge plans and the law on prepaid cards. Money in fen (1/100 yuan)."""

from datetime import date, timedelta

import pytest
from constance.test import override_config

from members.domain.cards import open_card, recharge_card
from members.domain.deeds import AmountRefused, NotOffered
from members.domain.ledger import Actor, TenderPaid
from members.domain.plans import plans_for
from members.domain.recharge_limits import CardLimitReached, IdentityNeeded
from members.domain.spending import InsufficientBalance, spend
from members.enums import TenderType
from members.models import Card, CardProduct, Coupon, CouponDefinition, GoodsCategory, Lot, RechargePlan
from tests.conftest import NOON


@pytest.fixture
def by_hand(at_till: Actor, riverside) -> dict:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def take(card, by_hand):
    """Recharge Li Lei's card by a plan: `take(plan, "r1")`."""

    def _take(plan: RechargePlan, key: str, **more):
        paid = TenderPaid(TenderType.CASH, plan.pay_minor)
        return recharge_card(key=key, tender=paid, plan=plan, **{"card": card, **by_hand, **more})

    return _take


def plan(**more) -> RechargePlan:
    return RechargePlan.objects.create(
        **{"name": "300+100", "pay_minor": 30000, "bonus_minor": 10000, **more}
    )


def test_what_the_bonus_may_pay_for_is_frozen_into_its_lot(take, riverside):
    colour = GoodsCategory.objects.create(name="Colour")
    offer = plan(bonus_valid_days=30, bonus_share_max_percent=40)
    offer.bonus_stores.add(riverside)
    offer.bonus_categories.add(colour)

    outcome = take(offer, "r1")
    offer.bonus_stores.clear()

    lot = outcome.operation.lots.get(account__kind="bonus")
    assert lot.terms == {"stores": [riverside.pk], "categories": [colour.pk], "share_max_percent": 40}
    assert lot.expires_at.isoformat() == "2026-12-20T16:00:00+00:00", "the store's midnight after day 30"
    assert outcome.operation.lots.get(account__kind="principal").terms is None


def test_expired_value_neither_spends_nor_loads_midnight_is_the_stores(
    take, card, by_hand, at_till, riverside
):
    take(plan(bonus_valid_days=1), "r1")
    common = {"actor": at_till, "store": riverside, "card": card}
    before_midnight = NOON + timedelta(days=1, hours=11, minutes=59)

    with pytest.raises(InsufficientBalance) as refusal:
        spend(key="s1", at=before_midnight + timedelta(minutes=1), amount_minor=40000, **common)
    spend(key="s2", at=before_midnight, amount_minor=40000, **common)

    assert refusal.value.facts["available_minor"] == 30000


def test_a_plan_for_the_first_recharge_is_taken_once_whatever_came_first(take):
    welcome = plan(name="Welcome", is_first_only=True)
    take(plan(), "r1")

    with pytest.raises(NotOffered) as refusal:
        take(welcome, "r2")

    assert refusal.value.field == "plan" and "first recharge" in str(refusal.value)


def test_a_plan_that_may_be_taken_twice_is_not_taken_a_third_time(take):
    offer = plan(per_member_max=2)
    take(offer, "r1")
    take(offer, "r2")
    assert take(offer, "r2").is_replay

    with pytest.raises(NotOffered):
        take(offer, "r3")


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"starts_on": date(2026, 11, 21)}, "not on sale yet"),
        ({"ends_on": date(2026, 11, 19)}, "no longer on sale"),
        ({"is_active": False}, "not on sale at this store"),
    ],
)
def test_a_plan_has_its_days(take, terms, words):
    with pytest.raises(NotOffered) as refusal:
        take(plan(**terms), "r1")

    assert words in str(refusal.value)


def test_a_plan_on_its_last_day_is_sold_until_the_stores_midnight(take):
    take(plan(ends_on=date(2026, 11, 20)), "r1", at=NOON + timedelta(hours=11, minutes=59))

    with pytest.raises(NotOffered):
        take(RechargePlan.objects.get(), "r2", at=NOON + timedelta(hours=12))


def test_a_plan_of_another_product_is_not_sold_for_this_card(take):
    other = CardProduct.objects.create(name="Gold card")

    with pytest.raises(NotOffered):
        take(plan(product=other), "r1")


def test_the_till_says_why_a_plan_is_not_for_this_member(take, card, riverside):
    take(plan(name="First", is_first_only=True), "r1")
    plan(name="Any", pay_minor=50000)

    shown = [(offer.plan.name, bool(offer.refusal)) for offer in plans_for(card, riverside, at=NOON)]

    assert shown == [("First", True), ("Any", False)]


@pytest.mark.parametrize("plans", [1, 3])
def test_the_plans_of_a_member_are_read_in_two_queries(card, riverside, plans, django_assert_num_queries):
    for number in range(plans):
        plan(name=f"Plan {number}", per_member_max=1)

    with django_assert_num_queries(2):
        plans_for(card, riverside, at=NOON)


def test_a_plan_gives_its_coupon_with_the_money(take, li_lei):
    definition = CouponDefinition.objects.create(name="20 off", off_minor=2000, valid_days=30)

    take(plan(coupon=definition), "r1")
    take(plan(name="again", coupon=definition), "r1x")

    assert Coupon.objects.filter(member=li_lei, definition=definition).count() == 2


def test_a_plan_is_sold_at_its_price_only(card, by_hand):
    with pytest.raises(AmountRefused):
        recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 1), plan=plan(), **by_hand)


@override_config(CARD_RULES="cn")
def test_a_registered_card_holds_5000_at_most_and_the_refusal_names_the_rule(card, by_hand):
    recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 400000), **by_hand)

    with pytest.raises(CardLimitReached) as refusal:
        recharge_card(key="r2", card=card, tender=TenderPaid(TenderType.CASH, 100001), **by_hand)

    assert refusal.value.facts["room_minor"] == 100000
    assert "5,000" in str(refusal.value) and "单用途商业预付卡管理办法" in str(refusal.value)
    recharge_card(key="r3", card=card, tender=TenderPaid(TenderType.CASH, 100000), **by_hand)


@override_config(CARD_RULES="cn")
def test_a_card_without_a_name_holds_1000_at_most(enrol, by_hand, product):
    nameless = enrol("13700137000", name="")
    card, _ = open_card(key="o9", member=nameless, product=product, **by_hand)

    with pytest.raises(CardLimitReached) as refusal:
        recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 100001), **by_hand)

    assert refusal.value.facts["limit_minor"] == 100000


@override_config(CARD_RULES="cn")
def test_from_10000_in_one_purchase_the_identity_is_asked_first(card, li_lei, by_hand):
    paid = TenderPaid(TenderType.CASH, 1_000_000)
    with pytest.raises(IdentityNeeded):
        recharge_card(key="r1", card=card, tender=paid, **by_hand)

    li_lei.identity_checked_on = date(2026, 11, 1)
    li_lei.save()
    with pytest.raises(CardLimitReached):
        recharge_card(key="r2", card=Card.objects.get(pk=card.pk), tender=paid, **by_hand)


def test_without_a_pack_there_is_no_limit(card, by_hand):
    recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 10**8), **by_hand)

    assert Lot.objects.get(account__card=card).remaining == 10**8
