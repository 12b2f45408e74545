"""The same text is not sent to the same number again within minutes; what tells of value always is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from constance import config
from django.conf import settings
from django.db import connection, transaction

from members.domain.events import publish
from members.models import MembershipEvent
from messaging.domain.outbox import Draft, enqueue
from messaging.enums import PRIORITY, Cause, MessageClass
from messaging.models import Message
from messaging.states import Reason, State, gates_of
from tests.conftest import NOON
from tests.messaging.test_outbox import draft

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION
VERIFICATION, TRIGGER = MessageClass.VERIFICATION, MessageClass.TRIGGER
SOON = NOON + timedelta(minutes=9)


@pytest.fixture
def often(db) -> None:
    """Three marketing texts a day are allowed: what is refused is not refused for being one too many."""
    config.MARKETING_PER_DAY = 3


def said(first: Draft, second: Draft, *, later: timedelta = timedelta(minutes=9)) -> tuple[str, str]:
    """What became of the second of two texts."""
    enqueue([first], at=NOON)
    [result] = enqueue([second], at=NOON + later)
    return result.state, result.reason


@pytest.mark.parametrize(
    ("message_class", "cause"),
    [
        (NOTIFICATION, Cause.RULE),
        (TRIGGER, Cause.RULE),
        (NOTIFICATION, Cause.API),
        (MARKETING, Cause.RUN),
        (MARKETING, Cause.RULE),
    ],
)
def test_the_same_text_again_within_minutes_is_not_sent(often, li_lei, message_class, cause):
    first, second = (draft(li_lei, message_class, cause=cause, cause_id=number) for number in (1, 2))

    assert said(first, second) == (State.SUPPRESSED, Reason.DUPLICATE)
    assert gates_of(Message.objects.latest("id").gates) == [Reason.DUPLICATE]


@pytest.mark.parametrize("message_class", [NOTIFICATION, MARKETING])
def test_it_may_be_said_again_later(often, li_lei, message_class):
    first, second = (draft(li_lei, message_class, cause=Cause.RULE, cause_id=number) for number in (1, 2))

    assert said(first, second, later=timedelta(minutes=10)) == (State.QUEUED, "")


def test_another_number_and_other_words_are_not_held_back(li_lei, enrol):
    han = enrol("13900139000")
    enqueue([draft(li_lei, NOTIFICATION, cause=Cause.RULE)], at=NOON)
    others = [
        draft(han, NOTIFICATION, cause=Cause.RULE, cause_id=2),
        replace(draft(li_lei, NOTIFICATION, cause=Cause.RULE, cause_id=3), text="【常客】Hello again"),
    ]

    assert {result.state for result in enqueue(others, at=SOON)} == {State.QUEUED}


@pytest.mark.parametrize(
    ("message_class", "cause"), [(VERIFICATION, Cause.CODE), (TRIGGER, Cause.REPLY), (TRIGGER, Cause.TEST)]
)
def test_a_code_an_answer_and_a_test_are_said_as_often_as_asked(li_lei, message_class, cause):
    first, second = (draft(li_lei, message_class, cause=cause, cause_id=number) for number in (1, 2))

    assert said(first, second) == (State.QUEUED, "")


def test_a_text_that_was_never_sent_holds_nothing_back(li_lei):
    first, second = (draft(li_lei, NOTIFICATION, cause=Cause.RULE, cause_id=number) for number in (1, 2))
    enqueue([first], at=NOON)
    Message.objects.update(state=State.CANCELLED, final_at=NOON)

    assert enqueue([second], at=SOON)[0].state == State.QUEUED


def test_of_drafts_alike_in_one_call_the_first_goes(often, li_lei):
    drafts = [draft(li_lei, MARKETING, cause_id=number) for number in (1, 2, 3)]

    assert [result.reason for result in enqueue(drafts, at=NOON)] == ["", Reason.DUPLICATE, Reason.DUPLICATE]


def test_a_number_that_is_no_members_is_not_told_twice_either(li_lei):
    first, second = (
        replace(draft(li_lei, NOTIFICATION, cause=Cause.API, cause_id=number), member_id=None)
        for number in (1, 2)
    )

    assert said(first, second) == (State.SUPPRESSED, Reason.DUPLICATE)


@pytest.mark.parametrize(("minutes", "state"), [(0, State.QUEUED), (5, State.QUEUED), (60, State.SUPPRESSED)])
def test_the_owner_sets_how_long(often, li_lei, minutes, state):
    config.SAME_TEXT_MINUTES = minutes
    first, second = (draft(li_lei, TRIGGER, cause=Cause.RULE, cause_id=number) for number in (1, 2))

    assert said(first, second)[0] == state


def test_without_a_guard_one_call_may_repeat_itself(often, li_lei):
    config.SAME_TEXT_MINUTES = 0

    results = enqueue([draft(li_lei, MARKETING, cause_id=number) for number in (1, 2)], at=NOON)

    assert [result.state for result in results] == [State.QUEUED, State.QUEUED]


def test_the_database_knows_the_same_default_as_the_settings(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM constance_constance WHERE key = 'SAME_TEXT_MINUTES'")
        cursor.execute("SELECT sms_same_text_window()")
        assert cursor.fetchone()[0] == timedelta(minutes=settings.CONSTANCE_CONFIG["SAME_TEXT_MINUTES"][0])


# One text alone, as a deed's goes (sms_enqueue_one): the same gates

_ONE = (
    "SELECT out_state, out_reason FROM sms_enqueue_one(%s, %s, %s, %s, %s, %s::smallint, %s, %s, %s, %s::smallint,"
    " NULL, %s, %s, %s, %s, %s, %s, '', %s)"
)


def alone(one: Draft, *, at) -> tuple[str, str]:
    """The draft through the door for one text."""
    words = [one.phone, one.phone_hash, one.member_id, one.store_id, one.message_class.value]
    words += [PRIORITY[one.message_class], one.language, one.text, one.encoding, one.parts]
    words += [one.cause.value, one.cause_id, one.event_id, one.timezone, at, at + timedelta(hours=1), at]
    with connection.cursor() as cursor:
        cursor.execute(_ONE, words)
        return cursor.fetchone()


@pytest.fixture
def told(li_lei, riverside, loaded_card) -> dict[str, MembershipEvent | None]:
    """A fact that moves no value, one that does, and none."""
    here = {"member": li_lei, "store": riverside, "source": "pbx", "at": NOON}
    missed = publish("call_missed", key="1", payload={"called": "021 5555 0100"}, **here)
    recharged = MembershipEvent.objects.get(type="card_recharged")
    return {"missed call": missed, "recharge": recharged, "nothing": None}


@pytest.mark.parametrize("fact", ["missed call", "recharge", "nothing"])
@pytest.mark.parametrize(
    ("message_class", "cause"),
    [
        (NOTIFICATION, Cause.RULE),
        (TRIGGER, Cause.RULE),
        (TRIGGER, Cause.REPLY),
        (VERIFICATION, Cause.CODE),
        (NOTIFICATION, Cause.API),
    ],
)
def test_one_alone_and_one_of_a_set_are_judged_alike(told, li_lei, fact, message_class, cause):
    event = told[fact]
    more = {"cause": cause, "event_id": event.pk if event else None}
    enqueue([draft(li_lei, message_class, cause_id=1, **more)], at=NOON)
    second = draft(li_lei, message_class, cause_id=2, **more)

    with transaction.atomic():
        [of_set] = enqueue([second], at=SOON)
        gates = Message.objects.get(pk=of_set.message_id).gates
        transaction.set_rollback(True)
    state, reason = alone(second, at=SOON)

    is_free = fact == "recharge" or cause == Cause.REPLY or message_class == VERIFICATION
    assert (state, reason) == (of_set.state, of_set.reason)
    assert (state, reason) == ((State.QUEUED, "") if is_free else (State.SUPPRESSED, Reason.DUPLICATE))
    assert Message.objects.latest("id").gates == gates
