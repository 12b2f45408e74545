"""How often a number is texted is asked again when a text is about to leave, and cannot be raced."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from members.models import Member
from messaging.domain import budgets, outbox
from messaging.domain.dispatch import claims
from messaging.domain.dispatch.lease import Lease
from messaging.enums import Cause, MessageClass
from messaging.models import GatewayPrice, Message, Waiting
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, leaving, message, no, write
from tests.messaging.test_outbox import draft

MARKETING = MessageClass.MARKETING
LONG_AGO, TOMORROW = NOON - timedelta(days=365), NOON + timedelta(days=1)


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: the desk has its own connections."""


def queued(member: Member, number: int, **more) -> Message:
    """A marketing text that no other has been seen beside."""
    return message(member, MARKETING, NOON, run=number, expires_at=NOON + timedelta(hours=48), **more)


def sent(member: Member, number: int, ago: timedelta, state: State = State.DELIVERED) -> Message:
    """A marketing text that left so long ago, written an hour before."""
    text = queued(member, number)
    Message.objects.filter(pk=text.pk).update(
        state=State.SUBMITTING, created_at=NOON - ago - timedelta(hours=1), submitted_at=NOON - ago
    )
    Message.objects.filter(pk=text.pk).update(state=State.ACCEPTED)
    if state != State.ACCEPTED:
        Message.objects.filter(pk=text.pk).update(state=state)
    return text


def stand(*texts: Message) -> list[tuple[str, str]]:
    for text in texts:
        text.refresh_from_db()
    return [(text.state, text.reason) for text in texts]


def enqueued_at_one_instant(member: Member, *causes: Cause) -> None:
    """Each on a connection of its own, and none commits before all are written."""
    all_written = threading.Barrier(len(causes))

    def write_one(cause: Cause) -> None:
        with transaction.atomic():
            outbox.enqueue([replace(draft(member, cause=cause), text=f"Hello {cause}")], at=NOON)
            all_written.wait(10)
        connection.close()

    threads = [threading.Thread(target=write_one, args=[cause]) for cause in causes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_of_two_texts_written_in_one_instant_one_leaves_and_one_waits_for_tomorrow(lease, li_lei):
    enqueued_at_one_instant(li_lei, Cause.RUN, Cause.API)
    assert set(Message.objects.values_list("state", "reason")) == {(State.QUEUED, "")}, (
        "neither saw the other"
    )

    claimed = claim_now(lease, NOON).claimed

    waiting = Message.objects.exclude(pk=claimed[0].message_id).get()
    assert len(claimed) == 1
    assert (waiting.state, waiting.reason, waiting.due_at) == (State.QUEUED, Reason.FREQUENCY, TOMORROW)
    assert claim_now(lease, TOMORROW - timedelta(seconds=1)).claimed == []
    assert [one.message_id for one in claim_now(lease, TOMORROW).claimed] == [waiting.pk]


def test_one_too_many_that_could_only_leave_too_late_does_not_leave_at_all(lease, li_lei):
    sent(li_lei, 1, timedelta(hours=2))
    text = message(li_lei, MARKETING, NOON, run=2, expires_at=NOON + timedelta(hours=20))

    claim_now(lease, NOON)

    assert stand(text) == [(State.SUPPRESSED, Reason.FREQUENCY)]


def test_the_slot_of_the_night_is_given_in_the_morning(lease, li_lei):
    """Free again at 20:50 in Shanghai, within the last minutes of the day: it leaves at nine."""
    sent(li_lei, 1, timedelta(hours=24) - timedelta(hours=8, minutes=50))
    text = queued(li_lei, 2)

    for at in (NOON, NOON + timedelta(hours=8, minutes=50)):
        claim_now(lease, at)

    text.refresh_from_db()
    assert (text.state, text.reason, text.due_at) == (
        State.QUEUED,
        Reason.QUIET_HOURS,
        NOON + timedelta(hours=21),
    )


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (State.ACCEPTED, True),
        (State.NO_RECEIPT, True),
        (State.UNDELIVERED, True),
        (State.UNCERTAIN, True),
        (State.UNKNOWN, True),
        (State.SUBMITTING, True),
        (State.RETRY_WAIT, False),
        (State.REJECTED, False),
        (State.EXPIRED, False),
        (State.CANCELLED, False),
        (State.SUPPRESSED, False),
    ],
)
def test_what_left_or_may_have_left_counts_and_nothing_else(lease, li_lei, state, counts):
    earlier = queued(li_lei, 1, submitted_at=NOON - timedelta(hours=2))
    with connection.cursor() as cursor:  # whatever way it came there
        cursor.execute("ALTER TABLE messaging_message DISABLE TRIGGER USER")
        cursor.execute("UPDATE messaging_message SET state = %s WHERE id = %s", [state, earlier.pk])
        cursor.execute("ALTER TABLE messaging_message ENABLE TRIGGER USER")
    text = queued(li_lei, 2)

    claim_now(lease, NOON)

    assert stand(text) == [(State.QUEUED, Reason.FREQUENCY) if counts else (State.SUBMITTING, "")]


