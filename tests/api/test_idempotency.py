"""One intent, one effect, one answer: also when it is sent twice at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from crm.api.models import IdempotentRequest
from members.models import Account, Member, MembershipEvent, Operation


def balance(card) -> int:
    return sum(Account.objects.filter(card=card).values_list("balance", flat=True))


def test_the_same_request_again_gets_the_same_bytes(partner, loaded_card):
    path = f"cards/{loaded_card.public_id}/spend"

    first = partner.post(path, {"amount_minor": 12000}, "bill-1")
    second = partner.post(path, {"amount_minor": 12000}, "bill-1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert balance(loaded_card) == 38000


def test_the_order_of_members_is_not_a_difference(partner, loaded_card):
    path = f"cards/{loaded_card.public_id}/spend"
    partner.send(path, b'{"amount_minor": 100, "note": "tea"}', **{"Idempotency-Key": "bill-1"})

    again = partner.send(path, b'{"note":"tea","amount_minor":100}', **{"Idempotency-Key": "bill-1"})

    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "differing"),
    [
        ({"amount_minor": 12001}, ["/amount_minor"]),
        ({"amount_minor": 12000, "note": "tea"}, ["/note"]),
        (
            {"amount_minor": 12000, "tenders": [{"type": "cash", "amount_minor": 1}]},
            ["/tenders/0/amount_minor", "/tenders/0/type"],
        ),
    ],
)
def test_another_body_under_the_same_key_is_refused_naming_what_differs(
    partner, loaded_card, body, differing
):
    path = f"cards/{loaded_card.public_id}/spend"
    partner.post(path, {"amount_minor": 12000}, "bill-1")

    response = partner.post(path, body, "bill-1")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reuse")
    assert [error["pointer"] for error in response.json()["errors"]] == differing
    assert balance(loaded_card) == 38000


def test_another_address_under_the_same_key_is_refused(partner, loaded_card):
    partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 100}, "k")

    response = partner.post(
        "events", {"type": "call_missed", "phone": "13800138000", "data": {"called": "1"}}, "k"
    )

    assert response.json()["code"] == "idempotency_key_reuse"
    assert "path" in [error["pointer"] for error in response.json()["errors"]]


def test_the_same_key_of_another_system_is_another_intent(partner, group, loaded_card, riverside):
    path = f"cards/{loaded_card.public_id}/spend"

    answers = [
        partner.post(path, {"amount_minor": 100}, "k"),
        group.post(path, {"amount_minor": 100, "store": str(riverside.public_id)}, "k"),
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert balance(loaded_card) == 49800


def test_a_rules_refusal_is_kept_and_does_not_turn_into_a_success(partner, loaded_card):
    spend, recharge = (f"cards/{loaded_card.public_id}/{verb}" for verb in ("spend", "recharge"))
    first = partner.post(spend, {"amount_minor": 60000}, "bill-1")
    partner.post(recharge, {"amount_minor": 50000, "tender": "cash"})

    again = partner.post(spend, {"amount_minor": 60000}, "bill-1")

    assert (first.status_code, first.json()["code"]) == (422, "insufficient_balance")
    assert (first.json()["available_minor"], first.json()["errors"][0]["pointer"]) == (50000, "/amount_minor")
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert again["Content-Type"] == "application/problem+json"
    assert not Operation.objects.filter(key="bill-1").exists()
    assert balance(loaded_card) == 100000


def test_an_unknown_member_is_not_remembered_so_the_fact_can_be_told_after_enrolling(partner, enrol):
    arrival = {"type": "customer_arrived", "phone": "13900139000", "data": {"place": "Lobby"}}
    first = partner.post("events", arrival, "visit-1")
    enrol("13900139000")

    again = partner.post("events", arrival, "visit-1")

    assert (first.status_code, first.json()["code"]) == (404, "member_not_found")
    assert again.status_code == 201


def test_no_phone_is_kept_with_the_key(partner, riverside):
    body = {"phone": "13900139000", "consents": {"service": True, "marketing": False}}
    partner.post("members", body, "enrol-1")

    assert "13900139000" not in str(IdempotentRequest.objects.get().fingerprint)


def at_once(count: int, deed) -> list:
    """Let `count` threads do the same thing at the same moment, each on its own database connection."""
    barrier = threading.Barrier(count)

    def run(number: int):
        barrier.wait()
        try:
            return deed(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_eight_at_once_with_one_key_have_one_effect(busy_shop):
    partner, card = busy_shop
    path = f"cards/{card.public_id}/spend"

    answers = at_once(8, lambda _: partner.post(path, {"amount_minor": 12000}, "bill-1"))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted("Idempotent-Replayed" in answer for answer in answers) == [False] + [True] * 7
    assert balance(card) == 38000


def test_eight_at_once_with_one_key_and_two_bodies(busy_shop):
    partner, card = busy_shop
    path = f"cards/{card.public_id}/spend"

    answers = at_once(8, lambda n: partner.post(path, {"amount_minor": 1000 + n % 2}, "bill-1"))

    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [422] * 4
    assert Operation.objects.filter(key="bill-1").count() == 1


def test_eight_bills_at_once_never_overdraw(busy_shop):
    partner, card = busy_shop
    path = f"cards/{card.public_id}/spend"

    answers = at_once(8, lambda n: partner.post(path, {"amount_minor": 12000}, f"bill-{n}"))

    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [422] * 4
    assert balance(card) == 2000


def test_one_fact_told_at_once_under_two_keys_happens_once(busy_shop):
    partner, card = busy_shop
    fact = {"type": "customer_arrived", "phone": "13800138000", "key": "visit-1", "data": {"place": "Lobby"}}

    answers = at_once(4, lambda n: partner.post("events", fact, f"try-{n}"))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert MembershipEvent.objects.filter(type="customer_arrived").count() == 1


def test_one_number_enrolled_at_once_by_two_intents_is_one_member(busy_shop):
    partner, _card = busy_shop
    body = {"phone": "13900139000", "consents": {"service": True, "marketing": False}}

    answers = at_once(4, lambda n: partner.post("members", body, f"enrol-{n}"))

    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert Member.objects.filter(phone="+8613900139000").count() == 1


def test_while_the_first_is_still_at_work_the_second_is_told_to_wait(busy_shop):
    partner, card = busy_shop
    with transaction.atomic():
        IdempotentRequest.objects.create(api_key=partner.key, key="bill-1", fingerprint={})

        second = at_once(
            1, lambda _: partner.post(f"cards/{card.public_id}/spend", {"amount_minor": 1}, "bill-1")
        )[0]

    assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
    assert second["Retry-After"] == "1"


def test_a_card_locked_for_too_long_answers_busy_and_changes_nothing(busy_shop):
    partner, card = busy_shop
    with transaction.atomic():
        list(Account.objects.select_for_update().filter(card=card))

        answer = at_once(
            1, lambda _: partner.post(f"cards/{card.public_id}/spend", {"amount_minor": 1}, "b")
        )[0]

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")
    assert not IdempotentRequest.objects.exists()
