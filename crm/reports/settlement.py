"""Who owes whom between stores: value sold at one and used at another in a period, netted pair by pair.

Each deed across stores leaves settlement entries that sum to zero: plus where the value was sold, minus where it was
used. Plus and minus of a deed are laid side by side in order of store; where they overlap, one store owes the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.reports.rows import ask
from members.models import Store

_PAIRS = """
WITH leg AS (
  SELECT o.id AS operation, a.store_id AS store, sign(e.amount) AS side, abs(e.amount) AS amount,
         sum(abs(e.amount)) OVER (PARTITION BY o.id, sign(e.amount) ORDER BY a.store_id, e.id) AS until
  FROM members_operation o
  JOIN members_entry e ON e.operation_id = o.id
  JOIN members_account a ON a.id = e.account_id
  WHERE e.account_kind = 'settlement' AND o.at >= %(begins)s AND o.at < %(ends)s
), pair AS (
  SELECT d.operation, d.store AS debtor, c.store AS creditor,
         (least(d.until, c.until) - greatest(d.until - d.amount, c.until - c.amount))::bigint AS amount
  FROM leg d JOIN leg c ON c.operation = d.operation AND d.side > 0 AND c.side < 0
       AND d.until > c.until - c.amount AND c.until > d.until - d.amount
)"""
_SUMS = (
    _PAIRS
    + """
SELECT debtor, creditor, sum(amount)::bigint AS amount, count(DISTINCT operation) AS deeds FROM pair
WHERE debtor <> creditor AND (debtor = ANY(%(stores)s) OR creditor = ANY(%(stores)s))
GROUP BY debtor, creditor"""
)
_BEHIND = (
    _PAIRS
    + """
SELECT o.id, o.public_id AS operation, o.kind, o.at, o.amount_minor, m.public_id AS member, m.name, m.member_no,
       sum(CASE p.debtor WHEN %(one)s THEN p.amount ELSE -p.amount END)::bigint AS amount
FROM pair p JOIN members_operation o ON o.id = p.operation JOIN members_member m ON m.id = o.member_id
WHERE (p.debtor, p.creditor) IN ((%(one)s, %(other)s), (%(other)s, %(one)s))
  AND (%(after_id)s::bigint IS NULL OR (o.at, o.id) < (%(after_at)s, %(after_id)s))
GROUP BY o.id, m.id ORDER BY o.at DESC, o.id DESC LIMIT %(limit)s"""
)


@dataclass(frozen=True)
class Debt:
    """Between two stores in a period: what `debtor` owes `creditor`, what comes the other way, and the net."""

    debtor: Store
    creditor: Store
    owed_minor: int
    returned_minor: int
    deeds: int

    @property
    def net_minor(self) -> int:
        return self.owed_minor - self.returned_minor


@dataclass(frozen=True)
class Net:
    """One store against all others: what it owes, what it is owed, each pair netted before."""

    store: Store
    owes_minor: int
    owed_minor: int

    @property
    def net_minor(self) -> int:
        """What comes to it; negative when it has to pay."""
        return self.owed_minor - self.owes_minor


def nets(stores: Sequence[Store], debts: Sequence[Debt]) -> list[Net]:
    """Each of these stores that is part of a debt, who has to pay most first. `debts` are all of theirs."""
    owes, owed = Counter[int](), Counter[int]()
    for debt in debts:
        owes[debt.debtor.pk] += debt.net_minor
        owed[debt.creditor.pk] += debt.net_minor
    found = [Net(store, owes[store.pk], owed[store.pk]) for store in stores if store.pk in owes | owed]
    return sorted(found, key=lambda net: (net.net_minor, net.store.name))


def settlement(stores: Sequence[Store], *, begins: datetime, ends: datetime) -> list[Debt]:
    """Every pair one of these stores is part of, the debtor first; the largest debt first. Two queries."""
    asked = {"begins": begins, "ends": ends, "stores": [store.pk for store in stores]}
    sums = {(row["debtor"], row["creditor"]): row for row in ask(_SUMS, asked)}
    named = Store.objects.in_bulk({store for pair in sums for store in pair})
    debts = [_debt(named, sums, one, other) for one, other in {(min(pair), max(pair)) for pair in sums}]
    return sorted(debts, key=lambda debt: (-debt.net_minor, debt.debtor.pk, debt.creditor.pk))


def _debt(named: dict[int, Store], sums: dict[tuple[int, int], Any], one: int, other: int) -> Debt:
    nothing = {"amount": 0, "deeds": 0}
    there, back = sums.get((one, other), nothing), sums.get((other, one), nothing)
    if there["amount"] < back["amount"]:
        one, other, there, back = other, one, back, there
    return Debt(
        named[one], named[other], there["amount"], back["amount"], deeds=there["deeds"] + back["deeds"]
    )


def deeds_between(
    one: Store,
    other: Store,
    *,
    begins: datetime,
    ends: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The deeds behind a debt, newest first; `amount` is what `one` owes for it, negative the other way round.

    `after` is the moment and number of the deed a page goes on from.
    """
    after_at, after_id = after or (None, None)
    asked = {"begins": begins, "ends": ends, "one": one.pk, "other": other.pk}
    return ask(_BEHIND, asked | {"after_at": after_at, "after_id": after_id, "limit": limit})
