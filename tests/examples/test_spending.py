"""How a bill is paid, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import UTC, datetime, timedelta

import pytest
from constance.test import override_config
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.domain.bills import Line
from members.domain.deeds import AmountRefused
from members.domain.ledger import PaymentReferenceUsed, TenderPaid
from members.domain.rewards import InsufficientPoints
from members.domain.spending import CodeRequired, InsufficientBalance, PointsNotTaken
from members.enums import AccountKind, TenderType
from members.models import BillLine, GoodsCategory, LotUse, MembershipEvent, StoreAcceptance, Tender
from tests.conftest import NOON

BONUS, POINTS, PRINCIPAL = AccountKind.BONUS, AccountKind.POINTS, AccountKind.PRINCIPAL
CASH, WECHAT = TenderType.CASH, TenderType.WECHAT


def pays_with_points(card, *, value: int = 100, most: int = 100) -> None:
    """100 points are worth `value` fen and pay at most so much of a bill."""
    card.product.point_value_minor, card.product.points_share_max_percent = value, most
    card.product.save()


def test_a_bill_by_points_card_wechat_and_cash(counter, card, riverside, books):
    """Bill 200.00: 3,000 points worth 30.00, 20.00 in cash, 50.00 by WeChat, the card the remaining 100.00."""
    pays_with_points(card)
    counter.load(10000)
    counter.give_points(3000)

    sale = counter.spend(
        20000, points=3000, tenders=[TenderPaid(CASH, 2000), TenderPaid(WECHAT, 5000, "wx-77")]
    ).operation

    assert books(riverside, sale) == {
        "sales": 20000,
        "points_tender": -3000,
        "rewards": 3000,
        "tender": -7000,
        "points_cost": -170,
    }
    assert counter.value == (0, 0, 170)  # 170.00 was paid in money: a point a yuan
    assert list(sale.tenders.values_list("type", "amount_minor")) == [("cash", 2000), ("wechat", 5000)]


def test_each_reference_of_a_split_bill_pays_once(counter):
    counter.load(10000)
    counter.spend(5000, tenders=[TenderPaid(WECHAT, 1000, "wx-1"), TenderPaid(WECHAT, 1000, "wx-2")])

    with pytest.raises(PaymentReferenceUsed):
        counter.spend(5000, tenders=[TenderPaid(WECHAT, 1000, "wx-3"), TenderPaid(WECHAT, 1000, "wx-2")])

    assert Tender.objects.filter(reference="wx-3").count() == 0
    assert counter.balance(PRINCIPAL) == 7000


def test_the_rest_goes_by_the_tender_named_for_it(counter):
    counter.load(10000)

    sale = counter.spend(15000, rest=TenderPaid(CASH, 0)).operation

    assert list(sale.tenders.values_list("type", "amount_minor")) == [("cash", 5000)]
    assert counter.balance(PRINCIPAL) == 0


def test_the_card_pays_at_most_what_it_is_told_to(counter):
    counter.load(10000)

    counter.spend(8000, card_minor=3000, rest=TenderPaid(CASH, 0))

    assert counter.balance(PRINCIPAL) == 7000


def test_more_tendered_than_the_bill_is_refused(counter):
    counter.load(10000)

    with pytest.raises(AmountRefused):
        counter.spend(5000, tenders=[TenderPaid(CASH, 3000), TenderPaid(CASH, 2001)])


@pytest.mark.parametrize(("points", "most"), [(3001, 3000), (50, 3000)])
def test_points_pay_up_to_their_share_of_the_bill_and_never_nothing(counter, card, points, most):
    """30 % of 100.00 is 30.00: 3,000 points. 50 points would be half a fen at this value."""
    pays_with_points(card, value=100 if points > 100 else 1, most=30 if points > 100 else 100)
    counter.load(10000)
    counter.give_points(5000)

    with pytest.raises(PointsNotTaken):
        counter.spend(10000, points=points)

    assert counter.value == (10000, 0, 5000)


def test_points_pay_nothing_where_the_product_does_not_say_what_they_are_worth(counter):
    counter.load(10000)
    counter.give_points(5000)

    with pytest.raises(PointsNotTaken):
        counter.spend(10000, points=100)


def test_pending_points_do_not_pay(counter, card):
    pays_with_points(card)
    counter.load(10000)
    counter.give_points(500, active_from=NOON + timedelta(days=7))

    with pytest.raises(InsufficientPoints):
        counter.spend(10000, points=500)


@pytest.mark.parametrize(
    ("order", "left"),
    [("pro_rata", (6000, 2000)), ("principal_first", (5000, 3000)), ("bonus_first", (8000, 0))],
)
def test_the_order_of_the_card_product(counter, card, order, left):
    """90.00 + 30.00 on the card, 40.00 spent: pro rata takes 30.00 + 10.00."""
    card.product.spend_order = order
    card.product.save()
    counter.load(9000, 3000)

    counter.spend(4000)

    assert (counter.balance(PRINCIPAL), counter.balance(BONUS)) == left


def test_a_bill_of_lines_keeps_them(counter):
    colour = GoodsCategory.objects.create(name="Colour")
    counter.load(50000)

    sale = counter.spend(
        15000, lines=[Line(10000, "Balayage", colour.pk), Line(5000, "Shampoo", is_discounted=True)]
    ).operation

    rows = BillLine.objects.filter(operation=sale).values_list("label", "amount_minor", "is_discounted")
    assert list(rows) == [("Balayage", 10000, False), ("Shampoo", 5000, True)]


def test_a_plain_spend_is_one_line_and_stores_none(counter):
    counter.load(50000)

    counter.spend(15000)

    assert not BillLine.objects.exists()


def test_lines_that_do_not_add_up_are_refused(counter):
    counter.load(50000)

    with pytest.raises(AmountRefused):
        counter.spend(15000, lines=[Line(10000)])


def test_a_discount_line_earns_nothing(counter):
    """Bill 150.00, of it 50.00 already reduced: 100 points."""
    counter.load(50000)

    counter.spend(15000, lines=[Line(10000, "Cut"), Line(5000, "Shampoo", is_discounted=True)])

    assert counter.balance(POINTS) == 100


def test_expired_value_neither_spends_nor_loads_midnight_is_the_stores(counter):
    """Value that ends at midnight of 20 November in Shanghai (16:00 UTC) pays at 23:59 and not at 00:00."""
    midnight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    counter.load(10000, expires_at=midnight)

    counter.spend(2000, at=midnight - timedelta(minutes=1))
    with pytest.raises(InsufficientBalance) as refusal:
        counter.spend(2000, at=midnight)

    assert refusal.value.facts["available_minor"] == 0
    sale = counter.spend(2000, at=midnight, rest=TenderPaid(CASH, 0)).operation
    assert not LotUse.objects.filter(entry__operation=sale).exists()


def test_pending_value_does_not_pay(counter):
    counter.load(10000, active_from=NOON + timedelta(days=1))

    with pytest.raises(InsufficientBalance):
        counter.spend(100)
    counter.spend(100, at=NOON + timedelta(days=1))

    assert counter.balance(PRINCIPAL) == 9900


# Terms


def test_bonus_pays_at_most_its_share_of_a_bill(counter):
    """Bonus up to 20 % of a bill. 100.00 + 100.00 loaded, bill 100.00: bonus 20.00, principal 80.00."""
    counter.load(10000, 10000, bonus_terms={"share_max_percent": 20})

    counter.spend(10000)

    assert (counter.balance(PRINCIPAL), counter.balance(BONUS)) == (2000, 8000)


def test_bonus_laundering_over_three_lots_gains_nothing(counter):
    """Three recharges, each with bonus up to 20 % of a bill: together they pay 20 %, not 60 %; and giving the bill
    back in three parts returns each lot to the fen, so that no bonus comes out as principal."""
    for _ in range(3):
        counter.load(2000, 5000, bonus_terms={"share_max_percent": 20})

    with pytest.raises(InsufficientBalance) as refusal:
        counter.spend(10000)
    sale = counter.spend(7500).operation
    taken = counter.value[:2]
    for minor in (1111, 2222, None):
        counter.refund(sale, minor)

    assert refusal.value.facts["available_minor"] == 6000 + 2000
    assert taken == (0, 15000 - 1500)
    assert counter.value == (6000, 15000, 0)
    assert all(lot.remaining == lot.original for lot in counter.card.accounts.get(kind=BONUS).lots.all())


def test_value_for_some_goods_pays_those_goods_only(counter):
    """100.00 for colour only; a bill of 60.00 colour and 40.00 cut: 60.00 from the card, 40.00 in cash."""
    colour = GoodsCategory.objects.create(name="Colour")
    counter.load(10000, terms={"categories": [colour.pk]})
    lines = [Line(6000, "Colour", colour.pk), Line(4000, "Cut")]

    with pytest.raises(InsufficientBalance) as refusal:
        counter.spend(10000, lines=lines)
    counter.spend(10000, lines=lines, rest=TenderPaid(CASH, 0))

    assert refusal.value.facts["available_minor"] == 6000
    assert counter.balance(PRINCIPAL) == 4000


def test_two_lots_for_the_same_goods_pay_them_once(counter):
    colour = GoodsCategory.objects.create(name="Colour")
    counter.load(5000, terms={"categories": [colour.pk]})
    counter.load(5000, terms={"categories": [colour.pk]})

    with pytest.raises(InsufficientBalance) as refusal:
        counter.spend(10000, lines=[Line(6000, "Colour", colour.pk), Line(4000, "Cut")])

    assert refusal.value.facts["available_minor"] == 6000


def test_value_for_one_store_is_not_used_at_another(counter, riverside, hilltop):
    counter.load(10000, terms={"stores": [hilltop.pk]})

    with pytest.raises(InsufficientBalance):
        counter.spend(1000)
    counter.spend(1000, store=hilltop)

    assert counter.balance(PRINCIPAL) == 9000


# Stores


def test_value_of_another_store_is_owed_by_it(counter, riverside, hilltop, books):
    """Sold at Riverside, 30.00 of it used at Hilltop: Riverside owes Hilltop 30.00."""
    counter.load(10000)

    sale = counter.spend(3000, store=hilltop).operation

    assert books(riverside, sale) == {"settlement": 3000}
    assert books(hilltop, sale) == {"sales": 3000, "settlement": -3000, "points_cost": -30}


def test_what_a_store_does_not_honour_is_not_used_there_and_the_refusal_says_how_much_is(
    counter, riverside, hilltop
):
    """Hilltop takes Riverside's principal and not its bonus: 320.00 of 500.00 is usable there."""
    StoreAcceptance.objects.create(issuer=riverside, server=hilltop, takes_bonus=False)
    counter.load(32000, 18000)

    with pytest.raises(InsufficientBalance) as refusal:
        counter.spend(50000, store=hilltop)
    counter.spend(32000, store=hilltop)

    facts = refusal.value.facts
    assert (facts["available_minor"], facts["whole_minor"], facts["kept_back"]) == (
        32000,
        50000,
        {"issuer": 18000},
    )
    assert (counter.balance(PRINCIPAL), counter.balance(BONUS)) == (0, 18000)


