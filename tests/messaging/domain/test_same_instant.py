"""Equal texts written in one instant do not see each other: asked again at the claim, one of them leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from constance import config
from django.db import connection, transaction

from members.models import Member, MembershipEvent
from messaging.domain import outbox
from messaging.domain.dispatch import claims
from messaging.domain.dispatch.lease import Lease
from messaging.enums import Cause, MessageClass
from messaging.models import Message, Waiting
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import DAY, claim_now, leaving, no, write
from tests.messaging.test_outbox import draft

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION
TRIGGER, VERIFICATION = MessageClass.TRIGGER, MessageClass.VERIFICATION
SOON = NOON + timedelta(seconds=1)


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: two connections see each other."""


def at_one_instant(*drafts: outbox.Draft) -> None:
    """Each on a connection of its own, the ids in this order, and none commits before all are written."""
    written = [threading.Event() for _draft in drafts]

    def write_one(number: int, one: outbox.Draft) -> None:
        with transaction.atomic():
            if number:
                written[number - 1].wait(10)
            outbox.enqueue([one], at=NOON)
            written[number].set()
            written[-1].wait(10)
        connection.close()

    threads = [threading.Thread(target=write_one, args=pair) for pair in enumerate(drafts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert set(Message.objects.values_list("state", "reason")) == {(State.QUEUED, "")}, "none saw another"


def twins(member: Member, message_class: MessageClass, *causes: Cause, **more) -> list[outbox.Draft]:
    """The same text of several causes."""
    return [
        draft(member, message_class, cause=cause, cause_id=number, **more)
        for number, cause in enumerate(causes)
    ]


def stands() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("id").values_list("state", "reason"))


LEAVES, SAID, WAITS = (State.SUBMITTING, ""), (State.SUPPRESSED, Reason.DUPLICATE), (State.QUEUED, "")
UNGUARDED = claims._GATE.replace("WHEN l.is_said THEN 'duplicate'", "")


@pytest.mark.parametrize(("gate", "second"), [(claims._GATE, SAID), (UNGUARDED, LEAVES)])
@pytest.mark.parametrize("message_class", [NOTIFICATION, TRIGGER])
def test_of_two_equal_texts_of_one_instant_the_first_leaves(
    lease, li_lei, monkeypatch, message_class, gate, second
):
    """The second gate is one without the question: both leave, so the race is a real one."""
    at_one_instant(*twins(li_lei, message_class, Cause.RULE, Cause.API))
    monkeypatch.setattr(claims, "_GATE", gate)

    claim_now(lease, NOON)

    assert stands() == [LEAVES, second]


def test_marketing_that_may_come_more_than_once_a_day_does_not_repeat_itself_either(
    lease, li_lei, monkeypatch
):
    config.MARKETING_PER_DAY = 3
    at_one_instant(*twins(li_lei, MARKETING, Cause.RUN, Cause.RULE))
    monkeypatch.setattr("tests.messaging.domain.desk.DAY", replace(DAY, per_day=3))

    claim_now(lease, NOON)

    assert stands() == [LEAVES, SAID]


def test_a_number_that_is_no_members(lease, li_lei):
    at_one_instant(*(replace(one, member_id=None) for one in twins(li_lei, NOTIFICATION, *[Cause.API] * 2)))

    claim_now(lease, NOON)

    assert stands() == [LEAVES, SAID]


@pytest.mark.parametrize(
    ("message_class", "causes"),
    [
        (VERIFICATION, [Cause.CODE, Cause.CODE]),
        (TRIGGER, [Cause.REPLY, Cause.REPLY]),
        (TRIGGER, [Cause.TEST, Cause.TEST]),
    ],
)
def test_codes_answers_and_tests_may_repeat_themselves(lease, li_lei, message_class, causes):
    at_one_instant(*twins(li_lei, message_class, *causes))

    claim_now(lease, NOON)

    assert stands() == [LEAVES, LEAVES]


def test_what_tells_of_value_leaves_beside_its_equal(lease, loaded_card, li_lei):
    recharge = MembershipEvent.objects.get(type="card_recharged")
    Message.objects.all().delete()
    at_one_instant(*twins(li_lei, NOTIFICATION, Cause.RULE, Cause.RULE, event_id=recharge.pk))

    claim_now(lease, NOON)

    assert stands() == [LEAVES, LEAVES]


def test_other_words_another_number_and_an_earlier_day_hold_nothing_back(lease, li_lei, enrol):
    first, words = twins(li_lei, NOTIFICATION, Cause.RULE, Cause.API)
    number = draft(enrol("13900139000"), NOTIFICATION, cause=Cause.RULE, cause_id=2)
    at_one_instant(first, replace(words, text="【常客】Hello again"), number)
    outbox.enqueue(
        [draft(li_lei, NOTIFICATION, cause=Cause.RULE, cause_id=9)], at=NOON + timedelta(minutes=10)
    )

    claim_now(lease, NOON + timedelta(minutes=10))

    assert stands() == [LEAVES] * 4


def test_without_a_guard_both_leave(lease, li_lei):
    config.SAME_TEXT_MINUTES = 0
    at_one_instant(*twins(li_lei, NOTIFICATION, Cause.RULE, Cause.API))

    claim_now(lease, NOON)

    assert stands() == [LEAVES, LEAVES]


def test_a_test_in_between_does_not_swallow_what_waits_for_its_moment(lease, li_lei):
    later = NOON + timedelta(minutes=5)
    outbox.enqueue([draft(li_lei, NOTIFICATION, cause=Cause.RULE, due_at=later)], at=NOON)
    outbox.enqueue([draft(li_lei, NOTIFICATION, cause=Cause.TEST)], at=SOON)

    for at in (SOON, later):
        claim_now(lease, at)

    assert stands() == [LEAVES, LEAVES]


def test_a_text_tried_again_is_not_held_back_by_its_equal(lease, li_lei):
    at_one_instant(*twins(li_lei, NOTIFICATION, Cause.RULE, Cause.API))
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [no(claimed.attempt_id, "not_sent", "not written")])
    Message.objects.filter(state=State.QUEUED).update(due_at=NOON)  # the recorder's clock is the wall's

    claim_now(lease, NOON + timedelta(minutes=1))

    assert stands() == [LEAVES, SAID]


