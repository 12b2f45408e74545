"""Our score beside the four a shop could use instead, on one history cut at one day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campaigns.cadence import baselines, fitting
from campaigns.cadence.bgnbd import BetaGeometricNbd
from campaigns.cadence.pareto_nbd import ParetoNbd
from campaigns.cadence.ranking import auc
from campaigns.cadence.score import Model
from campaigns.cadence.statistics import Floats, Integers, Statistics, Visits

WEEK_DAYS = 7.0  # the published models are fitted in weeks, as in the literature


@dataclass(frozen=True)
class Contest:
    """What was known on the day, the model fitted on that alone, and what happened afterwards."""

    statistics: Statistics
    model: Model
    horizon_days: int
    visits_after: Integers

    @classmethod
    def hold(cls, visits: Visits, as_of_day: int, horizon_days: int) -> Contest:
        """Fit on visits up to `as_of_day`; judge on the `horizon_days` after it."""
        known = visits.until(as_of_day)
        return cls(
            statistics=known.statistics(as_of_day),
            model=fitting.fit(known, as_of_day, horizon_days=horizon_days),
            horizon_days=horizon_days,
            visits_after=visits.count_between(known, as_of_day, as_of_day + horizon_days),
        )

    def scores(self) -> dict[str, Floats]:
        """Per score, one number a member; higher means more likely to return."""
        mine = self.statistics
        weeks = (mine.repeats, mine.active_days / WEEK_DAYS, mine.known_days / WEEK_DAYS)
        ahead = self.horizon_days / WEEK_DAYS
        return {
            "score": self.model.probability_of_return(mine, self.horizon_days),
            "recency": baselines.recency(mine),
            "personal_interval": baselines.personal_interval(mine),
            "bg_nbd": BetaGeometricNbd.fit(*weeks).expected_purchases(*weeks, ahead),
            "pareto_nbd": ParetoNbd.fit(*weeks).expected_purchases(*weeks, ahead),
        }

    def result(self) -> dict[str, Any]:
        """AUC of every score among repeaters and among all, and predicted ÷ actual totals."""
        came, again, scores = self.visits_after > 0, self.statistics.has_returned, self.scores()
        purchases = self.model.expected_purchases(self.statistics, self.horizon_days)
        bought = self.visits_after.sum()
        return {
            "members": len(came),
            "repeaters": int(again.sum()),
            "auc_repeaters": _aucs(scores, came, again),
            "auc_all": _aucs(scores, came, np.ones(len(came), dtype=bool)),
            "returning_predicted_to_actual": round(float(scores["score"].sum() / came.sum()), 4),
            "purchases_predicted_to_actual": round(float(purchases.sum() / bought), 4),
            "bg_nbd_purchases_predicted_to_actual": round(float(scores["bg_nbd"].sum() / bought), 4),
            "model": self.model.to_dict(),
        }


def _aucs(scores: dict[str, Floats], came: NDArray[np.bool_], rows: NDArray[np.bool_]) -> dict[str, float]:
    return {name: round(auc(score[rows], came[rows]), 4) for name, score in scores.items()}