def test_a_house_that_closes_its_stores_to_each_other_opens_them_pair_by_pair(counter, riverside, hilltop):
    counter.load(10000)

    with override_config(ACCEPTS_OTHER_STORES=False):
        with pytest.raises(InsufficientBalance):
            counter.spend(1000, store=hilltop)
        counter.spend(1000)
        StoreAcceptance.objects.create(issuer=riverside, server=hilltop)
        counter.spend(1000, store=hilltop)

    assert counter.balance(PRINCIPAL) == 8000


# The member's code


@override_config(SPEND_CODE_ABOVE_MINOR=5000)
def test_above_the_limit_the_card_pays_only_with_the_members_code(counter):
    counter.load(20000)

    counter.spend(5000)
    with pytest.raises(CodeRequired) as refusal:
        counter.spend(5001)
    sale = counter.spend(5001, is_confirmed=True).operation

    assert refusal.value.facts["above_minor"] == 5000
    assert sale.request["is_confirmed"] is True
    assert counter.balance(PRINCIPAL) == 20000 - 5000 - 5001


@override_config(SPEND_CODE_ABOVE_MINOR=5000)
def test_only_what_the_card_pays_counts_for_the_code(counter):
    counter.load(20000)

    counter.spend(10000, tenders=[TenderPaid(CASH, 5000)])

    assert counter.balance(PRINCIPAL) == 15000


