"""What comes off a bill, and what of it comes back, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import timedelta

import pytest

from members.domain.bills import Line, bill_of
from members.domain.coupons import CouponDoesNotFit, issue
from members.domain.ledger import TenderPaid
from members.domain.tiers import privileges_of, rejudge
from members.enums import POSTING_MATRIX, AccountKind, OperationKind, TenderType
from members.models import BillLine, BillLineKind, CouponDefinition, MembershipEvent, Tier, TierScheme
from tests.conftest import NOON
from tests.examples.test_spending import pays_with_points

BONUS, POINTS, PRINCIPAL = AccountKind.BONUS, AccountKind.POINTS, AccountKind.PRINCIPAL
CASH = TenderType.CASH


@pytest.fixture
def gold(db) -> Tier:
    """Gold from 500.00 spent in twelve months: 10 % off."""
    scheme = TierScheme.objects.create(name="House", is_active=True)
    return Tier.objects.create(scheme=scheme, name="Gold", threshold=50000, discount_percent=10)


@pytest.fixture
def coupon(card, riverside, at_till):
    """Li Lei's coupon of 20.00 off from 50.00."""
    definition = CouponDefinition.objects.create(name="20 off", off_minor=2000, min_spend_minor=5000)
    return issue(definition=definition, member=card.member, store=riverside, actor=at_till, key="c1", at=NOON)


def reach(gold, counter) -> None:
    counter.load(100000)
    counter.spend(50000)
    rejudge(counter.card.member, at=NOON)


def test_a_tier_takes_its_percentage_off_what_is_not_reduced_already(counter, gold, riverside, books):
    """Bill 150.00, of it 50.00 reduced already: Gold takes 10.00 off the other 100.00."""
    reach(gold, counter)

    sale = counter.spend(
        15000, lines=[Line(10000, "Cut"), Line(5000, "Shampoo", is_discounted=True)]
    ).operation

    assert sale.amount_minor == 14000
    assert books(riverside, sale) == {"sales": 15000, "discounts": -1000, "points_cost": -90}
    last = BillLine.objects.filter(operation=sale).last()
    assert (last.kind, last.label, last.amount_minor) == ("tier", "Gold", -1000)


def test_a_coupon_and_its_discount_come_back_with_the_whole_bill_only(counter, coupon, riverside, books):
    counter.load(20000)
    sale = counter.spend(10000, coupons=[coupon]).operation

    half = counter.refund(sale, 4000).operation
    coupon.refresh_from_db()
    after_half = coupon.state
    rest = counter.refund(sale).operation
    coupon.refresh_from_db()

    assert sale.amount_minor == 8000
    assert (after_half, coupon.state) == ("redeemed", "issued")
    assert counter.value == (20000, 0, 0)
    assert books(riverside, sale, half, rest) == {}


def test_a_bill_that_a_coupon_pays_alone_is_taken_back_whole(counter, coupon, riverside, books):
    type(coupon.definition).objects.update(off_minor=10000)
    coupon.definition.refresh_from_db()
    sale = counter.spend(8000, coupons=[coupon]).operation

    back = counter.refund(sale).operation
    coupon.refresh_from_db()

    assert (sale.amount_minor, coupon.state, counter.value) == (0, "issued", (0, 0, 0))
    assert books(riverside, sale, back) == {}


def test_the_same_bill_with_a_coupon_again_gives_the_first_answer(counter, coupon):
    counter.load(20000)

    first = counter.spend(10000, coupons=[coupon], key="same")
    coupon.refresh_from_db()
    second = counter.spend(10000, coupons=[coupon], key="same")

    assert (second.is_replay, second.operation) == (True, first.operation)


def test_a_coupon_is_used_on_one_bill(counter, coupon):
    counter.load(20000)
    counter.spend(10000, coupons=[coupon])

    with pytest.raises(CouponDoesNotFit):
        counter.spend(10000, coupons=[coupon])

    assert counter.balance(PRINCIPAL) == 12000


