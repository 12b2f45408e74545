"""Providers at our door: proven, stored, answered after the commit in their own words; everybody else gets nothing."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from twilio.request_validator import RequestValidator

from messaging.enums import GatewayKind, MessageClass
from messaging.gateways.http.signature import sign as sign_own
from messaging.models import Attempt, Gateway, InboundKey, InboundText, Message, Receipt, Suppression
from messaging.secrets import encrypt_secrets
from messaging.states import State
from tests.conftest import NOON
from tests.messaging.domain.desk import message

PUBLIC = "https://shop.example"
TOKEN = "t" * 32


def gateway(kind: str, token: str = TOKEN, *, secrets: dict | None = None, **more) -> Gateway:
    return Gateway.objects.create(
        name=f"{kind} {token[:3]}",
        kind=kind,
        callback_token=token,
        secret=encrypt_secrets(secrets or {}),
        **more,
    )


@pytest.fixture
def aliyun(db):
    return gateway(GatewayKind.ALIYUN)


@pytest.fixture
def tencent(db):
    return gateway(GatewayKind.TENCENT)


@pytest.fixture
def twilio(db):
    return gateway(GatewayKind.TWILIO, secrets={"auth_token": "12345"}, options={"public_url": PUBLIC})


@pytest.fixture
def box(db):
    return gateway(GatewayKind.HTTP, secrets={"secret": "a key of ours, long"}, options={"key_id": "K"})


def accepted(member, by: Gateway, *ids: str) -> Message:
    """A text that this gateway has taken under these ids."""
    text = message(member, MessageClass.NOTIFICATION, NOON)
    attempt = Attempt.objects.create(message=text, number=1, gateway=by, epoch=1, outcome="accepted")
    for number, provider_id in enumerate(ids, 1):
        text.submitted_parts.create(attempt=attempt, gateway=by, part=number, provider_id=provider_id)
    Message.objects.filter(pk=text.pk).update(state="submitting")
    Message.objects.filter(pk=text.pk).update(state="accepted", gateway=by, submitted_at=NOON)
    return text


def path(what: str = "receipts", token: str = TOKEN) -> str:
    return f"/hooks/gateways/{token}/{what}"


def call(what: str, said: object, **more):
    body = said if isinstance(said, bytes) else json.dumps(said)
    return Client().post(path(what), body, content_type="application/json", **more)


def aliyun_report(biz_id: str = "9^0", *, success: bool = True):
    return {
        "phone_number": "13800138000",
        "success": success,
        "err_code": "DELIVERED" if success else "MBBLACK",
        "biz_id": biz_id,
    }


def twilio_call(what: str, form: dict, *, token: str = "12345", algorithm: str | None = None, **headers):
    url = PUBLIC + path(what)
    signature = RequestValidator(token).compute_signature(url, form, algorithm)
    return Client().post(
        path(what),
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature} | headers,
    )


def own_call(what: str, said: object, *, secret: str = "a key of ours, long", key: str = "K", age: int = 0):
    body = json.dumps(said).encode()
    timestamp = int(time.time()) - age
    headers = {
        "Regulars-Key": key,
        "Regulars-Timestamp": str(timestamp),
        "Regulars-Signature": sign_own(secret=secret, timestamp=timestamp, body=body),
    }
    return Client().post(path(what), body, content_type="application/json", headers=headers)


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────


def test_aliyun_a_delivery_is_stored_and_answered_in_aliyuns_words(aliyun, li_lei):
    text = accepted(li_lei, aliyun, "9^0/13800138000")

    answer = call("receipts", [aliyun_report()])

    text.refresh_from_db()
    assert (answer.status_code, answer.json()["code"], text.state) == (200, 0, State.DELIVERED)
    assert json.loads(Receipt.objects.get().raw) == aliyun_report()


def test_tencent_a_failure(tencent, li_lei):
    text = accepted(li_lei, tencent, "S1")

    answer = call(
        "receipts",
        [
            {
                "sid": "S1",
                "mobile": "13800138000",
                "nationcode": "86",
                "report_status": "FAIL",
                "errmsg": "BLACK",
            }
        ],
    )

    text.refresh_from_db()
    assert (answer.json(), text.state) == ({"result": 0, "errmsg": "OK"}, State.UNDELIVERED)


def test_twilio_what_twilios_validator_signs_is_let_in(twilio, li_lei):
    text = accepted(li_lei, twilio, "SM1")

    answer = twilio_call("status", {"MessageSid": "SM1", "MessageStatus": "delivered", "To": li_lei.phone})

    text.refresh_from_db()
    assert (answer.status_code, answer["Content-Type"], text.state) == (200, "text/xml", State.DELIVERED)
    assert answer.content.endswith(b"<Response/>")


def test_our_own_box(box, li_lei):
    text = accepted(li_lei, box, "7")

    answer = own_call("receipts", {"receipts": [{"id": "7", "status": "delivered"}]})

    text.refresh_from_db()
    assert (answer.json(), text.state) == ({"status": "stored"}, State.DELIVERED)


def test_an_unknown_id_is_parked_and_answered_as_good(aliyun):
    answer = call("receipts", [aliyun_report("nobody's")])

    parked = Receipt.objects.get()
    assert (answer.status_code, parked.matched_at, parked.provider_id) == (
        200,
        None,
        "nobody's/13800138000",
    )


def test_another_gateways_id_is_unknown_here(aliyun, li_lei):
    other = gateway(GatewayKind.ALIYUN, "o" * 32)
    text = accepted(li_lei, other, "9^0/13800138000")

    assert call("receipts", [aliyun_report()]).status_code == 200

    text.refresh_from_db()
    assert (text.state, Receipt.objects.get().matched_at) == (State.ACCEPTED, None)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_receipts_in_any_order_and_three_times_end_the_same(twilio, li_lei, order):
    text = accepted(li_lei, twilio, "SM1")
    statuses = ["sent", "undelivered", "delivered", "read"]

    for number in [*order, *order, *order]:
        assert (
            twilio_call("receipts", {"MessageSid": "SM1", "MessageStatus": statuses[number]}).status_code
            == 200
        )

    text.refresh_from_db()
    assert (text.state, Receipt.objects.count()) == (State.DELIVERED, 12)


# ── inbound ─────────────────────────────────────────────────────────────────────────────────────────────────


def aliyun_reply(text: str, sequence: object = 1):
    return {
        "phone_number": "13800138000",
        "content": text,
        "dest_code": "1069",
        "sequence_id": sequence,
    }


def test_a_reply_is_taken_in_once_however_often_it_comes(aliyun, li_lei):
    for _again in range(3):
        assert call("inbound", [aliyun_reply("退订")]).status_code == 200
    call("inbound", [aliyun_reply("退订", "1")])

    li_lei.refresh_from_db()
    assert (InboundText.objects.count(), Suppression.objects.count()) == (1, 1)
    assert not li_lei.has_marketing_consent
    assert json.loads(InboundKey.objects.get().raw)["content"] == "退订"


def test_an_old_start_does_not_undo_a_later_stop(box, li_lei):
    def say(key, text):
        return own_call("inbound", {"texts": [{"id": key, "from": li_lei.phone, "text": text}]})

    for key, text in (("1", "STOP"), ("2", "START"), ("3", "STOP"), ("2", "START")):
        assert say(key, text).status_code == 200

    assert Suppression.objects.filter(lifted_at=None).count() == 1


def test_twilio_an_opt_out_in_words_of_their_own(twilio, li_lei):
    form = {"MessageSid": "SM9", "From": li_lei.phone, "To": "+1", "Body": "kthxbye", "OptOutType": "STOP"}

    assert twilio_call("inbound", form).status_code == 200
    assert Suppression.objects.filter(lifted_at=None).count() == 1


def test_what_could_not_be_stored_is_asked_for_again(aliyun, li_lei):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE messaging_inboundtext ADD CONSTRAINT is_full CHECK (false)")
    assert call("inbound", [aliyun_reply("hello")]).status_code == 503
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE messaging_inboundtext DROP CONSTRAINT is_full")

    assert call("inbound", [aliyun_reply("hello")]).status_code == 200
    assert InboundText.objects.count() == 1


def test_tencent_two_equal_replies_of_different_seconds_are_two(tencent):
    for second in (1, 2, 2):
        call("inbound", {"mobile": "13800138000", "nationcode": "86", "text": "1", "time": second})

    assert InboundText.objects.count() == 2


# ── who is let in ───────────────────────────────────────────────────────────────────────────────────────────


def refused(answer) -> bool:
    nothing = not (Receipt.objects.exists() or InboundText.objects.exists())
    return (answer.status_code, answer.content, nothing) == (401, b"", True)


def test_a_path_that_is_nobodys(aliyun):
    stranger = Client().post(path(token="x" * 32), "[]", content_type="application/json")

    assert refused(stranger)


def test_a_gateway_without_callbacks_has_no_path(db):
    gateway(GatewayKind.SMPP)

    assert refused(call("receipts", [aliyun_report()]))


@pytest.mark.parametrize(
    ("sources", "address", "is_in"),
    [
        ("", "203.0.113.9", True),
        ("203.0.113.0/24 2001:db8::/32", "203.0.113.9", True),
        ("203.0.113.0/24 2001:db8::/32", "2001:db8::1", True),
        ("203.0.113.0/24", "::ffff:203.0.113.9", True),
        ("203.0.113.0/24", "198.51.100.1", False),
        ("203.0.113.0/24", "", False),
    ],
)
def test_only_from_where_it_may(aliyun, sources, address, is_in):
    Gateway.objects.update(callback_sources=sources)

    answer = call("receipts", [aliyun_report()], REMOTE_ADDR=address)

    assert answer.status_code == (200 if is_in else 401)


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "another key of ours"},
        {"key": "L"},
        {"age": 301},
        {"age": -301},
    ],
    ids=str,
)
def test_our_own_contract_signs_or_stays_outside(box, change):
    assert refused(own_call("receipts", {"receipts": [{"id": "7", "status": "delivered"}]}, **change))


STATUS = {"MessageSid": "SM1", "MessageStatus": "delivered"}


def test_twilio_another_token_stays_outside(twilio):
    assert refused(twilio_call("receipts", STATUS, token="54321"))


def test_twilio_a_signature_for_another_address_stays_outside(twilio):
    Gateway.objects.update(options={"public_url": "https://other.example"})

    assert refused(twilio_call("receipts", STATUS))


@pytest.mark.parametrize(
    ("token", "algorithm", "header", "is_in"),
    [
        ("sh4red", "HMAC_SHA256", "key=k1,algorithm=HMAC_SHA256", True),
        ("sh4red", "HMAC_SHA1", "key=k1,algorithm=HMAC_SHA1", False),
        ("12345", None, "", False),
        ("12345", "HMAC_SHA256", "key=k1,algorithm=HMAC_SHA256", False),
        ("sh4red", "HMAC_SHA256", "key=k2,algorithm=HMAC_SHA256", False),
        ("sh4red", "HMAC_SHA256", "key=k1,algorithm=HMAC_MD5", False),
    ],
)
def test_twilio_our_key_decides_the_form_never_the_request(twilio, token, algorithm, header, is_in):
    Gateway.objects.update(
        secret=encrypt_secrets({"auth_token": "12345", "shared_key": "sh4red"}),
        options={"public_url": PUBLIC, "shared_key_id": "k1"},
    )

    answer = twilio_call(
        "receipts",
        STATUS,
        token=token,
        algorithm=algorithm,
        **{"X-Twilio-Webhooks-Signature-Settings": header},
    )

    assert answer.status_code == (200 if is_in else 401)


def test_twilio_without_a_shared_key_the_new_form_is_nobodys(twilio):
    header = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=HMAC_SHA256"}

    assert refused(twilio_call("receipts", STATUS, algorithm="HMAC_SHA256", **header))


def test_secrets_that_cannot_be_read_let_nobody_in(twilio):
    Gateway.objects.update(secret="gone")

    assert refused(twilio_call("receipts", STATUS, token=""))


# ── what is let in ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", ["receipts", "inbound", "status"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"[{}]", b"\xff", b"[" * 50_000], ids=lambda body: repr(body[:9])
)
def test_nonsense_is_told_so_and_nothing_of_it_is_taken(aliyun, what, body):
    assert call(what, body).status_code == 400
    assert not Receipt.objects.exists()


def test_one_bad_item_spoils_the_call(aliyun):
    assert call("receipts", [aliyun_report(), {}]).status_code == 400
    assert not Receipt.objects.exists()


def test_too_much_is_not_even_read(aliyun):
    assert call("receipts", b"[" + b" " * 1_000_000 + b"]").status_code == 413
    assert call("receipts", b"[]" + b" " * 999_998).status_code == 200


def test_only_post(aliyun):
    assert Client().get(path()).status_code == 405


def test_no_browsers_token_is_asked_for(aliyun):
    answer = Client(enforce_csrf_checks=True).post(
        path(), json.dumps([aliyun_report()]), content_type="application/json"
    )

    assert answer.status_code == 200


def test_a_thousand_receipts_cost_as_many_statements_as_one(aliyun, django_assert_num_queries):
    def post(count):
        with django_assert_num_queries(4):  # the gateway, the receipts, and a savepoint's two
            call("receipts", [aliyun_report(f"b{count}-{number}") for number in range(count)])

    post(1)
    post(1000)
    assert Receipt.objects.count() == 1001


def test_a_key_of_any_length_is_kept_as_its_digest(aliyun):
    call("inbound", [aliyun_reply("hello", "k" * 5_000)])

    assert bytes(InboundKey.objects.get().digest) == hashlib.sha256(b"k" * 5_000).digest()


@pytest.mark.parametrize("length", ["²", "-1", "1e3", "9" * 13])
def test_a_length_that_is_none_is_refused(db, length):
    browser = Client(raise_request_exception=False)

    answer = browser.generic("POST", "/hooks/gateways/nobody/receipts", b"x", CONTENT_LENGTH=length)

    assert answer.status_code == 413
