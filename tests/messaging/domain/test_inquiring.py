"""A provider is asked about texts in doubt: what its word changes, and when it is asked at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils.timezone import now

from messaging.domain import inquiring
from messaging.domain.inquiring import LOOKED_UP_TO, ROUND_MAX, ask_providers
from messaging.domain.verify_messages import verify
from messaging.enums import Cause, GatewayKind, MessageClass
from messaging.gateways.aliyun.inquiry import BEIJING
from messaging.gateways.lookup import ask
from messaging.gateways.web import WebAnswer
from messaging.models import Attempt, Gateway, Handover, Message, SubmittedPart
from messaging.secrets import encrypt_secrets
from messaging.states import Reason, State
from messaging.tasks import sweep_messages
from tests.conftest import NOON
from tests.messaging.domain.desk import message
from tests.messaging.gateways.fakes import FakeAliyun, FakeTwilio, running
from tests.messaging.gateways.listed import aliyun_entry, twilio_entry

NOTIFICATION, MARKETING = MessageClass.NOTIFICATION, MessageClass.MARKETING
LATER = NOON + timedelta(minutes=6)


@pytest.fixture
def aliyun():
    yield from running(FakeAliyun())


@pytest.fixture
def twilio():
    yield from running(FakeTwilio())


@pytest.fixture(autouse=True)
def nobody_asked_yet(db):
    cache.delete_many([LOOKED_UP_TO, *(f"asked-provider:{pk}" for pk in range(1, 10_000))])


def gateway_to(fake, kind: GatewayKind) -> Gateway:
    secrets = {
        GatewayKind.ALIYUN: {"access_key_id": fake.key_id, "access_key_secret": fake.secret},
        GatewayKind.TWILIO: {"account_sid": fake.key_id, "auth_token": fake.secret},
    }[kind]
    return Gateway.objects.create(
        name=kind.label, kind=kind, options={"endpoint": fake.endpoint}, secret=encrypt_secrets(secrets)
    )


def in_doubt(member, gateway, message_class=NOTIFICATION, *, run: int = 1, **more) -> Attempt:
    """A text tried at noon, without an answer."""
    text = message(
        member,
        message_class,
        NOON,
        run=run,
        state=State.UNCERTAIN,
        attempts=1,
        gateway=gateway,
        submitted_at=NOON,
        **{"text": "Hello"} | more,
    )
    attempt = Attempt.objects.create(
        message=text, number=1, gateway=gateway, epoch=1, outcome="uncertain", started_at=NOON
    )
    Handover.objects.create(
        gateway=gateway,
        epoch=1,
        started_at=NOON,
        first_attempt=attempt.pk,
        last_attempt=attempt.pk,
        is_open=False,
    )
    return attempt


def stands(attempt: Attempt) -> tuple[str, str, str, str]:
    attempt.refresh_from_db()
    text = Message.objects.get(pk=attempt.message_id)
    return text.state, text.reason, attempt.outcome, attempt.raw_status


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (3, (State.DELIVERED, "", "accepted", "asked: DELIVERED")),
        (2, (State.UNDELIVERED, Reason.NOT_DELIVERED, "accepted", "asked: SendStatus 2")),
        (1, (State.ACCEPTED, "", "accepted", "asked: SendStatus 1")),
    ],
)
def test_what_aliyun_says_of_our_text_is_believed(aliyun, li_lei, status, after):
    attempt = in_doubt(li_lei, gateway_to(aliyun, GatewayKind.ALIYUN), MARKETING)
    aliyun.sent = [aliyun_entry(str(attempt.pk), status)]

    assert ask_providers(at=LATER) == 1

    assert stands(attempt) == after
    assert verify(at=LATER).broken == {}


def test_what_the_database_cannot_hold_breaks_no_round(aliyun, li_lei):
    attempt = in_doubt(li_lei, gateway_to(aliyun, GatewayKind.ALIYUN), MARKETING)
    aliyun.sent = [aliyun_entry(str(attempt.pk), 3, ErrCode="\0\ud800OK")]

    assert ask_providers(at=LATER) == 1

    assert stands(attempt) == (State.DELIVERED, "", "accepted", "asked: \ufffdOK")


def test_twilios_id_is_kept_so_that_its_report_finds_the_text(twilio, enrol):
    member = enrol("+1 310 555 0100", name="Li Lei")
    attempt = in_doubt(member, gateway_to(twilio, GatewayKind.TWILIO))
    twilio.sent = [twilio_entry("SM1", "Hello", "queued")]

    ask_providers(at=LATER)

    part = SubmittedPart.objects.get()
    assert (part.message_id, part.attempt_id, part.provider_id, part.outcome) == (
        attempt.message_id,
        attempt.pk,
        "SM1",
        "",
    )
    assert stands(attempt)[0] == State.ACCEPTED


def test_an_id_that_is_another_texts_is_not_ours(twilio, enrol):
    member, gateway = enrol("+1 310 555 0100", name="Li Lei"), gateway_to(twilio, GatewayKind.TWILIO)
    other = message(member, NOTIFICATION, NOON, run=2, state=State.ACCEPTED, gateway=gateway)
    SubmittedPart.objects.create(
        message=other, attempt_id=0, gateway=gateway, part=1, provider_id="SM1", outcome=""
    )
    attempt = in_doubt(member, gateway)
    twilio.sent = [twilio_entry("SM1", "Hello")]

    assert ask_providers(at=NOON + timedelta(minutes=2)) == 0
    assert stands(attempt)[0] == State.UNCERTAIN


def test_two_alike_in_doubt_to_one_phone_both_stay(twilio, enrol):
    member, gateway = enrol("+1 310 555 0100", name="Li Lei"), gateway_to(twilio, GatewayKind.TWILIO)
    attempts = [in_doubt(member, gateway, run=run) for run in (1, 2)]
    twilio.sent = [twilio_entry("SM1", "Hello")]

    assert ask_providers(at=LATER) == 0
    assert {stands(attempt)[0] for attempt in attempts} == {State.UNCERTAIN}


@pytest.mark.parametrize(
    ("message_class", "minutes", "more", "state"),
    [
        (NOTIFICATION, 6, {}, State.QUEUED),
        (NOTIFICATION, 4, {}, State.UNCERTAIN),  # the list may be late itself
        (MARKETING, 6, {}, State.UNCERTAIN),  # never again for want of an entry
        (NOTIFICATION, 6, {"cause": Cause.REPLY}, State.UNCERTAIN),
        (NOTIFICATION, 6, {"expires_at": NOON + timedelta(minutes=5)}, State.UNCERTAIN),
    ],
)
def test_what_the_provider_never_had_goes_again_where_its_class_allows(
    aliyun, li_lei, message_class, minutes, more, state
):
    attempt = in_doubt(li_lei, gateway_to(aliyun, GatewayKind.ALIYUN), message_class, **more)

    ask_providers(at=NOON + timedelta(minutes=minutes))

    assert stands(attempt)[0] == state
    assert attempt.outcome == ("not_sent" if state == State.QUEUED else "uncertain")
    assert verify(at=LATER).broken == {}


def test_it_is_asked_a_minute_later_at_the_earliest_and_then_seldom(aliyun, li_lei):
    in_doubt(li_lei, gateway_to(aliyun, GatewayKind.ALIYUN), MARKETING)
    asked = []

    def count(request):
        asked.append(request)
        return ask(request)

    for seconds in (59, 60, 61, 62):
        ask_providers(at=NOON + timedelta(seconds=seconds), ask=count)

    assert len(asked) == 1


def test_no_transaction_is_open_while_a_provider_is_asked(aliyun, li_lei):
    in_doubt(li_lei, gateway_to(aliyun, GatewayKind.ALIYUN))
    depth = len(connection.savepoint_ids)
    seen = []

    def look(request):
        seen.append(len(connection.savepoint_ids) - depth)
        return ask(request)

    ask_providers(at=LATER, ask=look)

    assert seen == [0]


def test_an_answer_that_came_meanwhile_wins(aliyun, li_lei):
    attempt = in_doubt(li_lei, gateway_to(aliyun, GatewayKind.ALIYUN))
    aliyun.sent = [aliyun_entry(str(attempt.pk), 2)]

    def answered_meanwhile(request):
        Attempt.objects.update(outcome="accepted", raw_status="OK")
        Message.objects.update(state=State.ACCEPTED)
        return ask(request)

    assert ask_providers(at=LATER, ask=answered_meanwhile) == 0
    assert stands(attempt) == (State.ACCEPTED, "", "accepted", "OK")


def test_a_round_asks_so_often_and_no_more(aliyun, li_lei):
    gateway = gateway_to(aliyun, GatewayKind.ALIYUN)
    for run in range(ROUND_MAX + 2):
        in_doubt(li_lei, gateway, MARKETING, run=run)
    asked = []

    def busy(request):
        asked.append(request)
        return WebAnswer(503, {}, b"")

    ask_providers(at=LATER, ask=busy)

    assert len(asked) == ROUND_MAX


def test_none_waits_for_older_ones_that_nobody_can_resolve(aliyun, li_lei, monkeypatch):
    """Thirty in doubt, of which a round looks at twelve: the provider knows only the newest."""
    monkeypatch.setattr(inquiring, "LOOKED_AT_MAX", 12)
    gateway = gateway_to(aliyun, GatewayKind.ALIYUN)
    attempts = [in_doubt(li_lei, gateway, MARKETING, run=run, text=f"No. {run}") for run in range(30)]
    asked = []

    def busy(request):
        asked.append(request)
        return WebAnswer(503, {}, b"")

    settled = [ask_providers(at=LATER, ask=busy) for _round in range(2)]
    aliyun.sent = [aliyun_entry(str(attempts[-1].pk), 3)]
    settled += [ask_providers(at=LATER) for _round in range(2)]

    assert len(asked) == 2 * ROUND_MAX
    assert sum(settled) == 1 and stands(attempts[-1])[0] == State.DELIVERED


def test_a_provider_that_is_away_is_asked_once_a_round(aliyun, li_lei):
    gateway = gateway_to(aliyun, GatewayKind.ALIYUN)
    for run in range(3):
        in_doubt(li_lei, gateway, MARKETING, run=run)
    asked = []

    assert ask_providers(at=LATER, ask=lambda request: asked.append(request)) == 0
    assert len(asked) == 1


def test_a_gateway_whose_secret_is_lost_asks_nothing(aliyun, li_lei):
    gateway = gateway_to(aliyun, GatewayKind.ALIYUN)
    Gateway.objects.update(secret="not a secret of ours")
    attempt = in_doubt(li_lei, gateway)

    assert ask_providers(at=LATER) == 0
    assert stands(attempt)[0] == State.UNCERTAIN


def test_the_sweep_of_beat_asks_too(aliyun, li_lei):
    gateway = gateway_to(aliyun, GatewayKind.ALIYUN)
    attempt = in_doubt(li_lei, gateway, MARKETING)
    Attempt.objects.update(started_at=now() - timedelta(minutes=2))
    Message.objects.update(submitted_at=now() - timedelta(minutes=2))
    today = f"{now().astimezone(BEIJING) - timedelta(minutes=2):%Y-%m-%d %H:%M:%S}"
    aliyun.sent = [aliyun_entry(str(attempt.pk), 3, SendDate=today)]

    assert sweep_messages()["asked"] == 1
    assert stands(attempt)[0] == State.DELIVERED
