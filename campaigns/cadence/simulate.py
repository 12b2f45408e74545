"""Simulated regular visitors: a salon's six weeks, with noise, some of whom leave. Same seed, same people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campaigns.cadence.statistics import Floats, Visits


@dataclass(frozen=True)
class Salon:
    """What the simulated members are like; all durations in days.

    `between`: spread of the personal cadence around `cadence_days` (of its logarithm). `noise`: spread of one
    member's gaps as a share of their cadence. `loss`: chance to leave for good after any visit.
    `irregular`: share of members who come at random, at the same average pace.
    """

    cadence_days: float = 42.0
    between: float = 0.3
    noise: float = 0.3
    loss: float = 0.1
    irregular: float = 0.0
    enrolment_days: int = 540


def visits_of(salon: Salon, *, members: int, days: int, seed: int) -> Visits:
    """Visits from day 0 to `days` (inclusive) of members who join evenly over the enrolment time."""
    random = np.random.default_rng(seed)
    joined = random.uniform(0, salon.enrolment_days, members)
    cadence = salon.cadence_days * np.exp(random.normal(0, salon.between, members))
    regularity = np.where(random.random(members) < salon.irregular, 1.0, salon.noise**-2)
    visits_kept = random.geometric(salon.loss, members)
    gaps_max = int(days / cadence.min() * 3) + 10
    return _listed(_times(random, joined, cadence, regularity, gaps_max), visits_kept, days)


def _times(
    random: np.random.Generator, joined: Floats, cadence: Floats, regularity: Floats, gaps_max: int
) -> Floats:
    """Members × visits: when each visit would be, leaving aside."""
    shape = regularity[:, None]
    gaps = random.gamma(shape, cadence[:, None] / shape, (len(joined), gaps_max))
    return joined[:, None] + np.concatenate([np.zeros((len(joined), 1)), np.cumsum(gaps, axis=1)], axis=1)


def _listed(times: Floats, visits_kept: np.ndarray, days: int) -> Visits:
    day = np.floor(times).astype(np.int64)
    happened = (np.arange(day.shape[1]) < visits_kept[:, None]) & (day <= days)
    member, place = np.nonzero(happened)
    return Visits.from_purchases(member, day[member, place])
