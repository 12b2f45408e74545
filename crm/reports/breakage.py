"""Value that grows old: what is left by how long its account has rested, and by when it will expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.reports.rows import ask
from members.enums import AccountKind
from members.models import Store

# Days since the last use, and until expiry; the last bucket has no end.
AGES: tuple[tuple[int, Promise], ...] = (
    (30, _("within 30 days")),
    (90, _("31 to 90 days")),
    (180, _("91 to 180 days")),
    (365, _("181 to 365 days")),
    (730, _("one to two years")),
    (10**6, _("more than two years")),
)
ENDS: tuple[tuple[int, Promise], ...] = (
    (0, _("overdue")),
    (30, _("within 30 days")),
    (90, _("31 to 90 days")),
    (365, _("91 to 365 days")),
    (10**6, _("after a year")),
)
NEVER = _("never")
# What a member does not do themselves is no use of the value.
_RESTING = """
SELECT a.kind, width_bucket(extract(epoch FROM %(at)s - coalesce(used.at, made.at)) / 86400, %(ages)s::float8[]) AS age,
       CASE WHEN l.expires_at IS NULL THEN -1
            ELSE width_bucket(extract(epoch FROM l.expires_at - %(at)s) / 86400, %(ends)s::float8[]) END AS ends,
       sum(l.remaining)::bigint AS amount
FROM members_lot l
JOIN members_account a ON a.id = l.account_id
JOIN members_operation sold ON sold.id = l.source_id
JOIN members_operation made ON made.id = l.operation_id
LEFT JOIN LATERAL (
  SELECT o.at FROM members_entry e JOIN members_operation o ON o.id = e.operation_id
  WHERE e.account_id = a.id AND e.operation_kind NOT IN ('expire', 'adjust', 'move_in', 'move_out', 'opening')
  ORDER BY e.seq DESC LIMIT 1) used ON true
WHERE l.remaining > 0 AND sold.store_id = ANY(%(stores)s) AND a.kind = ANY(%(kinds)s)
GROUP BY 1, 2, 3"""


def breakage(stores: Sequence[Store], *, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """{"by_age": rows, "by_expiry": rows}, each row with its label and what is left of each kind. One query."""
    kinds = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.POINTS, AccountKind.SERVICES)
    found = ask(
        _RESTING,
        {
            "at": at,
            "stores": [store.pk for store in stores],
            "kinds": [str(kind) for kind in kinds],
            "ages": [days for days, _label in AGES[:-1]],
            "ends": [days for days, _label in ENDS[:-1]],
        },
    )
    ages = [(place, label) for place, (_days, label) in enumerate(AGES)]
    ends = [(place, label) for place, (_days, label) in enumerate(ENDS)]
    return {
        "by_age": _table(found, "age", ages),
        "by_expiry": _table(found, "ends", [*ends, (-1, NEVER)]),
    }


def _table(found: list[dict[str, Any]], by: str, buckets: list[tuple[int, Promise]]) -> list[dict[str, Any]]:
    table: dict[int, dict[str, Any]] = {
        place: {"label": label, "principal": 0, "bonus": 0, "services": 0, "points": 0}
        for place, label in buckets
    }
    for row in found:
        table[row[by]][row["kind"]] += row["amount"]
    return list(table.values())
