"""Worked examples of the ledger, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import UTC, datetime

import pytest

from members.domain.cards import recharge_card
from members.domain.deeds import AmountRefused, NotOffered
from members.domain.ledger import Actor, IdempotencyConflict, PaymentReferenceUsed, TenderPaid
from members.domain.refunds import RefundExceedsOriginal, refund
from members.domain.rewards import InsufficientPoints, redeem_points
from members.domain.spending import InsufficientBalance, spend
from members.enums import AccountKind, TenderType
from members.models import Account, Card, Entry, MembershipEvent, RechargePlan, Reward
from tests.conftest import NOON

CASH = TenderType.CASH


@pytest.fixture
def till(at_till: Actor, riverside, card: Card):
    """The till's verbs with who, where and when filled in."""

    class Till:
        def recharge(self, minor: int, key: str, **more):
            return recharge_card(
                actor=at_till,
                key=key,
                at=NOON,
                store=riverside,
                card=card,
                tender=TenderPaid(CASH, minor),
                **more,
            )

        def spend(self, minor: int, key: str, **more):
            return spend(
                actor=at_till, key=key, at=NOON, store=riverside, card=card, amount_minor=minor, **more
            )

        def refund(self, operation, key: str, minor: int | None = None):
            return refund(
                actor=at_till, key=key, at=NOON, store=riverside, operation=operation, amount_minor=minor
            )

        def redeem(self, reward, key: str):
            return redeem_points(actor=at_till, key=key, at=NOON, store=riverside, card=card, reward=reward)

    return Till()


def balance(card: Card, kind: AccountKind) -> int:
    owned = {"card": card} if kind != AccountKind.POINTS else {"member": card.member, "card": None}
    return Account.objects.get(kind=kind, **owned).balance


def plan_3000_1000() -> RechargePlan:
    return RechargePlan.objects.create(
        name="3000+1000", pay_minor=300000, bonus_minor=100000, bonus_valid_days=90
    )


def test_a_recharge_of_500_makes_500_of_principal_against_outside_money(till, card):
    outcome = till.recharge(50000, "r1")

    lines = Entry.objects.filter(operation=outcome.operation).values_list(
        "account_kind", "amount", "balance_after"
    )
    assert sorted(lines) == [("principal", 50000, 50000), ("tender", -50000, None)]


def test_a_plan_of_3000_gives_1000_of_bonus_that_expires(till, card):
    outcome = till.recharge(300000, "r1", plan=plan_3000_1000())

    lot = outcome.operation.lots.get(account__kind=AccountKind.BONUS)
    assert (balance(card, AccountKind.PRINCIPAL), balance(card, AccountKind.BONUS)) == (300000, 100000)
    assert (lot.original, lot.expires_at) == (
        100000,
        datetime(2027, 2, 18, 16, 0, tzinfo=UTC),
    )  # midnight there


def test_after_3594_of_3000_plus_1000_there_are_304_50_of_principal_left(till, card):
    till.recharge(300000, "r1", plan=plan_3000_1000())

    till.spend(359400, "s1")

    assert balance(card, AccountKind.PRINCIPAL) == 30450
    assert balance(card, AccountKind.BONUS) == 10150


def test_a_spend_earns_a_point_per_yuan_and_says_so(till, card):
    till.recharge(50000, "r1")

    outcome = till.spend(12050, "s1")

    told = MembershipEvent.objects.get(type="card_spent").payload
    assert outcome.balances[AccountKind.POINTS] == 120
    assert (told["amount"], told["balance"], told["points"]) == (12050, 37950, 120)


def test_a_bill_split_between_card_and_cash(till, card):
    till.recharge(10000, "r1")

    outcome = till.spend(15000, "s1", tenders=[TenderPaid(CASH, 5000)])

    amounts = dict(Entry.objects.filter(operation=outcome.operation).values_list("account_kind", "amount"))
    assert amounts == {
        "principal": -10000,
        "tender": -5000,
        "sales": 15000,
        "points": 150,
        "points_cost": -150,
    }


def test_more_than_the_card_holds_is_refused_and_says_how_much_there_is(till, card):
    till.recharge(10000, "r1")

    with pytest.raises(InsufficientBalance) as refusal:
        till.spend(10001, "s1")

    assert refusal.value.facts["available_minor"] == 10000
    assert balance(card, AccountKind.PRINCIPAL) == 10000


