"""What time does to messages: lost attempts, doubts, pauses, lateness, missing receipts. Safe to run
anywhere, twice.

Each rule is one set-based statement (messaging/sql/sweep_*.sql) in its own transaction; rows that somebody
else is at are left for the next round.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from messaging.domain.alerts import watch_beat
from messaging.domain.conversations import wake_conversations
from messaging.domain.dispatch.connector import NOBODY
from messaging.domain.inbound import give_up_parts
from messaging.domain.outbox import CHANNEL
from messaging.domain.verification import forget_codes
from messaging.gateways.refused_numbers import REFUSED_BY_THE_NUMBER
from messaging.sql import statement

ROUND_MAX = 5_000
RESEND_SECONDS = 15 * 60

_RULES = {
    name: statement(f"sweep_{name}")
    for name in ("gateways", "lost", "identified", "uncertain", "routes", "due", "expired", "no_receipt")
}
_FINDING = ("gateways", "lost", "identified")
_DECIDING = ("uncertain", "routes", "due", "expired", "no_receipt")
_MATCH_PARKED = statement("match_parked")
_FOLD = statement("fold")
_OPT_OUTS = statement("receipt_opt_outs")


def sweep_messages(*, at: datetime | None = None, resend_seconds: int = RESEND_SECONDS) -> dict[str, int]:
    """Apply every rule once, at most 5,000 messages each. Gives the rows changed by rule; wakes the gateways.

    `at` None: the database's clock, never the worker's, says what is too late. `resend_seconds`: how long a notification without an answer waits for its receipt before it goes out once
    more.
    """
    at = at or _database_now()
    values = {
        "at": at,
        "limit": ROUND_MAX,
        "resend_seconds": resend_seconds,
        "sooner_seconds": max(0, RESEND_SECONDS - resend_seconds),
        "nobody": NOBODY,
    }
    counts = {name: _apply(_RULES[name], values) for name in _FINDING}
    counts["parked"] = match_parked(at=at)  # what receipts tell comes before what is decided without them
    counts |= {name: _apply(_RULES[name], values) for name in _DECIDING}
    counts["inbound"] = give_up_parts(at=at)
    counts["conversations"] = wake_conversations(at=at)
    counts |= forget_codes(at=at)
    watch_beat(at=at)
    if counts["uncertain"] or counts["routes"] or counts["due"]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return counts


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def match_parked(*, at: datetime) -> int:
    """Match receipts that waited for their id. Gives the number of messages they touched."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _MATCH_PARKED,
            {"gateway": None, "ids": None, "at": at, "refusals": sorted(REFUSED_BY_THE_NUMBER)},
        )
        ids, refused = cursor.fetchone()
        if refused:
            cursor.execute(_OPT_OUTS, {"gateway": None, "ids": [], "parts": refused})
        if ids:
            cursor.execute(_FOLD, {"ids": ids, "at": at})
    return len(ids)


def _apply(rule: str, values: dict[str, Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(rule, values)
        return int(cursor.rowcount)
