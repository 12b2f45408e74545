"""Bills, holds and count cards through the API. Money in fen."""

from __future__ import annotations

from uuid import uuid4

import pytest
from constance.test import override_config

from members.domain import coupons
from members.domain.cards import open_card
from members.domain.ledger import TenderPaid
from members.domain.services import sell_services
from members.enums import TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    Coupon,
    CouponDefinition,
    GoodsCategory,
    Hold,
    Operation,
    ServiceGroup,
    Sharer,
)
from messaging.enums import Cause
from messaging.models import FailedCheck, Message, VerificationCode
from tests.conftest import NOON

UNTIL = "2126-11-21T04:00:00Z"


def path(card: Card, verb: str) -> str:
    return f"cards/{card.public_id}/{verb}"


@pytest.fixture
def coupon(li_lei, at_till, riverside) -> Coupon:
    """20.00 off for Li Lei."""
    definition = CouponDefinition.objects.create(name="20 off", off_minor=2000)
    who = {"actor": at_till, "at": NOON, "store": riverside}
    return coupons.issue(definition=definition, member=li_lei, key="g", **who)


# Bills


def test_a_bill_in_lines_with_points_and_a_coupon(partner, loaded_card, coupon, product):
    """100.00 − 20.00 coupon = 80.00; 500 points pay 5.00; cash 15.00; the card 60.00."""
    product.point_value_minor, product.points_share_max_percent = 100, 50
    product.save()
    partner.post(
        path(loaded_card, "spend"),
        {"amount_minor": 50000, "tenders": [{"type": "cash", "amount_minor": 50000}]},
    )
    hair = GoodsCategory.objects.create(name="Hair")
    body = {
        "amount_minor": 10000,
        "lines": [
            {"amount_minor": 7000, "label": "Cut", "category": hair.pk},
            {"amount_minor": 3000, "label": "Shampoo", "is_discounted": True},
        ],
        "points": 500,
        "coupons": [str(coupon).lower()],
        "tenders": [{"type": "cash", "amount_minor": 1500}],
    }

    answer = partner.post(path(loaded_card, "spend"), body)

    shown = answer.json()
    assert answer.status_code == 201
    assert shown["bill"]["net_minor"] == 8000
    assert [(line["kind"], line["amount_minor"]) for line in shown["bill"]["lines"]] == [
        ("goods", 7000),
        ("goods", 3000),
        ("coupon", -2000),
    ]
    assert (
        shown["bill"]["lines"][0] | {"label": "Cut", "category": hair.pk, "is_discounted": False}
        == shown["bill"]["lines"][0]
    )
    assert shown["balances"]["principal_minor"] == 50000 - 6000
    coupon.refresh_from_db()
    assert coupon.state == "redeemed"


def test_the_rest_that_the_card_cannot_pay_goes_to_another_tender(partner, loaded_card):
    body = {"amount_minor": 60000, "rest": {"type": "wechat", "reference": "wx-1"}}

    shown = partner.post(path(loaded_card, "spend"), body).json()

    assert shown["balances"]["principal_minor"] == 0
    tender = Operation.objects.get(kind="spend").tenders.get()
    assert (tender.type, tender.amount_minor, tender.reference) == ("wechat", 10000, "wx-1")


def test_categories_and_coupons_are_listed(partner, loaded_card, coupon):
    hair = GoodsCategory.objects.create(name="Hair")
    GoodsCategory.objects.create(name="Old", is_active=False)

    listed = partner.get("categories").json()["data"]
    held = partner.get(f"members/{loaded_card.member.public_id}/coupons").json()["data"]

    assert listed == [{"id": hair.pk, "name": "Hair"}]
    assert [(one["code"], one["name"]) for one in held] == [(str(coupon), "20 off")]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"lines": [{"amount_minor": 99}]}, "amount_invalid", "/amount_minor"),
        ({"lines": [{"amount_minor": 100, "category": 999}]}, "category_unknown", "/lines/0/category"),
        ({"lines": [{"amount_minor": 100, "shelf": 1}]}, "unknown_field", "/lines/0/shelf"),
        ({"points": 1}, "points_not_taken", "/points"),
        ({"points": -1}, "min_value", "/points"),
        ({"points": True}, "invalid", "/points"),
        ({"coupons": ["K7M2"]}, "coupon_unknown", "/coupons"),
        ({"coupons": "K7M2"}, "not_a_list", "/coupons"),
        ({"coupons": [1]}, "not_text", "/coupons/0"),
        ({"hold": str(uuid4())}, "hold_unknown", "/hold"),
        ({"code": "123456"}, "code_wrong", "/code"),
        ({"code": ""}, "blank", "/code"),
        ({"rest": {"type": "gold"}}, "invalid_choice", "/rest/type"),
    ],
)
def test_bills_that_are_refused_move_nothing(partner, loaded_card, body, code, pointer):
    answer = partner.post(path(loaded_card, "spend"), {"amount_minor": 100, **body})

    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]
    assert not Operation.objects.filter(kind="spend").exists()


