"""A bill cut into parts counts as one: for the member's code and for the days after a change of phone. Money in fen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from constance.test import override_config

from members.domain.cards import open_card
from members.domain.holds import release
from members.domain.ledger import Actor, TenderPaid
from members.domain.payments import CodeRequired
from members.domain.phone_changes import CoolingOff, change_phone, stop
from members.domain.transfers import confirm, propose
from members.enums import AccountKind, TenderType
from members.models import PhoneChange
from tests.conftest import NOON
from tests.members.test_limits import age_deeds

PRINCIPAL = AccountKind.PRINCIPAL
code_above_100 = override_config(SPEND_CODE_ABOVE_MINOR=10000)


@pytest.fixture
def full(counter):
    """Li Lei's card with 2,000.00."""
    counter.load(200_000)
    return counter


# The member's code: more than 100.00 within an hour


@code_above_100
def test_120_in_two_bills_of_60_needs_the_code_like_one_of_120(full):
    full.spend(6000)

    with pytest.raises(CodeRequired, match="within an hour") as refusal:
        full.spend(6000)

    assert refusal.value.facts["above_minor"] == 10000
    assert full.spend(4000).balance_minor == 190_000, "up to 100.00 nobody asks"


@code_above_100
def test_after_an_hour_the_count_begins_again(full):
    full.spend(6000)

    age_deeds(0.98)
    with pytest.raises(CodeRequired):
        full.spend(6000)
    age_deeds(0.03)
    full.spend(6000)


@code_above_100
def test_what_had_the_code_does_not_count(full):
    full.spend(50000, is_confirmed=True)

    full.spend(10000)


@code_above_100
def test_only_what_the_card_paid_counts(full):
    full.spend(20000, tenders=[TenderPaid(TenderType.CASH, 15000)])

    full.spend(5000)
    with pytest.raises(CodeRequired):
        full.spend(1)


@code_above_100
def test_each_card_is_counted_for_itself(full, counter, at_till, riverside, li_lei, product):
    second, _ = open_card(
        actor=at_till, key="second", at=NOON, store=riverside, member=li_lei, product=product
    )
    full.spend(10000)

    counter.card = second
    counter.load(20000)
    counter.spend(10000)


@code_above_100
def test_a_hold_captured_in_parts_counts_where_it_is_paid(full):
    until = NOON + timedelta(days=1)
    first, second = (full.hold(6000, until).operation.hold for _ in range(2))

    full.spend(6000, hold=first)
    with pytest.raises(CodeRequired):
        full.spend(6000, hold=second)


@code_above_100
def test_a_gift_has_the_senders_code_and_leaves_the_bills_alone(full, enrol, at_till, riverside):
    friend = enrol("13900139000", name="Han Mei")
    said = {"actor": at_till, "at": NOON, "store": riverside, "key": "g"}
    with pytest.raises(CodeRequired, match="sender’s code"):
        propose(card=full.card, receiver=friend, amount_minor=1, **said)
    gift = propose(card=full.card, receiver=friend, amount_minor=50000, is_confirmed=True, **said)

    done = confirm(actor=at_till, at=NOON, transfer=gift)

    assert (done.is_confirmed, done.sent.request["is_confirmed"]) == (True, True)
    full.spend(10000)


# A changing phone: at most 200.00 within 24 hours


@pytest.fixture
def changed(full, riverside):
    """Spent 500.00 this morning; then the number changed with the old one's code."""
    full.spend(50000, at=NOON - timedelta(hours=3))
    change_phone(
        actor=Actor("portal"),
        key="c",
        at=NOON,
        store=riverside,
        member=full.card.member,
        phone="13900139001",
        is_confirmed_by_old=True,
    )
    return full


def test_250_in_five_bills_is_more_than_200(changed):
    for _ in range(4):
        changed.spend(5000)

    with pytest.raises(CoolingOff) as refusal:
        changed.spend(5000)

    assert refusal.value.facts["limit_minor"] == 20000


def test_what_is_held_counts_until_it_is_free_again(changed, at_till, riverside):
    until = NOON + timedelta(days=1)
    first = changed.hold(15000, until).operation.hold

    with pytest.raises(CoolingOff):
        changed.hold(6000, until)
    with pytest.raises(CoolingOff):
        changed.spend(6000)
    changed.spend(15000, hold=first)
    with pytest.raises(CoolingOff):
        changed.spend(6000)

    second = changed.hold(5000, until).operation.hold
    release(actor=at_till, key="free", at=NOON, store=riverside, hold=second)
    changed.spend(5000)


def test_a_second_card_has_no_second_allowance(changed, at_till, riverside, li_lei, product):
    second, _ = open_card(
        actor=at_till, key="second", at=NOON, store=riverside, member=li_lei, product=product
    )
    changed.spend(15000)
    changed.card = second
    changed.card.member.refresh_from_db()
    changed.load(20000)

    with pytest.raises(CoolingOff):
        changed.spend(6000)
    changed.spend(5000)


def test_points_that_pay_count_by_what_they_paid(changed):
    changed.card.product.point_value_minor = 100
    changed.card.product.points_share_max_percent = 100
    changed.card.product.save()
    changed.give_points(40000)
    changed.spend(15000, points=15000)

    with pytest.raises(CoolingOff):
        changed.spend(6000, points=6000)


def test_outside_money_is_free(changed):
    changed.spend(20000)

    changed.spend(50000, tenders=[TenderPaid(TenderType.CASH, 50000)])


def test_a_stopped_change_leaves_no_limit(full, mei, riverside):
    asked = change_phone(
        actor=Actor(f"staff:{mei.pk}", mei.pk),
        key="c",
        at=NOON,
        store=riverside,
        member=full.card.member,
        phone="13900139001",
        reason="Lost it",
    )
    full.spend(20000)
    with pytest.raises(CoolingOff):
        full.spend(1)

    stop(actor=Actor("portal"), at=NOON, change=PhoneChange.objects.get(pk=asked.pk))
    full.card.member.refresh_from_db()

    full.spend(30000)
