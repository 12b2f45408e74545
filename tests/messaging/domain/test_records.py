"""Answers and receipts: any order, any repetition, one ending; and nothing by a process that lost its lease."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from django.utils.timezone import now

from messaging.domain.dispatch.lease import LeaseLost
from messaging.domain.sweeps import match_parked, sweep_messages
from messaging.enums import MessageClass
from messaging.gateways.base import ReceiptIn
from messaging.models import Attempt, Gateway, Message, Receipt, SubmittedPart, Suppression
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, main_gateway, message, no, receipt, write, yes

NOTIFICATION, MARKETING = MessageClass.NOTIFICATION, MessageClass.MARKETING
YES = "yes"


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: the desk has its own connections."""


@pytest.fixture
def lease(db):
    main_gateway()
    return hold()


def apply(lease, attempt_id: int, events) -> None:
    for event in events:
        if event == YES:
            write(lease, [yes(attempt_id, "p1", "p2")])
        else:
            write(lease, receipts=[receipt(*event)])


@pytest.mark.parametrize(
    ("events", "ending"),
    [
        ([YES, ("p1", "delivered"), ("p2", "delivered")], State.DELIVERED),
        ([YES, ("p1", "delivered"), ("p2", "undelivered")], State.UNDELIVERED),
        ([YES, ("p1", "undelivered"), ("p1", "delivered"), ("p2", "delivered")], State.DELIVERED),
        ([YES, ("p1", "delivered"), ("p1", "delivered"), ("p2", "accepted")], State.ACCEPTED),
    ],
)
def test_answers_and_receipts_commute(lease, li_lei, events, ending):
    for run, order in enumerate(permutations(events)):
        Receipt.objects.all().delete()
        Message.objects.all().delete()
        text = message(li_lei, NOTIFICATION, NOON, run=run, parts=2)
        (claimed,) = claim_now(lease, NOON).claimed

        apply(lease, claimed.attempt_id, order)

        text.refresh_from_db()
        assert text.state == ending, order
        assert Receipt.objects.count() == len(events) - 1, "each receipt is kept as it came"


def test_an_answer_and_a_receipt_in_one_batch(lease, li_lei):
    text = message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed

    write(lease, [yes(claimed.attempt_id, "p1")], [receipt("p1", "delivered")])

    text.refresh_from_db()
    assert (text.state, text.reason) == (State.DELIVERED, Reason.NONE)
    assert text.final_at is not None


def test_a_receipt_of_another_gateway_says_nothing_about_our_ids(lease, li_lei):
    text = message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [yes(claimed.attempt_id, "p1")])
    Gateway.objects.create(name="Other", host="h", port=1, system_id="other")

    write(hold(), receipts=[receipt("p1", "undelivered")])

    text.refresh_from_db()
    assert text.state == State.ACCEPTED
    assert Receipt.objects.get().matched_at is None, "kept, waiting for an id of its own gateway"


def test_a_parked_receipt_is_matched_when_its_id_turns_up(lease, li_lei):
    text = message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [yes(claimed.attempt_id, "p1")])
    Receipt.objects.create(
        gateway_id=lease.gateway, provider_id="p1", outcome="delivered", is_final=True, raw=""
    )

    assert match_parked(at=NOON) == 1

    text.refresh_from_db()
    assert text.state == State.DELIVERED


def test_a_dead_epoch_writes_nothing(lease, li_lei):
    text = message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    Gateway.objects.update(lease_until=None)
    hold()

    with pytest.raises(LeaseLost):
        write(lease, [yes(claimed.attempt_id, "p1")])
    with pytest.raises(LeaseLost):
        write(lease, receipts=[receipt("p1", "delivered")])
    other = message(li_lei, NOTIFICATION, NOON, run=2)
    assert claim_now(lease, NOON).claimed == []

    text.refresh_from_db()
    other.refresh_from_db()
    assert (text.state, other.state) == (State.SUBMITTING, State.QUEUED)
    assert not SubmittedPart.objects.exists()
    assert not Receipt.objects.exists()


