"""Model rows to the database by COPY."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from django.db import connection, models
from psycopg.types.json import Jsonb


def copy_models(table: type[models.Model], rows: Sequence[models.Model], *, into: str = "") -> None:
    """Store rows that have their ids; every column is written as it stands in the object. `into`: another table."""
    fields = table._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    json_places = [place for place, field in enumerate(fields) if isinstance(field, models.JSONField)]
    values_of = attrgetter(*(field.attname for field in fields))
    with connection.cursor() as cursor:
        with cursor.copy(f'COPY "{into or table._meta.db_table}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                values = [
                    str(value) if isinstance(value, models.enums.Choices) else value
                    for value in values_of(row)
                ]
                for place in json_places:
                    values[place] = None if values[place] is None else Jsonb(values[place])
                copy.write_row(values)


def copy_together(rows: Mapping[type[models.Model], Sequence[models.Model]]) -> None:
    """The same for tables that agree only when all of them are written: staged, then stored by one statement.

    Inside a transaction. The guards look into tables without statistics: they are kept to the indexes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        inserts = []
        for place, (table, own) in enumerate(rows.items()):
            name, stage = table._meta.db_table, f"staged_{table._meta.db_table}"
            cursor.execute(f'CREATE TEMPORARY TABLE "{stage}" (LIKE "{name}") ON COMMIT DROP')
            copy_models(table, own, into=stage)
            columns = ", ".join(f'"{field.column}"' for field in table._meta.concrete_fields)
            inserts.append(
                f'w{place} AS (INSERT INTO "{name}" ({columns}) SELECT {columns} FROM "{stage}" ORDER BY id)'
            )
        cursor.execute(f"WITH {', '.join(inserts)} SELECT")
        cursor.execute("SET LOCAL enable_seqscan = on")