# The second is claimed before the first can be seen


@contextmanager
def not_yet_committed(one: outbox.Draft) -> Iterator[None]:
    """A text that is written, on a connection of its own, and committed when the block ends."""
    is_written, may_commit = threading.Event(), threading.Event()

    def write_one() -> None:
        with transaction.atomic():
            outbox.enqueue([one], at=NOON)
            is_written.set()
            may_commit.wait(10)
        connection.close()

    thread = threading.Thread(target=write_one)
    thread.start()
    is_written.wait(10)
    yield
    may_commit.set()
    thread.join(10)


def test_the_first_does_not_follow_when_the_second_has_left(lease, li_lei):
    first, second = twins(li_lei, NOTIFICATION, Cause.RULE, Cause.API)
    with not_yet_committed(first):
        outbox.enqueue([second], at=NOON)
        claim_now(lease, NOON)

    claim_now(lease, SOON)

    assert stands() == [SAID, LEAVES]


UNLOCKED = claims._GATE.replace(
    "EXISTS (SELECT FROM unnest(l.others) o WHERE o NOT IN (SELECT id FROM held))", "false"
)


@pytest.mark.parametrize(("gate", "first"), [(claims._GATE, SAID), (UNLOCKED, LEAVES)])
def test_the_first_waits_while_the_second_is_leaving(lease, other_lease, li_lei, monkeypatch, gate, first):
    """The second gate is one that does not look who is leaving just now: both leave."""
    one, other = twins(li_lei, NOTIFICATION, Cause.RULE, Cause.API)
    with ExitStack() as leaves:
        with not_yet_committed(one):
            outbox.enqueue([other], at=NOON)
            leaves.enter_context(leaving(lease, NOON))
        monkeypatch.setattr(claims, "_GATE", gate)
        claim_now(other_lease, NOON)
        is_beside = Waiting.objects.filter(state=State.QUEUED, due_at=NOON + timedelta(seconds=0.2)).exists()
    claim_now(other_lease, SOON)

    assert stands() == [first, LEAVES]
    assert is_beside == (first == SAID)


def test_two_gateways_racing_for_a_crowd_say_it_once_to_each(lease, other_lease, enrol):
    people = [enrol(f"138001380{number:02d}") for number in range(20)]
    for cause in (Cause.RULE, Cause.API):
        with transaction.atomic():
            outbox.enqueue([draft(person, NOTIFICATION, cause=cause) for person in people], at=NOON)
            Message.objects.update(created_at=NOON - timedelta(hours=1))  # the next do not see these
    Message.objects.update(created_at=NOON)

    def race(held: Lease) -> None:
        for moment in range(30):
            claim_now(held, NOON + timedelta(seconds=0.3 * moment), limit=7)
        connection.close()

    threads = [threading.Thread(target=race, args=[held]) for held in (lease, other_lease)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    left = Message.objects.filter(state=State.SUBMITTING)
    assert sorted(left.values_list("phone", flat=True)) == sorted(person.phone for person in people)
    assert Message.objects.filter(reason=Reason.DUPLICATE).count() == 20