def test_somebody_elses_coupon_is_unknown_and_ten_guesses_end_it(
    partner, loaded_card, coupon, enrol, at_till, riverside
):
    friend = enrol("13900139000")
    who = {"actor": at_till, "at": NOON, "store": riverside}
    theirs = coupons.issue(definition=coupon.definition, member=friend, key="f", **who)
    tries = [
        partner.post(path(loaded_card, "spend"), {"amount_minor": 100, "coupons": [str(theirs)]})
        for _guess in range(11)
    ]

    assert [(one.status_code, one.json()["code"]) for one in tries] == [
        *[(422, "coupon_unknown")] * 10,
        (429, "coupon_too_many_tries"),
    ]
    assert tries[-1]["Retry-After"] == "3600"


# The member's code


def code_of(card: Card) -> str:
    text = Message.objects.filter(member=card.member, cause=Cause.CODE).latest("id").text
    return "".join(char for char in text if char.isdigit())[:6]


@override_config(SPEND_CODE_ABOVE_MINOR=10000)
def test_above_the_limit_the_code_is_asked_sent_checked_once_and_replayed(partner, loaded_card):
    asked = partner.post(path(loaded_card, "spend"), {"amount_minor": 20000})
    sent = partner.post(path(loaded_card, "code"), {})
    body = {"amount_minor": 20000, "code": code_of(loaded_card)}
    paid = partner.post(path(loaded_card, "spend"), body, key="bill")
    again = partner.post(path(loaded_card, "spend"), body, key="bill")

    assert (asked.status_code, asked.json()["code"], asked.json()["above_minor"]) == (
        422,
        "code_required",
        10000,
    )
    assert (sent.status_code, sent.json()) == (202, {"phone": "+86 138****8000", "valid_minutes": 5})
    assert (paid.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true" and again.content == paid.content
    assert Operation.objects.get(kind="spend").request["is_confirmed"] is True
    assert VerificationCode.objects.get().checks == 1, "the replay did not try the code again"


@override_config(SPEND_CODE_ABOVE_MINOR=10000)
def test_a_wrong_code_is_counted_although_the_bill_is_undone(partner, loaded_card):
    partner.post(path(loaded_card, "code"), {})
    wrong = "000000" if code_of(loaded_card) != "000000" else "111111"

    refused = partner.post(path(loaded_card, "spend"), {"amount_minor": 20000, "code": wrong}, key="b")
    again = partner.post(path(loaded_card, "spend"), {"amount_minor": 20000, "code": wrong}, key="b")

    assert (refused.status_code, refused.json()["code"]) == (422, "code_wrong")
    assert again.content == refused.content and FailedCheck.objects.count() == 1
    assert not Operation.objects.filter(kind="spend").exists()


def test_a_second_code_within_a_minute_has_to_wait(partner, loaded_card):
    partner.post(path(loaded_card, "code"), {})

    answer = partner.post(path(loaded_card, "code"), {})

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_codes")
    assert 0 < int(answer["Retry-After"]) <= 60


# Holds


def test_a_hold_is_made_shown_and_captured_by_a_bill(partner, loaded_card):
    made = partner.post(
        path(loaded_card, "holds"), {"amount_minor": 30000, "until": UNTIL, "reason": "Booking 17"}
    ).json()
    where = f"holds/{made['hold']['id']}"
    too_much = partner.post(path(loaded_card, "spend"), {"amount_minor": 20001})
    bill = partner.post(f"{where}/capture", {"amount_minor": 25000})
    twice = partner.post(f"{where}/capture", {"amount_minor": 1})

    assert (made["hold"]["status"], made["hold"]["reason"], made["balances"]["principal_minor"]) == (
        "open",
        "Booking 17",
        50000,
    )
    assert too_much.json()["code"] == "insufficient_balance"
    assert (bill.status_code, bill.json()["balances"]["principal_minor"]) == (201, 25000)
    assert (twice.status_code, twice.json()["code"]) == (422, "hold_ended")
    assert partner.get(where).json()["status"] == "captured"
    assert partner.post(path(loaded_card, "spend"), {"amount_minor": 25000}).status_code == 201


def test_a_hold_is_released_once_and_its_value_is_free(partner, loaded_card):
    made = partner.post(path(loaded_card, "holds"), {"amount_minor": 50000, "until": UNTIL}).json()
    release = f"holds/{made['hold']['id']}/release"

    first = partner.post(release, {}, key="r")
    again = partner.post(release, {}, key="r")
    second = partner.post(release, {})

    assert (first.status_code, first.json()["hold"]["status"]) == (201, "released")
    assert again.content == first.content
    assert (second.status_code, second.json()["code"]) == (422, "hold_ended")
    assert partner.post(path(loaded_card, "spend"), {"amount_minor": 50000}).status_code == 201


def test_a_bill_names_its_hold(partner, loaded_card):
    made = partner.post(path(loaded_card, "holds"), {"amount_minor": 50000, "until": UNTIL}).json()

    paid = partner.post(path(loaded_card, "spend"), {"amount_minor": 50000, "hold": made["hold"]["id"]})

    assert (paid.status_code, Hold.objects.get().status) == (201, "captured")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount_minor": 100, "until": "2020-01-01T00:00:00Z"}, "hold_time_invalid"),
        ({"amount_minor": 50001, "until": UNTIL}, "insufficient_balance"),
        ({"amount_minor": 100, "until": "tomorrow"}, "validation_failed"),
        ({"amount_minor": 100}, "validation_failed"),
    ],
)
def test_holds_that_are_refused(partner, loaded_card, body, code):
    answer = partner.post(path(loaded_card, "holds"), body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Hold.objects.exists()


# Count cards


@pytest.fixture
def washes(li_lei, at_till, riverside) -> Card:
    """Ten washes for 1,000.00."""
    product = CardProduct.objects.create(
        name="Washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100_000,
    )
    who = {"actor": at_till, "at": NOON, "store": riverside}
    card, _ = open_card(key="w", member=li_lei, product=product, **who)
    sell_services(key="ws", card=card, tender=TenderPaid(TenderType.CASH, 100_000), **who)
    return card


def test_services_are_taken_and_returned(partner, washes):
    taken = partner.post(path(washes, "services/take"), {"count": 3}).json()
    back = f"operations/{taken['operation']['id']}/services/return"
    one = partner.post(back, {"count": 1, "note": "Taken by mistake"}).json()
    rest = partner.post(back, {}, key="all")
    again = partner.post(back, {}, key="all")
    none = partner.post(back, {})

    assert (taken["balances"]["services"], one["balances"]["services"]) == (7, 8)
    assert rest.json()["balances"]["services"] == 10 and again.content == rest.content
    assert (none.status_code, none.json()["code"]) == (422, "return_exceeds_taken")
    assert Account.objects.get(card=washes, kind="services").balance == 10


def test_named_people_take_services_and_strangers_do_not(partner, washes, chen):
    son = Sharer.objects.create(card=washes, name="Li Long", added_at=NOON)

    assert partner.get(f"cards/{washes.public_id}").json()["sharers"] == [{"id": son.pk, "name": "Li Long"}]
    assert partner.post(path(washes, "services/take"), {"sharer": son.pk}).status_code == 201
    refused = partner.post(path(washes, "services/take"), {"sharer": son.pk + 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_a_sharer")


@pytest.mark.parametrize("count", [0, -1, 1001, True, "1", 11])
def test_counts_that_are_refused(partner, washes, count):
    assert partner.post(path(washes, "services/take"), {"count": count}).status_code == 422


def test_a_house_card_has_no_services(partner, loaded_card):
    assert partner.post(path(loaded_card, "services/take"), {}).json()["code"] == "wrong_card_kind"
