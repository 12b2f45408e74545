"""A campaign from launch to the last *delivered*: audience, policy, render, rows, claim, attempt, submit, receipt."""

from __future__ import annotations

import multiprocessing
import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from constance import config
from django.db import connections

from campaigns.domain import launching, runs
from campaigns.domain.audiences import Audience
from campaigns.domain.drafting import approve, create_draft, save_plan, submit
from campaigns.enums import CampaignKind
from campaigns.models import Campaign, Run
from crm.bench.bare import bare_rate, orm_rate
from crm.bench.database import bench_database, versions
from crm.bench.kannel import KannelMissing, kannel_rate
from crm.bench.wire import Sink, peak_memory_mb, running_wire, zone_where_it_is_noon
from members.models import Member, Staff, Store
from messaging.enums import Cause
from messaging.models import Message

SIZES = {"small": (2_000, 1), "standard": (100_000, 3), "large": (1_000_000, 1)}
EXPANDERS = 2


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """Texts per second from launch to the last stored *delivered*, beside the same PDUs without our rules."""
    members, repeats = SIZES[size]
    with bench_database("send", members=members, months=1):
        open_all_doors()
        with running_wire() as sink:
            campaign(-1, sink)  # caches and plans are warm, as they are in a house at work; so are the peers'
            results = [campaign(number, sink) for number in range(repeats)]
            details = versions() | {"size": size, "texts": members, "stages": results}
            submits, acknowledged, _ = sink.counts()
            memory = peak_memory_mb(sink)
        with running_wire(gateways=2) as sink:
            two_gateways = campaign(repeats, sink)
        bare_rate(members)
        bare = [bare_rate(members) for _ in range(repeats)]
        orm = orm_rate(min(members, 500))
    peers = _kannel(min(members, 20_000))
    rates = [result["per_second"] for result in results]
    value, limit = median(rates), median(bare)
    return {
        "name": "send",
        "value": round(value, 1),
        "unit": "texts/s",
        "limit": round(limit, 1),
        "ratio": round(value / limit, 3),
        "goal": 0.2,
        "details": details
        | {
            "spread": [round(min(rates), 1), round(value, 1), round(max(rates), 1)],
            "bare_loop": [round(min(bare), 1), round(limit, 1), round(max(bare), 1)],
            "orm_saves_per_message": round(orm, 1),
            "times_orm": round(value / orm, 1),
            "two_gateways_per_second": round(two_gateways["per_second"], 1),
            "submits": submits,
            "receipts_acknowledged": acknowledged,
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
            "gateway_memory_mb": memory,
        }
        | peers
        | {
            f"times_{name}": round(value / rate, 1) for name, rate in peers.items() if isinstance(rate, float)
        },
    }


def _kannel(texts: int) -> dict[str, Any]:
    try:
        return {
            "kannel_in_memory": round(kannel_rate(texts, spooled=False), 1),
            "kannel_spooled": round(kannel_rate(texts, spooled=True), 1),
        }
    except KannelMissing as missing:
        return {"kannel": f"not measured: {missing}"}


def open_all_doors() -> None:
    """Everybody is one store's, and agrees, at any hour, as often as we like: the work is the same, nobody left out."""
    store = Store.objects.order_by("id")[0]
    Member.objects.update(home_store=store, has_marketing_consent=True, timezone=zone_where_it_is_noon())
    config.MARKETING_FROM, config.MARKETING_UNTIL = "00:00", "23:59"
    config.MARKETING_PER_DAY = config.MARKETING_PER_MONTH = 1000
    config.SAME_TEXT_MINUTES = 0
    Staff.objects.create_user("bench-author")
    Staff.objects.create_user("bench-reviewer")


def campaign(number: int, sink: Sink) -> dict[str, Any]:
    """One campaign to everybody, each text of one part as the bare loop's are; how long each stage took."""
    author, reviewer = (
        Staff.objects.get(username="bench-author"),
        Staff.objects.get(username="bench-reviewer"),
    )
    draft = create_draft(
        kind=CampaignKind.PUSH, store=Store.objects.order_by("id")[0], name=f"Bench {number}", by=author
    )
    wording = {"en": "{name|Hello}, 20% off this week.", "zh-hans": "{name|您好}，本周{store}八折。"}
    draft = save_plan(campaign=draft, audience=Audience(), wording=wording, changes={})
    now = datetime.now(UTC)
    submit(campaign=draft, by=author, at=now)
    approve(campaign=draft, by=reviewer, at=now)
    return _timed(draft, author, sink)


def _timed(draft: Campaign, author: Staff, sink: Sink) -> dict[str, Any]:
    _, before, _ = sink.counts()
    started = time.perf_counter()
    run = launching.launch(campaign=draft, by=author, at=datetime.now(UTC))
    assert run is not None
    counts = runs.freeze(run_id=run.pk)
    frozen = time.perf_counter()
    _expand(run)
    expanded = time.perf_counter()
    _wait_delivered(run, counts["recipients"], sink, before)
    elapsed = time.perf_counter() - started
    return {
        "texts": counts["recipients"],
        "freeze_seconds": round(frozen - started, 2),
        "expand_seconds": round(expanded - frozen, 2),
        "seconds": round(elapsed, 2),
        "per_second": counts["recipients"] / elapsed,
    }


def _expand(run: Run) -> None:
    """Expand the chunks in as many processes as a worker has, as Celery would."""
    numbers = list(run.chunks.order_by("number").values_list("number", flat=True))
    connections.close_all()
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_expand_some, args=(run.pk, numbers[start::EXPANDERS]))
        for start in range(EXPANDERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _expand_some(run_id: int, numbers: list[int]) -> None:
    for number in numbers:
        runs.expand(run_id=run_id, chunk=number, at=datetime.now(UTC))
    connections.close_all()


def _wait_delivered(run: Run, total: int, sink: Sink, before: int, seconds: float = 1800) -> None:
    """A receipt is acknowledged when it is stored: the carrier is asked, for counting the rows again and again would
    take a good part of what is measured. They are counted once, at the end.
    """
    end = time.monotonic() + seconds
    while sink.counts()[1] - before < total:
        if time.monotonic() > end:
            break
        time.sleep(0.02)
    own = Message.objects.filter(cause=Cause.RUN, cause_id=run.pk)
    if own.filter(state="delivered").count() < total:
        states = sorted(set(own.values_list("state", flat=True)))
        raise TimeoutError(f"not everything was delivered: {states}")
