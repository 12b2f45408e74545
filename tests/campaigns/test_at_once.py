"""Two at the same moment, on connections of their own: each sees what the other did."""

# ruff: noqa: F811  (fixtures of another module)

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns.domain import handouts, launching, runs
from campaigns.domain.audiences import Audience
from campaigns.models import Campaign, RuleFiring, TriggerRule
from members.domain.events import publish
from members.domain.ledger import Actor
from members.models import CouponDefinition, CouponHandout
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from messaging.states import Reason, State
from tests.campaigns.test_runs import campaign, promotion, send, three_members  # noqa: F401
from tests.conftest import NOON


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed."""


def overlapping(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """`second` begins while `first` is done but not committed; if it does not wait, it is over before that."""
    is_done, may_commit = Event(), Event()

    def hold() -> Any:
        try:
            with transaction.atomic():
                found = first()
                is_done.set()
                may_commit.wait(1)
                return found
        finally:
            connection.close()

    def follow() -> Any:
        try:
            is_done.wait(10)
            return second()
        finally:
            may_commit.set()
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        return [future.result(30) for future in (threads.submit(hold), threads.submit(follow))]


def test_of_two_missed_calls_at_once_one_is_answered(mei, riverside, li_lei):
    template = Template.objects.create(
        key="missed", name="Missed", message_class=MessageClass.TRIGGER, event_type="call_missed"
    )
    save_draft(template=template, language="en", text="We missed your call at {at}.", by=mei, at=NOON)
    TriggerRule.objects.create(name="Missed", event_type="call_missed", template=template, dedupe_seconds=600)

    def ring(key: str) -> Callable[[], Any]:
        fact = {"member": li_lei, "store": riverside, "source": "pbx", "at": NOON}
        return lambda: publish("call_missed", key=key, payload={"called": "021 5555 0100"}, **fact) and None

    overlapping(ring("first"), ring("second"))

    assert list(RuleFiring.objects.order_by("id").values_list("reason", flat=True)) == ["", Reason.DUPLICATE]
    assert Message.objects.filter(state=State.QUEUED).count() == 1


def test_two_campaigns_of_one_minute_text_a_phone_once(campaign, promotion, three_members, mei, riverside):
    other = Campaign.objects.create(name="Other", store=riverside, template=promotion, created_by=mei)
    started = [launching.launch(campaign=one, by=mei, at=NOON) for one in (campaign, other)]
    for run in started:
        runs.freeze(run_id=run.pk)

    overlapping(*(lambda run=run: runs.expand(run_id=run.pk, chunk=0, at=NOON) for run in started))

    stand = Message.objects.filter(member__has_marketing_consent=True).order_by("id")
    assert list(stand.values_list("reason", flat=True)) == ["", "", Reason.FREQUENCY, Reason.FREQUENCY]


@pytest.mark.parametrize("is_stop_first", [True, False])
def test_a_text_that_comes_back_as_its_run_is_stopped_is_not_sent(
    campaign, three_members, mei, is_stop_first
):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    send(run)
    thrown_back = Message.objects.filter(state=State.QUEUED)[:1].get()
    Message.objects.filter(pk=thrown_back.pk).update(state=State.SUBMITTING)

    def stop() -> None:
        runs.stop(run=run, by=mei, at=NOON)

    def come_back() -> None:
        Message.objects.filter(pk=thrown_back.pk).update(state=State.QUEUED)

    overlapping(*((stop, come_back) if is_stop_first else (come_back, stop)))

    thrown_back.refresh_from_db()
    assert (thrown_back.state, thrown_back.reason) == (State.CANCELLED, Reason.STOPPED)


def test_what_somebody_was_at_when_its_run_was_stopped_is_swept(campaign, three_members, mei):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    send(run)

    overlapping(
        lambda: list(Message.objects.select_for_update().filter(state=State.QUEUED)[:1]),
        lambda: runs.stop(run=run, by=mei, at=NOON),
    )

    assert runs.cancel_returned(at=NOON + timedelta(minutes=1)) == 1
    assert not Message.objects.filter(state=State.QUEUED).exists()


def test_a_chunk_composed_while_its_run_is_stopped_is_not_written(campaign, three_members, mei):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)

    overlapping(
        lambda: runs.stop(run=run, by=mei, at=NOON),
        lambda: runs.expand(run_id=run.pk, chunk=0, at=NOON),
    )

    assert not Message.objects.exists()


def test_a_double_click_hands_out_once(mei, riverside, li_lei):
    definition = CouponDefinition.objects.create(name="20 off", off_minor=2000)

    def begin() -> CouponHandout:
        return handouts.begin(
            actor=Actor(f"staff:{mei.pk}", mei.pk),
            key="one-form",
            at=NOON,
            store=riverside,
            definition=definition,
            audience=Audience(),
            reason="Quiet week",
        )

    first, second = overlapping(begin, begin)

    assert first == second == CouponHandout.objects.get()
