"""The policy: each text leaves, waits or stays, with the reason."""

from datetime import UTC, datetime, timedelta

import pytest

from members.domain.enrolment import phone_hash
from messaging.domain.outbox import Draft, Said, enqueue, enqueue_members
from messaging.enums import Cause, MessageClass, SuppressionScope
from messaging.models import Message, Suppression
from messaging.states import Reason, State
from tests.conftest import NOON

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION
VERIFICATION, TRIGGER = MessageClass.VERIFICATION, MessageClass.TRIGGER


def draft(member, message_class=MARKETING, *, cause=Cause.RUN, cause_id=1, **more) -> Draft:
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=member.home_store_id,
        message_class=message_class,
        text="【常客】Hello",
        encoding="UCS-2",
        parts=1,
        cause=cause,
        cause_id=cause_id,
        timezone="Asia/Shanghai",
        **more,
    )


def suppress(member, scope=SuppressionScope.MARKETING) -> None:
    Suppression.objects.create(phone_hash=phone_hash(member.phone), scope=scope, source="text", at=NOON)


def test_a_marketing_text_to_somebody_who_agreed_is_queued(li_lei):
    assert enqueue([draft(li_lei)], at=NOON)[0].state == State.QUEUED


def test_a_marketing_text_needs_consent(enrol):
    han = enrol("13900139000", marketing=False)

    result = enqueue([draft(han)], at=NOON)[0]

    assert (result.state, result.reason) == (State.SUPPRESSED, Reason.NO_CONSENT)


@pytest.mark.parametrize(
    ("message_class", "cause", "scope", "state"),
    [
        (MARKETING, Cause.RUN, SuppressionScope.MARKETING, State.SUPPRESSED),
        (NOTIFICATION, Cause.RULE, SuppressionScope.MARKETING, State.QUEUED),
        (NOTIFICATION, Cause.RULE, SuppressionScope.ALL, State.SUPPRESSED),
        (TRIGGER, Cause.REPLY, SuppressionScope.ALL, State.QUEUED),
        (VERIFICATION, Cause.CODE, SuppressionScope.ALL, State.QUEUED),
    ],
)
def test_what_an_opt_out_stops(li_lei, message_class, cause, scope, state):
    suppress(li_lei, scope)

    assert enqueue([draft(li_lei, message_class, cause=cause)], at=NOON)[0].state == state


@pytest.mark.parametrize(
    ("shanghai", "leaves"),
    [
        ("2026-11-20 08:59", "2026-11-20 09:00"),
        ("2026-11-20 09:00", "2026-11-20 09:00"),
        ("2026-11-20 20:44", "2026-11-20 20:44"),
        ("2026-11-20 20:45", "2026-11-21 09:00"),
        ("2026-11-20 23:30", "2026-11-21 09:00"),
    ],
)
def test_marketing_waits_for_the_recipients_day(li_lei, shanghai, leaves):
    eight_hours = timedelta(hours=8)
    at = datetime.fromisoformat(shanghai).replace(tzinfo=UTC) - eight_hours

    result = enqueue([draft(li_lei)], at=at)[0]

    message = Message.objects.get(pk=result.message_id)
    assert message.due_at == datetime.fromisoformat(leaves).replace(tzinfo=UTC) - eight_hours
    assert result.reason == ("" if shanghai == leaves else Reason.QUIET_HOURS)


def test_a_receipt_for_a_recharge_does_not_wait_for_the_morning(li_lei):
    midnight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)

    enqueue([draft(li_lei, NOTIFICATION, cause=Cause.RULE)], at=midnight)

    assert Message.objects.get().due_at == midnight


def test_a_greeting_that_would_come_after_its_day_is_not_sent(li_lei):
    evening = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)

    result = enqueue([draft(li_lei, expires_at=evening + timedelta(hours=3))], at=evening)[0]

    assert (result.state, result.reason) == (State.EXPIRED, Reason.TOO_LATE)


def test_the_second_marketing_text_of_a_day_is_one_too_many(li_lei):
    enqueue([draft(li_lei, cause_id=1)], at=NOON)

    second = enqueue([draft(li_lei, cause_id=2)], at=NOON + timedelta(hours=23))[0]
    third = enqueue([draft(li_lei, cause_id=3)], at=NOON + timedelta(hours=25))[0]

    assert (second.state, second.reason) == (State.SUPPRESSED, Reason.FREQUENCY)
    assert third.state == State.QUEUED


def test_one_run_texts_a_phone_once(li_lei):
    first = enqueue([draft(li_lei)], at=NOON)[0]
    again = enqueue([draft(li_lei)], at=NOON)[0]

    assert again.message_id == first.message_id
    assert Message.objects.count() == 1


def test_a_thousand_texts_are_judged_in_one_statement(li_lei, enrol, django_assert_num_queries):
    han = enrol("13900139000", marketing=False)
    drafts = [draft(member, cause_id=n) for n in range(500) for member in (li_lei, han)]

    with django_assert_num_queries(2):  # the settings, then everything at once
        results = enqueue(drafts, at=NOON)

    assert {result.reason for result in results if result.phone == han.phone} == {Reason.NO_CONSENT}


def test_a_crowd_is_judged_by_the_same_rules_as_one(li_lei, enrol):
    han = enrol("13900139000", marketing=False)
    mei = enrol("13900139001")
    suppress(mei)
    everybody = [said(member) for member in (li_lei, han, mei)]

    by_state = enqueue_members(
        everybody,
        store_id=li_lei.home_store_id,
        message_class=MARKETING,
        cause=Cause.RUN,
        cause_id=7,
        at=NOON,
    )

    assert by_state == {State.QUEUED: 1, State.SUPPRESSED: 2}
    one = draft(li_lei, cause_id=8)
    enqueue([one], at=NOON + timedelta(days=2))
    crowd, single = Message.objects.filter(member=li_lei).order_by("id").values(*SAME)
    assert crowd == single
    assert dict(Message.objects.filter(cause_id=7).values_list("member__phone", "reason")) == {
        li_lei.phone: "",
        han.phone: Reason.NO_CONSENT,
        mei.phone: Reason.OPTED_OUT,
    }


def test_a_crowd_texted_again_for_the_same_cause_is_left_as_it_is(li_lei):
    for _ in range(2):
        by_state = enqueue_members(
            [said(li_lei)],
            store_id=li_lei.home_store_id,
            message_class=MARKETING,
            cause=Cause.RUN,
            cause_id=7,
            at=NOON,
        )

    assert by_state == {}
    assert Message.objects.count() == 1


SAME = ("phone", "store_id", "message_class", "priority", "text", "encoding", "parts", "timezone", "state")


def said(member) -> Said:
    return Said(
        member.pk,
        member.phone,
        bytes(member.phone_hash),
        None,
        "",
        "【常客】Hello",
        "UCS-2",
        1,
        "",
        "Asia/Shanghai",
    )
