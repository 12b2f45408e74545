"""What a visit leaves in the database: rows that are gone, changed, or hang on something of another store."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.db import connection, models

from campaigns.models import Campaign, Run
from members.models import Card, Member, MembershipEvent, Operation, Store
from messaging.enums import Cause
from messaging.models import Message

# Written by every visit, and nobody's in particular: who was there, what was asked.
OF_THE_HOUSE = {
    "django_session",
    "django_admin_log",
    "members_auditentry",
    "members_housebook",
    "campaigns_rulebook",
    "axes_accessattempt",
    "axes_accesslog",
    "axes_accessfailurelog",
}


def snapshot() -> dict[str, dict[str, str]]:
    """A print of every row, by table and key."""
    prints = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - OF_THE_HOUSE):
            cursor.execute(f'SELECT md5(t::text), to_jsonb(t) FROM "{table}" t')
            rows = [
                (key, row if isinstance(row, dict) else json.loads(row)) for key, row in cursor.fetchall()
            ]
            prints[table] = {str(row.get("id", row.get("member_id", key))): key for key, row in rows}
    return prints


def changed(before: dict[str, dict[str, str]], *, except_of: dict[str, set[str]]) -> list[str]:
    """The rows of before that are gone or different now."""
    after = snapshot()
    return [
        f"{table} {key}: {'gone' if key not in after[table] else 'changed'}"
        for table, rows in before.items()
        for key, was in rows.items()
        if after[table].get(key) != was and key not in except_of.get(table, set())
    ]


def added_to(theirs_before: dict[str, dict[str, str]]) -> list[str]:
    """New rows that hang on something of Riverside's."""
    owners: dict[type[models.Model], set[Any]] = {
        model: set(
            model._default_manager.filter(pk__in=theirs_before[model._meta.db_table]).values_list(
                "pk", flat=True
            )
        )
        for model in (Member, Card, Operation, MembershipEvent, Message, Campaign, Run)
    }
    owners[Store] = set(Store.objects.filter(name="Riverside").values_list("pk", flat=True))
    owners[Member] -= set(Member.objects.exclude(home_store__name="Riverside").values_list("pk", flat=True))
    found = []
    for model in apps.get_models():
        table = model._meta.db_table
        if table in OF_THE_HOUSE or table not in theirs_before:
            continue
        new = (
            model._default_manager.exclude(pk__in=list(theirs_before[table]))
            if theirs_before[table]
            else model._default_manager.all()
        )
        for foreign in model._meta.fields:
            if isinstance(foreign, models.ForeignKey) and foreign.related_model in owners:
                hits = new.filter(**{f"{foreign.attname}__in": owners[foreign.related_model]})
                found += [f"{table} {row.pk} by {foreign.name}" for row in hits if not is_code(row)]
    return found


def is_code(row: models.Model) -> bool:
    """Whoever types a number at the portal's door has a code sent to that number: its owner's, not the visitor's."""
    return isinstance(row, Message) and row.cause == Cause.CODE
