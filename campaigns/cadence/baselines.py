"""The simple scores a shop uses today; higher means more likely to return."""

from __future__ import annotations

import numpy as np

from campaigns.cadence.statistics import Floats, Statistics


def recency(statistics: Statistics) -> Floats:
    """The later the last visit, the better: minus the days since."""
    return -statistics.since_days


def personal_interval(statistics: Statistics) -> Floats:
    """Minus days since ÷ the member's own mean gap: what salon systems do.

    A member with a single visit has no gap of their own and is measured by the mean gap of all.
    """
    gaps = statistics.active_days.sum() / max(statistics.repeats.sum(), 1.0)
    own = statistics.active_days / np.maximum(statistics.repeats, 1.0)
    usual = np.where(statistics.has_returned, own, gaps)
    return -statistics.since_days / np.maximum(usual, 1.0)
