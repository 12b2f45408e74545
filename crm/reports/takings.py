"""Outside money taken, by store, business day and tender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.reports.rows import ask
from members.models import Store

_TAKINGS = """
SELECT s.id AS store, (o.at AT TIME ZONE s.timezone)::date AS "on", t.type AS tender,
       coalesce(sum(t.amount_minor) FILTER (WHERE t.amount_minor > 0), 0)::bigint AS taken,
       coalesce(sum(t.amount_minor) FILTER (WHERE t.amount_minor < 0), 0)::bigint AS given_back,
       sum(t.amount_minor)::bigint AS together, count(*) AS number
FROM members_operation o
JOIN members_tender t ON t.operation_id = o.id
JOIN members_store s ON s.id = o.store_id
WHERE o.store_id = ANY(%(stores)s) AND o.at >= %(begins)s AND o.at < %(ends)s
GROUP BY s.id, 2, t.type ORDER BY 2 DESC, s.name, t.type"""
_BY_STORE = """
SELECT o.store_id AS store,
       coalesce(sum(t.amount_minor) FILTER (WHERE t.amount_minor > 0), 0)::bigint AS taken,
       coalesce(sum(t.amount_minor) FILTER (WHERE t.amount_minor < 0), 0)::bigint AS given_back,
       sum(t.amount_minor)::bigint AS together, count(*) AS number
FROM members_operation o
JOIN members_tender t ON t.operation_id = o.id
WHERE o.store_id = ANY(%(stores)s) AND o.at >= %(begins)s AND o.at < %(ends)s
GROUP BY o.store_id"""


def takings(stores: Sequence[Store], *, begins: datetime, ends: datetime) -> list[dict[str, Any]]:
    """One row a store, day and tender, the newest day first. One query."""
    asked = {"stores": [store.pk for store in stores], "begins": begins, "ends": ends}
    return ask(_TAKINGS, asked)


def takings_by_store(stores: Sequence[Store], *, begins: datetime, ends: datetime) -> list[dict[str, Any]]:
    """One row a store that took or gave back money, in the order of the stores given. One query."""
    asked = {"stores": [store.pk for store in stores], "begins": begins, "ends": ends}
    found = {row["store"]: row for row in ask(_BY_STORE, asked)}
    return [found[store.pk] | {"store": store} for store in stores if store.pk in found]
