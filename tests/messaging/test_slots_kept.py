"""Slots under the cap of a month are kept for texts of a moment of the member's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from constance import config

from members.models import Member
from messaging.domain.explaining import explain
from messaging.domain.outbox import enqueue, enqueue_members
from messaging.enums import Cause, MessageClass
from messaging.models import Message, Template
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.test_outbox import draft, said

MARKETING = MessageClass.MARKETING


def had(member: Member, texts: int) -> None:
    """So many marketing texts in the last weeks, one every three days."""
    for number in reversed(range(texts)):
        enqueue(
            [draft(member, cause=Cause.RULE, cause_id=100 + number)], at=NOON - timedelta(days=3 + 3 * number)
        )
    assert Message.objects.filter(state=State.QUEUED).count() == texts


@pytest.mark.parametrize(
    ("texts", "cause", "reason"),
    [
        (4, Cause.RUN, ""),
        (5, Cause.RUN, Reason.FREQUENCY),
        (5, Cause.API, Reason.FREQUENCY),
        (5, Cause.RULE, ""),
        (6, Cause.RULE, Reason.FREQUENCY),
    ],
)
def test_a_push_leaves_the_last_slot_to_a_trigger_rule(li_lei, texts, cause, reason):
    had(li_lei, texts)

    [result] = enqueue([draft(li_lei, cause=cause)], at=NOON)

    assert result.reason == reason


@pytest.mark.parametrize(("is_personal", "state"), [(False, State.SUPPRESSED), (True, State.QUEUED)])
def test_a_crowd_chosen_one_by_one_may_use_the_slot(li_lei, is_personal, state):
    had(li_lei, 5)

    by_state = enqueue_members(
        [said(li_lei)],
        store_id=li_lei.home_store_id,
        message_class=MARKETING,
        cause=Cause.RUN,
        cause_id=7,
        at=NOON,
        is_personal=is_personal,
    )

    assert by_state == {state: 1}
    assert Message.objects.get(cause_id=7).is_personal == is_personal


def test_the_owner_may_keep_none_or_all(li_lei):
    had(li_lei, 5)
    config.MARKETING_RESERVED_PER_MONTH = 0
    assert enqueue([draft(li_lei, cause_id=1)], at=NOON)[0].state == State.QUEUED

    config.MARKETING_RESERVED_PER_MONTH = 6
    push = enqueue([draft(li_lei, cause_id=2)], at=NOON + timedelta(days=29))[0]
    assert (push.state, push.reason) == (State.SUPPRESSED, Reason.FREQUENCY)


def test_what_may_use_the_slots_is_written_on_the_text(li_lei):
    enqueue([draft(li_lei, cause=Cause.RULE, cause_id=1)], at=NOON)
    enqueue([draft(li_lei, MessageClass.NOTIFICATION, cause=Cause.RULE, cause_id=2)], at=NOON)
    enqueue([draft(li_lei, cause=Cause.RUN, cause_id=3)], at=NOON)

    assert dict(Message.objects.values_list("cause_id", "is_personal")) == {1: True, 2: False, 3: False}


@pytest.mark.parametrize(
    ("event_type", "detail", "leaves"),
    [("", "1 / 24 h, 5 / 30 d", False), ("birthday", "1 / 24 h, 6 / 30 d", True)],
)
def test_explaining_tells_which_cap_is_meant(li_lei, riverside, event_type, detail, leaves):
    had(li_lei, 5)
    template = Template.objects.create(
        key="t", name="T", message_class=MARKETING, event_type=event_type, store=riverside
    )

    told = {
        gate.key: gate for gate in explain(member=li_lei, store=riverside, at=NOON, template=template).gates
    }

    assert told[Reason.FREQUENCY].detail == detail
    assert (told[Reason.FREQUENCY].says == "yes") == leaves
