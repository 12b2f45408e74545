"""Model rows to the database by COPY."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from django.db import connection, models
from psycopg.types.json import Jsonb


def copy_models(table: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Store rows that have their ids; every column is written as it stands in the object."""
    fields = table._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    json_places = [place for place, field in enumerate(fields) if isinstance(field, models.JSONField)]
    values_of = attrgetter(*(field.attname for field in fields))
    with connection.cursor() as cursor:
        with cursor.copy(f'COPY "{table._meta.db_table}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                values = [
                    str(value) if isinstance(value, models.enums.Choices) else value
                    for value in values_of(row)
                ]
                for place in json_places:
                    values[place] = None if values[place] is None else Jsonb(values[place])
                copy.write_row(values)
