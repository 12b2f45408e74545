"""The promise: at least as good as the published models on irregular shoppers, better on regular visitors."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from campaigns.cadence.contest import Contest
from campaigns.cadence.ranking import auc, log_loss
from campaigns.cadence.simulate import Salon, visits_of

CALIBRATED_TO = date(1997, 9, 30).toordinal()


@pytest.fixture(scope="module")
def shoppers(cdnow):
    return Contest.hold(cdnow, CALIBRATED_TO, 273).result()


def test_the_cdnow_sample_is_read_as_published(shoppers):
    assert (shoppers["members"], shoppers["repeaters"]) == (2357, 946)
    rivals = {name: value for name, value in shoppers["auc_repeaters"].items() if name != "score"}
    assert rivals == pytest.approx(
        {"recency": 0.712, "personal_interval": 0.669, "bg_nbd": 0.728, "pareto_nbd": 0.729}, abs=0.001
    )


@pytest.mark.parametrize("among", ["auc_repeaters", "auc_all"])
def test_on_irregular_shoppers_the_score_beats_all_four(shoppers, among):
    best = max(value for name, value in shoppers[among].items() if name != "score")

    assert shoppers[among]["score"] >= best


def test_predicted_totals_are_within_ten_percent(shoppers):
    assert shoppers["returning_predicted_to_actual"] == pytest.approx(1, abs=0.1)
    assert shoppers["purchases_predicted_to_actual"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("salon", "horizon_days"),
    [(Salon(), 42), (Salon(irregular=0.3), 84)],
    ids=["regular, one cadence ahead", "three in ten irregular, two cadences ahead"],
)
def test_on_regular_visitors_the_score_beats_all_four(salon, horizon_days):
    visits = visits_of(salon, members=800, days=720 + horizon_days, seed=11)

    found = Contest.hold(visits, 720, horizon_days).result()

    mine, *others = found["auc_repeaters"].values()
    assert mine > max(others)
    assert found["returning_predicted_to_actual"] == pytest.approx(1, abs=0.1)


def test_auc_counts_pairs_in_the_right_order():
    came = np.array([True, False, True, False])

    assert auc(np.array([4.0, 1.0, 3.0, 2.0]), came) == 1.0
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), came) == 0.5
    assert auc(np.array([4.0, 3.0, 2.0, 1.0]), came) == 0.75
    with pytest.raises(ValueError, match="all came or none"):
        auc(np.ones(2), np.array([True, True]))


def test_log_loss_of_a_coin_and_of_a_sure_error():
    assert log_loss(np.array([0.5]), np.array([True])) == pytest.approx(np.log(2))
    assert np.isfinite(log_loss(np.array([0.0]), np.array([True])))