def test_an_answer_written_twice_moves_once(lease, li_lei):
    """The commit's own answer was lost: the batch is written again, after the message was claimed anew."""
    text = message(li_lei, NOTIFICATION, NOON)
    (first,) = claim_now(lease, NOON).claimed
    throttled = [no(first.attempt_id, "throttle", "0x58")]
    write(lease, throttled)
    Message.objects.update(due_at=NOON)
    claim_now(lease, NOON)

    write(lease, throttled)

    text.refresh_from_db()
    assert (text.state, text.attempts) == (State.SUBMITTING, 2)


def test_a_late_yes_ends_the_doubt(lease, li_lei):
    text = message(li_lei, MARKETING, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [no(claimed.attempt_id, "uncertain", "timeout", message_class=MARKETING)])
    text.refresh_from_db()
    assert (text.state, text.reason) == (State.UNCERTAIN, Reason.NO_ANSWER)

    write(lease, [yes(claimed.attempt_id, "p1", message_class=MARKETING)])

    text.refresh_from_db()
    assert text.state == State.ACCEPTED
    assert Attempt.objects.get().outcome == "accepted"


def test_of_a_half_taken_text_only_the_missing_part_goes_out_again(lease, li_lei):
    message(li_lei, NOTIFICATION, NOON, parts=2)
    (first,) = claim_now(lease, NOON).claimed
    half = yes(first.attempt_id, "p1")
    write(lease, [half._replace(result=half.result._replace(outcome="throttle", part_ids=("p1", None)))])
    Message.objects.update(due_at=NOON)

    (second,) = claim_now(lease, NOON).claimed

    assert dict(second.known_parts) == {1: "p1"}
    assert Message.objects.get().gateway_id == lease.gateway, "on the same gateway"


@pytest.mark.parametrize(
    ("err", "is_final", "is_out"),
    [("MBBLACK", True, True), ("mk:0017", True, True), ("001", True, False), ("MBBLACK", False, False)],
)
def test_a_carriers_blacklist_is_believed_like_a_stop(lease, li_lei, err, is_final, is_out):
    message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    write(lease, [yes(claimed.attempt_id, "p1")])

    write(lease, receipts=[receipt("p1", "undelivered", is_final=is_final)._replace(err=err)])

    left = Suppression.objects.filter(phone_hash=li_lei.phone_hash, lifted_at=None)
    assert list(left.values_list("source", flat=True)) == (["carrier"] if is_out else [])


@pytest.mark.parametrize("way", ["with the answer", "by the sweep"])
def test_a_blacklist_that_is_told_before_the_answer_is_believed_all_the_same(lease, li_lei, way):
    text = message(li_lei, NOTIFICATION, NOON)
    (claimed,) = claim_now(lease, NOON).claimed
    early = ReceiptIn("p1", "UNDELIV", "MBBLACK", "undelivered", True, "id:p1")

    if way == "with the answer":
        write(lease, receipts=[early])
        write(lease, [yes(claimed.attempt_id, "p1")])
    else:
        write(lease, [yes(claimed.attempt_id, "p2")])
        write(lease, receipts=[early])
        SubmittedPart.objects.update(provider_id="p1")
        match_parked(at=now())

    text.refresh_from_db()
    assert text.state == State.UNDELIVERED
    assert [bytes(row.phone_hash) for row in Suppression.objects.all()] == [bytes(li_lei.phone_hash)]


@pytest.mark.parametrize("outcome", ["not_sent", "throttle", "retry"])
def test_a_definite_no_is_believed_after_the_lease_seemed_lost(lease, li_lei, outcome):
    text = message(li_lei, NOTIFICATION, now())
    (claimed,) = claim_now(lease, now()).claimed
    sweep_messages(at=now() + timedelta(minutes=1))
    text.refresh_from_db()
    assert text.state == State.UNCERTAIN

    write(lease, [no(claimed.attempt_id, outcome)])

    text.refresh_from_db()
    assert text.state == State.QUEUED, "what was not sent is not given up as unknown"
    assert Attempt.objects.get().outcome == outcome


def test_what_was_in_doubt_is_never_rejected(lease, li_lei):
    text = message(li_lei, NOTIFICATION, now())
    (claimed,) = claim_now(lease, now()).claimed
    sweep_messages(at=now() + timedelta(minutes=1))

    write(lease, [no(claimed.attempt_id, "permanent", "0x0B")])

    text.refresh_from_db()
    assert (text.state, Attempt.objects.get().outcome) == (State.UNCERTAIN, "uncertain")
