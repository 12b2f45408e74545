"""Two beats, three ticks at once: a window has one run, whoever starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.utils.timezone import now
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from campaigns.enums import CampaignKind, CampaignStatus, RunStatus, Timing
from campaigns.models import Campaign, Run
from crm.local.places import PROJECT
from members.models import Store
from messaging.models import Message, Template
from tests.journeys.dispatch_stage import crowd, wait_for, zone_where_it_is
from tests.journeys.house import House, Shop

DAYS = 50
TICKS = """
import json, sys
from datetime import datetime, timedelta
import django
django.setup()
from campaigns.domain.launching import tick
from django.db import connection
connection.ensure_connection()
print("here", flush=True)
first = datetime.fromisoformat(sys.stdin.readline().strip())
print(json.dumps([run for day in range(int(sys.argv[1])) for run in tick(at=first + timedelta(days=day))]))
"""


@pytest.fixture
def daily(shop: Shop) -> Campaign:
    """A promotion of every day at 11:00; at Riverside it is about noon now."""
    Store.objects.filter(pk=shop.riverside.pk).update(timezone=zone_where_it_is(12))
    return Campaign.objects.create(
        name="Every day",
        kind=CampaignKind.PUSH,
        store=shop.riverside,
        template=Template.objects.get(key="promotion-weekday"),
        timing=Timing.DAILY,
        at_time=time(11),
        status=CampaignStatus.ACTIVE,
        created_by=shop.staff["marketer"],
    )


def test_three_processes_ticking_through_50_days_start_each_day_once(house: House, daily: Campaign):
    tickers = [
        subprocess.Popen(
            [sys.executable, "-c", TICKS, str(DAYS)],
            cwd=PROJECT,
            env=house.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [ticker.stdout.readline() for ticker in tickers] == ["here\n"] * 3  # type: ignore[union-attr]
    start = now()
    today = start.astimezone(Store.objects.get(pk=daily.store_id).zone).date()
    windows = [(today + timedelta(days=day)).isoformat() for day in range(DAYS)]

    with transaction.atomic():
        holds = [hold(daily, window, start) for window in reversed(windows)]
        for ticker in tickers:
            ticker.stdin.write(f"{start.isoformat()}\n")  # type: ignore[union-attr]
            ticker.stdin.flush()  # type: ignore[union-attr]
        for savepoint, holder in reversed(holds):
            wait_for(lambda: waiting_for(holder) == 3, 30, "all three at the same day")  # noqa: B023
            transaction.savepoint_rollback(savepoint)
    started = [json.loads(ticker.communicate(timeout=30)[0]) for ticker in tickers]

    assert sorted(Run.objects.values_list("window", flat=True)) == windows
    assert sorted(sum(started, [])) == sorted(Run.objects.values_list("pk", flat=True))


def hold(campaign: Campaign, window: str, at: datetime) -> tuple[str, str]:
    """Take a window's place without committing, so that all who want it wait; the savepoint and its transaction id."""
    savepoint = transaction.savepoint()
    run = Run.objects.create(
        campaign=campaign, window=window, status=RunStatus.FREEZING, as_of=at, started_at=at
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin FROM campaigns_run WHERE id = %s", [run.pk])
        return savepoint, str(cursor.fetchone()[0])


def waiting_for(transaction_id: str) -> int:
    """How many sessions wait for this transaction to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid::text = %s", [transaction_id]
        )
        return cursor.fetchone()[0]


def test_two_real_beats_and_a_worker_send_the_day_once(house: House, shop: Shop, daily: Campaign):
    crowd(shop.riverside, 40)
    house.start_worker()
    beats = [house.start_beat("beat-1"), house.start_beat("beat-2")]
    for name in ("beat-1", "beat-2"):
        house.expect_in_log(name, "Schedule changed")  # it has written its schedule and read it again
    each_second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(name="campaigns-tick").update(interval=each_second)
    PeriodicTasks.update_changed()

    for name in ("beat-1", "beat-2"):
        house.expect_in_log(name, "Sending due task campaigns-tick", times=4)
    wait_for(lambda: Message.objects.count() >= 40, 10, "the texts")

    assert [beat.poll() for beat in beats] == [None, None]
    assert Run.objects.count() == 1
    assert Message.objects.values("phone").distinct().count() == Message.objects.count() == 40
