"""The measured goal `wakeup`: does our score rank returning members better than the published models?

On the CDNOW purchases (calibrated to 1997-09-30, a purchase in the next 39 weeks) and on simulated regular
visitors. Needs no database; the same random numbers each run.
"""

from __future__ import annotations

import csv
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import scipy

from campaigns.cadence import fitting
from campaigns.cadence.contest import Contest
from campaigns.cadence.score import Model
from campaigns.cadence.simulate import Salon, visits_of
from campaigns.cadence.statistics import Statistics, Visits
from campaigns.cadence.wakeup import assess

CALIBRATED_TO = date(1997, 9, 30)
HORIZON_DAYS = 39 * 7
GOAL = 1.0  # at least as good as BG/NBD
CALIBRATION_ERROR_MAX = 0.10
RUNS = 3
SALON_DAYS, SALON_HORIZONS = 720, (42, 84)
SALONS = {"regular": Salon(), "three_in_ten_irregular": Salon(irregular=0.3)}


@dataclass(frozen=True)
class Size:
    salon_members: int
    salon_seeds: tuple[int, ...]
    scored_members: int
    fitted_members: int


SIZES = {
    "small": Size(800, (1, 2, 3), 100_000, 1_000),
    "standard": Size(3_000, (1, 2, 3), 1_000_000, 100_000),
    "large": Size(3_000, (1, 2, 3, 4, 5), 1_000_000, 100_000),
}


def measure(*, size: str, data_dir: Path) -> dict[str, Any]:
    """The bench's JSON object. Raises FileNotFoundError when `data_dir` holds no purchases.csv."""
    chosen, visits = SIZES[size], read_purchases(data_dir / "purchases.csv")
    contest = Contest.hold(visits, CALIBRATED_TO.toordinal(), HORIZON_DAYS)
    cdnow = contest.result()
    value, limit = cdnow["auc_repeaters"]["score"], cdnow["auc_repeaters"]["bg_nbd"]
    salons = {name: _salon(salon, chosen) for name, salon in SALONS.items()}
    return {
        "name": "wakeup",
        "value": value,
        "unit": "AUC among repeaters",
        "limit": limit,
        "ratio": round(value / limit, 4),
        "goal": GOAL,
        "details": {
            "passes": _passes(cdnow, salons),
            "cdnow": cdnow,
            "regular_visitors": salons,
            "seconds": _times(visits, contest, chosen),
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "scipy": scipy.__version__,
            },
            "size": size,
            "sizes": {"scored_members": chosen.scored_members, "fitted_members": chosen.fitted_members},
            "seeds": list(chosen.salon_seeds),
        },
    }


def read_purchases(path: Path) -> Visits:
    """A CDNOW-like file: columns member_no and date (ISO); the day is the ordinal of the date."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            (row["member_no"], date.fromisoformat(row["date"]).toordinal()) for row in csv.DictReader(file)
        ]
    return Visits.from_purchases([member for member, _ in rows], [day for _, day in rows])


def _salon(salon: Salon, size: Size) -> dict[str, Any]:
    """Per horizon: each score's mean AUC among repeaters over the seeds, and our least lead."""
    return {f"next_{horizon}_days": _salon_ahead(salon, size, horizon) for horizon in SALON_HORIZONS}


def _salon_ahead(salon: Salon, size: Size, horizon_days: int) -> dict[str, Any]:
    results = [_salon_result(salon, size.salon_members, seed, horizon_days) for seed in size.salon_seeds]
    mean = {
        name: round(float(np.mean([result["auc_repeaters"][name] for result in results])), 4)
        for name in results[0]["auc_repeaters"]
    }
    leads = [_lead(result["auc_repeaters"]) for result in results]
    error = max(abs(result["returning_predicted_to_actual"] - 1) for result in results)
    return {
        "auc_repeaters": mean,
        "least_lead": round(min(leads), 4),
        "calibration_error_max": round(error, 4),
    }


def _salon_result(salon: Salon, members: int, seed: int, horizon_days: int) -> dict[str, Any]:
    visits = visits_of(salon, members=members, days=SALON_DAYS + horizon_days, seed=seed)
    return Contest.hold(visits, SALON_DAYS, horizon_days).result()


def _lead(aucs: dict[str, float]) -> float:
    return aucs["score"] - max(value for name, value in aucs.items() if name != "score")


def _passes(cdnow: dict[str, Any], salons: dict[str, Any]) -> dict[str, bool]:
    """Regular visitors are judged by the mean over the seeds; `least_lead` tells of single seeds."""
    errors = [abs(cdnow[f"{what}_predicted_to_actual"] - 1) for what in ("returning", "purchases")]
    leads = [_lead(ahead["auc_repeaters"]) for salon in salons.values() for ahead in salon.values()]
    return {
        "at_least_bg_nbd": cdnow["auc_repeaters"]["score"] >= cdnow["auc_repeaters"]["bg_nbd"],
        "calibrated": max(errors) <= CALIBRATION_ERROR_MAX,
        "best_on_regular_visitors": min(leads) > 0,
    }


def _times(visits: Visits, contest: Contest, size: Size) -> dict[str, Any]:
    """Seconds (min, median, max) to fit and to score, irregular shoppers and a salon's mixture."""
    shop = visits_of(SALONS["three_in_ten_irregular"], members=size.fitted_members, days=SALON_DAYS, seed=1)
    model = fitting.fit(shop, SALON_DAYS)
    many, many_salon = _repeated(contest.statistics, size), _repeated(shop.statistics(SALON_DAYS), size)
    as_of = CALIBRATED_TO.toordinal()
    return {
        "fit_cdnow": _timed(lambda: fitting.fit(visits, as_of, horizon_days=HORIZON_DAYS)),
        "fit_salon": _timed(lambda: fitting.fit(shop, SALON_DAYS)),
        "score_cdnow": _timed(lambda: _score(contest.model, many)),
        "score_salon": _timed(lambda: _score(model, many_salon)),
        "assess_salon": _timed(lambda: assess(many_salon, model)),
    }


def _score(model: Model, statistics: Statistics) -> None:
    model.probability_of_return(statistics, 84)


def _repeated(statistics: Statistics, size: Size) -> Statistics:
    return statistics.take(np.arange(size.scored_members) % len(statistics))


def _timed(work: Callable[[], object]) -> dict[str, float]:
    seconds = []
    for _ in range(RUNS):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return {"min": round(min(seconds), 3), "median": round(median(seconds), 3), "max": round(max(seconds), 3)}
