"""A used key gives its first answer to the same question, and none to another one."""

from __future__ import annotations

from typing import Any

import pytest

from members.domain import events
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import IdempotencyConflict, TenderPaid
from members.domain.points import earn_by_event
from members.domain.services import sell_services
from members.domain.transfers import TransferRefused, propose
from members.enums import TenderType
from members.models import CardKind, CardProduct, EarningRule, Operation, ServiceGroup, Transfer
from members.models.points import EarningEffect, EarningOccasion
from tests.conftest import NOON
from tests.crm.staff.conftest import at_work, send

WECHAT = TenderType.WECHAT


@pytest.fixture
def here(at_till, riverside) -> dict[str, Any]:
    return {"actor": at_till, "at": NOON, "store": riverside}


def test_a_recharge_by_another_payment_is_another_recharge(card, here):
    first = recharge_card(key="k", card=card, tender=TenderPaid(WECHAT, 100, "wx-1"), **here)

    assert recharge_card(key="k", card=card, tender=TenderPaid(WECHAT, 100, "wx-1"), **here).is_replay
    with pytest.raises(IdempotencyConflict) as conflict:
        recharge_card(key="k", card=card, tender=TenderPaid(WECHAT, 100, "wx-2"), **here)

    assert conflict.value.fields == ["reference"]
    assert first.operation.tenders.get().reference == "wx-1"


def test_services_by_another_payment_are_another_sale(li_lei, here):
    washes = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100,
    )
    count_card, _ = open_card(key="w", member=li_lei, product=washes, **here)
    sell_services(key="k", card=count_card, tender=TenderPaid(WECHAT, 100, "wx-1"), **here)

    with pytest.raises(IdempotencyConflict):
        sell_services(key="k", card=count_card, tender=TenderPaid(WECHAT, 100, "wx-2"), **here)


def test_a_form_that_offered_100_does_not_offer_200(loaded_card, enrol, here):
    han_mei = enrol("13900139000", name="Han Mei")
    offer = {"key": "p", "card": loaded_card, "receiver": han_mei, "is_confirmed": True} | here
    first = propose(amount_minor=10000, **offer)

    assert propose(amount_minor=10000, **offer) == first
    with pytest.raises(TransferRefused):
        propose(amount_minor=20000, **offer)

    assert Transfer.objects.get().amount_minor == 10000


def test_an_event_told_again_under_a_changed_rule_earns_nothing_more(li_lei, card, riverside):
    rule = EarningRule.objects.create(
        name="Hello",
        effect=EarningEffect.EXTRA,
        occasion=EarningOccasion.EVENT,
        event_type="arrival",
        points=5,
    )
    arrival = events.store_event("arrival", member=li_lei, store=riverside, source="door", key="1", at=NOON)
    earn_by_event(arrival)
    rule.points = 7
    rule.save()

    again = earn_by_event(arrival)

    assert (again.points, again.is_replay) == (5, True)


def test_at_the_till_a_form_with_another_payment_or_on_another_card_has_not_been_done(
    chen, li_lei, card, product, here
):
    cashier = at_work(chen)
    other, _ = open_card(key="o", member=li_lei, product=product, **here)
    paid = {"once": "the-same-form", "amount": "5", "tender": "wechat", "reference": "wx-1"}
    send(cashier, "recharge_card", card, **paid)

    assert send(cashier, "recharge_card", card, **paid).status_code == 302
    assert send(cashier, "recharge_card", card, **(paid | {"reference": "wx-2"})).status_code == 422
    assert send(cashier, "recharge_card", other, **paid).status_code == 422
    assert Operation.objects.filter(kind="recharge").count() == 1
