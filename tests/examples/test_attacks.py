"""A thief and a careless till: every way tried to get value twice, or out of nothing. Money in fen (1/100 yuan)."""

import pytest

from members.domain import transfers
from members.domain.card_states import replace_card
from members.domain.cards import open_card, recharge_card
from members.domain.closing import close_card, refund_recharge
from members.domain.deeds import CardNotUsable
from members.domain.gifts import GiftUsed
from members.domain.ledger import Actor, OwnAccount, TenderPaid
from members.domain.merging import merge
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.services import sell_services, take_service
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    Coupon,
    CouponDefinition,
    CouponState,
    LimitedDeed,
    Lot,
    Operation,
    RechargePlan,
    Reward,
    ServiceGroup,
    StaffLimit,
)
from tests.conftest import NOON

PRINCIPAL, BONUS, POINTS = AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.POINTS


@pytest.fixture
def by_hand(at_till: Actor, riverside) -> dict:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def in_charge(mei, riverside) -> dict:
    actor = Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)
    return {"actor": actor, "at": NOON, "store": riverside}


def held(card: Card) -> tuple[int, int]:
    kinds = dict(card.accounts.values_list("kind", "balance"))
    return kinds["principal"], kinds["bonus"]


def points_of(member) -> int:
    return Account.objects.get(member=member, kind=POINTS).balance or 0


def bought(card: Card, by_hand, key="r1", **more) -> Operation:
    plan = RechargePlan.objects.create(name="300+100", pay_minor=30000, **{"bonus_minor": 10000, **more})
    paid = TenderPaid(TenderType.CASH, 30000)
    return recharge_card(key=key, card=card, tender=paid, plan=plan, **by_hand).operation


def assert_sound() -> None:
    assert verify().faults == ()


# A refund of what was paid with a card that is no more


def test_a_refund_to_a_card_that_was_replaced_lands_on_the_one_that_replaced_it(card, by_hand):
    """300 + 100, spent 200, the card lost and replaced, twice: the 150 and the 50 are on the newest card."""
    bought(card, by_hand)
    sale = spend(key="s1", card=card, amount_minor=20000, **by_hand).operation
    second = replace_card(key="lost1", card=card, **by_hand).card
    third = replace_card(key="lost2", card=second, **by_hand).card

    outcome = refund(key="b1", operation=sale, **by_hand)

    assert (held(card), held(second), held(third)) == ((0, 0), (0, 0), (30000, 10000))
    assert outcome.balance_minor == outcome.event.payload["balance"] == 40000
    assert outcome.event.payload["card"] == f"…{third.number[-4:]}"
    assert refund(key="b1", operation=sale, **by_hand).is_replay
    assert held(third) == (30000, 10000)
    assert_sound()


def test_a_refund_in_parts_after_a_replacement_still_gives_back_the_sale_once(card, by_hand):
    bought(card, by_hand)
    sale = spend(key="s1", card=card, amount_minor=20000, **by_hand).operation
    new = replace_card(key="lost", card=card, **by_hand).card

    for part in range(3):
        refund(key=f"b{part}", operation=sale, amount_minor=3333, **by_hand)
    refund(key="rest", operation=sale, **by_hand)

    assert held(new) == (30000, 10000)
    assert_sound()


def test_services_returned_to_a_replaced_count_card_are_on_the_new_one(li_lei, by_hand):
    product = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=30000,
    )
    card, _ = open_card(key="wash", member=li_lei, product=product, **by_hand)
    sell_services(key="buy", card=card, tender=TenderPaid(TenderType.CASH, 30000), **by_hand)
    taken = take_service(key="t1", card=card, count=2, **by_hand).operation
    new = replace_card(key="lost", card=card, **by_hand).card

    refund(key="b1", operation=taken, **by_hand)

    assert new.accounts.get(kind=AccountKind.SERVICES).balance == 10
    assert card.accounts.get(kind=AccountKind.SERVICES).balance == 0
    assert_sound()


def test_a_refund_of_a_merged_members_bill_goes_to_who_was_kept_and_takes_the_points_there(
    card, enrol, product, by_hand, in_charge
):
    """The points the bill earned went over with the merge: they do not stay with the money back as well."""
    double = enrol("13700137000", name="Lei Li", language="en")
    theirs, _ = open_card(key="o2", member=double, product=product, **by_hand)
    bought(theirs, by_hand)
    sale = spend(key="s1", card=theirs, amount_minor=20000, **by_hand).operation
    earned = points_of(double)
    assert earned > 0
    merge(key="m1", kept=card.member, merged=double, reason="Two numbers", **in_charge)

    refund(key="b1", operation=sale, **by_hand)

    new = Card.objects.get(replaces=theirs)
    assert (new.member, held(new), held(theirs)) == (card.member, (30000, 10000), (0, 0))
    assert (points_of(double), points_of(card.member)) == (0, 0)
    assert_sound()


