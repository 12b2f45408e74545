"""Every refusal is a problem with a stable code; nothing bad gets a 5xx or leaves a trace."""

import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from members.models import MembershipEvent, Operation
from messaging.models import Message

ARRIVAL = b'{"type": "customer_arrived", "phone": "13800138000", "data": {"place": "Lobby"}}'


def problem(response) -> dict:
    assert response["Content-Type"] == "application/problem+json"
    told = json.loads(response.content)
    assert told["status"] == response.status_code
    assert told["request_id"] == response["X-Request-ID"]
    assert told["type"] == f"urn:regulars:problem:{told['code']}"
    return told


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "body_required"),
        (b"{", 400, "malformed_json"),
        (b"\xef\xbb\xbf{}", 400, "malformed_json"),
        (b'{"type": "customer_arrived", "type": "call_missed"}', 400, "duplicate_key"),
        (b'{"data": {"a": 1, "a": 1}}', 400, "duplicate_key"),
        (b'{"data": NaN}', 400, "number_not_finite"),
        (b'{"data": -Infinity}', 400, "number_not_finite"),
        (b'{"data": 1e400}', 400, "number_not_finite"),
        (b'{"data": ' + b"9" * 21 + b"}", 400, "number_too_large"),
        (b'{"data": ' + b"9" * 5000 + b"}", 400, "number_too_large"),
        (b'{"phone": "\\u0000"}', 400, "nul_character"),
        (b'{"\\u0000": 1}', 400, "nul_character"),
        (b'{"phone": "\\ud800"}', 400, "half_character"),
        (b'{"phone": "\xff"}', 400, "bad_utf8"),
        (b"[" * 9 + b"]" * 9, 400, "too_deep"),
        (b"[" * 30_000, 400, "too_deep"),
        (b'{"a":' * 10_000, 400, "too_deep"),
        (b'"' + b"x" * 65_536 + b'"', 413, "body_too_large"),
        (b"[]", 422, "validation_failed"),
        (b"null", 422, "validation_failed"),
        (b'"text"', 422, "validation_failed"),
        (b"{}", 422, "validation_failed"),
    ],
)
def test_bodies_that_cannot_be_taken(partner, raw, status, code):
    response = partner.send("events", raw, **{"Idempotency-Key": "k"})

    assert (response.status_code, problem(response)["code"]) == (status, code)


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(partner, media_type):
    response = partner.send("events", ARRIVAL, media_type, **{"Idempotency-Key": "k"})

    assert (response.status_code, problem(response)["code"]) == (415, "unsupported_media_type")


def test_only_json_is_given(partner):
    response = partner.get("stores", Accept="text/html")

    assert (response.status_code, problem(response)["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "key_required"),
        ("Bearer abc", "key_required"),
        ("Api-Key", "key_invalid"),
        ("Api-Key x", "key_invalid"),
        ("Api-Key abcdefgh." + "x" * 32, "key_invalid"),
        ("Api-Key ａｂｃｄｅｆｇｈ." + "x" * 32, "key_invalid"),
        ("Api-Key \x01bcdefgh." + "x" * 32, "key_invalid"),
    ],
)
def test_without_a_valid_key(db, header, code):
    response = Client().get("/api/v1/stores", headers={"Authorization": header.encode().decode("latin-1")})

    assert (response.status_code, problem(response)["code"]) == (401, code)
    assert response["WWW-Authenticate"] == "Api-Key"
    assert "xxxx" not in response.content.decode()


def test_a_key_with_the_right_prefix_and_a_wrong_secret(partner):
    wrong = partner.secret[:-1] + ("a" if partner.secret[-1] != "a" else "b")

    response = Client().get("/api/v1/stores", headers={"Authorization": f"Api-Key {wrong}"})

    assert (response.status_code, problem(response)["code"]) == (401, "key_invalid")


def test_a_revoked_key_is_dead_at_once(partner):
    partner.key.revoked = True
    partner.key.save()

    assert problem(partner.get("stores"))["code"] == "key_invalid"


def test_an_expired_key_is_dead(partner, noon):
    partner.key.expiry_date = noon.replace(year=2020)
    partner.key.save()

    assert problem(partner.get("stores"))["code"] == "key_invalid"


