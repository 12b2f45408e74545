"""The gate before the wire: every rule is asked again, and the attempt is committed first."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from members.domain.enrolment import record_consent
from members.enums import ConsentSource, Purpose
from messaging.domain.dispatch.claims import URGENT, Batch
from messaging.domain.suppressions import lock_phone, suppress
from messaging.enums import Cause, MessageClass, SuppressionScope
from messaging.models import Attempt, Gateway, Suppression, Waiting
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, main_gateway, message, no, take_again, write

VERIFICATION, TRIGGER = MessageClass.VERIFICATION, MessageClass.TRIGGER
NOTIFICATION, MARKETING = MessageClass.NOTIFICATION, MessageClass.MARKETING
NIGHT = NOON + timedelta(hours=12)  # midnight in Shanghai


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: the desk has its own connections."""


@pytest.fixture
def lease(db):
    main_gateway()
    return hold()


def test_a_claimed_message_has_its_attempt_and_its_time_limit(lease, li_lei):
    text = message(li_lei, MARKETING, NOON)

    (claimed,) = claim_now(lease, NOON).claimed

    text.refresh_from_db()
    attempt = Attempt.objects.get()
    assert (text.state, text.attempts, text.submitted_at) == (State.SUBMITTING, 1, NOON)
    assert (attempt.pk, attempt.number, attempt.epoch, attempt.outcome) == (
        claimed.attempt_id,
        1,
        lease.epoch,
        "",
    )
    assert claimed.validity_seconds == 9 * 3600, "from midday to the end of the permitted hours at 21:00"


def test_the_most_urgent_leave_first(lease, li_lei):
    for run, message_class in enumerate((MARKETING, NOTIFICATION, TRIGGER, VERIFICATION)):
        message(li_lei, message_class, NOON - timedelta(minutes=10 - run), run=run)

    first = [claimed.message_class for claimed in claim_now(lease, NOON, 2).claimed]
    urgent = [claimed.message_class for claimed in claim_now(lease, NOON, 10, URGENT).claimed]

    assert first == [VERIFICATION, TRIGGER]
    assert urgent == [NOTIFICATION]


def test_what_is_not_due_stays(lease, li_lei):
    message(li_lei, NOTIFICATION, NOON + timedelta(seconds=1))

    assert claim_now(lease, NOON).claimed == []


@pytest.mark.parametrize(
    ("message_class", "cause", "change", "state", "reason"),
    [
        (MARKETING, Cause.RUN, "withdraw marketing", State.SUPPRESSED, Reason.NO_CONSENT),
        (NOTIFICATION, Cause.RULE, "withdraw service", State.SUPPRESSED, Reason.NO_CONSENT),
        (VERIFICATION, Cause.CODE, "withdraw service", State.SUBMITTING, Reason.NONE),
        (MARKETING, Cause.RUN, "suppress marketing", State.SUPPRESSED, Reason.OPTED_OUT),
        (NOTIFICATION, Cause.RULE, "suppress marketing", State.SUBMITTING, Reason.NONE),
        (NOTIFICATION, Cause.RULE, "suppress all", State.SUPPRESSED, Reason.OPTED_OUT),
        (TRIGGER, Cause.REPLY, "suppress all", State.SUBMITTING, Reason.NONE),
        (VERIFICATION, Cause.CODE, "suppress all", State.SUBMITTING, Reason.NONE),
    ],
)
def test_what_changed_since_it_was_queued_counts(lease, li_lei, message_class, cause, change, state, reason):
    text = message(li_lei, message_class, NOON, cause=cause)
    verb, what = change.split()
    if verb == "withdraw":
        record_consent(
            member=li_lei,
            purpose=Purpose(what),
            is_given=False,
            source=ConsentSource.PORTAL,
            wording_version="",
            at=NOON,
        )
    else:
        Suppression.objects.create(
            phone_hash=bytes(li_lei.phone_hash), scope=SuppressionScope(what), source="till", at=NOON
        )

    claim_now(lease, NOON)

    text.refresh_from_db()
    assert (text.state, text.reason) == (state, reason)