@pytest.mark.parametrize(("own", "needed"), [(0, False), (1000, True)])
def test_a_card_product_may_say_otherwise_than_the_house(counter, card, own, needed):
    card.product.code_above_minor = own
    card.product.save()
    counter.load(20000)

    with override_config(SPEND_CODE_ABOVE_MINOR=1500):
        if needed:
            with pytest.raises(CodeRequired):
                counter.spend(1200)
        else:
            counter.spend(15000)


def test_a_refused_spend_leaves_nothing_behind(counter, card):
    pays_with_points(card)
    counter.load(1000)
    counter.give_points(500)

    with pytest.raises(InsufficientBalance):
        counter.spend(9000, points=500, lines=[Line(9000, "Cut")])

    assert counter.value == (1000, 0, 500)
    assert not MembershipEvent.objects.filter(type="card_spent").exists()


def test_the_same_split_bill_again_gives_the_first_answer(counter, card):
    pays_with_points(card)
    counter.load(10000)
    counter.give_points(500)
    asked = {"points": 500, "lines": [Line(5000, "Cut")], "rest": TenderPaid(CASH, 0), "key": "same"}

    first = counter.spend(5000, **asked)
    second = counter.spend(5000, **asked)

    assert (second.is_replay, second.operation, second.balances) == (True, first.operation, first.balances)


