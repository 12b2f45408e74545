"""What a person may give alone that is no money: points and services have amounts of their own. One is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from members.domain import approvals
from members.domain.adjusting import adjust
from members.domain.cards import open_card
from members.domain.ledger import Actor, ApprovalInvalid, ApprovalRequired, TenderPaid
from members.domain.limits import begin_with_usual_limits, left_for, put_usual_limits, usual_missing
from members.domain.refunds import refund
from members.domain.resting import pause
from members.domain.rewards import redeem_points
from members.domain.services import CardPaused, sell_services, take_service
from members.domain.transfers import confirm, propose
from members.enums import AccountKind, Role, TenderType
from members.models import (
    Account,
    AuditEntry,
    Card,
    CardKind,
    CardProduct,
    LimitedDeed,
    Reward,
    ServiceGroup,
    StaffLimit,
    Store,
)
from members.models.ledger import LIMITED_KINDS
from tests.conftest import NOON
from tests.members.test_limits import actor_of, age_deeds

Does = Callable[..., Any]


@pytest.fixture
def here(chen, riverside) -> dict:
    return {"actor": actor_of(chen), "at": NOON, "store": riverside}


@pytest.fixture
def washes(li_lei, here) -> Card:
    """Ten washes of Li Lei."""
    product = CardProduct.objects.create(
        name="Washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100_000,
    )
    card, _ = open_card(key="w", member=li_lei, product=product, **here)
    sell_services(key="ws", card=card, tender=TenderPaid(TenderType.CASH, 100_000), **here)
    return card


@pytest.fixture
def give(here, enrol) -> Does:
    """Pass value on and have it confirmed: `give(card, services=2)`."""
    friend = enrol("13900139000", name="Han Mei")
    turns = iter(range(100))

    def _give(card: Card, **what: int) -> Any:
        offer = propose(key=f"p{next(turns)}", card=card, receiver=friend, is_confirmed=True, **what, **here)
        return confirm(actor=here["actor"], at=NOON, transfer=offer)

    return _give


def limit(deed: LimitedDeed, amount: int) -> None:
    StaffLimit.objects.create(deed=deed, role=Role.CASHIER, amount_max=amount)


def points_of(card: Card) -> int:
    return Account.objects.get(member=card.member, kind="points").balance or 0


def test_three_services_a_day_are_passed_on_alone_and_not_four(washes, give):
    limit(LimitedDeed.TRANSFER_SERVICES, 3)
    give(washes, services=2)

    with pytest.raises(ApprovalRequired, match="1 is left") as refused:
        give(washes, services=2)

    facts = refused.value.facts
    assert (facts["deed"], facts["amount"], facts["remaining"]) == ("transfer_services", 2, 1)
    give(washes, services=1)


def test_points_passed_on_have_their_own_sum(loaded_card, give, counter_points):
    counter_points(loaded_card, 500)
    limit(LimitedDeed.TRANSFER_POINTS, 300)
    give(loaded_card, points=300)

    with pytest.raises(ApprovalRequired):
        give(loaded_card, points=1)

    give(loaded_card, amount_minor=100)


@pytest.fixture
def counter_points(mei, riverside) -> Does:
    StaffLimit.objects.create(deed="adjust_points", role=Role.MANAGER, amount_max=10**6)

    def _give(card: Card, points: int) -> None:
        adjust(
            actor=actor_of(mei),
            key=f"give-{points}",
            at=NOON,
            store=riverside,
            card=card,
            account=AccountKind.POINTS,
            amount=points,
            reason="Good customer",
        )

    return _give


def test_services_taken_are_returned_alone_up_to_the_limit(washes, here):
    limit(LimitedDeed.RETURN_SERVICES, 2)
    taken = [
        take_service(key=f"t{n}", card=washes, count=count, **here).operation
        for n, count in enumerate((2, 1))
    ]
    refund(key="r0", operation=taken[0], **here)

    with pytest.raises(ApprovalRequired) as refused:
        refund(key="r1", operation=taken[1], **here)

    assert (refused.value.facts["deed"], refused.value.facts["remaining"]) == ("return_services", 0)


def test_points_given_back_for_rewards_are_summed(loaded_card, counter_points, here):
    counter_points(loaded_card, 500)
    limit(LimitedDeed.REFUND_POINTS, 150)
    coffee = Reward.objects.create(name="Coffee", points=100)
    taken = [redeem_points(key=f"c{n}", card=loaded_card, reward=coffee, **here).operation for n in range(2)]
    refund(key="r0", operation=taken[0], **here)

    with pytest.raises(ApprovalRequired) as refused:
        refund(key="r1", operation=taken[1], **here)

    assert refused.value.facts["remaining"] == 50
    assert points_of(loaded_card) == 400


def test_one_yes_covers_a_gift_that_is_above_two_limits(
    washes, give, here, enrol, mei, riverside, chen, counter_points
):
    """Above the limit of points and of services: asked once, under the first, bound to the whole deed."""
    counter_points(washes, 50)
    limit(LimitedDeed.TRANSFER_SERVICES, 0)
    limit(LimitedDeed.TRANSFER_POINTS, 0)
    friend = enrol("13900139009", name="Lucy")
    offer = propose(key="p", card=washes, receiver=friend, services=2, points=20, is_confirmed=True, **here)
    with pytest.raises(ApprovalRequired) as refused:
        confirm(actor=here["actor"], at=NOON, transfer=offer)
    asked = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Her birthday", at=NOON)
    with_yes = Actor(here["actor"].scope, chen.pk, str(asked.public_id))

    with pytest.raises(ApprovalInvalid) as waiting:
        confirm(actor=with_yes, at=NOON, transfer=offer)
    approvals.decide(approval=asked, checker=mei, is_approved=True, at=NOON)
    done = confirm(actor=with_yes, at=NOON, transfer=offer)

    assert waiting.value.code == "approval_waiting"
    assert (asked.deed, done.status) == ("transfer_services", "done")
    left = left_for(staff_id=chen.pk, store_id=riverside.pk, deed=LimitedDeed.TRANSFER_POINTS)
    assert left.amount == 0, "what was approved does not count"


# Services sold, by what is paid for them


def sell(card: Card, here: dict, key: str, by: Actor | None = None) -> Any:
    paid = TenderPaid(TenderType.CASH, 100_000)
    return sell_services(key=key, card=card, tender=paid, **here | ({"actor": by} if by else {}))


def services_of(card: Card) -> int:
    return Account.objects.get(card=card, kind="services").balance or 0


def test_services_are_sold_alone_up_to_a_sum_in_a_day_that_moves(washes, here):
    limit(LimitedDeed.SELL_SERVICES, 250_000)
    sell(washes, here, "second")

    with pytest.raises(ApprovalRequired, match="¥500.00 is left") as refused:
        sell(washes, here, "third")

    facts = refused.value.facts
    assert (facts["deed"], facts["amount"], facts["remaining"]) == ("sell_services", 100_000, 50_000)
    assert services_of(washes) == 20
    assert sell(washes, here, "second").is_replay
    age_deeds(25)
    sell(washes, here, "third")


def test_above_it_somebody_in_charge_says_yes_to_this_sale_only(washes, here, mei, riverside, chen, enrol):
    limit(LimitedDeed.SELL_SERVICES, 100_000)
    with pytest.raises(ApprovalRequired) as refused:
        sell(washes, here, "second")
    asked = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Her second", at=NOON)
    with_yes = Actor(here["actor"].scope, chen.pk, str(asked.public_id))
    other, _ = open_card(key="o", member=enrol("13900139008"), product=washes.product, **here)
    approvals.decide(approval=asked, checker=mei, is_approved=True, at=NOON)

    with pytest.raises(ApprovalInvalid) as mismatch:
        sell(other, here, "another", with_yes)
    sell(washes, here, "second", with_yes)
    with pytest.raises(ApprovalInvalid) as used:
        sell(washes, here, "third", with_yes)

    assert (mismatch.value.code, used.value.code) == ("approval_mismatch", "approval_used")
    assert (services_of(washes), services_of(other)) == (20, 0)


def test_nobody_is_asked_for_a_yes_to_a_sale_onto_a_paused_card(washes, here):
    limit(LimitedDeed.SELL_SERVICES, 100_000)
    pause(**{**here, "card": washes})

    with pytest.raises(CardPaused):
        sell(washes, here, "second")


def test_how_often_services_are_sold_can_be_limited_too(washes, here):
    StaffLimit.objects.create(deed=LimitedDeed.SELL_SERVICES, role=Role.CASHIER, count_max=1)

    with pytest.raises(ApprovalRequired):
        sell(washes, here, "second")


def test_the_sum_of_services_sold_is_read_from_its_index(db):
    """The index of limited deeds holds exactly the kinds that `control_left` asks for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('control_left'::regproc)")
        asked = re.search(r"o\.kind IN \(([^)]*)\)", cursor.fetchone()[0])
        cursor.execute("SELECT pg_get_indexdef('operation_limited_deeds'::regclass)")
        indexed = cursor.fetchone()[0].partition(" WHERE ")[2]

    assert asked
    assert set(re.findall(r"'(\w+)'", asked[1])) == set(re.findall(r"'(\w+)'", indexed)) == set(LIMITED_KINDS)


# What a house begins with


def test_the_first_store_brings_the_usual_limits_and_the_second_brings_nothing(mei, riverside):
    assert begin_with_usual_limits(actor=mei, at=NOON) > 12
    assert AuditEntry.objects.get(subject_type="stafflimit").after == {"limits": StaffLimit.objects.count()}
    StaffLimit.objects.filter(deed="close").delete()
    Store.objects.create(name="Harbour", sms_signature="常客")

    assert begin_with_usual_limits(actor=mei, at=NOON) == 0
    assert {row.deed for row in usual_missing()} == {"close"}


def test_what_an_owner_has_said_stays_when_the_usual_ones_are_put_in(mei):
    limit(LimitedDeed.REFUND, 99)

    put_usual_limits(actor=mei, at=NOON)

    said = StaffLimit.objects.get(deed="refund", role=Role.CASHIER, window_hours=24)
    assert said.amount_max == 99
    assert usual_missing() == []
