"""A used key gives its first answer to the same question, and none to another one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from members.domain import coupons, events
from members.domain.cards import open_card, recharge_card
from members.domain.holds import authorise
from members.domain.ledger import Actor, IdempotencyConflict, TenderPaid
from members.domain.local_days import day_of, midnight_after
from members.domain.merging import merge
from members.domain.phone_changes import change_phone
from members.domain.points import earn_by_event
from members.domain.services import sell_services
from members.domain.spending import spend
from members.domain.transfers import propose
from members.enums import TenderType
from members.models import (
    Card,
    CardKind,
    CardProduct,
    CouponDefinition,
    EarningRule,
    Hold,
    Operation,
    PhoneChange,
    ServiceGroup,
    Transfer,
)
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


@pytest.fixture
def count_card(li_lei, here) -> Card:
    washes = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100,
    )
    return open_card(key="w", member=li_lei, product=washes, **here)[0]


def test_services_by_another_payment_are_another_sale(count_card, here):
    sell_services(key="k", card=count_card, tender=TenderPaid(WECHAT, 100, "wx-1"), **here)

    with pytest.raises(IdempotencyConflict):
        sell_services(key="k", card=count_card, tender=TenderPaid(WECHAT, 100, "wx-2"), **here)


def test_a_form_that_offered_100_does_not_offer_200(loaded_card, enrol, here):
    han_mei = enrol("13900139000", name="Han Mei")
    offer = {"key": "p", "card": loaded_card, "receiver": han_mei, "is_confirmed": True} | here
    first = propose(amount_minor=10000, **offer)

    assert propose(amount_minor=10000, **offer) == first
    with pytest.raises(IdempotencyConflict) as conflict:
        propose(amount_minor=20000, **offer)

    assert conflict.value.fields == ["amount"]
    assert Transfer.objects.get().amount_minor == 10000


def test_a_merge_of_one_member_is_none_of_another(li_lei, enrol, mei, riverside):
    double, stranger = enrol("13700137000", name="Lei Li"), enrol("13900139000", name="Han Mei")
    asked = {"actor": Actor(f"staff:{mei.pk}", mei.pk), "key": "m", "at": NOON, "store": riverside}
    asked |= {"kept": li_lei, "reason": "The same person"}
    first = merge(merged=double, **asked)

    assert merge(merged=double, **asked) == first
    with pytest.raises(IdempotencyConflict) as conflict:
        merge(merged=stranger, **asked)

    assert conflict.value.fields == ["merged"]
    stranger.refresh_from_db()
    assert stranger.is_current


@pytest.mark.parametrize("is_confirmed_by_old", [False, True])
def test_a_change_to_one_number_is_none_to_another(li_lei, mei, riverside, is_confirmed_by_old):
    asked = {"actor": Actor(f"staff:{mei.pk}", mei.pk), "key": "c", "at": NOON, "store": riverside}
    asked |= {"member": li_lei, "reason": "Phone lost", "is_confirmed_by_old": is_confirmed_by_old}
    first = change_phone(phone="13900139000", **asked)

    assert change_phone(phone="139 0013 9000", **asked) == first
    for differing in ({"phone": "13900139001"}, {"is_confirmed_by_old": not is_confirmed_by_old}):
        with pytest.raises(IdempotencyConflict) as conflict:
            change_phone(**({"phone": "13900139000"} | asked | differing))
        assert conflict.value.fields == list(differing)

    assert PhoneChange.objects.get() == first


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


def test_at_the_till_services_by_another_payment_have_not_been_sold(chen, count_card):
    cashier, paid = at_work(chen), {"once": "the-same-form", "tender": "wechat", "reference": "wx-1"}
    send(cashier, "sell_services", count_card, **paid)

    assert send(cashier, "sell_services", count_card, **paid).status_code == 302
    assert send(cashier, "sell_services", count_card, **(paid | {"reference": "wx-2"})).status_code == 422
    assert Operation.objects.filter(kind="sell_services").count() == 1


@pytest.mark.parametrize(
    "differing",
    [{"tender": "wechat"}, {"reference": "2"}, {"outside": "1"}, {"points": "1"}, {"points": "none"}],
)
def test_at_the_till_a_bill_paid_otherwise_has_not_been_paid(chen, loaded_card, differing):
    bill = {"once": "the-same-form", "amount": "5", "tender": "bank_card", "reference": "1"}
    cashier = at_work(chen)
    send(cashier, "spend", loaded_card, **bill)

    assert send(cashier, "spend", loaded_card, **bill).status_code == 302
    assert send(cashier, "spend", loaded_card, **(bill | differing)).status_code == 422
    assert Operation.objects.filter(kind="spend").count() == 1


def test_at_the_till_a_bill_with_another_coupon_has_not_been_paid(chen, loaded_card, at_till, riverside):
    one_off = CouponDefinition.objects.create(name="1 off", off_minor=100, stacks_with_coupons=True)
    issuing = {"actor": at_till, "at": NOON, "store": riverside, "member": loaded_card.member}
    used, other = (coupons.issue(definition=one_off, key=key, **issuing) for key in ("one", "other"))
    cashier, bill = at_work(chen), {"once": "the-same-form", "amount": "5", "tender": "cash"}
    send(cashier, "spend", loaded_card, **bill, coupon=used.pk)

    for same in ({"coupon": used.pk}, {"coupon_code": used.code.lower()}):
        assert send(cashier, "spend", loaded_card, **bill, **same).status_code == 302
    for differing in ({}, {"coupon": other.pk}, {"coupon": [used.pk, other.pk]}, {"coupon_code": other.code}):
        assert send(cashier, "spend", loaded_card, **bill, **differing).status_code == 422
    assert Operation.objects.filter(kind="spend").count() == 1


def test_a_hold_until_another_time_is_another_hold(loaded_card, here):
    held = {"key": "h", "card": loaded_card, "amount_minor": 500} | here
    until = NOON + timedelta(days=1)
    first = authorise(until=until, **held)

    later = authorise(until=until, **(held | {"at": until}))
    with pytest.raises(IdempotencyConflict) as conflict:
        authorise(until=until + timedelta(days=1), **held)

    assert (later.operation, later.is_replay) == (first.operation, True)
    assert conflict.value.fields == ["until"]


def test_at_the_till_a_hold_until_another_day_has_not_been_made(chen, loaded_card):
    cashier = at_work(chen)
    held = {"once": "the-same-form", "amount": "5", "days": "1", "reason": "Friday"}
    send(cashier, "hold_value", loaded_card, **held)

    assert send(cashier, "hold_value", loaded_card, **held).status_code == 302
    for differing in ({"days": "7"}, {"days": ""}, {"reason": "Sunday"}, {"amount": "6"}):
        answer = send(cashier, "hold_value", loaded_card, **(held | differing))
        assert answer.status_code == 422
        assert "This form has already done something else." in answer.content.decode()
    assert Hold.objects.count() == 1


def test_at_the_till_the_same_hold_asked_again_after_midnight_is_the_same(chen, loaded_card, riverside, here):
    until = midnight_after(riverside, day_of(riverside, NOON) + timedelta(days=1))
    held = {"key": "till:the-same-form", "card": loaded_card, "amount_minor": 500, "until": until}
    authorise(reason="Friday", **held, **here)
    typed = {"once": "the-same-form", "amount": "5", "days": "1", "reason": "Friday"}

    assert send(at_work(chen), "hold_value", loaded_card, **typed).status_code == 302
    assert send(at_work(chen), "hold_value", loaded_card, **(typed | {"days": "3"})).status_code == 422


def test_points_for_a_bill_of_a_card_they_do_not_pay_are_refused_in_words(chen, loaded_card):
    answer = send(at_work(chen), "spend", loaded_card, amount="5", points="1")

    assert answer.status_code == 422
    assert "Points do not pay bills with this card." in answer.content.decode()


def test_at_the_till_another_bill_has_not_been_taken_back(mei, loaded_card, here):
    manager = at_work(mei)
    one, other = (
        spend(key=key, card=loaded_card, amount_minor=500, **here).operation.public_id for key in ("s1", "s2")
    )
    back = {"once": "the-same-form", "operation": one, "amount": ""}
    send(manager, "refund", loaded_card, **back)

    assert send(manager, "refund", loaded_card, **back).status_code == 302
    assert send(manager, "refund", loaded_card, **(back | {"operation": other})).status_code == 422
    assert Operation.objects.filter(kind="refund").count() == 1
