"""What a crowd test holds against the ledger afterwards. Each judge answers with what is wrong: nothing, if all is well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from django.db import connection

from members.domain.verify import verify

LINES = """
SELECT a.id, a.kind, a.balance, e.seq, e.amount, e.balance_after
FROM members_account a LEFT JOIN members_entry e ON e.account_id = a.id
WHERE a.balance IS NOT NULL ORDER BY a.id, e.seq
"""


def broken_rules() -> set[str]:
    """The rules of docs/ledger.md that do not hold, by their names."""
    return {fault.rule for fault in verify().faults}


def broken_lines() -> list[str]:
    """Added up here, one line after the other: sum, order, floor. Not by the product's own queries."""
    with connection.cursor() as cursor:
        cursor.execute(LINES)
        lines = cursor.fetchall()
    by_account = defaultdict(list)
    for account, kind, balance, *line in lines:
        by_account[account, kind, balance].append(line)
    wrong = []
    for (account, kind, balance), entries in by_account.items():
        entries = [entry for entry in entries if entry[0] is not None]
        running = 0
        for place, (seq, amount, after) in enumerate(entries, 1):
            running += amount
            if (seq, after) != (place, running) or running < 0:
                wrong.append(f"{kind} {account}: line {seq} says {after}, the {place}th makes {running}")
        if running != balance:
            wrong.append(f"{kind} {account}: {balance} is there, its lines make {running}")
    return wrong


def deadlocks() -> int:
    """How many rings PostgreSQL has had to break in this database so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


@dataclass(frozen=True)
class Written:
    """A deed answered: between `start` and `end` (nanoseconds of one clock) it wrote this line of an account."""

    start: int
    end: int
    account: int
    seq: int


@dataclass(frozen=True)
class Read:
    """An account looked at: `own_seq` is the last line the reader had written itself."""

    start: int
    end: int
    account: int
    seq: int
    balance: int
    own_seq: int


@dataclass
class Journal:
    """What the hands saw, each by its own word (C10)."""

    written: list[Written] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, *lines: Written | Read) -> None:
        with self._lock:
            self.written += [line for line in lines if isinstance(line, Written)]
            self.reads += [line for line in lines if isinstance(line, Read)]


def broken_history(journal: Journal, balances: dict[tuple[int, int], int]) -> list[str]:
    """L19: whoever was answered first wrote first, and what was read is what the books said at one moment.

    `balances` is (account, seq) → balance_after.
    """
    wrong = _out_of_order(journal.written)
    ends = sorted((line.end, line.account, line.seq) for line in journal.written)
    for read in journal.reads:
        if read.balance != balances.get((read.account, read.seq), 0):
            wrong.append(f"{read} shows a balance that account never had")
        known = [seq for end, account, seq in ends if account == read.account and end < read.start]
        if read.seq < max([read.own_seq, *known]):
            wrong.append(f"{read} does not show what was answered before it")
    return wrong


def _out_of_order(written: Iterable[Written]) -> list[str]:
    by_account = defaultdict(list)
    for line in written:
        by_account[line.account].append(line)
    wrong = []
    for lines in by_account.values():
        answered = sorted(lines, key=lambda line: line.end)
        latest, place = 0, 0
        for line in sorted(lines, key=lambda line: line.start):
            while place < len(answered) and answered[place].end < line.start:
                latest = max(latest, answered[place].seq)
                place += 1
            if line.seq <= latest:
                wrong.append(f"{line} comes before line {latest}, which had been answered")
    return wrong
