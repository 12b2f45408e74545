"""The wake-up score: who will come back by themselves, how sure, and how often.

A model is small (a dozen numbers), can be kept as JSON, and scores a million members in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from campaigns.cadence.renewal import Population, Process
from campaigns.cadence.rhythm import Rhythm
from campaigns.cadence.statistics import Floats, Statistics

BLOCK_ROWS = 50_000  # keeps a million members inside the processor's cache and some 50 MB
WEIGHT_LOWEST = 1e-4  # kinds of rhythm rarer than this are left out
FORMAT = 1


class UnreadableModel(ValueError):
    """A stored model of another format, or with numbers that cannot be parameters."""


@dataclass(frozen=True)
class Overdue:
    """A personal explanation, one row per member, all in days: "usually every 42, last seen 95 ago"."""

    usual_gap_days: Floats
    since_days: Floats
    late_after_days: Floats

    @property
    def times_late(self) -> Floats:
        """Days since the last visit ÷ the day on which the member became late; above 1 is overdue."""
        return self.since_days / self.late_after_days


@dataclass(frozen=True)
class Model:
    """A fitted score. `regularities` are the kinds of rhythm found among members, `weights` their shares.

    `is_prior`: too few members had come back to learn from, so the parameters are assumptions.
    """

    population: Population
    regularities: tuple[float, ...]
    weights: tuple[float, ...]
    rhythm: Rhythm
    is_prior: bool = False

    def __post_init__(self) -> None:
        numbers = [
            *asdict(self.population).values(),
            *self.regularities,
            self.rhythm.within,
            self.rhythm.between,
        ]
        if not all(np.isfinite(number) and number > 0 for number in numbers):
            raise UnreadableModel("a parameter is not a positive number")
        if len(self.weights) != len(self.regularities) or abs(sum(self.weights) - 1) > 1e-6:
            raise UnreadableModel("the shares of the kinds of rhythm do not add up to one")

    def probability_of_return(self, statistics: Statistics, horizon_days: float) -> Floats:
        """The score: the chance of at least one visit in the next `horizon_days`, 0 to 1."""
        return self._averaged(statistics, lambda process: process.probability_of_return(horizon_days))

    def probability_alive(self, statistics: Statistics) -> Floats:
        """The chance that the member has not left for good."""
        return self._averaged(statistics, Process.probability_alive)

    def expected_purchases(self, statistics: Statistics, horizon_days: float) -> Floats:
        """Visits expected in the next `horizon_days` if nothing is done."""
        return self._averaged(statistics, lambda process: process.expected_purchases(horizon_days))

    def expected_after_a_visit(self, statistics: Statistics, horizon_days: float) -> Floats:
        """Visits that would follow in `horizon_days` had the last visit been today."""
        return self._averaged(statistics, lambda process: process.expected_after_a_visit(horizon_days))

    def log_likelihood(self, statistics: Statistics) -> Floats:
        """Per member; for comparing models on the same statistics."""
        return logsumexp(self._log_kinds(self._processes(statistics), Process.log_likelihood), axis=0)

    def overdue(self, statistics: Statistics) -> Overdue:
        """What to tell a person about each member, and the day after which each one counts as late."""
        return Overdue(
            usual_gap_days=self.rhythm.usual_gap_days(statistics),
            since_days=statistics.since_days,
            late_after_days=self.rhythm.late_after_days(statistics),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` reads it back."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Model:
        """Refuses another format or impossible numbers with UnreadableModel."""
        if stored.get("format") != FORMAT:
            raise UnreadableModel("not a wake-up model of this version")
        try:
            return cls(
                population=Population(**stored["population"]),
                regularities=tuple(stored["regularities"]),
                weights=tuple(stored["weights"]),
                rhythm=Rhythm(**stored["rhythm"]),
                is_prior=bool(stored["is_prior"]),
            )
        except (KeyError, TypeError) as error:
            raise UnreadableModel(str(error)) from error

    def _averaged(self, statistics: Statistics, answer: Callable[[Process], Floats]) -> Floats:
        """`answer` over the kinds of rhythm, each weighed by how well it explains the member; in blocks."""
        result = np.empty(len(statistics))
        for start in range(0, len(statistics), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            result[block] = self._averaged_block(statistics.slice(block), answer)
        return result

    def _averaged_block(self, statistics: Statistics, answer: Callable[[Process], Floats]) -> Floats:
        processes = self._processes(statistics)
        if len(processes) == 1:
            return answer(processes[0])
        kinds = self._log_kinds(processes, Process.log_likelihood)
        shares = np.exp(kinds - logsumexp(kinds, axis=0))
        return np.sum(shares * np.stack([answer(process) for process in processes]), axis=0)

    def _processes(self, statistics: Statistics) -> list[Process]:
        kept = [
            k for k, weight in zip(self.regularities, self.weights, strict=True) if weight > WEIGHT_LOWEST
        ]
        return [Process(self.population, regularity, statistics) for regularity in kept]

    def _log_kinds(self, processes: list[Process], answer: Callable[[Process], Floats]) -> Floats:
        share = dict(zip(self.regularities, self.weights, strict=True))
        return np.stack([np.log(share[process.regularity]) + answer(process) for process in processes])
