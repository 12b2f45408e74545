"""Receipts stored before they are acknowledged, beside the one UPDATE that no keeper of receipts can do without."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from django.db import connection

from crm.bench.database import bench_database, versions
from members.models import Member
from messaging.domain.dispatch import lease as leases
from messaging.domain.dispatch.claims import ALL, claim
from messaging.domain.dispatch.database import Connection, Line, connection_parameters
from messaging.domain.dispatch.lease import Lease
from messaging.domain.dispatch.records import Answer, record
from messaging.domain.outbox import Draft, PermittedHours, enqueue
from messaging.enums import Cause, MessageClass
from messaging.gateways.base import ReceiptIn, SubmitResult
from messaging.models import Gateway, Message

SIZES = {"small": (4_000, 1), "standard": (60_000, 3), "large": (200_000, 3)}
BATCH = 1000
RAW = "id:%s sub:001 dlvrd:001 submit date:2611221200 done date:2611221200 stat:DELIVRD err:000 text:"
ANY_HOUR = PermittedHours(datetime.min.time(), datetime.max.time(), 10**6, 10**6)


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """Receipts a second: raw copy, part, message and commit in batches of 1,000, as the gateway process writes them."""
    total, repeats = SIZES[size]
    with bench_database("receipts", members=200, months=1):
        Member.objects.update(has_service_consent=True)
        Gateway.objects.create(name="Bench", host="127.0.0.1", port=1, system_id="bench")
        ours = [asyncio.run(_ours(number, total)) for number in range(repeats)]
        delivered = Message.objects.filter(state="delivered").count()
        bare = [asyncio.run(_bare(total)) for _ in range(repeats)]
        details = versions()
    assert delivered == total * repeats, "each receipt has delivered its message"
    value, limit = median(ours), median(bare)
    return {
        "name": "receipts",
        "value": round(value, 1),
        "unit": "receipts/s",
        "limit": round(limit, 1),
        "ratio": round(value / limit, 3),
        "goal": 0.3,
        "details": details
        | {
            "size": size,
            "receipts": total,
            "batch": BATCH,
            "spread": [round(min(ours)), round(value), round(max(ours))],
            "unnest_update": [round(min(bare)), round(limit), round(max(bare))],
        },
    }


async def _record(lease: Lease, batch: list[ReceiptIn], inside: Connection) -> None:
    await record(inside, lease, [], batch)


async def _ours(number: int, total: int) -> float:
    line = Line("bench")
    await asyncio.to_thread(_queue, number, total)
    lease = await leases.take(line, "bench", 3600) if number == 0 else await _held(line)
    assert lease is not None
    ids = [part_id for _ in range(0, total, BATCH) for part_id in await _accepted(line, lease)]
    batches = [
        [ReceiptIn(pk, "DELIVRD", "000", "delivered", True, RAW % pk) for pk in ids[start : start + BATCH]]
        for start in range(0, total, BATCH)
    ]
    started = time.perf_counter()
    for batch in batches:
        await line.transaction(partial(_record, lease, batch))
    elapsed = time.perf_counter() - started
    await line.close()
    return total / elapsed


def _queue(number: int, total: int) -> None:
    member, now = Member.objects.order_by("id")[0], datetime.now(UTC)
    for start in range(0, total, BATCH):
        drafts = [_draft(member, number * total + n) for n in range(start, min(start + BATCH, total))]
        enqueue(drafts, at=now, hours=ANY_HOUR)
    connection.close()


def _draft(member: Member, number: int) -> Draft:
    return Draft(
        phone=f"+8617{number:09d}",
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        message_class=MessageClass.NOTIFICATION,
        text=f"【Bench】Table {number} is ready",
        encoding="UCS-2",
        parts=1,
        cause=Cause.API,
        cause_id=number,
        timezone="Asia/Shanghai",
    )


async def _held(line: Line) -> Lease:
    async def work(inside: Connection) -> Lease:
        cursor = await inside.execute("SELECT id, lease_epoch FROM messaging_gateway")
        row = await cursor.fetchone()
        assert row is not None
        return Lease(row[0], row[1], "bench", None)  # type: ignore[arg-type]

    return await leases.renew(line, await line.transaction(work), 3600)  # with its settings


async def _accepted(line: Line, lease: Lease) -> list[str]:
    """Claim a batch and write the carrier's yes to each; gives the ids it gave."""
    batch = await claim(line, lease, ANY_HOUR, BATCH, ALL)
    answers = [
        Answer(
            SubmitResult(one.attempt_id, "accepted", f"{one.attempt_id:x}", "0x00", (f"{one.attempt_id:x}",)),
            one.message_class,
            one.number,
        )
        for one in batch.claimed
    ]
    handovers = [batch.claimed[0].handover] if batch.claimed else []
    await line.transaction(lambda inside: record(inside, lease, answers, [], handovers))
    return [f"{one.attempt_id:x}" for one in batch.claimed]


async def _bare(total: int) -> float:
    """One durable UPDATE a batch on a table of nothing but parts, found by (gateway, provider id)."""
    parameters = connection_parameters("bare")
    async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as database:
        await database.execute("DROP TABLE IF EXISTS bench_part")
        await database.execute(
            "CREATE TABLE bench_part (gateway int, provider_id text, outcome text NOT NULL DEFAULT '',"
            " PRIMARY KEY (gateway, provider_id)) WITH (fillfactor = 50)"
        )
        await database.execute(
            "INSERT INTO bench_part SELECT 1, to_hex(n) FROM generate_series(1, %s) n", [total]
        )
        await database.execute("VACUUM ANALYZE bench_part")
        started = time.perf_counter()
        for start in range(1, total + 1, BATCH):
            await database.execute(
                "UPDATE bench_part p SET outcome = 'delivered' FROM unnest(%s::text[]) r (id)"
                " WHERE p.gateway = 1 AND p.provider_id = r.id",
                ["{" + ",".join(f"{n:x}" for n in range(start, min(start + BATCH, total + 1))) + "}"],
            )
        return total / (time.perf_counter() - started)
