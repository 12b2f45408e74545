"""Nervous fingers at the till: double clicks, two tabs, the back button. One form is one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from members.domain.cards import open_card
from members.enums import OperationKind
from members.models import Card, CardProduct, Operation
from messaging.models import Message
from tests.conftest import NOON
from tests.journeys.house import Answer, Browserless, House, Shop


@pytest.fixture
def card(shop: Shop) -> Card:
    """Li Lei's card, empty."""
    li_lei = shop.enrol("13800138000", "Li Lei")
    product = CardProduct.objects.get(name="Salon card")
    return open_card(
        actor=shop.at_till, key="open", at=NOON, store=shop.riverside, member=li_lei, product=product
    )[0]


@pytest.fixture
def cashier(house: House, shop: Shop) -> Browserless:
    return Browserless(house.url, shop.staff["cashier"])


def recharge(cashier: Browserless, card: Card, once: str, amount: str = "500") -> Answer:
    return cashier.post(
        f"/till/cards/{card.public_id}/recharge/",
        amount=amount,
        plan="",
        tender="cash",
        reference="",
        idempotency_key=once,
    )


def recharges() -> list[int]:
    return list(Operation.objects.filter(kind=OperationKind.RECHARGE).values_list("amount_minor", flat=True))


def test_a_double_click_recharges_once_and_both_see_the_same_outcome(cashier, card):
    once = str(uuid4())

    with ThreadPoolExecutor(6) as fingers:
        answers = list(fingers.map(lambda _: recharge(cashier, card, once), range(6)))

    assert {answer.status for answer in answers} == {302}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert recharges() == [50000]
    assert Message.objects.filter(event__type="card_recharged").count() == 1


def test_the_back_button_and_a_resubmit_show_the_first_outcome(cashier, card):
    once = str(uuid4())
    first = recharge(cashier, card, once)
    recharge(cashier, card, str(uuid4()), "20")  # meanwhile life goes on

    again = recharge(cashier, card, once)

    assert (again.status, again.headers["Location"]) == (302, first.headers["Location"])
    assert "500.00" in cashier.get(again.headers["Location"]).text
    assert sorted(recharges()) == [2000, 50000]


def test_the_same_form_in_two_tabs_with_two_amounts_is_the_first_of_them(cashier, card):
    once = str(uuid4())

    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda amount: recharge(cashier, card, once, amount), ["500", "300"]))

    assert sorted(answer.status for answer in answers) == [302, 422]
    refused = next(answer for answer in answers if answer.status == 422)
    done = next(answer for answer in answers if answer.status == 302)
    assert "This form has already done something else" in refused.text
    assert done.headers["Location"] in refused.text, "the way to what was done"
    assert len(recharges()) == 1


def test_two_tabs_with_a_form_each_are_two_recharges(cashier, card):
    forms = [str(uuid4()), str(uuid4())]

    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda once: recharge(cashier, card, once), forms))

    assert len({answer.headers["Location"] for answer in answers}) == 2
    assert recharges() == [50000, 50000]
