"""What an answer means for its message. Pure: a table of decisions (reliability 2.13), no database."""

from __future__ import annotations

import random
from typing import NamedTuple

from messaging.enums import MessageClass
from messaging.gateways.base import SubmitResult
from messaging.states import Reason, State

# 0x08 system error, 0x45 submit failed, 0xFF unknown error: an SMSC may have stored the message all the same.
# Taken as a no for texts that are allowed a second copy; marketing stays in doubt.
DOUBTFUL_NO = frozenset({"0x08", "0x45", "0xFF"})
THROTTLE_SECONDS_MAX = 30.0
RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX = 5.0, 300.0
# A full queue and a system error pass slowly (Jasmin waits as long); a code would be worthless by then.
SLOW_RETRY_SECONDS = {"0x14": 180.0, "0x08": 30.0}
# A provider's own quiet hours and limits pass slowly.
REASON_SECONDS = {Reason.QUIET_HOURS: 1_800.0, Reason.PROVIDER_LIMIT: 60.0}


class Settled(NamedTuple):
    """Where the message goes; `wait_seconds` until it may leave again (None: unchanged)."""

    state: State
    reason: Reason
    wait_seconds: float | None = None


def settle(result: SubmitResult, message_class: str, number: int) -> Settled:
    """Decide one answer. `number` is the attempt's; waits grow with it and carry jitter."""
    outcome = result.outcome
    if (
        outcome == "uncertain"
        and result.raw_status in DOUBTFUL_NO
        and message_class != MessageClass.MARKETING
    ):
        outcome = "retry"
    if outcome == "accepted":
        return Settled(State.ACCEPTED, Reason.NONE)
    if outcome == "uncertain":
        return Settled(State.UNCERTAIN, Reason.NO_ANSWER)
    if outcome == "permanent":
        is_their_word = result.raw_status.startswith(("0x", "CMPP "))
        told = Reason.GATEWAY_REFUSED if is_their_word else Reason.UNSENDABLE
        return Settled(State.REJECTED, result.reason or told)
    if outcome == "throttle":
        return Settled(State.QUEUED, Reason.THROTTLED, _growing(1.0, number, THROTTLE_SECONDS_MAX))
    if outcome == "not_sent":
        return Settled(State.QUEUED, Reason.LINK_LOST, _growing(0.2, number, RETRY_SECONDS_MAX))
    reason, first = result.reason or Reason.GATEWAY_REFUSED, RETRY_SECONDS_FIRST
    if message_class != MessageClass.VERIFICATION:
        if reason in REASON_SECONDS:
            return Settled(State.RETRY_WAIT, reason, REASON_SECONDS[reason] * random.uniform(1.0, 1.2))
        first = SLOW_RETRY_SECONDS.get(result.raw_status, first)
    return Settled(State.RETRY_WAIT, reason, _growing(first, number, RETRY_SECONDS_MAX))


def _growing(first: float, number: int, most: float) -> float:
    wait: float = min(most, first * 2 ** min(number - 1, 16))
    return wait * random.uniform(0.8, 1.2)