def test_a_coupon_that_does_not_go_with_a_tier_goes_instead_of_it(counter, gold, coupon):
    reach(gold, counter)
    type(coupon.definition).objects.update(stacks_with_tier=False)
    coupon.definition.refresh_from_db()

    sale = counter.spend(10000, coupons=[coupon]).operation

    assert sale.amount_minor == 8000
    assert list(sale.bill_lines.values_list("kind", flat=True)) == ["goods", "coupon"]


def test_a_full_refund_restores_the_tier(counter, card, gold):
    """Nobody is Gold; a bill of 600.00, of it 100.00 by points, makes Gold; taken back, there is no tier again."""
    pays_with_points(card)
    counter.load(100000)
    counter.give_points(10000)
    sale = counter.spend(60000, points=10000).operation
    rejudge(card.member, at=NOON)
    made = privileges_of(card.member, NOON).tier

    counter.refund(sale)
    rejudge(card.member, at=NOON)

    assert (made, privileges_of(card.member, NOON).tier) == (gold, None)
    assert counter.value == (100000, 0, 10000)


def test_value_cannot_buy_value():
    """No deed that brings value in may take value of the member, and none that sells it is a spend."""
    brings_in = {kind for kind, account, sign in POSTING_MATRIX if sign > 0 and account in (PRINCIPAL, BONUS)}
    takes_out = {kind for kind, account, sign in POSTING_MATRIX if sign < 0 and account in (PRINCIPAL, BONUS)}

    assert brings_in & takes_out == {OperationKind.ADJUST}  # bonus by hand, with a reason and an approval
    assert ("sell_services", PRINCIPAL, -1) not in POSTING_MATRIX
    assert ("adjust", PRINCIPAL, 1) not in POSTING_MATRIX


def test_value_is_not_recharged_by_value(counter):
    """The same in deeds: paying a bill leaves the card poorer by exactly what it paid, whoever paid what with it."""
    counter.load(10000, 2000)
    counter.spend(6000, tenders=[TenderPaid(CASH, 1000)])

    assert counter.balance(PRINCIPAL) + counter.balance(BONUS) == 12000 - 5000


def test_the_bill_told_is_what_is_paid_with_what_came_off(counter, coupon):
    counter.load(20000)

    counter.spend(10000, coupons=[coupon])

    told = MembershipEvent.objects.get(type="card_spent").payload
    assert (told["amount"], told["discount"], told["stored_value"], told["points"]) == (8000, 2000, 8000, 80)


def test_pending_points_of_a_sale_leave_with_it(counter, card):
    card.product.points_pending_days = 14
    card.product.save()
    counter.load(20000)
    sale = counter.spend(10000).operation
    assert sale.lots.get(account__kind=POINTS).active_from == NOON + timedelta(days=14)

    counter.refund(sale)

    assert counter.value == (20000, 0, 0)


# The arithmetic alone


def test_what_comes_off_is_spread_over_the_lines_to_the_cent():
    bill = bill_of(0, [Line(333, category=1), Line(333, category=1), Line(334, category=2)])

    bill = bill.less(BillLineKind.COUPON, 100, "100 off")

    assert [line.amount_minor for line in bill.net_lines()] == [300, 299, 301]
    assert (bill.net_minor, bill.of_categories({1})) == (900, 599)


def test_no_more_comes_off_than_the_bill():
    bill = bill_of(500).less(BillLineKind.TIER, 300, "Gold").less(BillLineKind.COUPON, 300, "300 off")

    assert (bill.net_minor, bill.discount_minor) == (0, 500)


def test_a_coupon_for_some_goods_lowers_those_only():
    bill = bill_of(0, [Line(600, category=1), Line(400, category=2)])

    bill = bill.less(BillLineKind.COUPON, 150, "Colour", frozenset({1}))

    assert [line.amount_minor for line in bill.net_lines()] == [450, 400]
