"""What time does to messages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from messaging import tasks
from messaging.domain import sweeps
from messaging.domain.sweeps import sweep_messages
from messaging.enums import BindState, Cause, MessageClass
from messaging.models import Attempt, Gateway, Handover, Message, Receipt, Waiting
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import main_gateway, message

VERIFICATION, TRIGGER = MessageClass.VERIFICATION, MessageClass.TRIGGER
NOTIFICATION, MARKETING = MessageClass.NOTIFICATION, MessageClass.MARKETING


@pytest.fixture
def gateway(db) -> Gateway:
    gateway = main_gateway()
    gateway.lease_owner, gateway.lease_epoch, gateway.lease_until = "desk", 7, NOON + timedelta(seconds=30)
    gateway.save()
    return gateway


def tried(
    member, gateway, message_class, state, *, outcomes=("",), ago=timedelta(0), epoch=7, **more
) -> Message:
    """A message submitted some time ago, with an attempt for each outcome."""
    text = message(
        member,
        message_class,
        NOON,
        state=state,
        attempts=len(outcomes),
        gateway=gateway,
        submitted_at=NOON - ago,
        **more,
    )
    for number, outcome in enumerate(outcomes, 1):
        attempt = Attempt.objects.create(
            message=text, number=number, gateway=gateway, epoch=epoch, outcome=outcome
        )
        Handover.objects.create(
            gateway=gateway,
            epoch=epoch,
            started_at=NOON - ago,
            first_attempt=attempt.pk,
            last_attempt=attempt.pk,
            is_open=outcome == "",
        )
    return text


def after(text: Message) -> tuple[str, str]:
    sweep_messages(at=NOON)
    text.refresh_from_db()
    return text.state, text.reason


@pytest.mark.parametrize(
    ("epoch", "lease_left", "ago", "state"),
    [
        (7, timedelta(seconds=1), timedelta(seconds=20), State.SUBMITTING),
        (6, timedelta(seconds=1), timedelta(seconds=20), State.UNCERTAIN),
        (7, timedelta(seconds=-1), timedelta(seconds=20), State.UNCERTAIN),
        (7, timedelta(seconds=1), timedelta(minutes=11), State.UNCERTAIN),
    ],
)
def test_an_attempt_whose_process_is_gone_is_visibly_in_doubt(gateway, li_lei, epoch, lease_left, ago, state):
    Gateway.objects.update(lease_until=NOON + lease_left)
    text = tried(li_lei, gateway, MARKETING, State.SUBMITTING, epoch=epoch, ago=ago)

    assert after(text)[0] == state
    assert Attempt.objects.get().outcome == ("uncertain" if state == State.UNCERTAIN else "")


@pytest.mark.parametrize(
    ("message_class", "ago", "copies", "more", "state"),
    [
        (VERIFICATION, timedelta(seconds=4), 1, {}, State.UNCERTAIN),
        (VERIFICATION, timedelta(seconds=5), 1, {}, State.QUEUED),
        (VERIFICATION, timedelta(seconds=5), 2, {}, State.UNKNOWN),
        (VERIFICATION, timedelta(seconds=5), 1, {"expires_at": NOON}, State.UNKNOWN),
        (NOTIFICATION, timedelta(minutes=14), 1, {}, State.UNCERTAIN),
        (NOTIFICATION, timedelta(minutes=15), 1, {}, State.QUEUED),
        (TRIGGER, timedelta(minutes=15), 1, {}, State.QUEUED),
        (NOTIFICATION, timedelta(minutes=15), 2, {}, State.UNKNOWN),
        (TRIGGER, timedelta(minutes=15), 1, {"cause": Cause.REPLY}, State.UNCERTAIN),
        (MARKETING, timedelta(hours=71), 1, {}, State.UNCERTAIN),
        (MARKETING, timedelta(hours=72), 1, {}, State.UNKNOWN),
    ],
)
def test_a_doubt_is_resolved_by_the_rule_of_the_class(
    gateway, li_lei, message_class, ago, copies, more, state
):
    text = tried(
        li_lei, gateway, message_class, State.UNCERTAIN, outcomes=("uncertain",) * copies, ago=ago, **more
    )

    assert after(text)[0] == state


@pytest.mark.parametrize(
    ("state", "more", "ending"),
    [
        (State.RETRY_WAIT, {"due_at": NOON}, (State.QUEUED, "")),
        (State.RETRY_WAIT, {"due_at": NOON + timedelta(seconds=1)}, (State.RETRY_WAIT, "")),
        (State.RETRY_WAIT, {"expires_at": NOON}, (State.EXPIRED, Reason.TOO_LATE)),
        (State.QUEUED, {"expires_at": NOON}, (State.EXPIRED, Reason.TOO_LATE)),
        (State.HELD, {"expires_at": NOON}, (State.EXPIRED, Reason.TOO_LATE)),
        (State.QUEUED, {"expires_at": NOON + timedelta(seconds=1)}, (State.QUEUED, "")),
    ],
)
def test_pauses_end_and_late_texts_stay(gateway, li_lei, state, more, ending):
    text = message(li_lei, NOTIFICATION, NOON, state=state, **more)

    assert after(text) == ending


@pytest.mark.parametrize(
    ("hours", "ending"), [(71, (State.ACCEPTED, "")), (72, (State.NO_RECEIPT, Reason.NO_RECEIPT))]
)
def test_a_text_the_carrier_never_reported_on(gateway, li_lei, hours, ending):
    text = tried(
        li_lei, gateway, MARKETING, State.ACCEPTED, outcomes=("accepted",), ago=timedelta(hours=hours)
    )

    assert after(text) == ending


def test_a_second_sweep_finds_nothing_left_to_do(gateway, li_lei):
    tried(li_lei, gateway, MARKETING, State.SUBMITTING, epoch=6)

    first = sweep_messages(at=NOON)
    second = sweep_messages(at=NOON)

    assert first["lost"] == 1
    assert not any(second.values())


def test_a_gateway_without_a_process_is_shown_as_off(gateway):
    Gateway.objects.update(bind_state=BindState.BOUND, lease_until=NOON - timedelta(seconds=1))

    sweep_messages(at=NOON)

    gateway.refresh_from_db()
    assert (gateway.bind_state, gateway.last_error) == (BindState.OFF, "No gateway process is running.")


def parked(gateway, phone: str, provider_id: str, outcome: str = "delivered") -> None:
    Receipt.objects.create(
        gateway=gateway,
        provider_id=provider_id,
        outcome=outcome,
        is_final=True,
        raw="",
        phone=phone,
        received_at=NOON,
    )


@pytest.mark.parametrize(
    ("receipts", "more", "state"),
    [
        ([("+8613800138000", "a")], {}, State.DELIVERED),  # the answer was lost, its receipt came
        ([("8613800138000", "a")], {}, State.DELIVERED),  # as a carrier writes it without its plus
        ([("+8613900139000", "a")], {}, State.UNCERTAIN),  # another phone's
        ([("+8613800138000", "a"), ("+8613800138000", "b")], {}, State.UNCERTAIN),  # of two which?
        ([("+8613800138000", "a"), ("+8613800138000", "b")], {"parts": 2}, State.DELIVERED),
        ([("+8613800138000", "a")], {"parts": 2}, State.UNCERTAIN),  # half of it is not all
    ],
)
def test_a_receipt_resolves_the_one_doubt_it_can_mean(gateway, li_lei, receipts, more, state):
    text = tried(li_lei, gateway, MARKETING, State.UNCERTAIN, outcomes=("uncertain",), **more)
    for phone, provider_id in receipts:
        parked(gateway, phone, provider_id)

    assert after(text)[0] == state
    assert not Receipt.objects.exclude(matched_at=None).exclude(phone="").exists()


@pytest.mark.parametrize("other", [State.UNCERTAIN, State.SUBMITTING])
def test_a_receipt_that_two_texts_to_one_phone_could_mean_resolves_neither(gateway, li_lei, other):
    text = tried(li_lei, gateway, MARKETING, State.UNCERTAIN, outcomes=("uncertain",))
    tried(li_lei, gateway, MARKETING, other, outcomes=("",), run=2)
    parked(gateway, li_lei.phone, "a")

    assert after(text)[0] == State.UNCERTAIN


def test_a_receipt_from_before_the_text_is_not_its_own(gateway, li_lei):
    text = tried(
        li_lei, gateway, MARKETING, State.UNCERTAIN, outcomes=("uncertain",), ago=-timedelta(seconds=1)
    )
    parked(gateway, li_lei.phone, "a")

    assert after(text)[0] == State.UNCERTAIN


def test_what_has_to_wait_longer_holds_up_nobody_behind_it(gateway, li_lei, monkeypatch):
    monkeypatch.setattr(sweeps, "ROUND_MAX", 2)
    for run in (1, 2, 3):
        tried(
            li_lei,
            gateway,
            NOTIFICATION,
            State.SUBMITTING,
            outcomes=("uncertain",),
            ago=timedelta(minutes=10),
            run=run,
        )
    code = tried(
        li_lei,
        gateway,
        VERIFICATION,
        State.SUBMITTING,
        outcomes=("uncertain",),
        ago=timedelta(seconds=6),
        run=4,
    )
    Message.objects.update(state=State.UNCERTAIN)

    for _round in (1, 2, 3):
        sweep_messages(at=NOON)

    code.refresh_from_db()
    assert code.state == State.QUEUED
    assert sweep_messages(at=NOON + timedelta(minutes=5))["uncertain"] == 2, "the others at their own time"
    assert sweep_messages(at=NOON + timedelta(minutes=5))["uncertain"] == 1


def test_a_chunk_of_doubts_is_never_cut_in_two(gateway, li_lei, monkeypatch):
    monkeypatch.setattr(sweeps, "ROUND_MAX", 2)
    rows = [message(li_lei, MARKETING, NOON, run=run, state=State.SUBMITTING) for run in range(3)]
    Message.objects.all().delete()
    Message.objects.bulk_create(
        Message(**{**_fields(row), "state": State.UNCERTAIN, "submitted_at": NOON - timedelta(days=4)})
        for row in rows
    )

    for _round in (1, 2, 3):
        sweep_messages(at=NOON)

    assert set(Message.objects.values_list("state", flat=True)) == {State.UNKNOWN}


def _fields(row: Message) -> dict:
    return {
        field.attname: getattr(row, field.attname)
        for field in Message._meta.concrete_fields
        if field.attname != "id"
    }


@pytest.mark.parametrize("state", [State.UNKNOWN, State.NO_RECEIPT])
def test_a_late_receipt_leaves_nothing_behind_for_a_person_to_look_at(gateway, li_lei, state):
    before = {State.UNKNOWN: State.UNCERTAIN, State.NO_RECEIPT: State.ACCEPTED}[state]
    text = message(li_lei, NOTIFICATION, NOON, state=before)
    Message.objects.filter(pk=text.pk).update(state=state)
    assert Waiting.objects.filter(state=state).exists()

    Message.objects.filter(pk=text.pk).update(state=State.DELIVERED)

    assert not Waiting.objects.filter(state=state).exists()


def test_the_databases_clock_decides_not_the_workers(gateway, li_lei, monkeypatch):
    code = message(li_lei, VERIFICATION, now(), expires_at=now() + timedelta(minutes=5))
    monkeypatch.setattr(tasks, "now", lambda: code.due_at + timedelta(hours=1))

    tasks.sweep_messages()

    code.refresh_from_db()
    assert code.state == State.QUEUED