# What it costs


def statements(counter, **more) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        counter.spend(100, **more)
    said = [query["sql"] for query in asked.captured_queries]
    return [sql for sql in said if "SAVEPOINT" not in sql and "pg_trigger" not in sql]


def test_a_plain_spend_is_one_statement_however_many_lots(counter):
    """Opened, decided, written, told and answered (decisions/0007). What the house has set is at hand under its stamp,
    which the statement looks at itself."""
    counter.load(10000)
    counter.spend(100)
    one_lot = statements(counter)
    for _ in range(3):
        counter.load(1000)
    four_lots = statements(counter)

    for said in (one_lot, four_lots):
        deeds = [sql for sql in said if "ledger_express(" in sql]
        assert (len(deeds), len(said)) == (1, 1), said


def test_a_bill_that_brings_the_card_below_what_is_low_tells_the_member_once(counter, card):
    """Low is below 50.00. 100.00 − 40.00 is not; − 20.00 more is; the next bill says it no more."""
    card.product.low_below_minor = 5000
    card.product.save()
    counter.load(10000)
    told = MembershipEvent.objects.filter(type="balance_low")

    counter.spend(4000)
    assert not told.exists()
    counter.spend(2000)
    assert told.get().payload["balance"] == 4000
    counter.spend(1000)
    assert told.count() == 1


def test_a_bill_paid_outside_never_makes_a_card_low(counter, card):
    card.product.low_below_minor = 5000
    card.product.save()
    counter.load(1000)

    counter.spend(9000, tenders=[TenderPaid(CASH, 9000)])

    assert not MembershipEvent.objects.filter(type="balance_low").exists()
