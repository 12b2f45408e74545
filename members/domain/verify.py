"""Whether the ledger's promises hold: read-only, set-based, over everything or over named accounts.

The rules, L1 to L17, are those of docs/ledger.md; each says here what a broken row looks like.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from members.domain.verify_rules import COUNTS, RULES, WORLD_RULES

ROWS_SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """One broken promise: the rule, the first account it is broken for, how many rows break it, some of them.

    `account_ids` are all the accounts it is broken for.
    """

    rule: str
    promise: str
    account_id: int | None
    count: int
    rows: tuple[dict[str, Any], ...]
    account_ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f"account {self.account_id}" if self.account_id is not None else "the ledger as a whole"
        return f"{self.rule} is broken for {where}: {self.promise} ({self.count} rows, first {json.dumps(self.rows[0])})"


@dataclass(frozen=True)
class Report:
    """What was looked at and what was found. Faults come in the order of the rules."""

    counts: dict[str, int]
    checked: tuple[str, ...]
    seconds: float
    faults: tuple[Fault, ...] = field(default=())

    @property
    def is_sound(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_sound,
            **self.counts,
            "checks": {rule: sum(f.count for f in self.faults if f.rule == rule) for rule in self.checked},
            "faults": [
                {"rule": f.rule, "promise": f.promise, "account": f.account_id, "rows": list(f.rows)}
                for f in self.faults
            ],
            "seconds": round(self.seconds, 3),
        }


def verify(*, account_ids: Collection[int] | None = None) -> Report:
    """Check every rule in one snapshot; with `account_ids`, only those accounts and the deeds that touched them.

    The world sum (L17) is judged only over everything. Nothing is locked or changed.
    """
    started = time.perf_counter()
    rules = RULES if account_ids is not None else RULES + WORLD_RULES
    given: dict[str, Any] = {"all": account_ids is None, "ids": list(account_ids or ())}
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:  # the outermost transaction: judge one moment
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(COUNTS, given)
        counts = dict(zip(("accounts", "operations", "entries", "lots"), cursor.fetchone(), strict=True))
        faults = [fault for rule in rules if (fault := _broken(cursor, *rule, given))]
    checked = tuple(dict.fromkeys(rule for rule, _promise, _sql in rules))
    return Report(counts, checked, time.perf_counter() - started, tuple(faults))


def _broken(cursor: Any, rule: str, promise: str, sql: str, given: dict[str, Any]) -> Fault | None:
    cursor.execute(
        f"SELECT count(*) OVER (), broken.account_id, to_jsonb(broken) FROM ({sql}) broken "
        f"ORDER BY broken.account_id NULLS LAST LIMIT {ROWS_SHOWN}",
        given,
    )
    found = cursor.fetchall()
    if not found:
        return None
    rows = tuple(row if isinstance(row, dict) else json.loads(row) for _count, _account, row in found)
    cursor.execute(f"SELECT DISTINCT account_id FROM ({sql}) broken WHERE account_id IS NOT NULL", given)
    accounts = tuple(sorted(row[0] for row in cursor.fetchall()))
    return Fault(rule, promise, found[0][1], found[0][0], rows, accounts)
