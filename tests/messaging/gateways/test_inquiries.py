"""What a provider's list says of a text in doubt: something only when it can mean no other."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from messaging.gateways.http.link import Http
from messaging.gateways.http.settings import HttpSettings
from messaging.gateways.lookup import Askable, Doubt, ask
from messaging.gateways.web import WebAnswer, WebRequest
from tests.messaging.gateways.listed import TRIED_AT, aliyun_entry, tencent_entry, twilio_entry
from tests.messaging.gateways.smpp.peers import free_port
from tests.messaging.gateways.stages import STAGES, aliyun

CHINESE, AMERICAN = "+8613800138000", "+13105550100"
WORDS = "Dear Li Lei"


def doubt(phone: str = CHINESE, **more) -> Doubt:
    return Doubt(7, phone, WORDS, TRIED_AT)._replace(**more)


def found(provider: str, sent: list[dict], about: Doubt, known: frozenset[str] = frozenset()):
    """Ask the fake over the wire, as the house does; (outcome, id) or None."""
    stage = STAGES[provider]()
    with stage.fake as fake:
        fake.sent = sent
        speaker = stage._provider(fake, fake.endpoint, fake.secret)
        later = (TRIED_AT + timedelta(hours=1)).timestamp()
        if provider == "tencent":  # its signature is good for five minutes
            fake.is_signed = lambda request, body: True
        answer = ask(speaker.inquiry(about, later, "nonce"))
        assert answer is not None
        assert fake.unsigned == 0
    finding = speaker.finding(about, answer, lambda ids: known & set(ids))
    return finding and (finding.outcome, finding.provider_id)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ([aliyun_entry("7", 3)], ("delivered", None)),
        ([aliyun_entry("7", 2)], ("undelivered", None)),
        ([aliyun_entry("7", 1)], ("accepted", None)),
        ([aliyun_entry("6", 3), aliyun_entry("7", 2)], ("undelivered", None)),
        ([aliyun_entry("7", 9)], None),  # a status nobody wrote down
        ([aliyun_entry("7", [3])], None),
        ([aliyun_entry("7", 3), aliyun_entry("7", 2)], None),  # twice
        ([], ("absent", None)),
        ([aliyun_entry("6", 3)], ("absent", None)),
        ([aliyun_entry("", 3)], None),  # somebody's, perhaps ours
        ([aliyun_entry(str(number), 3) for number in range(100, 160)], None),  # more than the list holds
    ],
)
def test_aliyun_knows_a_text_by_its_out_id(sent, says):
    assert found("aliyun", sent, doubt()) == says


def test_in_a_batch_aliyun_never_says_that_a_text_is_absent():
    provider = aliyun(STAGES["aliyun"]().fake, "http://127.0.0.1", "secret", batch_max=20)
    empty = {"Code": "OK", "TotalCount": "0", "SmsSendDetailDTOs": {"SmsSendDetailDTO": []}}

    assert provider.finding(doubt(), said(empty), known=lambda ids: ids) is None


def test_near_midnight_the_text_may_stand_on_the_next_day():
    late = TRIED_AT.replace(hour=15, minute=55)  # 23:55 in Shanghai

    assert found("aliyun", [], doubt(tried_at=late)) is None


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ([tencent_entry("7", "SUCCESS")], ("delivered", "2640:1")),
        ([tencent_entry("7", "FAIL")], ("undelivered", "2640:1")),
        ([tencent_entry("7", "")], None),
        ([tencent_entry("7", "SUCCESS"), tencent_entry("7", "FAIL")], None),
        ([tencent_entry("6", "SUCCESS")], None),
        ([tencent_entry("", "SUCCESS")], None),  # an account whose context is not echoed
        ([], None),  # no report yet, or never taken: it does not tell
    ],
)
def test_tencent_knows_a_text_by_its_session_context(sent, says):
    assert found("tencent", sent, doubt()) == says


@pytest.mark.parametrize(
    ("sent", "more", "known", "says"),
    [
        ([twilio_entry("SM1", WORDS)], {}, set(), ("delivered", "SM1")),
        ([twilio_entry("SM1", WORDS, "undelivered")], {}, set(), ("undelivered", "SM1")),
        ([twilio_entry("SM1", WORDS, "failed")], {}, set(), ("undelivered", "SM1")),
        ([twilio_entry("SM1", WORDS, "queued")], {}, set(), ("accepted", "SM1")),
        ([twilio_entry("SM1", WORDS, "sent")], {}, set(), ("accepted", "SM1")),
        ([twilio_entry("SM1", WORDS, "partially_delivered")], {}, set(), None),
        ([twilio_entry("SM1", "Dear Han Meimei")], {}, set(), None),  # other words: perhaps ours, made smart
        ([twilio_entry("SM1", WORDS), twilio_entry("SM2", WORDS)], {}, set(), None),
        ([twilio_entry("SM1", WORDS), twilio_entry("SM2", WORDS)], {}, {"SM2"}, ("delivered", "SM1")),
        ([twilio_entry("SM1", WORDS)], {"has_rivals": True}, set(), None),
        ([], {}, set(), ("absent", None)),
        ([twilio_entry("SM1", WORDS)], {}, {"SM1"}, ("absent", None)),
        ([twilio_entry("SM1", WORDS, after=-3600)], {}, set(), ("absent", None)),  # an hour before
        ([twilio_entry("SM1", WORDS, after=3600)], {}, set(), ("absent", None)),
        ([twilio_entry("SM1", WORDS, direction="inbound")], {}, set(), ("absent", None)),
        ([twilio_entry("SM1", WORDS, date_created="yesterday")], {}, set(), None),
        ([twilio_entry(f"SM{number}", WORDS, after=3600) for number in range(51)], {}, set(), None),
        (
            [twilio_entry(f"SM{number}", WORDS, after=3600) for number in range(48)]
            + [
                twilio_entry("SMours", WORDS),
                *[twilio_entry(f"SMold{n}", WORDS, after=-3600) for n in range(9)],
            ],
            {},
            set(),
            ("delivered", "SMours"),
        ),
    ],
)
def test_twilio_knows_a_text_by_its_words_and_its_minute(sent, more, known, says):
    assert found("twilio", sent, doubt(AMERICAN, **more), frozenset(known)) == says


def said(what: object, status: int = 200) -> WebAnswer:
    return WebAnswer(status, {}, what if isinstance(what, bytes) else json.dumps(what).encode())


@pytest.mark.parametrize("provider", ["aliyun", "tencent", "twilio"])
@pytest.mark.parametrize(
    "answer",
    [
        said(b"<html>It works!</html>"),
        said({}),
        said([1, 2]),
        said({"messages": [1], "SmsSendDetailDTOs": {"SmsSendDetailDTO": [1]}, "Code": "OK"}),
        said({"messages": {}, "SmsSendDetailDTOs": [], "Code": "OK", "Response": []}),
        said({"messages": [], "Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": []}}, 500),
        said({"Code": "Throttling.User"}),
        said({"Response": {"Error": {"Code": "AuthFailure"}}}),
    ],
)
def test_an_answer_nobody_can_read_leaves_the_doubt(provider, answer):
    stage = STAGES[provider]()
    speaker = stage._provider(stage.fake, "http://127.0.0.1", "secret")

    assert speaker.finding(doubt(), answer, lambda ids: frozenset()) is None


def test_nobody_there_is_no_answer():
    assert ask(WebRequest("GET", f"http://127.0.0.1:{free_port()}/", {})) is None


def test_a_gateway_of_ones_own_cannot_be_asked():
    assert not isinstance(Http(HttpSettings("http://127.0.0.1", "key", "secret")), Askable)
