"""Statements a connection plans once: for the few that every deed runs, planning costs more than running them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

_planned: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def fetch_one(name: str, types: str, sql: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of a statement that is prepared under `name` when this connection first runs it."""
    connection.ensure_connection()
    planned = _planned.setdefault(connection.connection, set())
    with connection.cursor() as cursor:
        if name not in planned:
            cursor.execute(f"PREPARE {name} ({types}) AS {sql}")
            planned.add(name)
        cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(parameters))})", parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
