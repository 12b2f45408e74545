"""How good a score ranks and how honest its probabilities are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from campaigns.cadence.statistics import Floats


def auc(score: Floats, came: NDArray[np.bool_]) -> float:
    """The chance that one who came is ranked above one who did not; ties count half. Needs both kinds."""
    hits, total = int(came.sum()), len(came)
    if hits in (0, total):
        raise ValueError("a ranking cannot be judged when all came or none did")
    ranks = _average_ranks(score)
    return float((ranks[came].sum() - hits * (hits + 1) / 2) / (hits * (total - hits)))


def _average_ranks(score: Floats) -> Floats:
    """Ranks from 1; equal scores share the average of theirs."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def log_loss(probability: Floats, came: NDArray[np.bool_]) -> float:
    """Mean surprise, in nats: 0 is perfect foresight, 0.693 is a coin."""
    sure = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(came, np.log(sure), np.log1p(-sure))))
