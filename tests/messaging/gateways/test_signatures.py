"""Signatures of the HTTP providers, by their published vectors and by Twilio's own validator; and what is not one."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from messaging.gateways.aliyun import signature as acs3
from messaging.gateways.aliyun.link import Aliyun
from messaging.gateways.aliyun.settings import AliyunSettings
from messaging.gateways.http import signature as own
from messaging.gateways.tencent import signature as tc3
from messaging.gateways.tencent.link import Tencent
from messaging.gateways.tencent.settings import TencentSettings
from messaging.gateways.twilio import signature as twilio
from tests.messaging.gateways.contract import sms

# help.aliyun.com, "V3 request structure and signature", fixed parameters
ALIYUN_QUERY = {
    "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
    "RegionId": "cn-shanghai",
}
ALIYUN_HEADERS = {
    "host": "ecs.cn-shanghai.aliyuncs.com",
    "x-acs-action": "RunInstances",
    "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
    "x-acs-date": "2023-10-26T10:22:32Z",
    "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
    "x-acs-version": "2014-05-26",
}
ALIYUN_SIGNATURE = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
# cloud.tencent.com, "Signature v3", fixed parameters
TENCENT_SECRET = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
TENCENT_BODY = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
TENCENT_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Host": "cvm.tencentcloudapi.com"}
TENCENT_SIGNATURE = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_aliyuns_published_vector():
    signature = acs3.sign(
        method="POST", query=ALIYUN_QUERY, headers=ALIYUN_HEADERS, secret="YourAccessKeySecret"
    )

    assert signature == ALIYUN_SIGNATURE


def test_tencents_published_vector():
    signature = tc3.sign(
        secret=TENCENT_SECRET,
        headers=TENCENT_HEADERS,
        body=TENCENT_BODY,
        timestamp=1551113065,
        service="cvm",
    )

    assert signature == TENCENT_SIGNATURE


def signed_aliyun():
    headers = ALIYUN_HEADERS | {
        "Authorization": acs3.authorization(
            key_id="K", secret="s", method="POST", query=ALIYUN_QUERY, headers=ALIYUN_HEADERS
        )
    }
    return {"method": "POST", "query": ALIYUN_QUERY, "headers": headers, "secret": "s", "body": b""}


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "t"},
        {"method": "GET"},
        {"query": ALIYUN_QUERY | {"RegionId": "cn-beijing"}},
        {"body": b"more"},
        {"path": "/other"},
        {"headers": {}},
        {"headers": {"Authorization": "ACS3-HMAC-SHA256 Credential=K,SignedHeaders=,Signature="}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_aliyun_what_was_changed_is_not_signed(change):
    assert acs3.verify(**signed_aliyun())
    assert not acs3.verify(**signed_aliyun() | change)


def test_aliyun_a_header_outside_the_list_is_nobodys_word():
    given = signed_aliyun()
    bare = given["headers"]["Authorization"].replace("host;", "")

    assert not acs3.verify(**given | {"headers": given["headers"] | {"Authorization": bare}})


def signed_tencent():
    headers = TENCENT_HEADERS | {"X-TC-Timestamp": "1551113065"}
    headers["Authorization"] = tc3.authorization(
        secret_id="I", secret="s", headers=headers, body=b"{}", timestamp=1551113065
    )
    return {"secret": "s", "headers": headers, "body": b"{}"}


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "t"},
        {"body": b"{ }"},
        {"service": "cvm"},
        {"method": "GET"},
        {"query": "a=1"},
        {"headers": {}},
        {"headers": signed_tencent()["headers"] | {"X-TC-Timestamp": "1551113066"}},
        {"headers": signed_tencent()["headers"] | {"X-TC-Timestamp": "soon"}},
    ],
    ids=str,
)
def test_tencent_what_was_changed_is_not_signed(change):
    assert tc3.verify(**signed_tencent())
    assert not tc3.verify(**signed_tencent() | change)


@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=30))
def test_our_requests_carry_what_they_sign(value):
    """Whatever stands in a value, the query as a server decodes it is the one that was signed."""
    try:
        value.encode()
    except UnicodeEncodeError:
        value = "lone"
    text = sms(1).provider_text.__class__("SMS_1", (("name", value),), "常客")
    asked = Aliyun(AliyunSettings("K", "s", endpoint="http://h:1")).request(
        (sms(1, provider_text=text),), 1.7e9, "n"
    )
    query = dict(parse_qsl(urlsplit(asked.url).query, keep_blank_values=True))
    theirs = Tencent(TencentSettings("I", "s")).request((sms(1, provider_text=text),), 1.7e9, "n")

    assert acs3.verify(method="POST", query=query, headers=asked.headers, secret="s", body=asked.content)
    assert tc3.verify(secret="s", headers=theirs.headers, body=theirs.content)


# ── Twilio's callbacks, judged by Twilio's own code ─────────────────────────────────────────────────────────

URLS = [
    "https://shop.example/hooks/gateways/t0ken/receipts",
    "https://shop.example:443/hooks/gateways/t0ken/receipts",
    "https://shop.example:8443/hooks/x?a=1&b=2",
    "http://shop.example/hooks/x",
    "http://shop.example:80/hooks/x",
]
FORMS = [
    {},
    {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+13105550100"},
    {"Body": "停 & stop = now+", "From": "+13105550100", "Empty": ""},
]


@pytest.mark.parametrize("algorithm", [twilio.HMAC_SHA1, twilio.HMAC_SHA256])
@pytest.mark.parametrize("form", FORMS, ids=len)
@pytest.mark.parametrize("url", URLS)
def test_twilios_validator_and_ours_agree(url, form, algorithm):
    theirs = RequestValidator("12345").compute_signature(url, form, algorithm)

    assert twilio.sign(url=url, params=form, secret="12345", algorithm=algorithm) == theirs
    assert RequestValidator("12345").validate(url, form, theirs, algorithm)
    for spelled in (url, url.replace(":443/", "/"), url.replace(":80/", "/")):
        assert twilio.verify(
            url=spelled, params=form, signature=theirs, secret="12345", algorithm=algorithm
        ) == RequestValidator("12345").validate(spelled, form, theirs, algorithm)


def test_twilios_published_vector():
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }

    assert twilio.sign(url=url, params=form, secret="12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "54321"},
        {"secret": ""},
        {"params": {"MessageSid": "SM2"}},
        {"url": "https://evil.example/"},
        {"algorithm": twilio.HMAC_SHA256},
        {"algorithm": "HMAC_MD5"},
        {"signature": ""},
        {"signature": "é"},
        {"url": "https://[broken"},
    ],
    ids=str,
)
def test_twilio_what_was_changed_is_not_signed(change):
    url, form = URLS[0], {"MessageSid": "SM1"}
    good = {
        "url": url,
        "params": form,
        "secret": "12345",
        "signature": twilio.sign(url=url, params=form, secret="12345"),
    }

    assert twilio.verify(**good)
    assert not twilio.verify(**good | change)


def test_twilio_a_json_body_is_signed_by_its_hash():
    body = b'{"a": 1}'
    url = f"{URLS[0]}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator("12345").compute_signature(url, {})

    assert RequestValidator("12345").validate(url, body.decode(), signature)
    assert twilio.verify(url=url, params={}, signature=signature, secret="12345", body=body)
    assert not twilio.verify(url=url, params={}, signature=signature, secret="12345", body=b"{}")


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("", ("", "HMAC_SHA1")),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", ("webhooks_sharedkey_1", "HMAC_SHA256")),
        ("algorithm=HMAC_SHA1", ("", "HMAC_SHA1")),
        ("key=x", ("x", "HMAC_SHA1")),
        ("nonsense", ("", "HMAC_SHA1")),
    ],
)
def test_twilios_settings_header(header, meant):
    assert twilio.asked_for(header) == meant


# ── our own contract ────────────────────────────────────────────────────────────────────────────────────────


def test_our_own_signature_is_what_the_documents_say():
    expected = hashlib.new("sha256")  # HMAC by hand, from RFC 2104
    key = b"secret".ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + b'1700000000.{"a":1}').digest()
    expected.update(bytes(byte ^ 0x5C for byte in key) + inner)

    signed = own.sign(secret="secret", timestamp=1700000000, body=b'{"a":1}')

    assert signed == f"v1={expected.hexdigest()}"


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"now": 1700000300}, True),
        ({"now": 1700000301}, False),
        ({"now": 1699999699}, False),
        ({"timestamp": "1700000001"}, False),
        ({"timestamp": ""}, False),
        ({"timestamp": "٣"}, False),
        ({"timestamp": "9" * 400}, False),
        ({"body": b"{}"}, False),
        ({"secret": ""}, False),
        ({"signature": "v1="}, False),
        ({"signature": "v1=é"}, False),
    ],
    ids=str,
)
def test_our_own_signature_holds_for_five_minutes(change, is_good):
    good = {
        "secret": "secret",
        "timestamp": "1700000000",
        "body": b'{"a":1}',
        "signature": own.sign(secret="secret", timestamp="1700000000", body=b'{"a":1}'),
        "now": 1700000000.0,
    }

    assert own.verify(**good | change) is is_good
