"""Counting what the gateways did, hour by hour, so that no page counts messages."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from messaging.sql import statement

LATELY = timedelta(hours=2)
AS_LONG_AS_RECEIPTS_COME = timedelta(hours=73)

_TALLY = statement("tally")


def count(*, at: datetime, back: timedelta = LATELY) -> int:
    """Count the hours since `at - back` anew. Gives the rows written. Safe to run twice."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TALLY, {"since": at - back})
        return int(cursor.rowcount)
