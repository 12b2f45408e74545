"""What the shops owe their members as of a moment: by the store that sold the value and by the member's home store.

Counted back from what is left of every lot by the entries made since; so any past moment can be asked, and the sum
is the sum of the entries, to the minor unit. Services are owed at what was paid for those not yet served, points at
what a hundred of them cost the house.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from constance import config

from crm.reports.rows import ask
from members.enums import MEMBER_ACCOUNTS, AccountKind
from members.models import Store

# One row a lot with something left at %(until)s.
_STANDING = """
WITH later AS MATERIALIZED (
  SELECT u.lot_id, sum(u.amount) AS amount
  FROM members_operation o JOIN members_entry e ON e.operation_id = o.id JOIN members_lotuse u ON u.entry_id = e.id
  WHERE o.at >= %(until)s GROUP BY u.lot_id
), standing AS (
  SELECT l.id, l.account_id, l.source_id, l.original, l.paid_minor, l.expires_at,
         (l.remaining - coalesce(later.amount, 0)
           - CASE WHEN young.id IS NULL THEN 0 ELSE l.original END)::bigint AS amount
  FROM members_lot l
  LEFT JOIN later ON later.lot_id = l.id
  LEFT JOIN members_operation young ON young.id = l.operation_id AND young.at >= %(until)s
  WHERE l.remaining > 0 OR later.lot_id IS NOT NULL
)"""
_BY_STORE = (
    _STANDING
    + """
SELECT a.kind, sold.store_id AS sold, m.home_store_id AS home, sum(s.amount)::bigint AS amount, count(*) AS lots,
       sum(CASE WHEN a.kind = 'services' AND s.original > 0 THEN
             s.paid_minor - (2 * s.paid_minor * (s.original - s.amount) + s.original) / (2 * s.original)
           ELSE 0 END)::bigint AS paid
FROM standing s
JOIN members_account a ON a.id = s.account_id
JOIN members_operation sold ON sold.id = s.source_id
JOIN members_member m ON m.id = a.member_id
WHERE s.amount <> 0 AND (sold.store_id = ANY(%(stores)s) OR m.home_store_id = ANY(%(stores)s))
GROUP BY a.kind, sold.store_id, m.home_store_id"""
)
_BEHIND = (
    _STANDING
    + """
SELECT m.public_id AS member, m.name, m.member_no, c.number AS card, sum(s.amount)::bigint AS amount,
       min(s.expires_at) AS expires_at
FROM standing s
JOIN members_account a ON a.id = s.account_id
JOIN members_operation sold ON sold.id = s.source_id
JOIN members_member m ON m.id = a.member_id
LEFT JOIN members_card c ON c.id = a.card_id
WHERE s.amount <> 0 AND a.kind = %(kind)s
  AND ((%(by)s = 'sold' AND sold.store_id = %(store)s) OR (%(by)s = 'home' AND m.home_store_id = %(store)s))
GROUP BY m.id, c.id ORDER BY amount DESC, m.id LIMIT %(limit)s"""
)


@dataclass
class Owed:
    """What is owed on one store's account. Money in minor units; services and points are counts as well."""

    principal: int = 0
    bonus: int = 0
    services: int = 0
    services_minor: int = 0
    points: int = 0
    points_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.principal + self.bonus + self.services_minor + self.points_minor

    def take(self, row: dict[str, Any], cost_minor: int) -> None:
        """Add one row of the question; a hundred points cost `cost_minor`."""
        kind = row["kind"]
        setattr(self, kind, getattr(self, kind) + row["amount"])
        if kind == AccountKind.SERVICES:
            self.services_minor += row["paid"]
        if kind == AccountKind.POINTS:
            self.points_minor += round(row["amount"] * cost_minor / 100)


@dataclass(frozen=True)
class Liability:
    """What is owed, by store sold and by home store (None: members without one), and together."""

    by_sold: dict[Store, Owed]
    by_home: dict[Store, Owed]

    @property
    def total(self) -> Owed:
        """Of all that these stores sold."""
        whole = Owed()
        for owed in self.by_sold.values():
            for name in vars(owed):
                setattr(whole, name, getattr(whole, name) + getattr(owed, name))
        return whole


def liability(stores: Sequence[Store], *, until: datetime) -> Liability:
    """What these stores owed at `until`, exclusive. One query, however many members."""
    by_id = {store.pk: store for store in stores}
    rows = ask(_BY_STORE, {"until": until, "stores": list(by_id)})
    cost = config.POINTS_COST_MINOR if any(row["kind"] == AccountKind.POINTS for row in rows) else 0
    return Liability(_folded(rows, "sold", by_id, cost), _folded(rows, "home", by_id, cost))


def _folded(
    rows: Iterable[dict[str, Any]], by: str, stores: dict[int, Store], cost: int
) -> dict[Store, Owed]:
    folded = {store: Owed() for store in stores.values()}
    for row in rows:
        if row[by] in stores:
            folded[stores[row[by]]].take(row, cost)
    return folded


def members_behind(
    store: Store, kind: AccountKind, *, by: str, until: datetime, limit: int = 200
) -> list[dict[str, Any]]:
    """The members and cards behind one number of the report, the largest first."""
    if kind not in MEMBER_ACCOUNTS or by not in ("sold", "home"):
        return []
    return ask(_BEHIND, {"until": until, "store": store.pk, "kind": str(kind), "by": by, "limit": limit})
