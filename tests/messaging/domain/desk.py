"""A dispatcher's desk for tests: its statements on the test database, without a process around them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time

from django.db import connection, transaction

from members.domain.enrolment import phone_hash
from members.models import Member
from messaging.domain.dispatch import claims
from messaging.domain.dispatch import lease as leases
from messaging.domain.dispatch.claims import ALL, Batch, claim
from messaging.domain.dispatch.database import Connection, Line
from messaging.domain.dispatch.lease import Lease
from messaging.domain.dispatch.records import Answer, record
from messaging.domain.outbox import PermittedHours
from messaging.enums import PRIORITY, Cause, MessageClass
from messaging.gateways.base import ReceiptIn, SubmitResult
from messaging.models import Gateway, Message

DAY = PermittedHours(time(9), time(21), 1, 6, 1)


def main_gateway() -> Gateway:
    return Gateway.objects.create(
        name="Main", host="127.0.0.1", port=2775, system_id="regulars", sender="1069"
    )


def message(member: Member, message_class: MessageClass, at: datetime, *, run: int = 1, **more) -> Message:
    """A queued message that no rule of the outbox has looked at; each says something else."""
    fields = {
        "text": f"Hello {message_class} {run}",
        "encoding": "GSM-7",
        "parts": 1,
        "timezone": "Asia/Shanghai",
        "state": "queued",
        "due_at": at,
        "expires_at": at.replace(year=at.year + 1),
        "cause": Cause.RUN,
    } | more
    return Message.objects.create(
        member=member,
        store_id=member.home_store_id,
        phone=member.phone,
        phone_hash=phone_hash(member.phone),
        message_class=message_class,
        priority=PRIORITY[message_class],
        cause_id=run,
        **fields,
    )


def hold() -> Lease:
    """Take the lease of the one gateway."""

    async def work() -> Lease:
        line = Line("test")
        lease = await leases.take(line, "desk", 30)
        await line.close()
        assert lease is not None
        return lease

    return asyncio.run(work())


def take_again(owner: str, held: Sequence[int] = ()) -> Lease | None:
    """Try to take the gateway for this owner, who holds those already."""

    async def work() -> Lease | None:
        line = Line("test")
        try:
            return await leases.take(line, owner, 30, held)
        finally:
            await line.close()

    return asyncio.run(work())


def claim_now(lease: Lease, at: datetime, limit: int = 100, priorities: Sequence[int] = ALL) -> Batch:
    async def work() -> Batch:
        line = Line("test")
        try:
            return await claim(line, lease, DAY, limit, priorities, at)
        finally:
            await line.close()

    return asyncio.run(work())


@contextmanager
def leaving(lease: Lease, at: datetime) -> Iterator[None]:
    """A claim of what is due, judged and written, whose transaction is not committed before the block ends."""
    words = lease.key | {"at": at, "opens": DAY.opens, "closes": DAY.closes}
    caps = {"per_day": DAY.per_day, "per_month": DAY.per_month, "reserved": DAY.reserved}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(claims._TAKE, words | {"priorities": claims.ALL, "limit": 1})
        cursor.execute(claims._GATE, words | caps | {"ids": cursor.fetchone()[0]})
        assert len(cursor.fetchall()) == 1
        yield


def write(lease: Lease, answers: Sequence[Answer] = (), receipts: Sequence[ReceiptIn] = ()) -> None:
    """One recorder's transaction. Raises LeaseLost."""

    async def work() -> None:
        line = Line("test")

        async def inside(connection: Connection) -> None:
            await record(connection, lease, answers, receipts)

        try:
            await line.transaction(inside)
        finally:
            await line.close()

    asyncio.run(work())


def yes(
    attempt_id: int, *part_ids: str, message_class: str = MessageClass.NOTIFICATION, number: int = 1
) -> Answer:
    """The gateway took it."""
    first = part_ids[0] if part_ids else None
    return Answer(SubmitResult(attempt_id, "accepted", first, "0x00", part_ids), message_class, number)


def no(
    attempt_id: int,
    outcome: str,
    raw: str = "",
    *,
    message_class: str = MessageClass.NOTIFICATION,
    number: int = 1,
) -> Answer:
    """The gateway did not, or nobody knows."""
    return Answer(SubmitResult(attempt_id, outcome, None, raw, (None,)), message_class, number)


def receipt(provider_id: str, outcome: str, *, is_final: bool = True) -> ReceiptIn:
    return ReceiptIn(provider_id, outcome.upper()[:7], "000", outcome, is_final, f"id:{provider_id}")
