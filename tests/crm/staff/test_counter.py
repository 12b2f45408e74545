"""The deeds at the till, as a cashier's browser sends them. Money in fen (1/100 yuan)."""

from uuid import uuid4

import pytest
from django.urls import reverse

from members.models import Member, MembershipEvent, Operation, Reward
from messaging.models import Message
from tests.conftest import reworded
from tests.crm.staff.conftest import at_work, balance_of, send, text_of


def test_a_recharge_with_a_plan_adds_principal_and_bonus(cashier, card, plan):
    response = send(cashier, "recharge_card", card, plan=plan.pk)

    deed = Operation.objects.get(kind="recharge")
    assert balance_of(card) == 58000
    assert response.url == reverse("staff:till_operation", args=[deed.public_id])


def test_the_ledger_knows_who_stood_at_the_till(cashier, card, chen, riverside):
    send(cashier, "recharge_card", card, once="0123456789", amount="100")

    deed = Operation.objects.get(kind="recharge")
    assert (deed.staff, deed.store, deed.scope, deed.key) == (
        chen,
        riverside,
        f"staff:{chen.pk}",
        "till:0123456789",
    )


def test_a_double_click_charges_once_and_shows_the_first_outcome(cashier, card):
    first = send(cashier, "recharge_card", card, once="the-same-form", amount="500")
    second = send(cashier, "recharge_card", card, once="the-same-form", amount="500")

    assert first.url == second.url
    assert balance_of(card) == 50000


def test_a_double_click_on_a_split_bill_is_not_taken_for_another_split(cashier, loaded_card):
    first = send(cashier, "spend", loaded_card, once="the-same-form", amount="700")
    second = send(cashier, "spend", loaded_card, once="the-same-form", amount="700")

    assert first.url == second.url
    assert Operation.objects.filter(kind="spend").count() == 1
    assert balance_of(loaded_card) == 0


def test_a_double_click_on_a_whole_refund_shows_the_refund(manager, cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="200")
    sale = Operation.objects.get(kind="spend")

    first = send(manager, "refund", loaded_card, once="the-same-form", operation=sale.public_id)
    second = send(manager, "refund", loaded_card, once="the-same-form", operation=sale.public_id)

    assert first.url == second.url
    assert balance_of(loaded_card) == 50000


def test_an_old_form_with_another_amount_is_refused_and_leads_to_what_was_done(cashier, card):
    send(cashier, "recharge_card", card, once="the-same-form", amount="500")
    second = send(cashier, "recharge_card", card, once="the-same-form", amount="600")

    deed = Operation.objects.get(kind="recharge")
    assert second.status_code == 422
    assert reverse("staff:till_operation", args=[deed.public_id]) in text_of(second)
    assert balance_of(card) == 50000


def test_a_form_without_its_key_does_nothing(cashier, card):
    response = cashier.post(
        reverse("staff:recharge_card", args=[card.public_id]), {"amount": "500", "tender": "cash"}
    )

    assert response.status_code == 422
    assert balance_of(card) == 0


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter an amount."),
        ("0", "The amount must be more than zero."),
        ("-5", "To give money back, use a refund."),
        ("10.005", "too many decimal places"),
        ("1e9", "This is not an amount."),
        ("99999999999", "too large"),
        ("1,00", "The commas are not where thousands are."),
        ("five", "This is not an amount."),
        ("１００", "plain digits"),
        ("NaN", "This is not an amount."),
    ],
)
def test_amounts_the_till_does_not_take(cashier, card, typed, says):
    response = send(cashier, "recharge_card", card, amount=typed)

    assert response.status_code == 422
    assert says in text_of(response)
    assert f'value="{typed}"' in text_of(response)
    assert balance_of(card) == 0


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("1,000.50", 100050), ("0.01", 1), (" 12.5 ", 1250)],
)
def test_amounts_as_people_type_them(cashier, card, typed, minor):
    send(cashier, "recharge_card", card, amount=typed)

    assert balance_of(card) == minor


def test_a_refused_recharge_keeps_the_key_and_what_was_typed(cashier, card, plan):
    response = send(
        cashier, "recharge_card", card, once="the-same-form", plan=plan.pk, amount="499", reference="wx-1"
    )

    page = text_of(response)
    assert response.status_code == 422
    assert "The amount paid is not the price of the plan." in page
    assert 'value="the-same-form"' in page and 'value="wx-1"' in page and 'value="499"' in page


def test_a_payment_reference_pays_once(cashier, card):
    send(cashier, "recharge_card", card, amount="100", tender="wechat", reference="wx-1")
    response = send(cashier, "recharge_card", card, amount="100", tender="wechat", reference="wx-1")

    assert response.status_code == 422
    assert "This payment reference has already been used." in text_of(response)


def test_the_card_pays_first_and_the_tender_the_rest(cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="620", tender="wechat")

    sale = Operation.objects.get(kind="spend")
    assert list(sale.tenders.values_list("type", "amount_minor")) == [("wechat", 12000)]
    assert balance_of(loaded_card) == 0


def test_part_of_a_bill_can_be_paid_without_the_card(cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="200", outside="50")

    assert balance_of(loaded_card) == 35000


