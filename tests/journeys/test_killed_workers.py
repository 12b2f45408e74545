"""Celery workers are killed while a run of 5,000 is made into texts: everybody has exactly one, nobody none."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from campaigns.domain import drafting, launching, runs
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind
from campaigns.models import Recipient, Run, RunChunk
from members.models import Member
from messaging.enums import Cause
from messaging.models import Message
from messaging.states import State
from tests.journeys.dispatch_stage import crowd, states, wait_for, zone_where_it_is
from tests.journeys.house import House, Shop
from tests.journeys.nursery import Born

pytestmark = pytest.mark.torture
PEOPLE = 5000
CHUNKS = PEOPLE // runs.CHUNK_SIZE
BUSY = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
 AND xact_start < clock_timestamp() - interval '30 milliseconds'
"""


@pytest.fixture
def run(shop: Shop) -> Run:
    """A promotion to 5,000 members for whom it is noon, launched a minute ago: the sweep need not wait."""
    crowd(shop.riverside, PEOPLE)
    Member.objects.update(timezone=zone_where_it_is(12))
    marketer, owner = shop.staff["marketer"], shop.staff["owner"]
    campaign = drafting.create_draft(kind=CampaignKind.PUSH, store=shop.riverside, name="Autumn", by=marketer)
    wording = {"en": "{name|Hello}, 20% off this week at {store}.", "zh-hans": "{name|您好}，本周八折。"}
    campaign = drafting.save_plan(campaign=campaign, audience=Audience(), wording=wording, changes={})
    drafting.submit(campaign=campaign, by=marketer, at=now())
    drafting.approve(campaign=campaign, by=owner, at=now())
    run = launching.launch(campaign=campaign, by=marketer, at=now() - timedelta(minutes=1))
    assert run is not None
    return run


def is_working() -> bool:
    """Whether another process is in the middle of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(BUSY)
        return bool(cursor.fetchone()[0])


def rescue(house: House) -> None:
    """What beat does each minute."""
    house.send_task("campaigns.tasks.sweep_runs")


def chunks_done() -> int:
    return RunChunk.objects.exclude(expanded_at=None).count()


def employ_workers(house: House, count: int) -> list[Born]:
    """So many workers, all ready."""
    names = [f"worker-{number}" for number in range(count)]
    workers = [house.start_worker(name) for name in names]
    for name in names:
        house.expect_in_log(name, " ready.")
    return workers


def kill_in_the_middle(house: House, workers: list[Born], *, done: int, whole: bool = False) -> int:
    """Kill while a transaction is open and so many chunks are done; gives how many were.

    `whole`: one worker with all it has, not only the processes that work for the workers.
    """
    wait_for(
        lambda: chunks_done() >= done and (is_working() or chunks_done() == CHUNKS), 15, "work to interrupt"
    )
    if whole:
        house.kill(workers.pop())
    for worker in workers:
        house.kill_children(worker)
    return chunks_done()


def test_killed_five_times_every_recipient_has_one_text_and_one_only(house: House, run: Run):
    workers = employ_workers(house, 3)
    house.send_task("campaigns.tasks.freeze_run", run.pk)
    seen = []
    for done, whole in ((0, False), (0, True), (1, False), (2, True), (3, False)):
        seen.append(kill_in_the_middle(house, workers, done=done, whole=whole))
        rescue(house)

    wait_for(lambda: finished(house, run), 30, "the run")

    print(f"chunks of {CHUNKS} done at each kill: {seen}")
    assert sum(done < CHUNKS for done in seen) >= 3, "most kills came before the end"
    assert_everybody_once(run)
    assert runs.progress(run).by_state == {State.QUEUED: PEOPLE}


def finished(house: House, run: Run) -> Any:
    """All chunks are expanded; while not, sweep again."""
    run.refresh_from_db()
    if run.chunks_total and not run.chunks.filter(expanded_at=None).exists():
        return True
    rescue(house)
    return False


def assert_everybody_once(run: Run) -> None:
    chosen = set(Recipient.objects.filter(run=run).values_list("phone", flat=True))
    texts = Counter(Message.objects.filter(cause=Cause.RUN, cause_id=run.pk).values_list("phone", flat=True))
    assert len(chosen) == PEOPLE
    assert RunChunk.objects.filter(run=run).count() == CHUNKS
    assert set(texts) == chosen
    assert max(texts.values()) == 1


def test_with_the_gateway_sending_meanwhile_no_phone_hears_it_twice(house: House, run: Run):
    house.open_gateway()
    workers = employ_workers(house, 2)
    house.send_task("campaigns.tasks.freeze_run", run.pk)
    for done, whole in ((0, False), (2, True)):
        kill_in_the_middle(house, workers, done=done, whole=whole)
        rescue(house)

    wait_for(lambda: finished(house, run), 30, "the run")
    wait_for(lambda: states() == {State.DELIVERED: PEOPLE}, 40, "all receipts")

    assert_everybody_once(run)
    heard = Counter((entry["to"], entry["part"]) for entry in house.carrier.accepted())
    assert max(heard.values()) == 1
    assert len({to for to, _ in heard}) == PEOPLE
