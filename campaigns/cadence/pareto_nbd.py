"""Pareto/NBD, the older and heavier of the two published models we are measured against.

Schmittlein, Morrison, Colombo (1987); formulas as in Fader and Hardie's note of 2005 on deriving it.
Visits come at random at a personal rate (Gamma r, alpha), and each member has a personal lifetime whose
rate is Gamma (s, beta). Any unit of time; the published figures are in weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, hyp2f1

from campaigns.cadence.likelihood import maximise
from campaigns.cadence.statistics import Floats

STARTS = ((0.5, 0.5, 0.6, 0.5), (2.0, 0.5, 1.5, 2.0))  # r, alpha ÷ mean observation, s, beta ÷ the same


@dataclass(frozen=True)
class ParetoNbd:
    """Fitted parameters; alpha and beta are in the unit of time of the data."""

    r: float
    alpha: float
    s: float
    beta: float

    @classmethod
    def fit(cls, repeats: Floats, last: Floats, known: Floats) -> ParetoNbd:
        """Maximum likelihood. `last`: first to last visit; `known`: first visit to now; one unit of time."""
        unit = max(float(np.mean(known)), 1e-9)

        def mean(point: Floats) -> float:
            return float(np.mean(cls(*np.exp(point)).log_likelihood(repeats, last / unit, known / unit)))

        r, alpha, s, beta = np.exp(maximise(mean, [np.log(start) for start in STARTS]))
        return cls(float(r), float(alpha * unit), float(s), float(beta * unit))

    def log_likelihood(self, repeats: Floats, last: Floats, known: Floats) -> Floats:
        """Per member."""
        shape = self.r + repeats
        common = gammaln(shape) - gammaln(self.r) + self.r * np.log(self.alpha) + self.s * np.log(self.beta)
        return common + np.logaddexp(self._log_alive(repeats, known), self._log_gone(repeats, last, known))

    def probability_alive(self, repeats: Floats, last: Floats, known: Floats) -> Floats:
        alive = self._log_alive(repeats, known)
        return np.exp(alive - np.logaddexp(alive, self._log_gone(repeats, last, known)))

    def expected_purchases(self, repeats: Floats, last: Floats, known: Floats, horizon: float) -> Floats:
        """Visits expected in the next `horizon`, given the past: the usual ranking score."""
        rate = (self.r + repeats) / (self.alpha + known)
        shrink = ((self.beta + known) / (self.beta + known + horizon)) ** (self.s - 1)
        lifetime = (self.beta + known) / (self.s - 1) * (1 - shrink)
        return rate * lifetime * self.probability_alive(repeats, last, known)

    def _log_alive(self, repeats: Floats, known: Floats) -> Floats:
        return -(self.r + repeats) * np.log(self.alpha + known) - self.s * np.log(self.beta + known)

    def _log_gone(self, repeats: Floats, last: Floats, known: Floats) -> Floats:
        """Left somewhere between the last visit and now."""
        early, late = self._log_series(repeats, last), self._log_series(repeats, known)
        difference = -np.expm1(np.minimum(late - early, -1e-15))
        return np.log(self.s / (self.r + self.s + repeats)) + early + np.log(difference)

    def _log_series(self, repeats: Floats, time: Floats) -> Floats:
        total = self.r + self.s + repeats
        low, high = sorted((self.alpha, self.beta))
        second = self.s + 1 if self.alpha >= self.beta else self.r + repeats
        series = hyp2f1(total, second, total + 1, (high - low) / (high + time))
        return np.log(series) - total * np.log(high + time)
