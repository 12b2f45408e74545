"""How a bill is taken back, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import timedelta

import pytest
from constance.test import override_config

from members.domain.bills import Line
from members.domain.cards import open_card
from members.domain.expiry import expire_lots
from members.domain.ledger import TenderPaid
from members.domain.refund_parts import Parts
from members.domain.refunds import PointsUsed, RefundExceedsOriginal
from members.domain.services import ReturnExceedsTaken, sell_services, take_service
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import (
    CardKind,
    CardProduct,
    Entry,
    LotUse,
    MemberFacts,
    MembershipEvent,
    Reward,
    ServiceGroup,
)
from tests.conftest import NOON
from tests.examples.test_spending import pays_with_points

BONUS, POINTS, PRINCIPAL = AccountKind.BONUS, AccountKind.POINTS, AccountKind.PRINCIPAL
CASH, WECHAT = TenderType.CASH, TenderType.WECHAT


def test_buy_earn_refund_takes_the_points_back_from_the_same_lots(counter):
    """An older lot of 500 points, then a bill of 300.00 that earns 300: the refund empties that lot, not the older."""
    counter.load(50000)
    older = counter.give_points(500, expires_at=NOON + timedelta(days=10)).lots.get()
    sale = counter.spend(30000).operation

    counter.refund(sale)

    older.refresh_from_db()
    assert (older.remaining, sale.lots.get(account__kind=POINTS).remaining) == (500, 0)
    assert counter.value == (50000, 0, 500)


def test_a_refund_of_an_order_paid_with_points_never_charges_points_again(counter, card):
    """Bill 50.00 paid with 5,000 points: the refund gives 5,000 points back into their lot, takes none, pays no money."""
    pays_with_points(card)
    lot = counter.give_points(6000).lots.get()
    sale = counter.spend(5000, points=5000).operation

    back = counter.refund(sale).operation

    lot.refresh_from_db()
    moved = Entry.objects.filter(operation=back, account__member=card.member).values_list(
        "account_kind", "amount"
    )
    assert list(moved) == [("points", 5000)]
    assert (lot.remaining, counter.value, back.tenders.count()) == (6000, (0, 0, 6000), 0)


def test_a_refund_of_a_bill_paid_half_with_points_gives_both_back_to_their_lots(
    counter, card, riverside, books
):
    """Bill 100.00: 4,000 points (40.00), 60.00 from the card, 60 points earned. All of it back."""
    pays_with_points(card)
    counter.load(10000)
    counter.give_points(4000)
    sale = counter.spend(10000, points=4000).operation

    back = counter.refund(sale).operation

    assert counter.value == (10000, 0, 4000)
    assert books(riverside, sale, back) == {}


def test_three_partial_refunds_of_a_bill_by_everything_add_up_to_it(counter, card, riverside, books):
    pays_with_points(card)
    counter.load(30000, 10000)
    counter.give_points(3333)
    sale = counter.spend(
        29999, points=3333, tenders=[TenderPaid(CASH, 1111), TenderPaid(WECHAT, 2222, "wx-1")]
    ).operation

    backs = [counter.refund(sale, minor).operation for minor in (9999, 9999, None)]

    assert counter.value == (30000, 10000, 3333)
    assert books(riverside, sale, *backs) == {}
    assert [sum(b.tenders.filter(type="cash").values_list("amount_minor", flat=True)) for b in backs][0] < 0


def test_outside_money_goes_back_by_the_tenders_that_paid_each_to_its_reference(counter):
    """Cash 20.00, cash 30.00 and WeChat 50.00 of 100.00; two halves back: 50.00 in cash, then 50.00 by WeChat."""
    sale = counter.spend(
        10000, tenders=[TenderPaid(CASH, 2000), TenderPaid(CASH, 3000), TenderPaid(WECHAT, 5000, "wx-9")]
    ).operation

    first, second = (counter.refund(sale, 5000).operation for _ in range(2))

    assert list(first.tenders.values_list("type", "amount_minor")) == [("cash", -2000), ("cash", -3000)]
    assert list(second.tenders.values_list("type", "amount_minor", "reference")) == [
        ("wechat", -5000, "wx-9")
    ]


def test_refunds_show_in_balance_statement_and_receipt(counter, card):
    """The balance, the member's entries and the event that tells it (the receipt) all say the same 200.00."""
    counter.load(50000)
    sale = counter.spend(20000).operation

    back = counter.refund(sale)

    line = Entry.objects.get(operation=back.operation, account_kind="principal")
    told = MembershipEvent.objects.get(type="card_refunded").payload
    assert counter.balance(PRINCIPAL) == line.balance_after == told["balance"] == 50000
    assert (line.amount, told["amount"], told["stored_value"]) == (20000, 20000, 20000)
    assert back.balance_minor == 50000
    assert MemberFacts.objects.get(member=card.member).spend_minor == 0


def test_pending_points_are_taken_back_before_they_ever_count(counter):
    counter.load(50000)
    sale = counter.spend(20000).operation
    counter.give_points(70)

    counter.refund(sale)

    assert counter.balance(POINTS) == 70


# Points that are gone


def _buys_and_uses_the_points(counter, card):
    """Spends 300.00, earns 300 points and gives 250 of them for a reward."""
    pays_with_points(card)
    counter.load(50000)
    sale = counter.spend(30000).operation
    counter.redeem(Reward.objects.create(name="Head massage", points=250))
    return sale


def test_points_that_are_gone_are_forgiven(counter, card):
    sale = _buys_and_uses_the_points(counter, card)

    counter.refund(sale)

    assert counter.value == (50000, 0, 0)


