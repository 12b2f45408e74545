"""Case tables: what each provider's answer means for each message, what its reports and replies say."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from messaging.gateways.aliyun import answers as aliyun
from messaging.gateways.aliyun import callbacks as aliyun_calls
from messaging.gateways.aliyun.link import Aliyun
from messaging.gateways.aliyun.settings import AliyunSettings
from messaging.gateways.base import ProviderText
from messaging.gateways.callbacks import CallbackUnreadable
from messaging.gateways.http import answers as http
from messaging.gateways.http import callbacks as http_calls
from messaging.gateways.http.link import Http
from messaging.gateways.http.settings import HttpSettings
from messaging.gateways.tencent import answers as tencent
from messaging.gateways.tencent import callbacks as tencent_calls
from messaging.gateways.tencent.link import Tencent
from messaging.gateways.tencent.settings import TencentSettings
from messaging.gateways.twilio import answers as twilio
from messaging.gateways.twilio import callbacks as twilio_calls
from messaging.gateways.twilio.link import Twilio
from messaging.gateways.twilio.settings import TwilioSettings
from messaging.gateways.web import Unaskable, WebAnswer
from messaging.states import Reason
from tests.messaging.gateways.contract import PHONES, sms


def answer(said: object, status: int = 200) -> WebAnswer:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return WebAnswer(status, {}, body)


# ── codes ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "message", "outcome", "reason"),
    [
        ("OK", "OK", "accepted", ""),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", "retry", "provider_limit"),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", "permanent", "provider_limit"),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", "permanent", "provider_limit"),
        ("isv.MOBILE_NUMBER_ILLEGAL", "", "permanent", "bad_number"),
        ("isv.BLACK_KEY_CONTROL_LIMIT", "", "permanent", "opted_out"),
        ("isv.SMS_TEMPLATE_ILLEGAL", "", "permanent", "no_template"),
        ("isv.SMS_SIGNATURE_ILLEGAL", "", "permanent", "sender_refused"),
        ("isv.PARAM_NOT_SUPPORT_URL", "", "permanent", "content_refused"),
        ("isv.AMOUNT_NOT_ENOUGH", "", "stop_bind", "account_stopped"),
        ("isv.ACCOUNT_SOMETHING_NEW", "", "stop_bind", "account_stopped"),
        ("isv.MONTH_LIMIT_CONTROL", "", "stop_bind", "account_stopped"),
        ("SignatureDoesNotMatch", "", "stop_bind", ""),
        ("InvalidAccessKeyId.NotFound", "", "stop_bind", ""),
        ("Throttling.User", "", "throttle", "throttled"),
        ("isp.SYSTEM_ERROR", "", "retry", "gateway_refused"),
        ("ServiceUnavailable", "", "retry", "gateway_refused"),
        ("isv.SOMETHING_NEW", "", "permanent", "gateway_refused"),
    ],
)
def test_aliyun_codes(code, message, outcome, reason):
    (verdict,) = aliyun.read_answer([sms(1)], answer({"Code": code, "Message": message, "BizId": "B"}))

    assert (verdict.ruling.outcome, verdict.ruling.reason, verdict.raw) == (outcome, reason, code)
    assert aliyun.submit_action(code, message) == outcome
    assert verdict.provider_id == ("B/13800138000" if outcome == "accepted" else None)


TENCENT_CODES = [
    ("FailedOperation.MarketingSendTimeConstraint", "retry", "quiet_hours"),
    ("FailedOperation.PhoneNumberInBlacklist", "permanent", "opted_out"),
    ("FailedOperation.ContainSensitiveWord", "permanent", "content_refused"),
    ("FailedOperation.SignatureIncorrectOrUnapproved", "permanent", "sender_refused"),
    ("FailedOperation.TemplateUnapprovedOrNotExist", "permanent", "no_template"),
    ("FailedOperation.InsufficientBalanceInSmsPackage", "stop_bind", "account_stopped"),
    ("InvalidParameterValue.TemplateParameterLengthLimit", "permanent", "content_refused"),
    ("InvalidParameterValue.UnsupportedTemplateVariable", "permanent", "no_template"),
    ("InvalidParameterValue.IncorrectPhoneNumber", "permanent", "bad_number"),
    ("LimitExceeded.PhoneNumberThirtySecondLimit", "retry", "provider_limit"),
    ("LimitExceeded.PhoneNumberDailyLimit", "permanent", "provider_limit"),
    ("RequestLimitExceeded", "throttle", "throttled"),
    ("RequestLimitExceeded.UinLimitExceeded", "throttle", "throttled"),
    ("InternalError.SendAndRecvFail", "uncertain", ""),
    ("InternalError.Timeout", "uncertain", ""),
    ("InternalError.BrandNew", "uncertain", ""),
    ("AuthFailure.SignatureFailure", "stop_bind", ""),
    ("Whatever.Next", "permanent", "gateway_refused"),
]


@pytest.mark.parametrize(
    ("is_whole", "code", "outcome", "reason"),
    [
        (False, "Ok", "accepted", ""),
        *((is_whole, *case) for case in TENCENT_CODES for is_whole in (False, True)),
    ],
)
def test_tencent_codes_of_a_number_and_of_a_request(is_whole, code, outcome, reason):
    status = {"SerialNo": "S1", "PhoneNumber": PHONES[0], "Code": code}
    said = {"Error": {"Code": code, "Message": ""}} if is_whole else {"SendStatusSet": [status]}

    (verdict,) = tencent.read_answer([sms(1)], answer({"Response": said | {"RequestId": "R"}}))

    assert (verdict.ruling.outcome, verdict.ruling.reason, verdict.raw) == (outcome, reason, code)
    assert tencent.submit_action(code) == outcome
    assert verdict.provider_id == ("S1" if outcome == "accepted" else None)


def test_tencent_each_number_of_a_batch_has_its_own_code():
    statuses = [
        {"SerialNo": "", "PhoneNumber": PHONES[1], "Code": "FailedOperation.PhoneNumberInBlacklist"},
        {"SerialNo": "S9", "PhoneNumber": PHONES[0], "Code": "Ok"},
    ]
    batch = [sms(number, phone) for number, phone in enumerate(PHONES, 1)]

    verdicts = tencent.read_answer(batch, answer({"Response": {"SendStatusSet": statuses}}))

    assert [verdict.ruling.outcome for verdict in verdicts] == ["accepted", "permanent", "uncertain"]
    assert [verdict.provider_id for verdict in verdicts] == ["S9", None, None]


@pytest.mark.parametrize(
    ("status", "code", "outcome", "reason"),
    [
        (429, 20429, "throttle", "throttled"),
        (400, 21211, "permanent", "bad_number"),
        (400, 21610, "permanent", "opted_out"),
        (400, 21606, "permanent", "sender_refused"),
        (400, 21617, "permanent", "too_long"),
        (400, 30007, "permanent", "content_refused"),
        (400, 30610, "retry", "quiet_hours"),
        (401, 20003, "stop_bind", ""),
        (403, 20005, "stop_bind", "account_stopped"),
        (400, 99999, "permanent", "gateway_refused"),
        (429, 99999, "throttle", ""),
        (400, 30008, "uncertain", ""),
        (500, 20500, "uncertain", ""),
        (503, 99999, "uncertain", ""),
    ],
)
def test_twilio_codes(status, code, outcome, reason):
    verdict = twilio.read_answer(answer({"code": code, "message": "x", "status": status}, status))

    assert (verdict.ruling.outcome, verdict.ruling.reason, verdict.provider_id) == (outcome, reason, None)


@pytest.mark.parametrize("status", ["queued", "accepted", "sending", "failed"])
def test_twilio_took_what_it_gave_a_sid(status):
    verdict = twilio.read_answer(answer({"sid": "SM1", "status": status}, 201))

    assert (verdict.ruling.outcome, verdict.provider_id) == ("accepted", "SM1")


@pytest.mark.parametrize(
    ("said", "status", "outcome", "raw"),
    [
        ({"status": "accepted", "id": "7"}, 202, "accepted", "accepted"),
        ({"status": "accepted", "id": "7"}, 500, "uncertain", "HTTP 500 accepted"),
        ({"status": "try_later"}, 503, "retry", "try_later"),
        ({"status": "opted_out"}, 422, "permanent", "opted_out"),
        ({"status": "in_the_post"}, 200, "uncertain", "in_the_post"),
        ({}, 200, "uncertain", "HTTP 200"),
        ([], 429, "throttle", "HTTP 429"),
        (b"", 401, "stop_bind", "HTTP 401"),
        (b"<html>", 404, "stop_bind", "HTTP 404"),
        (b"moved", 302, "stop_bind", "HTTP 302"),
        (b"", 408, "retry", "HTTP 408"),
        (b"", 400, "permanent", "HTTP 400"),
        (b"", 502, "uncertain", "HTTP 502"),
        (b"[" * 100_000, 200, "uncertain", "HTTP 200"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_our_own_contract(said, status, outcome, raw):
    verdict = http.read_answer(answer(said, status))

    assert (verdict.ruling.outcome, verdict.raw) == (outcome, raw)


# ── requests ────────────────────────────────────────────────────────────────────────────────────────────────


def test_aliyun_sends_a_template_its_values_and_the_number_as_aliyun_writes_it():
    asked = Aliyun(AliyunSettings("K", "s")).request((sms(7),), 1764000000, "nonce")

    query = dict(parse_qsl(urlsplit(asked.url).query))
    assert query == {
        "PhoneNumbers": "13800138000",
        "SignName": "常客",
        "TemplateCode": "SMS_1",
        "TemplateParam": '{"name":"Li Lei"}',
        "OutId": "7",
    }
    assert (asked.headers["x-acs-action"], asked.headers["x-acs-version"]) == ("SendSms", "2017-05-25")
    assert (asked.headers["x-acs-date"], asked.content) == ("2025-11-24T16:00:00Z", b"")


def test_aliyun_puts_one_template_in_one_request_if_it_may():
    provider = Aliyun(AliyunSettings("K", "s", batch_max=3))
    other = ProviderText("SMS_2", (), "常客")
    texts = [
        sms(1, PHONES[0]),
        sms(2, PHONES[1]),
        sms(3, PHONES[0]),
        sms(4, PHONES[2], provider_text=other),
        sms(5, PHONES[2], message_class="verification"),
    ]

    batches = [[text.attempt_id for text in batch] for batch in provider.batches(texts)]
    asked = provider.request((texts[0], texts[1]), 1764000000, "nonce")

    assert sorted(batches) == [[1, 2], [3], [4], [5]], "a number comes once in a request, a code goes alone"
    assert dict(parse_qsl(asked.content.decode())) == {
        "PhoneNumberJson": '["13800138000","13900139000"]',
        "SignNameJson": '["常客","常客"]',
        "TemplateParamJson": '[{"name":"Li Lei"},{"name":"Li Lei"}]',
    }
    assert urlsplit(asked.url).query == "TemplateCode=SMS_1"


def test_aliyun_one_bad_number_of_a_batch_blames_no_other():
    batch = [sms(1, PHONES[0]), sms(2, PHONES[1])]

    assert aliyun.read_answer(batch, answer({"Code": "isv.MOBILE_NUMBER_ILLEGAL"})) is None
    stopped = aliyun.read_answer(batch, answer({"Code": "isv.AMOUNT_NOT_ENOUGH"}))
    assert [verdict.ruling.outcome for verdict in stopped] == ["stop_bind", "stop_bind"]


def test_tencent_sends_values_in_order():
    text = ProviderText("1110", (("1", "482915"), ("2", "5")), "常客")
    asked = Tencent(TencentSettings("I", "s", "1400")).request(
        (sms(7, provider_text=text),), 1764000000.9, ""
    )

    assert json.loads(asked.content) == {
        "PhoneNumberSet": ["+8613800138000"],
        "SmsSdkAppId": "1400",
        "TemplateId": "1110",
        "SignName": "常客",
        "TemplateParamSet": ["482915", "5"],
        "SessionContext": "7",
    }
    assert (asked.headers["X-TC-Action"], asked.headers["X-TC-Timestamp"]) == ("SendSms", "1764000000")


def test_tencent_shares_a_request_only_among_equal_texts_of_one_shore():
    provider = Tencent(TencentSettings("I", "s", "1400"))
    other = ProviderText("SMS_1", (("name", "Han"),), "常客")
    texts = [
        sms(1, PHONES[0]),
        sms(2, PHONES[1]),
        sms(3, PHONES[2], provider_text=other),
        sms(4, "+85251234567"),
    ]

    batches = [[text.attempt_id for text in batch] for batch in provider.batches(texts)]

    assert sorted(batches) == [[1, 2], [3], [4]]


@pytest.mark.parametrize(
    "provider",
    [Aliyun(AliyunSettings("K", "s")), Tencent(TencentSettings("I", "s"))],
    ids=["aliyun", "tencent"],
)
def test_without_a_provider_template_nothing_is_asked(provider):
    with pytest.raises(Unaskable) as problem:
        provider.request((sms(1, provider_text=None),), 1764000000, "nonce")

    assert problem.value.reason == Reason.NO_TEMPLATE


def twilio_form(text, **settings):
    asked = Twilio(TwilioSettings("AC1", "token", **settings)).request((text,), 1764000000, "")
    assert asked.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    return dict(parse_qsl(asked.content.decode()))


def test_twilio_sends_the_words_as_they_were_approved():
    form = twilio_form(
        sms(1, validity_seconds=99_999), status_callback="https://shop.example/hooks/gateways/t/status"
    )

    assert form == {
        "To": "+8613800138000",
        "From": "+15005550006",
        "Body": "Dear Li Lei",
        "StatusCallback": "https://shop.example/hooks/gateways/t/status",
        "ValidityPeriod": "36000",
        "SmartEncoded": "false",
    }


def test_twilio_a_messaging_service_stands_for_the_sender():
    form = twilio_form(sms(1), messaging_service_sid="MG1", is_smart_encoded=True)

    assert (form["MessagingServiceSid"], form["SmartEncoded"], "From" in form) == ("MG1", "true", False)


def test_twilio_refuses_what_twilio_would_cut():
    with pytest.raises(Unaskable) as problem:
        twilio_form(sms(1, text="x" * 1601))

    assert problem.value.reason == Reason.TOO_LONG


def test_our_own_contract_says_all_there_is():
    asked = Http(HttpSettings("https://box.example/sms/", "K", "s")).request((sms(7),), 1764000000, "")

    assert asked.url == "https://box.example/sms/messages"
    assert json.loads(asked.content) == {
        "id": "7",
        "to": "+8613800138000",
        "from": "+15005550006",
        "text": "Dear Li Lei",
        "class": "notification",
        "encoding": "GSM-7",
        "parts": 1,
        "valid_seconds": None,
        "template": {"code": "SMS_1", "signature": "常客", "values": {"name": "Li Lei"}},
    }


# ── reports and replies ─────────────────────────────────────────────────────────────────────────────────────

ALIYUN_REPORT = {
    "phone_number": "13800138000",
    "send_time": "2026-11-20 12:00:00",
    "report_time": "2026-11-20 12:00:03",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "9006^0",
    "out_id": "7",
}
TENCENT_REPORT = {
    "user_receive_time": "2026-11-20 12:00:03",
    "nationcode": "86",
    "mobile": "13800138000",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "ok",
    "sid": "S1",
}


@pytest.mark.parametrize(
    ("read", "body", "expected"),
    [
        (aliyun_calls, [ALIYUN_REPORT], ("9006^0/13800138000", "delivered", True, "DELIVERED")),
        (
            aliyun_calls,
            [ALIYUN_REPORT | {"success": "false", "err_code": "MBBLACK"}],
            ("9006^0/13800138000", "undelivered", True, "MBBLACK"),
        ),
        (tencent_calls, [TENCENT_REPORT], ("S1", "delivered", True, "DELIVRD")),
        (
            tencent_calls,
            [TENCENT_REPORT | {"report_status": "FAIL", "errmsg": "UNDELIV"}],
            ("S1", "undelivered", True, "UNDELIV"),
        ),
        (
            http_calls,
            {"receipts": [{"id": "7", "status": "undelivered", "code": "off"}]},
            ("7", "undelivered", True, "off"),
        ),
        (http_calls, {"receipts": [{"id": "7", "status": "accepted"}]}, ("7", "accepted", False, "")),
    ],
    ids=range(6),
)
def test_a_report(read, body, expected):
    (receipt,) = read.read_receipts(json.dumps(body).encode())

    assert (receipt.provider_id, receipt.outcome, receipt.is_final, receipt.err) == expected
    assert json.loads(receipt.raw)


@pytest.mark.parametrize(
    ("status", "outcome", "is_final"),
    [
        ("queued", "accepted", False),
        ("sent", "accepted", False),
        ("delivered", "delivered", True),
        ("read", "delivered", True),
        ("undelivered", "undelivered", True),
        ("failed", "undelivered", True),
        ("canceled", "undelivered", True),
        ("partially_delivered", "unknown", False),
        ("brand_new", "unknown", False),
    ],
)
def test_twilio_statuses(status, outcome, is_final):
    (receipt,) = twilio_calls.read_receipts(
        {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": "30003"}
    )

    assert (receipt.outcome, receipt.is_final, receipt.err) == (outcome, is_final, "30003")


@pytest.mark.parametrize(
    ("read", "body", "key", "phone", "text"),
    [
        (
            aliyun_calls,
            [{"phone_number": "13800138000", "content": "退订", "dest_code": "1", "sequence_id": 12}],
            "12",
            "13800138000",
            "退订",
        ),
        (
            aliyun_calls,
            [{"phone_number": "13800138000", "content": "", "sequence_id": "a12"}],
            "a12",
            "13800138000",
            "",
        ),
        (
            tencent_calls,
            {"mobile": "13800138000", "nationcode": "86", "text": "R", "time": 1},
            None,
            "+8613800138000",
            "R",
        ),
        (
            http_calls,
            {"texts": [{"id": "m1", "from": "+8613800138000", "text": "half \ud800 pair\x00"}]},
            "m1",
            "+8613800138000",
            "half \ufffd pair",
        ),
    ],
    ids=range(4),
)
def test_a_reply(read, body, key, phone, text):
    (call,) = read.read_inbound(json.dumps(body).encode())

    assert (call.sms.phone, call.sms.text) == (phone, text)
    assert call.key == (key or call.sms.raw)
    assert not call.is_stop


def test_twilio_tells_an_opt_out_it_has_understood():
    (call,) = twilio_calls.read_inbound(
        {"MessageSid": "SM1", "From": "+13105550100", "To": "+1", "Body": "no more", "OptOutType": "STOP"}
    )

    assert (call.key, call.is_stop) == ("SM1", True)


@pytest.mark.parametrize("read", [aliyun_calls, tencent_calls, http_calls])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"[[]]",
        b'{"receipts": {}, "texts": 1}',
        b"[{}]",
        b'{"receipts": [{}], "texts": [{}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_nonsense_is_unreadable_and_nothing_of_it_is_taken(read, body):
    for reader in (read.read_receipts, read.read_inbound):
        with pytest.raises(CallbackUnreadable):
            reader(body)


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent", "From": "+1"}])
def test_twilio_nonsense(form):
    for reader in (twilio_calls.read_receipts, twilio_calls.read_inbound):
        with pytest.raises(CallbackUnreadable):
            reader(form)
