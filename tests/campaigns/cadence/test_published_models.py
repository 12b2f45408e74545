"""The rival models reproduce the figures printed in the literature for this very sample."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from campaigns.cadence.bgnbd import BetaGeometricNbd
from campaigns.cadence.pareto_nbd import ParetoNbd

CALIBRATED_TO = date(1997, 9, 30).toordinal()


@pytest.fixture(scope="module")
def weeks(cdnow):
    found = cdnow.until(CALIBRATED_TO).statistics(CALIBRATED_TO)
    return found.repeats, found.active_days / 7, found.known_days / 7


def test_bg_nbd_parameters_of_fader_hardie_and_lee_2005(weeks):
    fitted = BetaGeometricNbd.fit(*weeks)

    assert (fitted.r, fitted.alpha, fitted.a, fitted.b) == pytest.approx(
        (0.243, 4.414, 0.793, 2.426), abs=0.002
    )
    assert fitted.log_likelihood(*weeks).sum() == pytest.approx(-9582.4, abs=0.1)


def test_pareto_nbd_parameters_of_the_same_paper(weeks):
    fitted = ParetoNbd.fit(*weeks)

    found = (fitted.r, fitted.alpha, fitted.s, fitted.beta)
    assert found == pytest.approx((0.553, 10.578, 0.606, 11.669), abs=0.01)
    assert fitted.log_likelihood(*weeks).sum() == pytest.approx(-9595.0, abs=0.1)


def test_the_papers_example_customer():
    """Their spreadsheet's customer 0001: twice again, last in week 30.43 of 38.86; 1.226 in 39 weeks."""
    published = BetaGeometricNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
    customer = (np.array([2.0]), np.array([30.43]), np.array([38.86]))

    assert published.expected_purchases(*customer, 39.0)[0] == pytest.approx(1.226, abs=0.001)


@pytest.mark.parametrize(
    "model", [BetaGeometricNbd(0.24, 4.4, 0.79, 2.43), ParetoNbd(0.55, 10.6, 0.61, 11.7)]
)
def test_the_later_the_last_visit_the_likelier_alive(model):
    last = np.array([1.0, 10.0, 20.0, 38.0])

    alive = model.probability_alive(np.full(4, 3.0), last, np.full(4, 39.0))

    assert (np.diff(alive) > 0).all()
    assert ((alive > 0) & (alive < 1)).all()
