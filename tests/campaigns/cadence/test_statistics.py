"""Purchase days to sufficient statistics."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.cadence.statistics import ImpossibleStatistics, Statistics, Visits

ANA = [(0, "ana"), (42, "ana"), (42, "ana"), (84, "ana")]
BEN = [(70, "ben")]


def visits(*purchases: tuple[int, str]) -> Visits:
    return Visits.from_purchases([who for _, who in purchases], [day for day, _ in purchases])


def test_ana_came_three_times_and_ben_once():
    found = visits(*BEN, *ANA).statistics(as_of_day=100)

    assert found.repeats.tolist() == [2, 0]
    assert found.active_days.tolist() == [84, 0]
    assert found.known_days.tolist() == [100, 30]
    assert found.since_days.tolist() == [16, 30]
    assert found.has_returned.tolist() == [True, False]
    np.testing.assert_allclose(found.log_gap_sum, [2 * np.log(42), 0])
    np.testing.assert_allclose(found.log_gap_square_sum, [2 * np.log(42) ** 2, 0])


def test_until_forgets_later_visits_and_members_not_yet_seen():
    early = visits(*ANA, *BEN).until(50)

    assert early.member_ids.tolist() == ["ana"]
    assert early.statistics(50).repeats.tolist() == [1]


def test_later_visits_are_counted_in_the_order_of_the_members_then_known():
    everyone = visits(*ANA, *BEN, (200, "cleo"))

    assert everyone.count_between(everyone.until(75), 75, 300).tolist() == [1, 0]


def test_a_sample_keeps_all_visits_of_the_same_members_each_time():
    shop = visits(*[(day, f"m{who:03}") for who in range(100) for day in (who, who + 30)])

    sampled = shop.sample(10)

    assert len(sampled.member_ids) == 10
    assert sampled.statistics(200).repeats.tolist() == [1] * 10
    assert sampled.member_ids.tolist() == shop.sample(10).member_ids.tolist()


def test_merging_keeps_every_member():
    rows, counts = visits((0, "ana"), (0, "ben"), (5, "cleo")).statistics(50).merged()

    assert len(rows) == 2
    assert sorted(counts.tolist()) == [1, 2]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (([1], [5], [4], [0], [0]), "after the day of scoring"),
        (([-1], [0], [4], [0], [0]), "negative"),
        (([1], [np.nan], [4], [0], [0]), "not finite"),
        (([1, 2], [5], [9], [0], [0]), "length"),
    ],
)
def test_statistics_no_history_can_give_are_refused(columns, why):
    with pytest.raises(ImpossibleStatistics, match=why):
        Statistics(*columns)


def test_a_visit_after_the_day_of_scoring_is_refused():
    with pytest.raises(ImpossibleStatistics):
        visits(*ANA).statistics(as_of_day=80)
