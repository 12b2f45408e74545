"""Whom to wake: late against their own cadence, and still worth a text.

A member is due only after the day that nine in ten of their gaps stay below, never before it: a text to
somebody who is about to come anyway costs money and patience. From then on three bands, counted in that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from campaigns.cadence.score import Model
from campaigns.cadence.statistics import Floats, Integers, Statistics


class Band(IntEnum):
    """Where a member stands on the ladder. Only FIRST, SECOND and THIRD are texted."""

    NOT_DUE = 0
    FIRST = 1
    SECOND = 2
    THIRD = 3
    LET_GO = 4


@dataclass(frozen=True)
class WakeRule:
    """`steps`: multiples of the late day after which each band, and letting go, begins."""

    late_share: float = 0.9
    steps: tuple[float, float, float, float] = (1.0, 1.5, 2.0, 3.0)
    days_min: float = 14.0
    visits_min: int = 2
    horizon_days: int = 84


RECOMMENDED = WakeRule()


@dataclass(frozen=True)
class WakeUp:
    """One row per member scored; sort the due ones by falling `priority`."""

    band: Integers
    priority: Floats
    probability_of_return: Floats
    usual_gap_days: Floats
    since_days: Floats
    late_after_days: Floats

    @property
    def is_due(self) -> NDArray[np.bool_]:
        return (self.band >= Band.FIRST) & (self.band <= Band.THIRD)


def bands(statistics: Statistics, model: Model, rule: WakeRule = RECOMMENDED) -> Integers:
    """Each member's Band.

    NOT_DUE: not yet late, seen less than `days_min` days ago, or fewer than `visits_min` visits (a first-time
    guest is the second-visit programme's). LET_GO: past the last step. A small chance of returning unasked
    does not end the ladder: waking those is what it is for.
    """
    late_after = _late_after_days(statistics, model, rule)
    band = np.searchsorted(rule.steps, statistics.since_days / late_after, side="left")
    return np.where(statistics.repeats + 1 >= rule.visits_min, band, Band.NOT_DUE).astype(np.int64)


def wake_priority(
    statistics: Statistics, model: Model, horizon_days: int = RECOMMENDED.horizon_days
) -> Floats:
    """Expected visits lost: visits that would follow in `horizon_days` had the member been here today, less
    those expected as things stand, times the chance that they have not left for good.

    Low for those who will come anyway (nothing to win) and for those long gone (nobody to win), high between.
    It assumes that a text works on those still there; measured lift of past runs should replace that.
    """
    fresh = model.expected_after_a_visit(statistics, horizon_days)
    at_stake = np.maximum(fresh - model.expected_purchases(statistics, horizon_days), 0)
    return at_stake * model.probability_alive(statistics)


def assess(statistics: Statistics, model: Model, rule: WakeRule = RECOMMENDED) -> WakeUp:
    """Everything a wake-up run needs; the priority is worked out for the due only, and 0 for the others."""
    band = bands(statistics, model, rule)
    due = (band >= Band.FIRST) & (band <= Band.THIRD)
    priority = np.zeros(len(statistics))
    priority[due] = wake_priority(statistics.take(due), model, rule.horizon_days)
    return WakeUp(
        band=band,
        priority=priority,
        probability_of_return=model.probability_of_return(statistics, rule.horizon_days),
        usual_gap_days=model.rhythm.usual_gap_days(statistics),
        since_days=statistics.since_days,
        late_after_days=_late_after_days(statistics, model, rule),
    )


def _late_after_days(statistics: Statistics, model: Model, rule: WakeRule) -> Floats:
    return np.maximum(model.rhythm.late_after_days(statistics, rule.late_share), rule.days_min)
