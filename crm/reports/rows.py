"""Rows of a question asked in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection


def ask(sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of one statement, each by its columns' names."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
