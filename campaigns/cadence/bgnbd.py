"""BG/NBD, the published model our score is measured against.

Fader, Hardie, Lee: "Counting Your Customers" the Easy Way, Marketing Science 24 (2005). Visits come at
random at a personal rate (Gamma r, alpha); after each repeat visit a member leaves for good with a personal
chance (Beta a, b). Any unit of time; the published figures are in weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln, hyp2f1

from campaigns.cadence.likelihood import maximise
from campaigns.cadence.statistics import Floats

STARTS = ((0.3, 0.5, 0.8, 2.5), (2.0, 2.0, 0.5, 4.0))  # r, alpha ÷ mean observation, a, b


@dataclass(frozen=True)
class BetaGeometricNbd:
    """Fitted parameters; alpha is in the unit of time of the data."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, repeats: Floats, last: Floats, known: Floats) -> BetaGeometricNbd:
        """Maximum likelihood. `last`: first to last visit; `known`: first visit to now; one unit of time."""
        unit = max(float(np.mean(known)), 1e-9)

        def mean(point: Floats) -> float:
            return float(np.mean(cls(*np.exp(point)).log_likelihood(repeats, last / unit, known / unit)))

        r, alpha, a, b = np.exp(maximise(mean, [np.log(start) for start in STARTS]))
        return cls(float(r), float(alpha * unit), float(a), float(b))

    def log_likelihood(self, repeats: Floats, last: Floats, known: Floats) -> Floats:
        """Per member."""
        shape = self.r + repeats
        common = gammaln(shape) - gammaln(self.r) + self.r * np.log(self.alpha)
        alive = betaln(self.a, self.b + repeats) - shape * np.log(self.alpha + known)
        left = betaln(self.a + 1, self.b + np.maximum(repeats, 1) - 1) - shape * np.log(self.alpha + last)
        gone = np.where(repeats > 0, left, -np.inf)
        return common - betaln(self.a, self.b) + np.logaddexp(alive, gone)

    def probability_alive(self, repeats: Floats, last: Floats, known: Floats) -> Floats:
        odds = self.a / (self.b + np.maximum(repeats, 1) - 1)
        odds = odds * ((self.alpha + known) / (self.alpha + last)) ** (self.r + repeats)
        return np.where(repeats > 0, 1 / (1 + odds), 1.0)

    def expected_purchases(self, repeats: Floats, last: Floats, known: Floats, horizon: float) -> Floats:
        """Visits expected in the next `horizon`, given the past: the usual ranking score."""
        shape, total = self.r + repeats, self.a + self.b + repeats - 1
        ratio = (self.alpha + known) / (self.alpha + known + horizon)
        series = hyp2f1(shape, self.b + repeats, total, horizon / (self.alpha + known + horizon))
        grown = total / (self.a - 1) * (1 - ratio**shape * series)
        return grown * self.probability_alive(repeats, last, known)
