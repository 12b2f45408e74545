"""A message on its way in several parts: what each part's answer was, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.gateways.base import OutboundSms, Outcome, SubmitResult

# The gravest first. Doubt about one part is doubt about the message: it must never look like a definite no.
GRAVITY: tuple[Outcome, ...] = (
    "uncertain",
    "stop_bind",
    "permanent",
    "throttle",
    "retry",
    "not_sent",
    "accepted",
)


class LongMessage:
    """Collects the answers of one message's parts.

    `settle` gives the result when no part is open any more.
    """

    __slots__ = ("message", "pieces", "_part_ids", "_outcomes", "_raws", "_is_reported")

    def __init__(self, message: OutboundSms, pieces: tuple[bytes, ...]) -> None:
        """`pieces` are the parts' octets, header included, in order."""
        self.message = message
        self.pieces = pieces
        known = (*message.accepted_parts, *(None,) * len(pieces))[: len(pieces)]
        self._part_ids: list[str | None] = list(known)
        self._outcomes: list[Outcome | None] = ["accepted" if part_id else None for part_id in known]
        self._raws: list[str] = ["0x00"] * len(pieces)
        self._is_reported = False

    @property
    def missing(self) -> list[int]:
        """Parts that have no answer yet, by index."""
        return [index for index, outcome in enumerate(self._outcomes) if outcome is None]

    def settle(self, index: int, outcome: Outcome, provider_id: str | None, raw: str) -> SubmitResult | None:
        """Note one part's answer.

        A late answer gives a second, late result once no part is uncertain any more.
        """
        self._outcomes[index], self._part_ids[index], self._raws[index] = outcome, provider_id, raw
        if None in self._outcomes or (self._is_reported and "uncertain" in self._outcomes):
            return None
        return self.result()

    def result(self) -> SubmitResult:
        """What the parts say together, as of now."""
        worst = min(range(len(self._outcomes)), key=lambda i: GRAVITY.index(self._outcomes[i] or "uncertain"))
        is_late, self._is_reported = self._is_reported, True
        ids = tuple(self._part_ids)
        outcome = self._outcomes[worst] or "uncertain"
        return SubmitResult(self.message.attempt_id, outcome, ids[0], self._raws[worst], ids, is_late)


# A message of one part is its own entry; a part of a longer one is its collector and the part's index.
Entry = OutboundSms | tuple[LongMessage, int]


def settle_all(entries: Iterable[Entry], outcome: Outcome, raw: str) -> list[SubmitResult]:
    """Give all of them the same end; one result a message, and none for those with other parts still open."""
    settled = (
        SubmitResult(entry.attempt_id, outcome, None, raw, (None,))
        if isinstance(entry, OutboundSms)
        else entry[0].settle(entry[1], outcome, None, raw)
        for entry in entries
    )
    return [result for result in settled if result]
