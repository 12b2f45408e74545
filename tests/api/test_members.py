"""Members through the API: enrolled with two separate consents, found, their value read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.domain.spending import spend
from members.models import ConsentEntry, Member
from tests.conftest import NOON

CONSENTS = {"service": True, "marketing": False}


def test_enrol(partner, riverside):
    body = {
        "phone": "138 0013 8000",
        "name": " Li Lei ",
        "language": "en",
        "birthday": "1990-02-28",
        "gender": "male",
        "tags": ["vip"],
        "consents": CONSENTS | {"wording_version": "web-3"},
    }

    response = partner.post("members", body)

    shown = response.json()
    words = ConsentEntry.objects.values_list("purpose", "is_given", "wording_version", "source")
    assert response.status_code == 201
    assert (shown["phone"], shown["name"], shown["birthday"]) == ("+8613800138000", "Li Lei", "1990-02-28")
    assert (shown["store"], shown["consents"]) == (str(riverside.public_id), CONSENTS)
    assert set(words) == {("service", True, "web-3", "api"), ("marketing", False, "web-3", "api")}
    assert partner.get(f"members/{shown['id']}").json() == shown


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"phone": "１３８"}, "phone_invalid", "/phone"),
        ({"phone": "13800138000"}, "phone_taken", "/phone"),
        ({"phone": ""}, "validation_failed", "/phone"),
        ({"phone": "1" * 41}, "validation_failed", "/phone"),
        ({"consents": {"service": 1, "marketing": False}}, "validation_failed", "/consents/service"),
        ({"consents": {"service": True}}, "validation_failed", "/consents/marketing"),
        ({"consents": None}, "validation_failed", "/consents"),
        ({"consents": CONSENTS | {"all": True}}, "validation_failed", "/consents/all"),
        ({"name": "x" * 81}, "validation_failed", "/name"),
        ({"name": "a\u202eb"}, "validation_failed", "/name"),
        ({"name": 5}, "validation_failed", "/name"),
        ({"birthday": "1990-02-30"}, "validation_failed", "/birthday"),
        ({"birthday": "19900228"}, "validation_failed", "/birthday"),
        ({"birthday": "2990-02-28"}, "validation_failed", "/birthday"),
        ({"birthday": "0001-01-01"}, "validation_failed", "/birthday"),
        ({"language": "xx"}, "validation_failed", "/language"),
        ({"gender": "x"}, "validation_failed", "/gender"),
        ({"tags": "vip"}, "validation_failed", "/tags"),
        ({"tags": ["x"] * 21}, "validation_failed", "/tags"),
        ({"tags": [1]}, "validation_failed", "/tags/0"),
        ({"store": "not-an-id"}, "validation_failed", "/store"),
        ({"is_staff": True}, "validation_failed", "/is_staff"),
    ],
)
def test_people_who_are_not_enrolled(partner, li_lei, change, code, pointer):
    response = partner.post("members", {"phone": "13900139000", "consents": CONSENTS} | change)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert Member.objects.count() == 1


@pytest.mark.parametrize(
    "spelling", ["13800138000", "%2B8613800138000", "138%200013%208000", "008613800138000"]
)
def test_found_by_any_spelling_of_the_number(partner, li_lei, spelling):
    found = partner.get(f"members?phone={spelling}").json()

    assert [member["id"] for member in found["data"]] == [str(li_lei.public_id)]


def test_a_number_nobody_has_finds_nobody(partner, li_lei):
    assert partner.get("members?phone=13900139000").json() == {"data": [], "next": None}


def test_the_list_goes_newest_first_page_by_page_without_a_gap_or_a_repeat(partner, enrol):
    members = [enrol(f"1390013900{n}", name=f"Guest {n}") for n in range(5)]

    names, path = [], "members?limit=2"
    while path:
        page = partner.get(path).json()
        names.append([member["name"] for member in page["data"]])
        path = page["next"] and f"members?limit=2&after={page['next']}"

    assert names == [["Guest 4", "Guest 3"], ["Guest 2", "Guest 1"], ["Guest 0"]]
    assert len(members) == 5


def queries(partner, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert partner.get(path).status_code == 200
    return len(captured)


def test_the_list_asks_as_much_for_three_as_for_one(partner, enrol):
    enrol("13900139001")
    for_one = queries(partner, "members")
    enrol("13900139002")
    enrol("13900139003")

    assert queries(partner, "members") == for_one


def test_the_statement_asks_as_much_for_three_as_for_one(partner, loaded_card, at_till, riverside):
    path = f"members/{loaded_card.member.public_id}/statement"
    for_one = queries(partner, path)
    for n in range(2):
        spend(actor=at_till, key=f"s{n}", at=NOON, store=riverside, card=loaded_card, amount_minor=10000)

    assert queries(partner, path) == for_one


def test_balances(partner, loaded_card):
    shown = partner.get(f"members/{loaded_card.member.public_id}/balances").json()

    assert shown == {
        "points": 0,
        "cards": [
            {
                "id": str(loaded_card.public_id),
                "number": loaded_card.number,
                "status": "active",
                "principal_minor": 50000,
                "bonus_minor": 0,
            }
        ],
    }


def test_the_statement_is_dense_and_carries_the_balance_after(partner, loaded_card, at_till, riverside):
    spend(actor=at_till, key="s1", at=NOON, store=riverside, card=loaded_card, amount_minor=12000)

    page = partner.get(f"members/{loaded_card.member.public_id}/statement?limit=2").json()
    rest = partner.get(f"members/{loaded_card.member.public_id}/statement?after={page['next']}").json()

    lines = [
        (row["kind"], row["account"], row["seq"], row["amount"], row["balance_after"])
        for row in page["data"] + rest["data"]
    ]
    assert lines == [
        ("spend", "points", 1, 120, 120),
        ("spend", "principal", 2, -12000, 38000),
        ("recharge", "principal", 1, 50000, 50000),
    ]
    assert rest["next"] is None


def test_a_cursor_of_another_list_is_refused(partner, loaded_card, enrol):
    enrol("13900139001")
    cursor = partner.get("members?limit=1").json()["next"]

    response = partner.get(f"members/{loaded_card.member.public_id}/statement?after={cursor}")

    assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")
