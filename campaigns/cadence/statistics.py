"""Sufficient statistics: the five numbers a member's purchase days are reduced to.

They are all SQL has to deliver to score a member (docs/wakeup-score.md shows the query). Several purchases
on one day are one visit, so every gap is at least one day and its logarithm is finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class ImpossibleStatistics(ValueError):
    """Statistics that no list of purchase days can give: negative, not finite, or of unequal length."""


@dataclass(frozen=True)
class Statistics:
    """One row per member; every column is a float array of the same length.

    repeats: visits after the first. active_days: first to last visit. known_days: first visit to the day
    of scoring. log_gap_sum and log_gap_square_sum: over the gaps between visits, gap in days.
    """

    repeats: Floats
    active_days: Floats
    known_days: Floats
    log_gap_sum: Floats
    log_gap_square_sum: Floats

    def __post_init__(self) -> None:
        for name in ("repeats", "active_days", "known_days", "log_gap_sum", "log_gap_square_sum"):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), dtype=float)))
        self._refuse_the_impossible()

    def __len__(self) -> int:
        return len(self.repeats)

    @property
    def columns(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        return (
            self.repeats,
            self.active_days,
            self.known_days,
            self.log_gap_sum,
            self.log_gap_square_sum,
        )

    @property
    def since_days(self) -> Floats:
        """Days since the last visit."""
        return self.known_days - self.active_days

    @property
    def has_returned(self) -> NDArray[np.bool_]:
        return self.repeats > 0

    def take(self, rows: ArrayLike) -> Statistics:
        """The same statistics for some members: a mask or row numbers."""
        return Statistics(*(column[np.asarray(rows)] for column in self.columns))

    def slice(self, rows: slice) -> Statistics:
        """The same statistics for a run of members, without copying."""
        return Statistics(*(column[rows] for column in self.columns))

    def merged(self) -> tuple[Statistics, Floats]:
        """Members with equal statistics folded into one row, and how many each row stands for."""
        rows, counts = np.unique(np.stack(self.columns, axis=1), axis=0, return_counts=True)
        return Statistics(*rows.T), counts.astype(float)

    def _refuse_the_impossible(self) -> None:
        if len({column.shape for column in self.columns}) != 1 or self.repeats.ndim != 1:
            raise ImpossibleStatistics("columns differ in length")
        if not all(np.isfinite(column).all() for column in self.columns):
            raise ImpossibleStatistics("a value is missing or not finite")
        if min(self.repeats.min(initial=0), self.active_days.min(initial=0)) < 0:
            raise ImpossibleStatistics("negative visits or days")
        if (self.since_days < 0).any():
            raise ImpossibleStatistics("a last visit after the day of scoring")


@dataclass(frozen=True)
class Visits:
    """Who came on which day, one row per member and day, sorted; `member` counts from 0 in `member_ids`."""

    member_ids: NDArray[np.generic]
    member: Integers
    day: Integers

    @classmethod
    def from_purchases(cls, member_ids: ArrayLike, days: ArrayLike) -> Visits:
        """Purchases in any order, the day as a whole number; purchases of one day become one visit."""
        ids, member = np.unique(np.asarray(member_ids), return_inverse=True)
        pairs = np.stack([member.reshape(-1), np.asarray(days, dtype=np.int64)], axis=1)
        rows = np.unique(pairs, axis=0) if len(pairs) else pairs
        return cls(ids, rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64))

    def until(self, last_day: int) -> Visits:
        """What was known at the end of `last_day`; members not yet seen are gone from `member_ids`."""
        kept = self.day <= last_day
        known, member = np.unique(self.member[kept], return_inverse=True)
        return Visits(self.member_ids[known], member.reshape(-1).astype(np.int64), self.day[kept])

    def sample(self, members_max: int) -> Visits:
        """At most `members_max` members, evenly spread over the list: the same ones each time."""
        if len(self.member_ids) <= members_max:
            return self
        chosen = np.linspace(0, len(self.member_ids) - 1, members_max).astype(np.int64)
        place = np.full(len(self.member_ids), -1)
        place[chosen] = np.arange(members_max)
        kept = place[self.member] >= 0
        return Visits(self.member_ids[chosen], place[self.member[kept]], self.day[kept])

    def statistics(self, as_of_day: int) -> Statistics:
        """One row per entry of `member_ids`, from all visits held. Refuses visits after `as_of_day`."""
        count = len(self.member_ids)
        starts = np.searchsorted(self.member, np.arange(count))
        ends = np.searchsorted(self.member, np.arange(count), side="right") - 1
        same = np.diff(self.member) == 0
        log_gap = np.log(np.diff(self.day)[same])
        owner = self.member[1:][same]
        return Statistics(
            repeats=(ends - starts).astype(float),
            active_days=(self.day[ends] - self.day[starts]).astype(float),
            known_days=(as_of_day - self.day[starts]).astype(float),
            log_gap_sum=np.bincount(owner, log_gap, count).astype(float),
            log_gap_square_sum=np.bincount(owner, log_gap**2, count).astype(float),
        )

    def count_between(self, of: Visits, after_day: int, until_day: int) -> Integers:
        """Visits of each of `of`'s members with after_day < day <= until_day, in the order of `of`."""
        kept = (self.day > after_day) & (self.day <= until_day)
        counts = np.bincount(self.member[kept], minlength=len(self.member_ids))
        return counts[np.searchsorted(self.member_ids, of.member_ids)].astype(np.int64)
