"""Another system reports a fact over HTTP: the member's phone has the text at once, and once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from campaigns.models import RuleFiring
from crm.api.models import ApiKey
from crm.seeding import setting_up
from members.models import MembershipEvent
from messaging.models import Attempt, Message
from tests.journeys.dispatch_stage import wait_for
from tests.journeys.house import House, Partner, Shop

PHONE = "8613800138000"
FACTS = {
    "booking_made": (
        {"service": "Haircut", "starts_at": "2026-12-25T14:30:00+08:00"},
        "booking is confirmed: Haircut",
    ),
    "customer_arrived": ({"place": "Lobby"}, "checked in at Riverside (Lobby)"),
    "call_missed": ({"called": "021 5555 0100"}, "we missed your call"),
    "fund_moved": (
        {"account": "Savings …0456", "direction": "in", "amount": 250000, "fund_balance": 1250000},
        "12,500.00",
    ),
}


@pytest.fixture
def partner(house: House, shop: Shop) -> Partner:
    """The booking system of Riverside, whose member Li Lei is; web and gateway are open."""
    shop.enrol(PHONE, "Li Lei")
    secret = setting_up.give_key([shop.riverside])
    house.open_web()
    house.open_gateway()
    return Partner(house.url, secret)


def tell(partner: Partner, fact: str, key: str):
    return partner.post("events", key, type=fact, phone=PHONE, data=FACTS[fact][0])


def test_four_facts_reach_the_handset_each_once(house, partner, record_property):
    for fact, (_data, words) in FACTS.items():
        reported_at = time.time()
        answer = tell(partner, fact, f"{fact}-1")
        assert answer.status == 201, answer.text
        (text,) = wait_for(lambda words=words: [t for t in house.handset(PHONE) if words in t], 20, fact)
        arrived_at = next(entry["at"] for entry in reversed(house.carrier.accepted()))
        print(f"{fact}: {arrived_at - reported_at:.3f} s from the report to the phone: {text}")
        record_property(fact, round(arrived_at - reported_at, 3))
        assert arrived_at - reported_at < 5

        again = tell(partner, fact, f"{fact}-1")
        assert (again.status, json.loads(again.text)) == (201, json.loads(answer.text))
        assert again.headers["Idempotent-Replayed"] == "true"

    wait_for(
        lambda: set(Message.objects.values_list("state", flat=True)) == {"delivered"}, 20, "the receipts"
    )
    assert len(house.handset(PHONE)) == len(FACTS)
    assert MembershipEvent.objects.filter(type__in=FACTS).count() == RuleFiring.objects.count() == len(FACTS)


def test_a_storm_of_one_intent_is_one_text(house, partner):
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: tell(partner, "booking_made", "one-intent"), range(24)))

    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.text for answer in answers if answer.status == 201}) == 1
    wait_for(lambda: Message.objects.get().state == "delivered", 20, "the receipt")
    assert len(house.handset(PHONE)) == Attempt.objects.count() == 1


def test_the_same_arrival_told_by_two_doors_is_heard_once_in_six_hours(house, partner):
    first = tell(partner, "customer_arrived", "wifi")
    second = tell(partner, "customer_arrived", "table-qr")

    assert (first.status, second.status) == (201, 201)
    wait_for(lambda: Message.objects.filter(state="delivered").exists(), 20, "the receipt")
    assert [firing.reason for firing in RuleFiring.objects.order_by("id")] == ["", "duplicate"]
    assert len(house.handset(PHONE)) == 1


def test_a_key_taken_away_reports_nothing_more(house, partner):
    ApiKey.objects.update(revoked=True)

    assert tell(partner, "booking_made", "late").status == 401
    assert not MembershipEvent.objects.filter(type="booking_made").exists()
