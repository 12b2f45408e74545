"""From the commit of a recharge to its submit_sm on the wire; and a code while a campaign fills the queue."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from crm.bench.database import bench_database, versions
from crm.bench.ledger import ready_rules
from crm.bench.wire import Sink, running_wire, zone_where_it_is_noon
from members.domain.cards import recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.enums import TenderType
from members.models import Card, Member, Store
from messaging.domain.outbox import Draft, PermittedHours, enqueue
from messaging.enums import Cause, MessageClass

SIZES = {"small": (50, 2_000), "standard": (1_000, 100_000), "large": (1_000, 100_000)}
PER_SECOND = 20


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """Milliseconds from commit to wire at 20 deeds a second (p50), beside a LISTEN/NOTIFY round trip."""
    deeds, queued = SIZES[size]
    with bench_database("trigger", members=max(deeds, 200), months=1):
        ready_rules()
        Member.objects.update(has_service_consent=True, has_marketing_consent=True)
        notify = _notify_round_trips(min(deeds, 500))
        with running_wire(keep=True) as sink:
            waits = _deeds(sink, deeds)
            codes = _codes_under_load(sink, queued)
        details = versions()
    p50, p99 = _percentile(waits, 50), _percentile(waits, 99)
    limit = _percentile(notify, 50)
    return {
        "name": "trigger",
        "value": round(p50, 2),
        "unit": "ms p50",
        "limit": round(limit, 2),
        "ratio": round(p50 / limit, 2),
        "goal": "p50 <= 5 ms, p99 <= 25 ms, code p99 <= 2000 ms",
        "details": details
        | {
            "size": size,
            "deeds": deeds,
            "p99": round(p99, 2),
            "max": round(max(waits), 2),
            "notify_p99": round(_percentile(notify, 99), 2),
            "queued_marketing": queued,
            "code_p50": round(_percentile(codes, 50), 1),
            "code_p99": round(_percentile(codes, 99), 1),
        },
    }


def _deeds(sink: Sink, total: int) -> list[float]:
    store = Store.objects.order_by("id")[0]
    cards = list(Card.objects.select_related("member", "product").order_by("id")[:total])
    waits = []
    for number in range(total):
        card = cards[number % len(cards)]
        started = time.monotonic()
        recharge_card(
            actor=Actor("bench"),
            key=str(uuid.uuid4()),
            at=datetime.now(UTC),
            store=store,
            card=card,
            tender=TenderPaid(TenderType.CASH, 1000),
        )
        committed = time.monotonic_ns()
        waits.append(_arrival(sink, card.member.phone, committed))
        time.sleep(max(0, 1 / PER_SECOND - (time.monotonic() - started)))
    return waits


def _arrival(sink: Sink, phone: str, since_ns: int, seconds: float = 10) -> float:
    """Milliseconds until this phone's submit came; as little as zero, as the wire may beat our return."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        at = sink.arrivals().get(phone.lstrip("+"))
        if at:
            return max((at - since_ns) / 1e6, 0.0)
        time.sleep(0.002)
    raise TimeoutError("a text did not reach the wire")


def _codes_under_load(sink: Sink, queued: int) -> list[float]:
    """A code a tenth of a second while so many marketing texts wait."""
    member = Member.objects.order_by("id")[0]
    free = PermittedHours(datetime.min.time(), datetime.max.time(), 10**6, 10**6)
    for start in range(0, queued, 5000):
        numbers = range(start, min(start + 5000, queued))
        enqueue(
            [_draft(member, MessageClass.MARKETING, n + 1, phone=_phone(n)) for n in numbers],
            at=_now(),
            hours=free,
        )
    waits = []
    for number in range(30):
        enqueue(
            [_draft(member, MessageClass.VERIFICATION, number, phone=f"+86188{number:08d}")],
            at=_now(),
            hours=free,
        )
        waits.append(_arrival(sink, f"+86188{number:08d}", time.monotonic_ns()))
        time.sleep(0.1)
    return waits


def _phone(number: int) -> str:
    return f"+86177{number:08d}"


def _draft(member: Member, message_class: MessageClass, number: int, *, phone: str) -> Draft:
    return Draft(
        phone=phone,
        phone_hash=number.to_bytes(16, "big")
        if message_class == MessageClass.MARKETING
        else bytes(member.phone_hash),
        member_id=member.pk,
        message_class=message_class,
        text="【Bench】123456",
        encoding="UCS-2",
        parts=1,
        cause=Cause.RUN if message_class == MessageClass.MARKETING else Cause.CODE,
        cause_id=10**6 + number,
        timezone=zone_where_it_is_noon(),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _notify_round_trips(total: int) -> list[float]:
    parameters = connection.get_connection_params()
    own = {k: v for k, v in parameters.items() if k in ("host", "port", "user", "password", "dbname") and v}
    waits = []
    with psycopg.connect(**own, autocommit=True) as ear, psycopg.connect(**own, autocommit=True) as mouth:
        ear.execute("LISTEN bench")
        for _ in range(total):
            started = time.perf_counter()
            mouth.execute("NOTIFY bench")
            next(ear.notifies(stop_after=1))
            waits.append((time.perf_counter() - started) * 1000)
    return waits


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]