@pytest.mark.parametrize("minor", [0, -500, 10**9 + 1, True, 10.5, "500"])
def test_amounts_the_ledger_does_not_take(till, minor):
    with pytest.raises(AmountRefused):
        till.recharge(minor, "r1")


def test_the_same_key_has_one_effect_and_the_same_answer(till, card):
    first = till.recharge(50000, "r1")
    second = till.recharge(50000, "r1")

    assert (second.is_replay, second.operation, second.balances) == (True, first.operation, first.balances)
    assert balance(card, AccountKind.PRINCIPAL) == 50000
    assert MembershipEvent.objects.filter(type="card_recharged").count() == 1


def test_the_same_key_for_another_amount_is_refused_naming_the_field(till):
    till.recharge(50000, "r1")

    with pytest.raises(IdempotencyConflict) as refusal:
        till.recharge(60000, "r1")

    assert refusal.value.fields == ["amount"]


def test_a_payment_reference_pays_once(till, card, at_till, riverside):
    paid = TenderPaid(TenderType.WECHAT, 10000, "wx-4200001")
    recharge_card(actor=at_till, key="r1", at=NOON, store=riverside, card=card, tender=paid)

    with pytest.raises(PaymentReferenceUsed):
        recharge_card(actor=at_till, key="r2", at=NOON, store=riverside, card=card, tender=paid)


def test_a_full_refund_returns_value_to_its_lots_and_takes_the_points_back(till, card):
    till.recharge(300000, "r1", plan=plan_3000_1000())
    sale = till.spend(100000, "s1").operation
    before = list(sale.lots.values_list("remaining"))

    till.refund(sale, "f1")

    assert (balance(card, AccountKind.PRINCIPAL), balance(card, AccountKind.BONUS)) == (300000, 100000)
    assert balance(card, AccountKind.POINTS) == 0
    assert before == [(1000,)]


def test_three_partial_refunds_give_back_exactly_what_was_taken(till, card):
    till.recharge(300000, "r1", plan=plan_3000_1000())
    sale = till.spend(99999, "s1", tenders=[TenderPaid(CASH, 11111)]).operation

    till.refund(sale, "f1", 33333)
    till.refund(sale, "f2", 33333)
    till.refund(sale, "f3")

    assert (balance(card, AccountKind.PRINCIPAL), balance(card, AccountKind.BONUS)) == (300000, 100000)
    assert balance(card, AccountKind.POINTS) == 0


def test_a_refund_never_exceeds_what_is_left_of_the_sale(till):
    till.recharge(50000, "r1")
    sale = till.spend(30000, "s1").operation
    till.refund(sale, "f1", 20000)

    with pytest.raises(RefundExceedsOriginal) as refusal:
        till.refund(sale, "f2", 10001)

    assert refusal.value.facts["refundable_minor"] == 10000


def test_points_already_spent_are_not_charged_by_a_refund(till, card):
    till.recharge(50000, "r1")
    sale = till.spend(30000, "s1").operation
    till.redeem(Reward.objects.create(name="Head massage", points=250), "p1")

    till.refund(sale, "f1")

    assert balance(card, AccountKind.PRINCIPAL) == 50000
    assert balance(card, AccountKind.POINTS) == 0


def test_a_reward_costs_its_points(till, card):
    till.recharge(50000, "r1")
    till.spend(30000, "s1")

    till.redeem(Reward.objects.create(name="Head massage", points=250), "p1")

    assert balance(card, AccountKind.POINTS) == 50


def test_a_reward_for_more_points_than_there_are_is_refused(till):
    with pytest.raises(InsufficientPoints):
        till.redeem(Reward.objects.create(name="Head massage", points=250), "p1")


def test_a_plan_is_sold_at_its_price_only(till):
    with pytest.raises(AmountRefused):
        till.recharge(100, "r1", plan=plan_3000_1000())


def test_a_plan_of_another_store_is_not_sold_here(till, hilltop):
    plan = plan_3000_1000()
    plan.store = hilltop
    plan.save()

    with pytest.raises(NotOffered):
        till.recharge(300000, "r1", plan=plan)
