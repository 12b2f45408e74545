"""Fitting the wake-up score to a shop's own history.

Two steps, both looking at the past only. The parameters for a given regularity are found by maximum
likelihood. Which regularity is right is decided by what the score is for: stand at two earlier days, fit on
what was known then, predict who came in the following weeks, and keep the regularity with the least surprise
(log loss). Likelihood alone would choose by the many short gaps inside a burst; a wake-up asks about the
long ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, polygamma

from campaigns.cadence.likelihood import maximise
from campaigns.cadence.ranking import log_loss
from campaigns.cadence.renewal import Population, Process
from campaigns.cadence.rhythm import Rhythm
from campaigns.cadence.score import Model
from campaigns.cadence.statistics import Floats, Statistics, Visits

LADDER = (0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.4, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 32.0)
MIXTURES = ((0.6, 2.0, 10.0), (1.0, 4.0, 16.0))
MEMBERS_MAX = 2_500  # parameters are settled well before; more would only cost time
RETURNED_NEEDED = 30  # members with a second visit, below which the assumptions stay
LOOK_BACKS = (1.0, 1.5)  # earlier days to stand at, in validation horizons before now
VALIDATION_SHARE = 1 / 3  # of the history, at most, is kept for checking
STARTS = ((0.5, 0.5, 0.6, 3.0), (3.0, 1.0, 1.0, 6.0))  # r, scale ÷ mean known days, a, b
DRAFT_PRECISION, FINAL_PRECISION = 1e-6, 1e-8
PRIOR_SPREAD = 3.0  # of the parameters' logarithms around the first start: one member's worth of opinion


@dataclass(frozen=True)
class Check:
    """An earlier day: what was known then, and who came in the `horizon_days` after it."""

    statistics: Statistics
    horizon_days: int
    came: NDArray[np.bool_]

    def loss(self, regularities: Sequence[float]) -> float:
        """The surprise of a model that knew only what was known then."""
        assumed = Rhythm(centre=0.0, within=1.0, between=1.0)  # plays no part in the probability
        model = fit_statistics(self.statistics, regularities, assumed, is_draft=True)
        return log_loss(model.probability_of_return(self.statistics, self.horizon_days), self.came)


def fit(visits: Visits, as_of_day: int, *, horizon_days: int = 84, usual_gap_days: float = 42.0) -> Model:
    """The model for predicting the `horizon_days` after `as_of_day`, from visits up to that day only.

    `usual_gap_days` (a trade's typical cadence) is used where the history is too thin: with fewer than
    RETURNED_NEEDED members who came twice, the model is assumptions plus the shrunken personal gap.
    """
    known = visits.until(as_of_day)
    if not len(known.member_ids):
        return prior_model(usual_gap_days, Rhythm(float(np.log(usual_gap_days)), 0.25, 0.25))
    sampled = known.sample(MEMBERS_MAX)
    statistics = sampled.statistics(as_of_day)
    rhythm = Rhythm.fit(statistics, usual_gap_days)
    if statistics.has_returned.sum() < RETURNED_NEEDED:
        return prior_model(float(np.exp(rhythm.centre)), rhythm)
    checks = _checks(sampled, as_of_day, horizon_days)
    return fit_statistics(statistics, _choose_regularities(checks, rhythm.within), rhythm)


def fit_statistics(
    statistics: Statistics,
    regularities: Sequence[float],
    rhythm: Rhythm,
    *,
    is_draft: bool = False,
) -> Model:
    """Maximum likelihood for given kinds of rhythm (their shares are found too).

    `is_draft`: one start and a coarser stop, for comparing many candidates.
    """
    rows, counts = statistics.merged()
    unit = max(float(np.average(rows.known_days, weights=counts)), 1.0)
    kinds = tuple(regularities)
    centre = _log_start(STARTS[0], len(kinds))

    def mean(point: Floats) -> float:
        per_member = logsumexp(_log_by_kind(rows, point, kinds, unit), axis=0)
        opinion = np.sum((point - centre) ** 2) / (2 * PRIOR_SPREAD**2)
        return float((np.sum(counts * per_member) - opinion) / counts.sum())

    starts = [_log_start(start, len(kinds)) for start in (STARTS[:1] if is_draft else STARTS)]
    best = maximise(mean, starts, DRAFT_PRECISION if is_draft else FINAL_PRECISION)
    return Model(_population(best, unit), kinds, _shares(best, len(kinds)), rhythm)


def prior_model(usual_gap_days: float, rhythm: Rhythm) -> Model:
    """Assumptions for a shop without history: fairly regular visitors, about one in seven lost per visit."""
    r = 4.0
    population = Population(r=r, scale=usual_gap_days * (r - 1), a=1.0, b=6.0)
    return Model(population, (1.0, 3.0, 10.0), (0.4, 0.4, 0.2), rhythm, is_prior=True)


def _checks(visits: Visits, as_of_day: int, horizon_days: int) -> list[Check]:
    """Earlier days from which to predict; only those by which enough members had come back.

    Each check looks as far ahead as the horizon asked for, or as the history reaches if that is less.
    """
    span = as_of_day - int(visits.day.min())
    back = min(horizon_days, span * VALIDATION_SHARE)
    days = [as_of_day - round(back * times) for times in LOOK_BACKS]
    found = [_check(visits, day, min(horizon_days, as_of_day - day)) for day in days]
    return [
        check
        for check in found
        if check.statistics.has_returned.sum() >= RETURNED_NEEDED and 0 < check.came.mean() < 1
    ]


def _check(visits: Visits, day: int, ahead: int) -> Check:
    then = visits.until(day)
    return Check(then.statistics(day), ahead, visits.count_between(then, day, day + ahead) > 0)


def _choose_regularities(checks: list[Check], gap_variance: float) -> tuple[float, ...]:
    """The regularity or mixture that would have predicted best; 1 (random) when nothing can be checked.

    Walks the ladder downhill until both neighbours are worse, then tries the mixtures. The walk starts where
    gaps would scatter as much as they do (the logarithm of a gap has variance trigamma(regularity)).
    """
    if not checks:
        return (1.0,)

    @cache
    def loss(kinds: tuple[float, ...]) -> float:
        return sum(check.loss(kinds) for check in checks)

    here, before = int(np.argmin(np.abs(polygamma(1, LADDER) - gap_variance))), -1
    while here != before:
        near = range(max(here - 1, 0), min(here + 2, len(LADDER)))
        here, before = min(near, key=lambda step: loss((LADDER[step],))), here
    return min(((LADDER[here],), *MIXTURES), key=loss)


def _log_start(start: tuple[float, float, float, float], kinds: int) -> Floats:
    return np.concatenate([np.log(start), np.zeros(kinds - 1)])


def _population(point: Floats, unit: float) -> Population:
    r, scale, a, b = (float(value) for value in np.exp(point[:4]))
    return Population(r=r, scale=scale * unit, a=a, b=b)


def _shares(point: Floats, kinds: int) -> tuple[float, ...]:
    logits = np.concatenate([[0.0], point[4 : 4 + kinds - 1]])
    return tuple(float(share) for share in np.exp(logits - logsumexp(logits)))


def _log_by_kind(rows: Statistics, point: Floats, kinds: tuple[float, ...], unit: float) -> Floats:
    population, shares = _population(point, unit), _shares(point, len(kinds))
    return np.stack(
        [
            np.log(share) + Process(population, regularity, rows).log_likelihood()
            for regularity, share in zip(kinds, shares, strict=True)
        ]
    )