def test_a_key_without_stores(partner):
    partner.key.stores.clear()

    response = partner.get("stores")

    assert (response.status_code, problem(response)["code"]) == (403, "key_without_stores")


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/stores",
        "/api/v1/stores/",
        "/api/v1/members/1",
        "/api/v1/members/%00",
        "/api/v1/members/00000000-0000-0000-0000-000000000000x",
        "/api/docs/../secret",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_addresses_that_are_none(db, path, method):
    response = getattr(Client(), method)(path)

    assert (response.status_code, problem(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "events", "POST"),
        ("get", "events", "POST"),
        ("delete", "members", "GET, POST, HEAD"),
        ("options", "stores", "GET, HEAD"),
        ("patch", "stores", "GET, HEAD"),
    ],
)
def test_methods_that_are_not_spoken(partner, method, path, allowed):
    response = getattr(partner.client, method)(f"/api/v1/{path}")

    assert (response.status_code, problem(response)["code"]) == (405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == set(allowed.split(", "))


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("phone=abc", "?phone", "phone_invalid"),
        ("phone=%00", "?phone", "unseen_character"),
        ("limit=0", "?limit", "min_value"),
        ("limit=101", "?limit", "max_value"),
        ("limit=x", "?limit", "invalid"),
        ("limit=%EF%BC%91", "?limit", "invalid"),
        ("colour=red", "?colour", "unknown_field"),
        ("after=zzz", "?after", "cursor_invalid"),
        ("after=1~forged", "?after", "cursor_invalid"),
    ],
)
def test_queries_that_are_not_documented(partner, query, pointer, code):
    response = partner.get(f"members?{query}")

    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in problem(response)["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "idempotency_key_required"),
        ("x" * 129, "idempotency_key_invalid"),
        ("two words", "idempotency_key_invalid"),
        ("schlüssel", "idempotency_key_invalid"),
    ],
)
def test_a_write_needs_an_idempotency_key(partner, li_lei, key, code):
    response = partner.send("events", ARRIVAL, **{"Idempotency-Key": key})

    assert (response.status_code, problem(response)["code"]) == (400, code)
    assert not MembershipEvent.objects.filter(type="customer_arrived").exists()


@pytest.mark.parametrize(
    "amount",
    ["0", "-5", "1000000001", "10.5", "10.0", '"500"', "true", "null", '"１００"', "[]", "{}", "1e3"],
)
@pytest.mark.parametrize("verb", ["recharge", "spend"])
def test_amounts_that_are_none(partner, loaded_card, verb, amount):
    deeds, texts = Operation.objects.count(), Message.objects.count()
    tender = ', "tender": "cash"' if verb == "recharge" else ""

    raw = f'{{"amount_minor": {amount}{tender}}}'.encode()
    response = partner.send(f"cards/{loaded_card.public_id}/{verb}", raw, **{"Idempotency-Key": "k"})

    assert response.status_code == 422
    assert [error["pointer"] for error in problem(response)["errors"]] == ["/amount_minor"]
    assert (Operation.objects.count(), Message.objects.count()) == (deeds, texts)


@pytest.mark.parametrize("amount", ["NaN", "1e400", "Infinity", "9" * 40, "01", "１００", "0x10", "1_000"])
def test_amounts_that_are_not_even_json(partner, loaded_card, amount):
    raw = f'{{"amount_minor": {amount}}}'.encode()

    response = partner.send(f"cards/{loaded_card.public_id}/spend", raw, **{"Idempotency-Key": "k"})

    assert response.status_code == 400


def test_a_problem_speaks_the_callers_language(partner):
    response = partner.get("members/00000000-0000-0000-0000-000000000000")

    assert problem(response)["detail"] == "There is nothing here that this key may see."


_DATABASE_DOWN = """
import django; django.setup()
from django.test import Client
key = {"Authorization": "Api-Key abcdefgh." + "x" * 32}
answer = Client(SERVER_NAME="localhost").get("/api/v1/stores", headers=key)
print(answer.status_code, answer["Content-Type"], answer["Retry-After"], answer.json()["code"])
"""


def test_without_the_database():
    nowhere = {"REGULARS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    environment = os.environ | nowhere | {"DJANGO_SETTINGS_MODULE": "crm.settings"}

    run = subprocess.run(
        [sys.executable, "-c", _DATABASE_DOWN], env=environment, capture_output=True, text=True, timeout=60
    )

    assert run.stdout.split() == ["503", "application/problem+json", "2", "database_unavailable"]
