"""Runs at their edges: round midnight, too late, stopped, with a budget used up, with somebody merged meanwhile."""

# ruff: noqa: F811  (fixtures of another module)

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from campaigns.cadence.wakeup import WakeUp
from campaigns.domain import launching, runs, wakeup
from campaigns.domain.launching import NotLaunchable
from campaigns.domain.scoring import Assessment
from campaigns.enums import CampaignStatus, RunStatus, Timing
from campaigns.models import Campaign, Recipient, Run
from campaigns.tasks import sweep_runs
from members.domain.ledger import Actor
from members.domain.merging import merge
from members.models import Member
from messaging.domain import budgets
from messaging.models import Gateway, Message, Purse
from messaging.states import Reason, State
from tests.campaigns.test_runs import SHANGHAI, campaign, promotion, send, three_members  # noqa: F401
from tests.conftest import NOON

ACTIVE_AT_NOON = {"timing": Timing.DAILY, "at_time": time(12), "status": CampaignStatus.ACTIVE}


# When


@pytest.mark.parametrize(
    ("more", "local", "due"),
    [
        ({}, "2026-11-21 00:30", "2026-11-20"),
        ({}, "2026-11-21 02:00", ""),
        ({"end_on": date(2026, 11, 20)}, "2026-11-21 00:30", "2026-11-20"),
        ({"start_on": date(2026, 11, 21)}, "2026-11-21 00:30", ""),
        ({"timing": Timing.ONCE, "start_on": date(2026, 11, 20)}, "2026-11-21 00:30", "once"),
    ],
)
def test_a_late_tick_after_midnight_still_starts_the_evenings_run(campaign, more, local, due):
    for name, value in ({"timing": Timing.DAILY, "at_time": time(23)} | more).items():
        setattr(campaign, name, value)

    at = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)

    assert launching.due_window(campaign, at) == due


@pytest.mark.parametrize(
    ("timing", "start_on", "end_on", "at_time", "field"),
    [
        (Timing.ONCE, date(2026, 11, 20), None, time(8), "at_time"),  # it is noon
        (Timing.DAILY, None, date(2026, 11, 20), time(8), "at_time"),
        (Timing.DAILY, None, date(2026, 11, 19), time(13), "end_on"),
        (Timing.ONCE, date(2026, 11, 20), None, time(10), ""),  # two hours late is not too late
        (Timing.DAILY, None, date(2026, 11, 20), time(13), ""),
    ],
)
def test_what_could_never_run_is_not_launched(campaign, mei, timing, start_on, end_on, at_time, field):
    campaign.timing, campaign.start_on, campaign.end_on, campaign.at_time = timing, start_on, end_on, at_time
    campaign.save()

    if not field:
        launching.launch(campaign=campaign, by=mei, at=NOON)
        return
    with pytest.raises(NotLaunchable) as refused:
        launching.launch(campaign=campaign, by=mei, at=NOON)

    assert refused.value.field == field


# Budgets


@pytest.fixture
def overdrawn(campaign):
    """The campaign's budget was lowered below what it had spent."""
    Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="x", price_minor=10)
    budget = budgets.set_budget(
        scope="campaign",
        subject=launching.budget_subject(campaign),
        period="whole",
        amount_minor=100_000,
        protected_percent=0,
        by=None,
        at=NOON - timedelta(days=9),
    )
    budgets.open_purse(
        cause="run", cause_id=0, store=campaign.store, milli=10**6, subject=budget.subject, at=NOON
    )
    budget.amount_minor = 1
    budget.save()
    return budget


def test_a_campaign_that_cannot_start_holds_up_no_other(overdrawn, campaign, promotion, riverside, mei):
    Campaign.objects.filter(pk=campaign.pk).update(**ACTIVE_AT_NOON)
    others = [
        Campaign.objects.create(
            name=name, store=riverside, template=promotion, created_by=mei, **ACTIVE_AT_NOON
        )
        for name in ("Before", "After")
    ]

    assert len(launching.tick(at=NOON)) == 2

    assert set(Run.objects.values_list("campaign", flat=True)) == {other.pk for other in others}