@pytest.mark.parametrize(
    ("message_class", "expires_after", "state", "reason", "due_after"),
    [
        (MARKETING, timedelta(days=1), State.QUEUED, Reason.QUIET_HOURS, timedelta(hours=9)),
        (MARKETING, timedelta(hours=8), State.EXPIRED, Reason.TOO_LATE, timedelta(0)),
        (NOTIFICATION, timedelta(days=1), State.SUBMITTING, Reason.NONE, timedelta(0)),
        (VERIFICATION, timedelta(0), State.EXPIRED, Reason.TOO_LATE, timedelta(0)),
    ],
)
def test_the_hour_is_asked_at_the_gate(lease, li_lei, message_class, expires_after, state, reason, due_after):
    text = message(li_lei, message_class, NIGHT, expires_at=NIGHT + expires_after)

    claim_now(lease, NIGHT)

    text.refresh_from_db()
    assert (text.state, text.reason, text.due_at) == (state, reason, NIGHT + due_after)


def test_a_message_that_killed_three_processes_is_set_aside(lease, li_lei):
    text = message(li_lei, NOTIFICATION, NOON, attempts=3)
    for number in (1, 2, 3):
        Attempt.objects.create(
            message=text,
            number=number,
            gateway_id=lease.gateway,
            epoch=0,
            outcome="uncertain",
            raw_status="process lost",
        )

    claim_now(lease, NOON)

    text.refresh_from_db()
    assert (text.state, text.reason) == (State.QUARANTINED, Reason.POISON)


def test_a_phone_whose_opt_out_is_being_written_is_passed_over(lease, li_lei, enrol):
    message(li_lei, MARKETING, NOON)
    message(enrol("13900139000"), MARKETING, NOON)

    with transaction.atomic():
        lock_phone(bytes(li_lei.phone_hash))
        claimed = claim_now(lease, NOON).claimed

    assert [text.phone for text in claimed] == ["+8613900139000"]


def test_an_opt_out_waits_for_the_claim_that_read_before_it_and_none_follows(lease, li_lei):
    """A claim holds the phone until its attempt is committed; the opt-out commits after it."""
    message(li_lei, MARKETING, NOON)
    order: list[str] = []

    def opt_out() -> None:
        suppress(bytes(li_lei.phone_hash), ConsentSource.TEXT, at=NOON)
        order.append("opted out")
        connection.close()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(sms_phone_key(%s))", [bytes(li_lei.phone_hash)])
        writer = threading.Thread(target=opt_out)
        writer.start()
        writer.join(0.3)
        order.append("claim committed")
    writer.join(5)

    assert order == ["claim committed", "opted out"]
    assert claim_now(lease, NOON).claimed == []


def test_what_was_not_sent_may_go_by_any_gateway(lease, li_lei):
    text = message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [no(claimed.attempt_id, "not_sent", "not written")])

    text.refresh_from_db()
    assert (text.state, text.reason, text.gateway_id) == (State.QUEUED, Reason.LINK_LOST, None)


def test_who_finds_only_what_another_is_at_stands_in_line_for_the_rest(lease, li_lei):
    message(li_lei, NOTIFICATION, NOON)
    claims: list[Batch] = []
    late = threading.Thread(target=lambda: claims.append(claim_now(lease, NOON)))

    with transaction.atomic():
        Waiting.objects.select_for_update().get()  # another gateway's claim, under way
        late.start()
        late.join(0.3)
        is_in_line = late.is_alive()
    late.join(5)

    assert is_in_line
    assert [len(batch.claimed) for batch in claims] == [1]


def test_what_an_opt_out_made_wait_may_leave_by_any_gateway_as_before(lease, li_lei):
    message(li_lei, MARKETING, NOON)

    with transaction.atomic():
        lock_phone(bytes(li_lei.phone_hash))
        claim_now(lease, NOON)

    assert list(Waiting.objects.values_list("gateway", flat=True)) == [None]


def test_a_lease_that_ran_out_in_our_hands_is_renewed_not_taken_anew(lease):
    """Taking it would end the epoch in which answers still wait to be written."""
    Gateway.objects.update(lease_until=now() - timedelta(seconds=1))

    assert take_again(lease.owner, held=[lease.gateway]) is None
    assert take_again("another process").epoch == lease.epoch + 1
