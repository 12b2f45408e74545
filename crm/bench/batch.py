"""How many entries a second a batch of the ledger writes, beside plain INSERTs of 100 entries a statement."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection, transaction

from members.domain import batches
from members.domain.batches import BatchDeed
from members.domain.enrolment import phone_hash
from members.domain.expiry import expire_lots
from members.domain.ledger import Actor, Leg, NewLot
from members.enums import AccountKind, OperationKind
from members.models import Account, Entry, Member, Store

LOTS = {"small": 2_000, "standard": 50_000, "large": 200_000}
ENDED = datetime(2026, 1, 1, tzinfo=UTC)
GOAL = 0.4
_ROWS = 100
_numbers = count()


def measure_batch(size: str, runs: int) -> dict[str, Any]:
    """Lots of as many members expire, two entries each; every run has members and a bare table of its own."""
    lots = LOTS[size]
    through_door, limit, processor = [], [], []
    for _ in range(runs):
        _fill(_points_accounts(lots))
        entries, seconds, busy = _expire(lots)
        through_door.append(entries / seconds)
        processor.append(busy)
        limit.append(_plain_inserts(entries))
    rates, limits = sorted(through_door), sorted(limit)
    middle = runs // 2
    return {
        "batch": [round(rate, 1) for rate in (rates[0], rates[middle], rates[-1])],
        "batch_limit": [round(rate, 1) for rate in (limits[0], limits[middle], limits[-1])],
        "batch_ratio": round(rates[middle] / limits[middle], 3),
        "batch_goal": GOAL,
        "batch_lots": lots,
        "batch_own_cpu_seconds": round(max(processor), 2),
    }


def _points_accounts(members: int) -> list[int]:
    """New members of one store, each with an empty account of points."""
    store = Store.objects.order_by("id")[0]
    phones = [f"+861990{next(_numbers):07}" for _ in range(members)]
    made = Member.objects.bulk_create(
        [
            Member(member_no=f"B{phone[4:]}", phone=phone, phone_hash=phone_hash(phone), home_store=store)
            for phone in phones
        ],
        batch_size=1000,
    )
    accounts = [Account(kind=AccountKind.POINTS, member=member, balance=0) for member in made]
    return [account.pk for account in Account.objects.bulk_create(accounts, batch_size=1000)]


def _fill(account_ids: list[int]) -> None:
    """100 points each, whose time is over; the planner then sees how many, as it does in a house that has grown."""
    for first in range(0, len(account_ids), 500):
        with transaction.atomic():
            deeds = [
                BatchDeed(
                    account,
                    f"{account.id}",
                    {},
                    [
                        Leg(100, account=account.id, lots=(NewLot(100, expires_at=ENDED),)),
                        Leg(-100, store=account.store_id, kind=AccountKind.POINTS_COST),
                    ],
                )
                for account in batches.lock(account_ids[first : first + 500], ENDED)
            ]
            batches.post(
                kind=OperationKind.OPENING, actor=Actor("bench"), at=ENDED - timedelta(days=1), deeds=deeds
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _expire(lots: int) -> tuple[int, float, float]:
    """The entries written, the seconds it took, and those of this process's own CPU."""
    before = Entry.objects.count()
    began, busy = time.perf_counter(), time.process_time()
    expire_lots(at=ENDED, limit=lots)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    return Entry.objects.count() - before, seconds, busy


def _plain_inserts(entries: int) -> float:
    """As many rows a second, 100 a statement and each committed, in a bare table with the same indexes."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_entry")
        cursor.execute(
            "CREATE TABLE bench_entry"
            " (LIKE members_entry INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)"
        )
        statements = [_statement(first) for first in range(0, entries, _ROWS)]
        began = time.perf_counter()
        for statement in statements:
            cursor.execute(statement)
        return len(statements) * _ROWS / (time.perf_counter() - began)


def _statement(first: int) -> str:
    digest = "\\x" + "ab" * 32
    rows = ",".join(
        f"({n},'expire',{n},'points',-1,'points',-100,2,0,'{digest}')" for n in range(first, first + _ROWS)
    )
    columns = "operation_id,operation_kind,account_id,account_kind,sign,unit,amount,seq,balance_after,hash"
    return f"INSERT INTO bench_entry ({columns}) VALUES {rows}"
