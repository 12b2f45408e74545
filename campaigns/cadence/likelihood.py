"""Maximum likelihood in logarithms: every parameter is positive, several starts, a wide fence.

The fence (a quadratic penalty beyond e**-9 and e**12) keeps a parameter the data say nothing about from
running to infinity; it is exactly zero inside, so it does not move an ordinary optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from campaigns.cadence.statistics import Floats

LOG_LOWEST, LOG_HIGHEST = -9.0, 12.0
REFUSED = 1e6  # what a point is worth where the likelihood cannot be computed


def maximise(
    mean_log_likelihood: Callable[[Floats], float], starts: Sequence[Floats], precision: float = 1e-9
) -> Floats:
    """The best point over all starts (as logarithms); returns logarithms, always finite.

    `precision`: the relative gain below which the search stops.
    """

    def cost(point: Floats) -> float:
        beyond = np.clip(point - LOG_HIGHEST, 0, None) + np.clip(LOG_LOWEST - point, 0, None)
        with np.errstate(all="ignore"):
            value = mean_log_likelihood(np.clip(point, LOG_LOWEST, LOG_HIGHEST))
        return float(-value + np.sum(beyond**2)) if np.isfinite(value) else REFUSED

    found = [minimize(cost, start, method="L-BFGS-B", options={"ftol": precision}) for start in starts]
    return np.clip(min(found, key=lambda result: result.fun).x, LOG_LOWEST, LOG_HIGHEST)
