"""The order in which a history is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction

from crm.seeding.copying import copy_models, copy_together
from members.models import (
    Account,
    Card,
    Entry,
    Lot,
    LotUse,
    MembershipEvent,
    Operation,
    Purchase,
    Shift,
    Tender,
)

# Parents before children; the books are written together.
FIRST: tuple[type[models.Model], ...] = (Card, Operation, Shift)
BOOKS: tuple[type[models.Model], ...] = (Account, Lot, Entry, LotUse)
LAST: tuple[type[models.Model], ...] = (Tender, MembershipEvent, Purchase)
TABLES = (*FIRST, *BOOKS, *LAST)


@transaction.atomic
def store_history(rows: Mapping[type[models.Model], Sequence[Any]]) -> None:
    """Write everything and set the sequences behind it."""
    for table in FIRST:
        copy_models(table, rows[table])
    copy_together({table: rows[table] for table in BOOKS})
    for table in LAST:
        copy_models(table, rows[table])
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(TABLES)):
            cursor.execute(statement)