def test_a_refund_to_a_closed_card_is_refused_and_says_what_to_do(card, by_hand):
    bought(card, by_hand)
    sale = spend(key="s1", card=card, amount_minor=20000, **by_hand).operation
    close_card(key="c1", card=card, **by_hand)

    with pytest.raises(CardNotUsable) as refusal:
        refund(key="b1", operation=sale, **by_hand)

    assert "closed" in str(refusal.value)
    assert held(card) == (0, 0)
    assert_sound()


# The gifts of a recharge that is taken back


@pytest.fixture
def tea(riverside) -> CouponDefinition:
    return CouponDefinition.objects.create(name="10 off", kind="amount", off_minor=1000, valid_days=30)


def test_the_coupon_a_plan_gave_goes_with_the_recharge_that_is_taken_back(card, by_hand, tea):
    recharge = bought(card, by_hand, coupon=tea)

    refund_recharge(key="b1", operation=recharge, **by_hand)

    coupon = Coupon.objects.get(member=card.member)
    assert (coupon.state, coupon.void_reason) == (CouponState.VOID, "recharge refunded")
    assert held(card) == (0, 0)


def test_a_recharge_whose_coupon_was_used_is_taken_back_after_the_bill_only(card, by_hand, tea):
    recharge = bought(card, by_hand, coupon=tea)
    coupon = Coupon.objects.get(member=card.member)
    sale = spend(key="s1", card=card, amount_minor=20000, coupons=[coupon], **by_hand).operation

    with pytest.raises(GiftUsed):
        refund_recharge(key="b1", operation=recharge, **by_hand)
    refund(key="b2", operation=sale, **by_hand)
    refund_recharge(key="b3", operation=recharge, **by_hand)

    assert held(card) == (0, 0)
    assert Coupon.objects.get().state == CouponState.VOID
    assert_sound()


def test_points_of_a_plan_that_still_wait_go_with_the_recharge(card, by_hand, product):
    product.points_pending_days = 7
    product.save()
    card.refresh_from_db()
    recharge = bought(card, by_hand, points=500)
    Lot.objects.filter(operation=recharge, account__kind=POINTS).get()
    assert points_of(card.member) == 500

    refund_recharge(key="b1", operation=recharge, **by_hand)

    assert points_of(card.member) == 0
    assert_sound()


def test_points_of_a_plan_that_were_spent_are_taken_from_the_members_others(card, by_hand):
    """500 points with the recharge, a cup of tea for 400, 300 points of goodwill: the recharge goes with 500."""
    recharge = bought(card, by_hand, points=500)
    other = bought(card, by_hand, key="r2", points=450)
    reward = Reward.objects.create(name="Tea", points=400)
    redeem_points(key="tea", card=card, reward=reward, **by_hand)

    refund_recharge(key="b1", operation=recharge, **by_hand)

    assert points_of(card.member) == 50
    assert other.pk
    assert_sound()


# Another's card


def test_a_cashier_cannot_have_a_members_money_confirmed_in_the_portal_above_their_limit(
    card, enrol, by_hand
):
    """The portal has no limit of its own: the word is that of whoever proposed it at the till."""
    StaffLimit.objects.create(deed=LimitedDeed.TRANSFER, role="cashier", window_hours=24, amount_max=5000)
    bought(card, by_hand)
    friend = enrol("13700137000", name="A friend", language="en")
    asked = transfers.propose(
        is_confirmed=True, key="p1", card=card, receiver=friend, amount_minor=30000, **by_hand
    )

    with pytest.raises(transfers.TransferRefused):
        transfers.confirm(actor=Actor("portal"), at=NOON, transfer=asked)

    assert held(card) == (30000, 10000)


def test_a_cashier_cannot_send_a_members_money_to_themselves_by_the_portal(card, enrol, by_hand, chen):
    bought(card, by_hand)
    me = enrol("13700137000", name="Chen", language="en")
    chen.member = me
    chen.save()
    asked = transfers.propose(
        is_confirmed=True, key="p1", card=card, receiver=me, amount_minor=3000, **by_hand
    )

    with pytest.raises(OwnAccount):
        transfers.confirm(actor=Actor("portal"), at=NOON, transfer=asked)

    assert held(card) == (30000, 10000)