@override_config(POINTS_MISSING_ON_REFUND="deduct")
def test_points_that_are_gone_are_kept_back_at_what_they_were_worth(counter, card, riverside, books):
    """250 points at 1.00 for 100 are 2.50: 297.50 goes back to the card."""
    sale = _buys_and_uses_the_points(counter, card)

    back = counter.refund(sale).operation

    assert counter.value == (50000 - 250, 0, 0)
    assert books(riverside, back) == {"sales": -30000, "points_tender": 250, "points_cost": 50}
    assert MembershipEvent.objects.get(type="card_refunded").payload["amount"] == 29750


@override_config(POINTS_MISSING_ON_REFUND="refuse")
def test_points_that_are_gone_refuse_the_refund(counter, card):
    sale = _buys_and_uses_the_points(counter, card)

    with pytest.raises(PointsUsed) as refusal:
        counter.refund(sale)

    assert refusal.value.facts["missing"] == 250
    assert counter.value == (20000, 0, 50)


# Stores


def test_a_refund_takes_back_what_the_stores_owed_each_other(counter, riverside, hilltop, books):
    counter.load(10000)
    sale = counter.spend(3000, store=hilltop).operation

    half = counter.refund(sale, 1500, store=hilltop).operation
    assert books(riverside, sale, half) == {"settlement": 1500}
    rest = counter.refund(sale, store=hilltop).operation

    assert books(riverside, sale, half, rest) == {} == books(hilltop, sale, half, rest)


def test_cash_handed_out_by_another_store_is_owed_to_it(counter, riverside, hilltop, books):
    """Sold at Riverside for 50.00 in cash, handed out at Hilltop: Riverside owes Hilltop 50.00."""
    sale = counter.spend(5000, tenders=[TenderPaid(CASH, 5000)]).operation

    back = counter.refund(sale, store=hilltop).operation

    assert books(riverside, sale, back) == {"tender": -5000, "settlement": 5000}
    assert books(hilltop, back) == {"tender": 5000, "settlement": -5000}


# Rewards


def test_a_reward_handed_back_returns_its_points_to_their_lot_once(counter, riverside, books):
    lot = counter.give_points(300).lots.get()
    counter_reward = Reward.objects.create(name="Head massage", points=250)
    handed = counter.redeem(counter_reward).operation

    back = counter.refund(handed).operation
    with pytest.raises(RefundExceedsOriginal):
        counter.refund(handed)

    lot.refresh_from_db()
    assert lot.remaining == 300
    assert books(riverside, handed, back) == {}


def test_a_service_taken_goes_back_through_the_same_door_once(counter, at_till, riverside, li_lei, books):
    """Ten washes for 1,000.00, two taken by mistake and taken back: 10 are left and nothing is served."""
    washes = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100000,
        full_price_minor=15000,
    )
    who = {"actor": at_till, "at": NOON, "store": riverside}
    card, _ = open_card(key="open-washes", member=li_lei, product=washes, **who)
    sell_services(key="sell", card=card, tender=TenderPaid(CASH, 100000), **who)
    taken = take_service(key="take", card=card, count=2, **who).operation

    back = counter.refund(taken).operation
    with pytest.raises(ReturnExceedsTaken):
        counter.refund(taken)

    assert card.accounts.get(kind="services").balance == 10
    assert books(riverside, taken, back) == {}
    assert [str(fault) for fault in verify().faults] == []


def test_value_that_expired_meanwhile_comes_back_with_seven_days(counter):
    counter.load(10000, expires_at=NOON + timedelta(hours=1))
    sale = counter.spend(5000).operation
    later = NOON + timedelta(days=3)

    expire_lots(at=later)
    counter.refund(sale, at=later)

    lot = LotUse.objects.filter(entry__operation=sale).first().lot
    assert (lot.remaining, lot.expires_at) == (5000, later + timedelta(days=7))


def test_the_books_hold_after_all_of_it(counter, card, hilltop):
    pays_with_points(card)
    counter.load(30000, 10000)
    counter.give_points(1000)
    sale = counter.spend(
        20000,
        points=1000,
        tenders=[TenderPaid(CASH, 500)],
        store=hilltop,
        lines=[Line(15000), Line(5000, is_discounted=True)],
    ).operation
    counter.refund(sale, 7777, store=hilltop)
    counter.refund(sale)

    report = verify()

    assert [str(fault) for fault in report.faults] == []


# The arithmetic alone


def test_a_bill_of_three_cents_by_three_ways_is_shared_cent_by_cent():
    paid = Parts(
        gross_minor=4, outside_minor=1, points_minor=1, principal_minor=1, bonus_minor=0, points_used=1
    )

    parts = [paid.between(done, done + 1) for done in range(3)]

    assert [part.net_minor for part in parts] == [1, 1, 1]
    for name in ("gross_minor", "outside_minor", "points_minor", "principal_minor", "points_used"):
        assert sum(getattr(part, name) for part in parts) == getattr(paid, name)
    assert min(min(vars(part).values()) for part in parts) >= 0


def test_a_reward_taken_back_is_in_stock_again_and_the_member_may_take_it_again(counter):
    """The last mug, one for each member: the refund gives 100 points back and the mug to the shelf."""
    counter.give_points(100)
    mug = Reward.objects.create(name="Mug", points=100, stock=1, per_member_max=1)
    taken = counter.redeem(mug).operation

    counter.refund(taken)

    mug.refresh_from_db()
    assert (mug.stock, counter.value) == (1, (0, 0, 100))
    counter.redeem(mug)
