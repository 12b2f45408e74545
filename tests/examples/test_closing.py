"""Worked examples of lost and closed cards, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import timedelta

import pytest

from members.domain.card_states import CardBusy, freeze, replace_card, unfreeze
from members.domain.cards import open_card, recharge_card
from members.domain.closing import NothingLeft, QuoteChanged, close_card, quote, refund_recharge
from members.domain.deeds import CardNotUsable
from members.domain.holds import authorise
from members.domain.ledger import Actor, OwnAccount, TenderPaid
from members.domain.services import sell_services, take_service
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, CardStatus, SpendOrder, TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    CloseMethod,
    Entry,
    MembershipEvent,
    RechargePlan,
    ServiceGroup,
)
from tests.conftest import NOON

WECHAT = TenderType.WECHAT


@pytest.fixture
def by_hand(at_till: Actor, riverside) -> dict:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def four_thousand(card: Card, by_hand) -> Card:
    """3,000.00 paid by WeChat + 1,000.00 of bonus."""
    plan = RechargePlan.objects.create(name="3000+1000", pay_minor=300000, bonus_minor=100000)
    recharge_card(key="r1", card=card, tender=TenderPaid(WECHAT, 300000, "wx-1"), plan=plan, **by_hand)
    return card


def fresh(card: Card) -> Card:
    return Card.objects.select_related("product", "member").get(pk=card.pk)


def use(card: Card, minor: int, by_hand, key: str = "s1") -> None:
    spend(key=key, card=card, amount_minor=minor, **by_hand)


def order(card: Card, spend_order: SpendOrder, method: CloseMethod = CloseMethod.PRO_RATA) -> Card:
    CardProduct.objects.filter(pk=card.product_id).update(spend_order=spend_order, close_method=method)
    return fresh(card)


def sums(card: Card) -> dict[str, int]:
    return {row["method"].value: row["payout_minor"] for row in quote(card, at=NOON).rows()}


def entries(operation) -> dict[str, int]:
    return dict(Entry.objects.filter(operation=operation).values_list("account_kind", "amount"))


def assert_sound() -> None:
    assert verify().faults == ()


def test_3000_plus_1000_with_3594_used_pays_304_50_pro_rata(four_thousand, by_hand):
    use(four_thousand, 359400, by_hand)

    assert sums(four_thousand) == {"pro_rata": 30450, "principal_first": 0, "full_price": 0}


def test_the_methods_differ_when_little_was_used(four_thousand, by_hand):
    use(four_thousand, 100000, by_hand)

    assert sums(four_thousand) == {"pro_rata": 225000, "principal_first": 200000, "full_price": 200000}


def test_principal_spent_first_leaves_less_than_pro_rata_and_never_more_is_paid(four_thousand, by_hand):
    card = order(four_thousand, SpendOrder.PRINCIPAL_FIRST)
    use(card, 100000, by_hand)

    found = quote(card, at=NOON)

    assert found.total(CloseMethod.PRO_RATA) == 200000 == found.left_minor


def test_bonus_spent_first_gains_nothing(four_thousand, by_hand):
    card = order(four_thousand, SpendOrder.BONUS_FIRST)
    use(card, 100000, by_hand)

    found = quote(card, at=NOON)

    assert (found.left_minor, found.payout_minor, found.kept_minor) == (300000, 225000, 75000)


def test_closing_pays_out_to_wechat_and_takes_the_bonus_and_points_back(four_thousand, by_hand):
    use(four_thousand, 359400, by_hand)

    outcome = close_card(key="c1", card=four_thousand, **by_hand)

    assert entries(outcome.operation) == {
        "principal": -30450,
        "bonus": -10150,
        "points": -3594,
        "tender": 30450,
        "bonus_cost": 10150,
        "points_cost": 3594,
    }
    paid = outcome.operation.tenders.get()
    assert (paid.type, paid.amount_minor, paid.reference) == (WECHAT, -30450, "wx-1")
    assert fresh(four_thousand).status == CardStatus.CLOSED
    assert MembershipEvent.objects.get(type="card_closed").payload["amount"] == 30450
    assert_sound()


def test_what_the_method_does_not_pay_is_kept(four_thousand, by_hand):
    card = order(four_thousand, SpendOrder.BONUS_FIRST)
    use(card, 100000, by_hand)

    outcome = close_card(key="c1", card=card, **by_hand)

    assert (entries(outcome.operation)["tender"], entries(outcome.operation)["kept"]) == (225000, 75000)
    assert_sound()


def test_points_stay_while_the_member_has_another_card(four_thousand, by_hand, li_lei, product):
    use(four_thousand, 100000, by_hand)
    open_card(key="second", member=li_lei, product=product, **by_hand)

    outcome = close_card(key="c1", card=four_thousand, **by_hand)

    assert "points" not in entries(outcome.operation)
    assert Account.objects.get(member=li_lei, kind=AccountKind.POINTS).balance == 1000


def test_value_sold_elsewhere_and_paid_out_here_is_owed_by_the_seller(four_thousand, by_hand, hilltop, wang):
    there = {"actor": Actor(f"staff:{wang.pk}", wang.pk), "at": NOON, "store": hilltop}

    outcome = close_card(key="c1", card=four_thousand, **there)

    lines = Entry.objects.filter(operation=outcome.operation, account_kind="settlement")
    assert dict(lines.values_list("account__store__name", "amount")) == {
        "Riverside": 300000,
        "Hilltop": -300000,
    }
    assert_sound()


def test_an_empty_card_closes_too(card, by_hand):
    close_card(key="c1", card=card, **by_hand)

    assert fresh(card).status == CardStatus.CLOSED
    assert_sound()


def test_a_sum_that_has_changed_is_shown_again_before_it_is_paid(four_thousand, by_hand):
    shown = quote(four_thousand, at=NOON).payout_minor
    use(four_thousand, 40000, by_hand)

    with pytest.raises(QuoteChanged) as refusal:
        close_card(key="c1", card=four_thousand, payout_minor=shown, **by_hand)

    assert refusal.value.facts["payout_minor"] == 270000
    assert fresh(four_thousand).status == CardStatus.ACTIVE


def test_an_open_hold_is_ended_before_a_card_is_closed(four_thousand, by_hand):
    authorise(key="h1", card=four_thousand, amount_minor=5000, until=NOON + timedelta(days=1), **by_hand)

    with pytest.raises(CardBusy) as refusal:
        close_card(key="c1", card=four_thousand, **by_hand)

    assert refusal.value.facts["holds"] == 1


def test_the_same_key_closes_once_and_a_closed_card_is_not_closed_again(four_thousand, by_hand):
    first = close_card(key="c1", card=four_thousand, payout_minor=300000, **by_hand)
    again = close_card(key="c1", card=four_thousand, payout_minor=300000, **by_hand)

    assert (again.is_replay, again.operation) == (True, first.operation)
    with pytest.raises(CardNotUsable):
        close_card(key="c2", card=fresh(four_thousand), **by_hand)


def test_a_count_card_pays_its_services_pro_rata_or_less_at_full_price(li_lei, by_hand):
    product = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100000,
        full_price_minor=15000,
        close_method=CloseMethod.FULL_PRICE,
    )
    card, _ = open_card(key="o", member=li_lei, product=product, **by_hand)
    sell_services(key="sell", card=card, tender=TenderPaid(WECHAT, 100000, "wx-9"), **by_hand)
    take_service(key="take", card=card, count=4, **by_hand)

    assert sums(card) == {"pro_rata": 60000, "full_price": 40000}
    outcome = close_card(key="c1", card=card, **by_hand)

    assert entries(outcome.operation) == {
        "services": -6,
        "services_sold": 6,
        "deferred": -60000,
        "tender": 40000,
        "kept": 20000,
    }
    assert_sound()


def test_the_unused_part_of_a_recharge_goes_back_and_its_bonus_is_gone(four_thousand, by_hand):
    use(four_thousand, 100000, by_hand)
    recharge = four_thousand.operation_set.get(kind="recharge")

    outcome = refund_recharge(key="f1", operation=recharge, **by_hand)

    assert entries(outcome.operation) == {
        "principal": -225000,
        "bonus": -75000,
        "tender": 225000,
        "bonus_cost": 75000,
    }
    assert MembershipEvent.objects.get(type="recharge_refunded").payload["bonus"] == 75000
    assert_sound()


def test_a_recharge_is_taken_back_once(four_thousand, by_hand):
    recharge = four_thousand.operation_set.get(kind="recharge")
    refund_recharge(key="f1", operation=recharge, **by_hand)

    with pytest.raises(NothingLeft):
        refund_recharge(key="f2", operation=recharge, **by_hand)


def test_bonus_laundering_over_three_lots_gains_nothing(card, by_hand):
    card = order(card, SpendOrder.BONUS_FIRST)
    plan = RechargePlan.objects.create(name="100+100", pay_minor=10000, bonus_minor=10000)
    for turn in range(3):
        paid = TenderPaid(WECHAT, 10000, f"wx-{turn}")
        recharge_card(key=f"r{turn}", card=card, tender=paid, plan=plan, **by_hand)
    use(card, 30000, by_hand)

    back = [
        refund_recharge(key=f"f{operation.pk}", operation=operation, **by_hand).operation.amount_minor
        for operation in card.operation_set.filter(kind="recharge")
    ]

    assert sum(back) == 15000, "half of the 600.00 was used, so half of the 300.00 paid goes back"
    assert_sound()


def test_a_lost_card_neither_spends_nor_loads_until_it_is_found(loaded_card, by_hand):
    freeze(key="z1", card=loaded_card, **by_hand)

    with pytest.raises(CardNotUsable):
        use(loaded_card, 100, by_hand)
    with pytest.raises(CardNotUsable):
        recharge_card(key="r9", card=loaded_card, tender=TenderPaid(WECHAT, 100), **by_hand)
    unfreeze(key="z2", card=loaded_card, **by_hand)
    use(loaded_card, 100, by_hand)

    told = MembershipEvent.objects.filter(type__in=("card_frozen", "card_unfrozen")).count()
    assert told == 2
    assert_sound()


def test_a_frozen_card_is_not_frozen_again_and_an_active_one_not_thawed(loaded_card, by_hand):
    with pytest.raises(CardNotUsable):
        unfreeze(key="z0", card=loaded_card, **by_hand)
    freeze(key="z1", card=loaded_card, **by_hand)
    assert freeze(key="z1", card=loaded_card, **by_hand).is_replay

    with pytest.raises(CardNotUsable):
        freeze(key="z2", card=loaded_card, **by_hand)


def test_a_replaced_card_gives_its_value_with_its_end_to_the_new_number(four_thousand, by_hand):
    freeze(key="z1", card=four_thousand, **by_hand)
    before = sorted(four_thousand.accounts.values_list("lots__source", "lots__remaining", "lots__paid_minor"))

    found = replace_card(key="n1", card=four_thousand, **by_hand)
    again = replace_card(key="n1", card=four_thousand, **by_hand)

    after = sorted(found.card.accounts.values_list("lots__source", "lots__remaining", "lots__paid_minor"))
    assert after == before
    assert (again.card, again.is_replay) == (found.card, True)
    assert found.card.number != four_thousand.number
    assert fresh(four_thousand).status == CardStatus.REPLACED
    assert MembershipEvent.objects.get(type="card_replaced").payload["balance"] == 400000
    use(fresh(found.card), 359400, by_hand)
    assert sums(fresh(found.card))["pro_rata"] == 30450, "closing the new card pays as the old one would have"
    assert_sound()


def test_staff_do_not_close_their_own_card(four_thousand, by_hand, chen, li_lei):
    chen.member = li_lei
    chen.save()

    with pytest.raises(OwnAccount):
        close_card(key="c1", card=four_thousand, **by_hand)
