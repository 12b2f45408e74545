"""Who is due for a wake-up, on which step of the ladder, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.cadence.renewal import Population
from campaigns.cadence.rhythm import Rhythm
from campaigns.cadence.score import Model
from campaigns.cadence.statistics import Statistics
from campaigns.cadence.wakeup import Band, WakeRule, assess, bands, wake_priority

MODEL = Model(
    Population(r=8.0, scale=340.0, a=1.0, b=7.0),
    (1.0, 10.0),
    (0.2, 0.8),
    Rhythm(centre=float(np.log(42)), within=0.09, between=0.09),
)


def ana(*since_days: float, gaps: tuple[int, ...] = (42, 41, 43, 42)) -> Statistics:
    """Ana, who comes every six weeks, as she stands so many days after her last visit."""
    logs, rows = np.log(gaps) if gaps else np.zeros(0), len(since_days)
    active = float(sum(gaps))
    return Statistics(
        [len(gaps)] * rows,
        [active] * rows,
        [active + days for days in since_days],
        [logs.sum()] * rows,
        [(logs**2).sum()] * rows,
    )


LATE = float(MODEL.rhythm.late_after_days(ana(1))[0])


@pytest.mark.parametrize(
    ("times_late", "band"),
    [
        (0.5, Band.NOT_DUE),
        (1.0, Band.NOT_DUE),
        (1.01, Band.FIRST),
        (1.5, Band.FIRST),
        (1.51, Band.SECOND),
        (2.01, Band.THIRD),
        (3.0, Band.THIRD),
        (3.01, Band.LET_GO),
        (20, Band.LET_GO),
    ],
)
def test_the_ladder_is_counted_in_the_day_ana_is_late(times_late, band):
    assert bands(ana(LATE * times_late), MODEL)[0] == band


def test_nine_in_ten_of_a_regulars_gaps_are_over_before_she_is_due():
    random = np.random.default_rng(3)
    gaps = np.exp(random.normal(np.log(42), 0.3, 20_000))

    assert (gaps < LATE).mean() > 0.88


def test_a_first_time_guest_is_never_due():
    assert bands(ana(400, gaps=()), MODEL)[0] == Band.NOT_DUE
    assert bands(ana(100, gaps=()), MODEL, WakeRule(visits_min=1))[0] != Band.NOT_DUE


def test_a_daily_coffee_drinker_is_left_alone_for_two_weeks():
    assert bands(ana(14, gaps=(1,) * 30), MODEL)[0] == Band.NOT_DUE
    assert bands(ana(15, gaps=(1,) * 30), MODEL)[0] == Band.FIRST


def test_visits_at_stake_are_few_for_the_recent_most_for_the_late_few_for_the_lost():
    recent, late, lost = wake_priority(ana(5, 75, 400), MODEL)

    assert late > 2 * recent
    assert late > 2 * lost
    assert min(recent, late, lost) >= 0


def test_a_member_seen_today_has_nothing_at_stake():
    assert wake_priority(ana(0), MODEL)[0] == pytest.approx(0, abs=0.01)


def test_of_two_equally_late_the_one_who_comes_more_often_goes_first():
    weekly, quarterly = ana(14.5, gaps=(7,) * 12), ana(170, gaps=(90,) * 12)

    assert wake_priority(weekly, MODEL)[0] > wake_priority(quarterly, MODEL)[0]


def test_an_assessment_gives_a_priority_to_the_due_only():
    found = assess(ana(10, LATE * 1.2, LATE * 9), MODEL)

    assert found.is_due.tolist() == [False, True, False]
    assert (found.priority > 0).tolist() == [False, True, False]
    assert found.usual_gap_days == pytest.approx([42] * 3, abs=0.5)
    assert found.since_days.tolist() == pytest.approx([10, LATE * 1.2, LATE * 9])


def test_nobody_to_assess_is_fine():
    nobody = ana(1).take(np.zeros(1, dtype=bool))

    assert len(assess(nobody, MODEL).band) == 0
