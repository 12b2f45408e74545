"""Sequence numbers, the submits that wait for an answer, and when their time is up."""

from __future__ import annotations

from collections import deque

from messaging.gateways.long_message import Entry

SEQUENCE_MAX = 0x7FFFFFFF
_LATE_MAX = 10_000  # entries whose time ran out that a late answer can still find


class Window:
    """`pending` maps sequence number to entry in the order of writing; the session works on it directly."""

    def __init__(self, size: int, timeout_seconds: float) -> None:
        self.size = size
        self.pending: dict[int, Entry] = {}
        self._timeout_seconds = timeout_seconds
        self._late: dict[int, Entry] = {}
        self._marks: deque[tuple[float, int]] = deque()  # (time, sequence that was next)
        self._next = 1

    def next_sequence(self) -> int:
        """1 to 0x7FFFFFFF, then 1 again."""
        sequence = self._next
        self._next = sequence + 1 if sequence < SEQUENCE_MAX else 1
        return sequence

    def take_late(self, sequence: int) -> Entry | None:
        """The entry of an answer that comes after its time, once."""
        return self._late.pop(sequence, None)

    def expire(self, now: float) -> list[Entry]:
        """Take out what was written longer ago than the timeout.

        Call it regularly: it is exact to one call's distance.

        A time for each submit would cost more than the submit. Instead each call marks which number was next;
        what lies before a mark that is old enough is older. Numbers wrap, so distances from the next one are
        compared.
        """
        border: int | None = None
        while self._marks and now - self._marks[0][0] >= self._timeout_seconds:
            border = self._marks.popleft()[1]
        self._marks.append((now, self._next))
        if border is None:
            return []
        border_age = self._age(border)
        expired: dict[int, Entry] = {}
        for sequence, entry in self.pending.items():
            if self._age(sequence) <= border_age:
                break
            expired[sequence] = entry
        for sequence in expired:
            del self.pending[sequence]
        self._remember(expired)
        return list(expired.values())

    def _age(self, sequence: int) -> int:
        return (self._next - sequence) % SEQUENCE_MAX

    def _remember(self, expired: dict[int, Entry]) -> None:
        self._late.update(expired)
        while len(self._late) > _LATE_MAX:
            del self._late[next(iter(self._late))]