def test_a_run_by_hand_counts_under_the_campaigns_budget(overdrawn, campaign, three_members):
    Campaign.objects.filter(pk=campaign.pk).update(**ACTIVE_AT_NOON)

    with pytest.raises(CommandError, match="budget"):
        call_command("run_campaign", campaign.name, stdout=StringIO())
    assert not Run.objects.exists()
    overdrawn.amount_minor = 1001
    overdrawn.save()
    call_command("run_campaign", campaign.name, stdout=StringIO())

    assert Purse.objects.filter(cause="run", cause_id=Run.objects.get().pk).exists()
    assert set(Message.objects.values_list("reason", flat=True)) == {Reason.NO_CONSENT, Reason.BUDGET}


# Stopped


@pytest.mark.parametrize(
    "way",
    [
        [State.SUBMITTING, State.QUEUED],  # throttled, or never written
        [State.SUBMITTING, State.RETRY_WAIT],
        [State.SUBMITTING, State.UNCERTAIN, State.QUEUED],  # a definite no that came late
        [State.QUARANTINED, State.QUEUED],  # let go by a person
    ],
)
def test_what_comes_back_to_a_stopped_run_is_cancelled_at_once(campaign, three_members, mei, way):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    send(run)
    text = Message.objects.filter(state=State.QUEUED).first()
    Message.objects.filter(pk=text.pk).update(state=way[0])
    assert runs.stop(run=run, by=mei, at=NOON) == 1

    for state in way[1:]:
        Message.objects.filter(pk=text.pk).update(state=state)

    text.refresh_from_db()
    assert (text.state, text.reason, text.final_at is None) == (State.CANCELLED, Reason.STOPPED, False)


def test_what_comes_back_to_a_run_that_goes_on_waits(campaign, three_members, mei):
    send(launching.launch(campaign=campaign, by=mei, at=NOON))
    text = Message.objects.filter(state=State.QUEUED).first()

    for state in (State.SUBMITTING, State.QUEUED):
        Message.objects.filter(pk=text.pk).update(state=state)

    text.refresh_from_db()
    assert text.state == State.QUEUED


def test_the_sweep_leaves_runs_that_go_on_alone(campaign, three_members, mei):
    send(launching.launch(campaign=campaign, by=mei, at=NOON))

    assert sweep_runs()["cancelled"] == 0

    assert Message.objects.filter(state=State.QUEUED).count() == 2


def due(member: Member) -> Assessment:
    one = np.array([1.0])
    return Assessment(np.array([member.pk]), WakeUp(np.array([1]), one, one, one, one, one))


@pytest.mark.parametrize(("has_left", "is_asked_again"), [(False, True), (True, False)])
def test_a_run_stopped_before_it_spoke_is_not_counted_against_anybody(
    campaign, li_lei, mei, has_left, is_asked_again
):
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    send(run)
    if has_left:
        Message.objects.update(state=State.SUBMITTING)
    runs.stop(run=run, by=mei, at=NOON)
    tomorrow = Run(campaign=campaign, as_of=NOON + timedelta(days=1))
    in_three_weeks = Run(campaign=campaign, as_of=NOON + timedelta(days=21))

    chosen = [wakeup.choose(one, Member.objects.all(), due(li_lei)) for one in (tomorrow, in_three_weeks)]

    assert [bool(one) for one in chosen] == [is_asked_again, is_asked_again]
    assert Run.objects.get().status == RunStatus.STOPPED and Recipient.objects.count() == 1


# Merged meanwhile


def test_who_was_merged_after_the_choice_is_texted_once(campaign, enrol, mei, riverside):
    kept, merged = enrol("13800138001", name="Anna"), enrol("13800138002", name="Anna")
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)
    by_mei = Actor(f"staff:{mei.pk}", mei.pk)
    merge(actor=by_mei, key="m", at=NOON, store=riverside, kept=kept, merged=merged, reason="The same person")

    runs.expand(run_id=run.pk, chunk=0, at=NOON)

    stand = Message.objects.order_by("member").values_list("member", "state", "reason")
    assert list(stand) == [
        (kept.pk, State.QUEUED, ""),
        (merged.pk, State.SUPPRESSED, Reason.DUPLICATE),
    ]
