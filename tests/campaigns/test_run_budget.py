"""A run and the budgets it counts under."""

# ruff: noqa: F811  (fixtures of another module)

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from structlog.testing import capture_logs

from campaigns.domain import launching, runs
from campaigns.domain.launching import NotLaunchable, budget_subject
from campaigns.enums import CampaignStatus, Timing
from campaigns.models import Campaign, Run
from members.models import Staff
from messaging.domain import budgets
from messaging.models import Gateway, Message, Purse
from messaging.states import Reason, State
from tests.campaigns.test_runs import SHANGHAI, campaign, promotion, three_members  # noqa: F401
from tests.conftest import NOON

TEN = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)


@pytest.fixture
def gateway(db) -> Gateway:
    return Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="x", price_minor=10)


def cap(campaign: Campaign, minor: int):
    return budgets.set_budget(
        scope="campaign",
        subject=budget_subject(campaign),
        period="whole",
        amount_minor=minor,
        protected_percent=0,
        by=None,
        at=NOON,
    )


def test_a_run_above_the_cap_does_not_start_and_says_the_amounts(
    gateway, campaign, three_members, mei: Staff
):
    cap(campaign, 10)

    with pytest.raises(NotLaunchable) as refused:
        launching.launch(campaign=campaign, by=mei, at=NOON)

    assert "0.10" in str(refused.value) and refused.value.field == "budget"
    assert not Run.objects.exists() and not Purse.objects.exists()
    assert Campaign.objects.get().status == "draft"


def test_a_run_draws_on_its_purse_and_gives_the_rest_back(gateway, campaign, three_members, mei: Staff):
    budget = cap(campaign, 1000)
    run = launching.launch(campaign=campaign, by=mei, at=NOON)
    aside = budgets.standing(budget, at=NOON).open_milli
    assert aside > 0

    runs.freeze(run_id=run.pk)
    runs.expand(run_id=run.pk, chunk=0, at=NOON)

    held = sum(Message.objects.filter(state=State.QUEUED).values_list("reserved_milli", flat=True))
    assert held > 0 and budgets.standing(budget, at=NOON).open_milli == held
    assert Purse.objects.get().closed_at is not None
    runs.stop(run=run, by=mei, at=NOON)
    budgets.settle()
    assert budgets.standing(budget, at=NOON).open_milli == 0
    assert budgets.unbalanced() == []


def test_a_run_of_the_schedule_stops_where_the_money_ends(gateway, campaign, three_members, mei: Staff):
    run = launching.start_run(campaign=campaign, window="once", at=NOON)
    cap(campaign, 10)
    budgets.open_purse(
        cause="run", cause_id=run.pk, store=campaign.store, milli=0, subject=budget_subject(campaign), at=NOON
    )
    runs.freeze(run_id=run.pk)
    runs.expand(run_id=run.pk, chunk=0, at=NOON)

    said = list(Message.objects.order_by("id").values_list("reason", flat=True))
    assert said.count(Reason.BUDGET) >= 1
    assert budgets.unbalanced() == []


@pytest.fixture
def daily(gateway, campaign, three_members) -> Campaign:
    """Each day at ten, and over its budget: somebody lowered it below what was used."""
    Campaign.objects.update(timing=Timing.DAILY, at_time=time(10), status=CampaignStatus.ACTIVE)
    campaign.refresh_from_db()
    cap(campaign, 1000)
    subject = budget_subject(campaign)
    budgets.open_purse(cause="run", cause_id=0, store=campaign.store, milli=900_000, subject=subject, at=TEN)
    cap(campaign, 10)
    return campaign


def test_a_due_run_without_money_is_said_once_and_starts_when_there_is_some(daily):
    with capture_logs() as said:
        assert [launching.tick(at=TEN + timedelta(minutes=minute)) for minute in range(3)] == [[], [], []]
        daily.refresh_from_db()
        told = launching.unpaid(daily)
        cap(daily, 2000)
        started = launching.tick(at=TEN + timedelta(minutes=3))

    assert [entry["event"] for entry in said] == ["campaign_over_budget"]
    assert not any("exc_info" in entry for entry in said)
    assert told == launching.Unpaid(TEN, TEN + launching.LATE_MAX)
    assert started == [Run.objects.get().pk]
    daily.refresh_from_db()
    assert launching.unpaid(daily) is None


def test_the_next_days_run_without_money_is_said_anew(daily):
    with capture_logs() as said:
        for day in range(2):
            launching.tick(at=TEN + timedelta(days=day))

    assert [entry["window"] for entry in said] == ["2026-11-20", "2026-11-21"]
