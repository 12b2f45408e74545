"""Rows to the database and back: one COPY into a temporary table, one judgement, one set-based deed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

_CHUNK = 20_000


def copy_lines(table: str, columns: str, lines: Sequence[str]) -> None:
    """COPY ready-made text lines into a table."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for start in range(0, len(lines), _CHUNK):
            copy.write("\n".join(lines[start : start + _CHUNK]) + "\n")


def is_staged(stage: str) -> bool:
    """Whether this triage's temporary table is still there (it goes with its transaction)."""
    return bool(fetch("SELECT to_regclass(%(name)s) IS NOT NULL", {"name": f"pg_temp.{stage}"})[0][0])


def execute(sql: str, values: Mapping[str, Any] | None = None) -> int:
    """Run a statement; says how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount


def fetch(sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def judged(stage: str, sound: Iterable[str]) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """How many staged rows are in each sound bucket, and the (row, verdict) of the others."""
    good = list(sound)
    counts = dict(fetch(f"SELECT bucket, count(*) FROM {stage} GROUP BY bucket"))
    bad = fetch(f"SELECT row, bucket FROM {stage} WHERE bucket <> ALL(%(good)s) ORDER BY row", {"good": good})
    return {bucket: counts.get(bucket, 0) for bucket in good}, bad