def test_a_day_is_counted_from_the_leaving_not_from_the_writing(lease, li_lei):
    """Written on Thursday night, it left on Friday at nine: that is three hours ago, not fifteen."""
    text, earlier = queued(li_lei, 2), sent(li_lei, 1, timedelta(hours=3))
    Message.objects.filter(pk=earlier.pk).update(created_at=NOON - timedelta(hours=30))

    claim_now(lease, NOON)

    text.refresh_from_db()
    assert (text.reason, text.due_at) == (Reason.FREQUENCY, NOON + timedelta(hours=21))


@pytest.mark.parametrize(
    ("had", "is_personal", "leaves"), [(4, False, True), (5, False, False), (5, True, True), (6, True, False)]
)
def test_the_last_slot_of_the_month_is_kept_for_texts_of_ones_own(lease, li_lei, had, is_personal, leaves):
    for number in range(had):
        sent(li_lei, number, timedelta(days=2 + number))
    text = queued(li_lei, 9, is_personal=is_personal)

    claim_now(lease, NOON)

    assert stand(text) == [(State.SUBMITTING, "") if leaves else (State.SUPPRESSED, Reason.FREQUENCY)]


def test_two_texts_in_one_claim_count_each_other_and_the_members_own_goes_first(lease, li_lei, enrol):
    push, own = queued(li_lei, 1), queued(li_lei, 2, is_personal=True)
    other = queued(enrol("13900139000"), 1)

    claim_now(lease, NOON)

    assert stand(push, own, other) == [
        (State.QUEUED, Reason.FREQUENCY),
        (State.SUBMITTING, ""),
        (State.SUBMITTING, ""),
    ]


def test_a_text_that_comes_back_to_the_queue_does_not_count_itself(lease, li_lei):
    text = queued(li_lei, 1)
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [no(claimed.attempt_id, "not_sent", "not written", message_class=MARKETING)])
    Message.objects.update(due_at=NOON)  # the recorder's clock is the wall's

    claim_now(lease, NOON + timedelta(minutes=1))

    assert stand(text) == [(State.SUBMITTING, "")]


def test_service_texts_have_no_cap(lease, li_lei):
    sent(li_lei, 1, timedelta(hours=2))
    text = message(li_lei, MessageClass.NOTIFICATION, NOON, cause=Cause.RULE)

    claim_now(lease, NOON)

    assert stand(text) == [(State.SUBMITTING, "")]


def test_the_money_put_aside_for_a_text_that_stays_is_free_again(lease, li_lei, riverside):
    GatewayPrice.objects.create(gateway_id=lease.gateway, prefix="+86", price_milli=4000, from_at=LONG_AGO)
    house = budgets.set_budget(
        scope="store", store=riverside, period="month", amount_minor=20, protected_percent=0, by=None, at=NOON
    )
    outbox.enqueue([draft(li_lei, expires_at=NOON + timedelta(hours=20))], at=NOON)
    assert budgets.standing(house, at=NOON).open_milli == 4000
    sent(li_lei, 7, timedelta(hours=2))

    claim_now(lease, NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sms_budget_settle(100)")

    assert Message.objects.get(cause_id=1).reason == Reason.FREQUENCY
    assert budgets.standing(house, at=NOON).open_milli == 0


# Two gateways at once


UNGUARDED = claims._GATE.replace(
    "EXISTS (SELECT FROM unnest(l.others) o WHERE o NOT IN (SELECT id FROM held))", "false"
)


@pytest.mark.parametrize(("gate", "leaves"), [(claims._GATE, 1), (UNGUARDED, 2)])
def test_of_two_claims_at_once_one_waits_for_the_other(lease, other_lease, li_lei, monkeypatch, gate, leaves):
    """The second row shows what the guard is for: without it both leave."""
    queued(li_lei, 1), queued(li_lei, 2)
    monkeypatch.setattr(claims, "_GATE", gate)

    with leaving(lease, NOON):
        claim_now(other_lease, NOON)
    claim_now(other_lease, NOON + timedelta(seconds=1))

    assert Message.objects.filter(state=State.SUBMITTING).count() == leaves


def test_a_text_written_while_another_is_leaving_waits_a_moment(lease, other_lease, li_lei):
    queued(li_lei, 1)

    with leaving(lease, NOON):
        thread = threading.Thread(target=lambda: (queued(li_lei, 2), connection.close()))
        thread.start()
        thread.join(10)
        claimed = claim_now(other_lease, NOON).claimed
    again = list(Waiting.objects.filter(state=State.QUEUED).values_list("due_at", flat=True))

    assert claimed == []
    assert again == [NOON + timedelta(seconds=0.2)]


def test_two_gateways_racing_for_a_crowd_never_text_a_phone_twice(lease, other_lease, enrol):
    people = [enrol(f"138001380{number:02d}") for number in range(20)]
    for number in (1, 2):
        for person in people:
            queued(person, number)

    def race(held: Lease) -> None:
        for moment in range(40):
            claim_now(held, NOON + timedelta(seconds=0.3 * moment), limit=7)

    threads = [threading.Thread(target=race, args=[held]) for held in (lease, other_lease)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    left = Message.objects.filter(state=State.SUBMITTING)
    assert sorted(left.values_list("phone", flat=True)) == sorted(person.phone for person in people)
    assert Message.objects.filter(state=State.QUEUED, reason=Reason.FREQUENCY).count() == 20
