"""A card as a whole at the till: count cards, lost cards, value passed on, the refund calculator."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from members.domain import approvals
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.resting import add_sharer
from members.domain.services import sell_services
from members.enums import AccountKind, CardStatus, OperationKind, Role, TenderType
from members.models import (
    Account,
    Approval,
    Card,
    CardKind,
    CardPause,
    CardProduct,
    LimitedDeed,
    Operation,
    RechargePlan,
    ServiceGroup,
    StaffLimit,
    Transfer,
)
from messaging.models import Message
from tests.conftest import NOON
from tests.crm.staff.conftest import balance_of, code_sent, queries_of, send, text_of


@pytest.fixture
def wash_card(li_lei, at_till: Actor, riverside) -> Card:
    """Ten washes for 1,000.00, sold."""
    product = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100000,
        full_price_minor=15000,
        sharers_max=2,
    )
    by_hand = {"actor": at_till, "at": NOON, "store": riverside}
    card, _ = open_card(key="open-washes", member=li_lei, product=product, **by_hand)
    sell_services(key="sell", card=card, tender=TenderPaid(TenderType.CASH, 100000), **by_hand)
    return card


def left(card: Card) -> int:
    return Account.objects.get(card=card, kind=AccountKind.SERVICES).balance


def status(card: Card) -> str:
    return Card.objects.values_list("status", flat=True).get(pk=card.pk)


def show(client: Client, deed: str, subject, **asked):
    return client.get(reverse(f"staff:{deed}", args=[subject.public_id]), asked)


def test_the_till_shows_the_services_and_takes_one(cashier, wash_card, li_lei):
    panel = text_of(cashier.get(reverse("staff:till_member", args=[li_lei.public_id])))
    assert "Wash: 10 left" in panel and "Take a service" in panel

    done = send(cashier, "take_service", wash_card, count="1")

    assert done.status_code == 302 and left(wash_card) == 9
    assert "Services left" in text_of(cashier.get(done["Location"]))


def test_a_second_click_takes_nothing_more(cashier, wash_card):
    once = str(uuid4())
    first = send(cashier, "take_service", wash_card, once, count="2")
    second = send(cashier, "take_service", wash_card, once, count="2")

    assert first["Location"] == second["Location"] and left(wash_card) == 8


def test_above_what_a_cashier_sells_alone_the_services_wait_for_a_second_person(cashier, wash_card, mei):
    StaffLimit.objects.create(deed=LimitedDeed.SELL_SERVICES, role=Role.CASHIER, amount_max=150_000)
    asked = {"once": str(uuid4()), "tender": "wechat", "reference": ""}

    first = send(cashier, "sell_services", wash_card, **asked)
    send(cashier, "sell_services", wash_card, approval_note="Her birthday", **asked)
    approval = approvals.decide(approval=Approval.objects.get(), checker=mei, is_approved=True, at=NOON)
    done = send(cashier, "sell_services", wash_card, approval=str(approval.public_id), **asked)

    assert first.status_code == 422 and "¥500.00 is left" in text_of(first)
    assert done.status_code == 302 and left(wash_card) == 20


def test_the_same_form_for_another_number_leads_to_what_was_done(cashier, wash_card):
    once = str(uuid4())
    send(cashier, "take_service", wash_card, once, count="2")

    again = send(cashier, "take_service", wash_card, once, count="3")

    assert again.status_code == 422 and "already done something else" in text_of(again)


@pytest.mark.parametrize("count", ["", "0", "-1", "abc", "1001", "11", "1.5"])
def test_numbers_of_services_that_are_refused_beside_the_field(cashier, wash_card, count):
    answer = send(cashier, "take_service", wash_card, count=count)

    assert answer.status_code == 422 and left(wash_card) == 10


def test_a_sharer_is_chosen_by_name_and_a_stranger_is_not(cashier, wash_card, at_till, riverside):
    wife = add_sharer(actor=at_till, at=NOON, store=riverside, card=wash_card, name="Han Mei")
    assert "Han Mei" in text_of(show(cashier, "take_service", wash_card))

    send(cashier, "take_service", wash_card, count="1", sharer=str(wife.pk))
    refused = send(cashier, "take_service", wash_card, count="1", sharer=str(wife.pk + 1))

    assert Operation.objects.get(kind=OperationKind.SERVE).note == "Han Mei"
    assert refused.status_code == 422


def test_services_are_sold_again_at_their_price(cashier, wash_card):
    assert "1,000.00" in text_of(show(cashier, "sell_services", wash_card))

    send(cashier, "sell_services", wash_card)

    assert left(wash_card) == 20


def test_a_payment_reference_used_before_is_refused(cashier, wash_card):
    send(cashier, "sell_services", wash_card, tender="wechat", reference="wx-1")

    answer = send(cashier, "sell_services", wash_card, tender="wechat", reference="wx-1")

    assert answer.status_code == 422 and left(wash_card) == 20


def test_a_forecast_of_a_service_changes_nothing(cashier, wash_card):
    where = reverse("staff:take_service_forecast", args=[wash_card.public_id])

    told = text_of(cashier.post(where, {"count": "3"}))

    assert "Services left" in told and left(wash_card) == 10


def test_pausing_naming_and_removing_is_done_in_the_list(cashier, wash_card):
    where = reverse("staff:card_care", args=[wash_card.public_id])
    for _ in range(2):
        assert cashier.post(where, {"do": "pause"}).status_code == 200
    assert CardPause.objects.filter(card=wash_card, ended_at=None).count() == 1
    assert "paused" in text_of(send(cashier, "take_service", wash_card, count="1"))
    cashier.post(where, {"do": "resume"})

    assert cashier.post(where, {"do": "share", "name": "Han Mei"}).status_code == 200
    sharer = wash_card.sharers.get()
    cashier.post(where, {"do": "remove", "sharer": str(sharer.pk)})

    assert wash_card.sharers.filter(removed_at=None).count() == 0


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"do": "share", "name": ""}, 422),
        ({"do": "share", "name": "x" * 81}, 422),
        ({"do": "resume"}, 422),
        ({"do": "remove", "sharer": "1e9"}, 404),
        ({"do": "burn"}, 404),
        ({}, 404),
    ],
)
def test_what_the_list_of_a_card_does_not_do(cashier, wash_card, fields, answer):
    where = reverse("staff:card_care", args=[wash_card.public_id])

    assert cashier.post(where, fields).status_code == answer


def test_the_calculator_shows_the_methods_and_closes_at_the_products_own(manager, loaded_card):
    page = text_of(show(manager, "close_card", loaded_card))
    assert all(words in page for words in ("Pro rata", "Principal used first", "Used at full price"))
    assert "for comparison" in page

    done = send(manager, "close_card", loaded_card, amount="500", agreed="on")

    assert done.status_code == 302 and status(loaded_card) == CardStatus.CLOSED
    assert "Hand out: Cash" in text_of(manager.get(done["Location"]))


@pytest.mark.parametrize(
    "fields", [{"amount": "500"}, {"amount": "499", "agreed": "on"}, {"amount": "x", "agreed": "on"}]
)
def test_a_card_is_not_closed_without_a_word_or_at_another_sum(manager, loaded_card, fields):
    answer = send(manager, "close_card", loaded_card, **fields)

    assert answer.status_code == 422 and status(loaded_card) == CardStatus.ACTIVE


def test_a_recharge_is_taken_back_by_a_manager(manager, cashier, loaded_card):
    recharge = Operation.objects.get(kind=OperationKind.RECHARGE)
    assert send(cashier, "refund_recharge", loaded_card, operation=recharge.public_id).status_code == 403
    assert "500.00" in text_of(show(manager, "refund_recharge", loaded_card))

    send(manager, "refund_recharge", loaded_card, operation=str(recharge.public_id))

    assert balance_of(loaded_card) == 0


def test_of_a_replaced_card_one_text_tells_and_never_of_an_empty_one(manager, loaded_card, rule):
    rule("card_opened", "Your card {card} is open. Balance {balance}.")
    rule("card_replaced", "Your card {card} is now {new_card}. Balance {balance}.")

    done = send(manager, "replace_card", loaded_card)
    shown = text_of(manager.get(done["Location"]))

    new = Card.objects.get(replaces=loaded_card)
    assert [text.text for text in Message.objects.all()] == [
        f"【常客】Your card …{loaded_card.number[-4:]} is now …{new.number[-4:]}. Balance ¥500.00."
    ]
    assert f"is now …{new.number[-4:]}" in shown


def test_a_lost_card_is_frozen_by_the_cashier_and_replaced_by_a_manager(cashier, manager, loaded_card):
    send(cashier, "freeze_card", loaded_card, note="lost on the bus")
    assert status(loaded_card) == CardStatus.FROZEN
    assert send(cashier, "unfreeze_card", loaded_card).status_code == 403

    once = str(uuid4())
    first = send(manager, "replace_card", loaded_card, once)
    second = send(manager, "replace_card", loaded_card, once)

    new = Card.objects.get(replaces=loaded_card)
    assert (first["Location"], balance_of(new)) == (second["Location"], 50000)
    assert status(loaded_card) == CardStatus.REPLACED


def test_value_is_offered_at_the_till_and_confirmed_there(cashier, loaded_card, enrol):
    han_mei = enrol("13900139000", name="Han Mei")
    once, code = str(uuid4()), code_sent(cashier, "send_pass_on_code", loaded_card)
    for _ in range(2):
        page = text_of(
            send(cashier, "pass_on", loaded_card, once, phone="13900139000", amount="200", code=code)
        )
    transfer = Transfer.objects.get()
    assert "Offered to Han Mei" in page
    assert "wants to pass value on" in text_of(
        cashier.get(reverse("staff:till_member", args=[han_mei.public_id]))
    )

    once = str(uuid4())
    for _ in range(2):
        assert send(cashier, "answer_transfer", transfer, once, do="confirm").status_code == 302

    assert (balance_of(loaded_card), balance_of(Card.objects.get(member=han_mei))) == (30000, 20000)


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": "", "amount": "1"},
        {"phone": "13900139999", "amount": "1"},
        {"phone": "13800138000", "amount": "1"},
        {"phone": "13900139000"},
        {"phone": "13900139000", "amount": "0"},
        {"phone": "13900139000", "amount": "600"},
        {"phone": "13900139000", "points": "-1"},
    ],
)
def test_transfers_that_are_refused(cashier, loaded_card, enrol, fields):
    enrol("13900139000", name="Han Mei")

    assert send(cashier, "pass_on", loaded_card, **fields).status_code == 422
    assert not Transfer.objects.exists()


def test_value_is_passed_on_only_with_the_senders_code(cashier, loaded_card, enrol):
    enrol("13900139000", name="Han Mei")
    gift = {"phone": "13900139000", "amount": "200"}
    pay_code = code_sent(cashier, "send_code", loaded_card)

    without = send(cashier, "pass_on", loaded_card, **gift)
    with_another = send(cashier, "pass_on", loaded_card, code=pay_code, **gift)

    assert (without.status_code, with_another.status_code) == (422, 422)
    assert "Passing value on needs the sender’s code." in text_of(without)
    assert "This code is over." in text_of(with_another), "a code to pay with gives nothing away"
    assert not Transfer.objects.exists()


def test_a_declined_transfer_is_over(cashier, loaded_card, enrol):
    enrol("13900139000", name="Han Mei")
    code = code_sent(cashier, "send_pass_on_code", loaded_card)
    send(cashier, "pass_on", loaded_card, phone="13900139000", amount="200", code=code)
    transfer = Transfer.objects.get()

    send(cashier, "answer_transfer", transfer, do="decline")

    assert send(cashier, "answer_transfer", transfer, do="confirm").status_code == 422
    assert balance_of(loaded_card) == 50000


PAGES = (
    "take_service",
    "sell_services",
    "card_care",
    "freeze_card",
    "pass_on",
    "close_card",
    "replace_card",
    "refund_recharge",
)


@pytest.mark.parametrize("deed", PAGES)
def test_cards_of_another_store_are_not_found_and_auditors_do_nothing(stranger, auditor, wash_card, deed):
    assert show(stranger, deed, wash_card).status_code in (403, 404)
    assert show(auditor, deed, wash_card).status_code == 403


def test_a_transfer_of_strangers_is_not_found(stranger, cashier, loaded_card, enrol):
    enrol("13900139000", name="Han Mei")
    code = code_sent(cashier, "send_pass_on_code", loaded_card)
    send(cashier, "pass_on", loaded_card, phone="13900139000", amount="200", code=code)

    assert show(stranger, "answer_transfer", Transfer.objects.get()).status_code == 404


def test_a_house_card_has_no_services_page(cashier, loaded_card):
    assert show(cashier, "take_service", loaded_card).status_code == 404


def test_the_recharge_page_says_why_a_plan_is_not_offered(cashier, loaded_card):
    RechargePlan.objects.create(name="Welcome", pay_minor=10000, is_first_only=True)

    page = text_of(show(cashier, "recharge_card", loaded_card))

    assert "for the first recharge only" in page


def test_the_list_of_recharges_asks_the_same_whether_one_or_three(manager, loaded_card, at_till, riverside):
    where = reverse("staff:card_care", args=[loaded_card.public_id])
    before = queries_of(manager, where)
    for number in range(2):
        recharge_card(
            actor=at_till,
            key=f"more-{number}",
            at=NOON,
            store=riverside,
            card=loaded_card,
            tender=TenderPaid(TenderType.CASH, 1000),
        )

    assert queries_of(manager, where) == before
