"""Each member's usual gap in days, shrunk towards the group's: "usually every 42 days".

Logarithms of gaps are taken as normal around a personal centre. With few gaps the group's centre and spread
count for more, with many the member's own do. Closed form and cheap; used to explain a score to people and to
decide who is overdue, not to rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from campaigns.cadence.statistics import Floats, Statistics

SPREAD_GAPS = 6.0  # the group's spread counts as this many gaps of the member's own
BETWEEN_LOWEST, WITHIN_LOWEST = 0.01, 0.01
GAPS_NEEDED = 30  # below this many members with a gap, the given usual gap is mixed in


@dataclass(frozen=True)
class Rhythm:
    """A group's gaps: log of the typical one, variance within one member, variance between members."""

    centre: float
    within: float
    between: float

    @classmethod
    def fit(cls, statistics: Statistics, usual_gap_days: float) -> Rhythm:
        """Moments over members with a gap; `usual_gap_days` stands in where there are few."""
        mine = statistics.take(statistics.has_returned)
        assumed = cls(float(np.log(usual_gap_days)), 0.25, 0.25)
        if not len(mine):
            return assumed
        trust = len(mine) / (len(mine) + GAPS_NEEDED)
        centre, within, between = _moments(mine, assumed)
        return cls(
            trust * centre + (1 - trust) * assumed.centre,
            max(trust * within + (1 - trust) * assumed.within, WITHIN_LOWEST),
            max(trust * between + (1 - trust) * assumed.between, BETWEEN_LOWEST),
        )

    def usual_gap_days(self, statistics: Statistics) -> Floats:
        """The median gap expected of each member."""
        return np.exp(self._personal(statistics)[0])

    def late_after_days(self, statistics: Statistics, share: float = 0.9) -> Floats:
        """The gap that `share` of the member's gaps stay below: the day after which a member is late."""
        centre, variance = self._personal(statistics)
        return np.exp(centre + ndtri(share) * np.sqrt(variance))

    def _personal(self, mine: Statistics) -> tuple[Floats, Floats]:
        """Each member's log centre, and the variance of their next log gap around it."""
        own = mine.log_gap_sum / np.maximum(mine.repeats, 1)
        pull = self.within / self.between
        centre = (mine.log_gap_sum + pull * self.centre) / (mine.repeats + pull)
        around = np.maximum(mine.log_gap_square_sum - mine.repeats * own**2, 0)
        freedom = np.maximum(mine.repeats - 1, 0)
        spread = (around + SPREAD_GAPS * self.within) / (freedom + SPREAD_GAPS)
        return centre, spread + self.within / (mine.repeats + pull)


def _moments(mine: Statistics, assumed: Rhythm) -> tuple[float, float, float]:
    """Centre, variance within and variance between; each member's centre counts once, not each gap."""
    own = mine.log_gap_sum / mine.repeats
    freedom = float(np.sum(mine.repeats - 1))
    around = float(np.sum(np.maximum(mine.log_gap_square_sum - mine.repeats * own**2, 0)))
    within = around / freedom if freedom >= GAPS_NEEDED else assumed.within
    between = float(np.var(own)) - within * float(np.mean(1 / mine.repeats))
    return float(np.mean(own)), within, between
