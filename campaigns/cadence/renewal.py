"""The visiting process behind the score, for members of one known regularity. Closed formulas throughout.

Gaps are Gamma(regularity, rate): regularity 1 comes at random, 12 like clockwork, below 1 in bursts with
long pauses. The personal rate is Gamma(r, scale ÷ regularity), so that a mean gap is about scale ÷ r at every
regularity; after each visit, the first included, a member leaves for good with a personal chance Beta(a, b).
This is BG/NBD with two changes: gaps need not be random (as in Platzer and Reutterer's work of 2016 on
regularity), and a member may leave after the very first visit. For a fixed member all that matters is

    shape = r + regularity × repeats,  mass = scale ÷ regularity + active_days

because the chance that a gap exceeds t is then the incomplete beta function I(mass ÷ (mass + t); shape,
regularity): exact for a personal rate that is not known, only learnt from the gaps so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, betaln, gammaln

from campaigns.cadence.statistics import Floats, Statistics

TERM_LOWEST = 1e-4  # a further visit less likely than this ends the sum of expected visits
TERMS_MAX = 400
FIRST_RETURN_NODES, FIRST_RETURN_WEIGHTS = (0.1127016654, 0.5, 0.8872983346), (5 / 18, 8 / 18, 5 / 18)
NEVER = 1e-300


@dataclass(frozen=True)
class Population:
    """How members differ: r and scale (days) of the rate, a and b of leaving. All positive."""

    r: float
    scale: float
    a: float
    b: float


@dataclass(frozen=True)
class Process:
    """One population at one regularity, applied to members' statistics."""

    population: Population
    regularity: float
    statistics: Statistics

    @property
    def shape(self) -> Floats:
        return self.population.r + self.regularity * self.statistics.repeats

    @property
    def mass(self) -> Floats:
        return self.population.scale / self.regularity + self.statistics.active_days

    def log_gaps(self) -> Floats:
        """Log likelihood of the gaps so far, leaving aside."""
        mine, k, prior = self.statistics, self.regularity, self.population.scale / self.regularity
        rate = gammaln(self.shape) - gammaln(self.population.r) - self.shape * np.log(self.mass)
        rhythm = (k - 1) * mine.log_gap_sum - mine.repeats * gammaln(k)
        return rate + rhythm + self.population.r * np.log(prior)

    def gap_exceeds(self, days: Floats) -> Floats:
        """The chance that the gap now open is longer than `days`, were the member never to leave."""
        return betainc(self.shape, self.regularity, self.mass / (self.mass + days))

    def log_likelihood(self) -> Floats:
        """Per member: gaps, the open gap, and having stayed or left."""
        return self.log_gaps() + np.logaddexp(*self._log_stayed_and_left())

    def probability_alive(self) -> Floats:
        """The chance not to have left for good."""
        stayed, left = self._log_stayed_and_left()
        return np.exp(stayed - np.logaddexp(stayed, left))

    def probability_of_return(self, horizon_days: float) -> Floats:
        """The chance of at least one visit in the next `horizon_days`."""
        since = self.statistics.since_days
        open_now = np.maximum(self.gap_exceeds(since), NEVER)
        return self.probability_alive() * (
            1 - np.minimum(self.gap_exceeds(since + horizon_days) / open_now, 1)
        )

    def expected_purchases(self, horizon_days: float) -> Floats:
        """Visits expected in the next `horizon_days`: the first return, and those that follow it.

        The day of the first return is taken at three Gauss points of its distribution.
        """
        since = self.statistics.since_days
        now, end = self.gap_exceeds(since), self.gap_exceeds(since + horizon_days)
        further = np.zeros(len(self.statistics))
        for node, weight in zip(FIRST_RETURN_NODES, FIRST_RETURN_WEIGHTS, strict=True):
            day = np.clip(self._gap_quantile(now + (end - now) * node), since, since + horizon_days)
            further += weight * self._visits_after(day, since + horizon_days - day)
        return self.probability_of_return(horizon_days) * (1 + further)

    def expected_after_a_visit(self, horizon_days: float) -> Floats:
        """Visits that would follow in `horizon_days` had the last visit been today, at the cadence so far."""
        stayed = self.population.b + self.statistics.repeats
        days = np.full(len(self.statistics), float(horizon_days))
        return self._visits_following(self.shape, self.mass, stayed, days)

    def _log_stayed_and_left(self) -> tuple[Floats, Floats]:
        who, repeats = self.population, self.statistics.repeats
        open_gap = np.log(np.maximum(self.gap_exceeds(self.statistics.since_days), NEVER))
        stayed = betaln(who.a, who.b + repeats + 1) + open_gap
        return stayed - betaln(who.a, who.b), betaln(who.a + 1, who.b + repeats) - betaln(who.a, who.b)

    def _gap_quantile(self, exceeded_with: Floats) -> Floats:
        """The gap length that is exceeded with this chance."""
        share = np.maximum(betaincinv(self.shape, self.regularity, exceeded_with), NEVER)
        return self.mass * (1 / share - 1)

    def _visits_after(self, gap: Floats, days_left: Floats) -> Floats:
        """Visits expected in the `days_left` after a return that closed a gap of `gap` days."""
        closed = self.mass + gap
        stayed = self.population.b + self.statistics.repeats + 1
        return self._visits_following(self.shape + self.regularity, closed, stayed, days_left)

    def _visits_following(self, shape: Floats, mass: Floats, stayed: Floats, days: Floats) -> Floats:
        """Visits in the `days` after a visit: over n, the chance to stay n times and to fit n gaps in."""
        lost, total = self.population.a, np.zeros(len(shape))
        part, survived, rows = days / (mass + days), np.ones(len(shape)), np.arange(len(shape))
        for number in range(1, TERMS_MAX):
            survived = survived * (stayed[rows] + number - 1) / (lost + stayed[rows] + number - 1)
            term = survived * betainc(number * self.regularity, shape[rows], part[rows])
            total[rows] += term
            going = term > TERM_LOWEST
            rows, survived = rows[going], survived[going]
            if not len(rows):
                break
        return total