def test_more_outside_money_than_the_bill_is_refused(cashier, loaded_card):
    response = send(cashier, "spend", loaded_card, amount="200", outside="201")

    assert response.status_code == 422
    assert balance_of(loaded_card) == 50000


def test_a_cashier_may_not_refund(cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="200")
    sale = Operation.objects.get(kind="spend")

    response = send(cashier, "refund", loaded_card, operation=sale.public_id)

    assert response.status_code == 403
    assert balance_of(loaded_card) == 30000


def test_a_manager_refunds_a_part(manager, cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="200")
    sale = Operation.objects.get(kind="spend")

    send(manager, "refund", loaded_card, operation=sale.public_id, amount="50", note="cold water")

    assert balance_of(loaded_card) == 35000
    assert Operation.objects.get(kind="refund").note == "cold water"


def test_more_than_is_left_of_a_spend_is_not_refunded(manager, cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="200")
    sale = Operation.objects.get(kind="spend")

    response = send(manager, "refund", loaded_card, operation=sale.public_id, amount="200.01")

    assert response.status_code == 422
    assert "More than is left of this spend." in text_of(response)


def test_a_reward_is_redeemed_for_points(cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="300")
    reward = Reward.objects.create(name="Head massage", points=250)

    response = send(cashier, "redeem_points", loaded_card, reward=reward.pk)

    assert response.status_code == 302
    assert loaded_card.member.accounts.get(kind="points").balance == 50


def test_a_reward_for_too_many_points_is_refused_beside_the_reward(cashier, loaded_card):
    reward = Reward.objects.create(name="Head massage", points=250)

    response = send(cashier, "redeem_points", loaded_card, reward=reward.pk)

    assert response.status_code == 422
    assert "There are not enough points for this reward." in text_of(response)


def test_a_frozen_card_takes_no_money(cashier, card):
    type(card).objects.update(status="frozen")

    response = send(cashier, "recharge_card", card, amount="100")

    assert response.status_code == 422
    assert "This card is not active." in text_of(response)


def test_a_card_is_opened_once(cashier, li_lei, product):
    first = send(cashier, "open_card", li_lei, once="the-same-form", product=product.pk)
    second = send(cashier, "open_card", li_lei, once="the-same-form", product=product.pk)

    assert first.url == second.url
    assert li_lei.cards.count() == 1


ZHAO = {"phone": "139 8888 7777", "name": "Zhao Min", "language": "zh-hans", "service": "on"}


def test_enrolling_writes_down_both_words_with_the_wording(cashier, riverside):
    send(cashier, "enrol_member", None, **ZHAO)

    zhao = Member.objects.get(phone="+8613988887777")
    words = list(
        zhao.consents.order_by("purpose").values_list("purpose", "is_given", "wording_version", "source")
    )
    assert words == [("marketing", False, "2026-11", "till"), ("service", True, "2026-11", "till")]
    assert (zhao.home_store, zhao.language) == (riverside, "zh-hans")


def test_enrolling_twice_with_one_form_makes_one_member(cashier, riverside):
    first = send(cashier, "enrol_member", None, once="the-same-form", **ZHAO)
    second = send(cashier, "enrol_member", None, once="the-same-form", **ZHAO)

    assert first.url == second.url
    assert Member.objects.count() == 1


def test_a_number_that_is_taken_leads_to_its_member(cashier, li_lei):
    response = send(cashier, "enrol_member", None, **{**ZHAO, "phone": "13800138000"})

    assert response.status_code == 422
    assert reverse("staff:till_member", args=[li_lei.public_id]) in text_of(response)


@pytest.mark.parametrize(
    ("phone", "says"),
    [("1380013", "too few digits"), ("021 5555 0100", "not a mobile number"), ("abc", "no letters")],
)
def test_numbers_that_cannot_be_enrolled(cashier, riverside, phone, says):
    response = send(cashier, "enrol_member", None, **{**ZHAO, "phone": phone})

    assert response.status_code == 422
    assert says in text_of(response) and "Zhao Min" in text_of(response)


def test_the_success_is_shown_with_the_text_and_its_state(chen, card, rule):
    rule("card_recharged", "{name}, {amount} paid in. Balance {balance}.")

    response = send(at_work(chen, htmx=True), "recharge_card", card, amount="500")

    page = text_of(response)
    assert response["HX-Retarget"] == "#desk" and response["HX-Trigger-After-Settle"] == "till-done"
    assert "Li Lei, ¥500.00 paid in. Balance ¥500.00." in page and "Queued" in page
    assert "Print the receipt" in page


def test_a_key_belongs_to_the_person_who_holds_the_form(cashier, manager, card):
    once = str(uuid4())
    send(cashier, "recharge_card", card, once=once, amount="100")
    send(manager, "recharge_card", card, once=once, amount="100")

    assert balance_of(card) == 20000


def test_a_broken_rule_costs_no_money(cashier, card, rule):
    speaking = rule("card_recharged", "{name}, {amount} paid in.")
    reworded(speaking.template.versions.all(), "{")

    send(cashier, "recharge_card", card, amount="100")

    assert balance_of(card) == 10000
    assert MembershipEvent.objects.filter(type="card_recharged").count() == 1
    assert Message.objects.count() == 0
