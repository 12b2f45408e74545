"""A partner reports a fact; the rules answer it in the same breath; the partner is told what each did."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from campaigns.models import RuleFiring
from members.models import CustomEventType, MembershipEvent
from messaging.models import Message
from messaging.states import State
from tests.conftest import reworded

BOOKING = {"service": "Haircut", "starts_at": "2026-11-25T14:30:00+08:00"}
FUND = {"account": "Savings …0456", "direction": "in", "amount": 250000, "fund_balance": 1250000}


@pytest.fixture
def tell(partner, li_lei):
    """Tell of Li Lei, at Riverside."""

    def _tell(event_type: str, data: dict, key: str = "", **more):
        return partner.post("events", {"type": event_type, "phone": "13800138000", "data": data, **more}, key)

    return _tell


@pytest.mark.parametrize(
    ("event_type", "data", "template", "text"),
    [
        ("booking_made", BOOKING, "{service} on {starts_at}.", "Haircut on"),
        ("customer_arrived", {"place": "Lobby"}, "Welcome to the {place}.", "Welcome to the Lobby."),
        (
            "call_missed",
            {"called": "021 5555 0100"},
            "We missed your call to {called}.",
            "call to 021 5555 0100.",
        ),
        ("fund_moved", FUND, "{amount} moved.", "¥2,500.00 moved."),
    ],
)
def test_a_fact_becomes_a_text(tell, rule, event_type, data, template, text):
    rule(event_type, template)

    response = tell(event_type, data)

    event, message = MembershipEvent.objects.get(type=event_type), Message.objects.get(event__type=event_type)
    assert response.status_code == 201
    assert (response.json()["id"], response.json()["data"]) == (str(event.public_id), data)
    assert response.json()["firings"] == [
        {
            "rule": f"Text on {event_type}",
            "outcome": "sent",
            "reason": "",
            "message": {"id": str(message.public_id), "state": "queued", "reason": ""},
        }
    ]
    assert text in message.text


def test_a_rule_that_does_not_send_says_why(tell, rule, enrol):
    rule("customer_arrived", "Welcome.").template.versions.all().delete()

    response = tell("customer_arrived", {"place": "Lobby"})

    firing = response.json()["firings"][0]
    assert (firing["outcome"], firing["reason"], firing["message"]) == ("not_sent", "not_approved", None)


def test_without_a_rule_the_fact_is_kept_and_nothing_is_sent(tell):
    response = tell("customer_arrived", {"place": "Lobby"})

    assert (response.status_code, response.json()["firings"]) == (201, [])
    assert MembershipEvent.objects.filter(type="customer_arrived").count() == 1


def test_a_broken_rule_does_not_lose_the_fact(tell, rule):
    reworded(rule("customer_arrived", "Welcome.").template.versions.all(), "{broken")

    response = tell("customer_arrived", {"place": "Lobby"})

    assert (response.status_code, MembershipEvent.objects.filter(type="customer_arrived").count()) == (201, 1)
    assert not Message.objects.exists()


def test_an_event_the_shop_named_itself(tell, rule):
    CustomEventType.objects.create(
        name="parcel", label="Parcel", fields={"room": "text", "due": "money", "on": "date"}
    )
    rule("custom.parcel", "Parcel for {room}, {due} to pay.")

    response = tell("custom.parcel", {"room": "12A", "due": 1500, "on": "2026-11-25"})

    assert response.status_code == 201
    assert Message.objects.get().text == "【常客】Parcel for 12A, ¥15.00 to pay."


@pytest.mark.parametrize(
    ("event_type", "data", "errors"),
    [
        ("customer_arrived", {}, [("/data/place", "required")]),
        ("customer_arrived", {"place": "x", "colour": "red"}, [("/data/colour", "unknown_field")]),
        ("customer_arrived", {"place": "x", "name": "Eve"}, [("/data/name", "unknown_field")]),
        ("customer_arrived", {"place": 7}, [("/data/place", "not_text")]),
        ("customer_arrived", {"place": " "}, [("/data/place", "not_text")]),
        ("customer_arrived", {"place": "x" * 201}, [("/data/place", "not_text")]),
        ("customer_arrived", {"place": "x", "a/b~c": 1}, [("/data/a~1b~0c", "unknown_field")]),
        ("booking_made", BOOKING | {"starts_at": "tomorrow"}, [("/data/starts_at", "not_datetime")]),
        (
            "booking_made",
            BOOKING | {"starts_at": "2026-11-25T14:30:00"},
            [("/data/starts_at", "not_datetime")],
        ),
        (
            "booking_made",
            BOOKING | {"starts_at": "0001-01-01T00:00:00+14:00"},
            [("/data/starts_at", "not_datetime")],
        ),
        ("booking_made", {}, [("/data/service", "required"), ("/data/starts_at", "required")]),
        ("fund_moved", FUND | {"amount": 10.5}, [("/data/amount", "not_money")]),
        ("fund_moved", FUND | {"amount": "500"}, [("/data/amount", "not_money")]),
        ("fund_moved", FUND | {"amount": True}, [("/data/amount", "not_money")]),
        ("fund_moved", FUND | {"amount": 10**13}, [("/data/amount", "not_money")]),
        ("fund_moved", FUND | {"amount": [1]}, [("/data/amount", "not_money")]),
    ],
)
def test_data_that_is_not_as_declared_is_refused_naming_every_field(tell, event_type, data, errors):
    response = tell(event_type, data)

    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == errors
    assert not MembershipEvent.objects.filter(type=event_type).exists()


@pytest.mark.parametrize(
    "event_type", ["card_recharged", "member_enrolled", "custom.unheard", "custom.", "x", "booking"]
)
def test_types_that_other_systems_may_not_report(tell, event_type):
    response = tell(event_type, {})

    assert (response.status_code, response.json()["code"]) == (422, "event_type_unknown")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"phone": "13900139000"}, 404, "member_not_found"),
        ({"phone": "110"}, 422, "phone_invalid"),
        ({"phone": 13800138000}, 422, "validation_failed"),
        ({"phone": None}, 422, "validation_failed"),
        (
            {"member": "00000000-0000-0000-0000-000000000000"},
            422,
            "validation_failed",
        ),  # both phone and member
        ({"at": "2026-11-25"}, 422, "validation_failed"),
        ({"store": "00000000-0000-0000-0000-000000000000"}, 422, "store_unknown"),
        ({"store": 1}, 422, "validation_failed"),
        ({"key": ""}, 422, "validation_failed"),
        ({"text": "Buy now"}, 422, "validation_failed"),
        ({"data": []}, 422, "validation_failed"),
        ({"type": None}, 422, "validation_failed"),
    ],
)
def test_events_that_are_refused(partner, li_lei, change, status, code):
    arrival = {"type": "customer_arrived", "phone": "13800138000", "data": {"place": "Lobby"}}

    response = partner.post("events", arrival | change)

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_by_member_id(partner, li_lei):
    response = partner.post(
        "events", {"type": "customer_arrived", "member": str(li_lei.public_id), "data": {"place": "Lobby"}}
    )

    assert (response.status_code, response.json()["member"]) == (201, str(li_lei.public_id))


@pytest.mark.parametrize(("hours", "status"), [(-71, 201), (-73, 422), (0, 201), (1, 422)])
def test_a_fact_is_told_within_three_days_and_not_before_it_happens(tell, hours, status):
    at = (now() + timedelta(hours=hours)).isoformat()

    assert tell("customer_arrived", {"place": "Lobby"}, at=at).status_code == status


def test_a_fact_with_a_name_of_its_own_happens_once(partner, li_lei, rule):
    rule("customer_arrived", "Welcome.")
    visit = {"type": "customer_arrived", "phone": "13800138000", "key": "visit-7", "data": {"place": "Lobby"}}

    first, second = partner.post("events", visit), partner.post("events", visit)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert (Message.objects.count(), RuleFiring.objects.count()) == (1, 1)


def test_the_name_of_one_fact_is_not_the_name_of_another(partner, li_lei):
    visit = {"type": "customer_arrived", "phone": "13800138000", "key": "visit-7", "data": {"place": "Lobby"}}
    partner.post("events", visit)

    response = partner.post("events", visit | {"type": "call_missed", "data": {"called": "1"}})

    assert (response.status_code, response.json()["code"]) == (422, "event_key_reuse")


def test_a_fact_told_again_otherwise_is_refused_naming_what_differs(partner, li_lei):
    arrival = {"type": "customer_arrived", "phone": "13800138000", "key": "visit-7"}
    partner.post("events", arrival | {"data": {"place": "Lobby"}})

    response = partner.post("events", arrival | {"data": {"place": "Spa"}})

    assert (response.status_code, response.json()["code"]) == (422, "event_key_reuse")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/key", "/data/place"]


def test_where_the_text_stands_can_be_asked(partner, tell, rule):
    rule("customer_arrived", "Welcome.")
    told = tell("customer_arrived", {"place": "Lobby"}).json()

    shown = partner.get(f"messages/{told['firings'][0]['message']['id']}").json()

    assert (shown["state"], shown["message_class"], shown["parts"]) == (State.QUEUED, "notification", 1)
    assert (shown["event"], shown["is_final"]) == (told["id"], False)
    assert "13800138000" not in str(shown) and "text" not in shown
