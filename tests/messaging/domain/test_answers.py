"""What an answer means, as a table."""

import pytest

from messaging.domain.dispatch.answers import settle
from messaging.enums import MessageClass
from messaging.gateways.base import SubmitResult
from messaging.states import Reason, State, may_move

MARKETING, NOTIFICATION = MessageClass.MARKETING, MessageClass.NOTIFICATION


def answer(outcome: str, raw: str) -> SubmitResult:
    return SubmitResult(1, outcome, None, raw, (None,))


@pytest.mark.parametrize(
    ("outcome", "raw", "message_class", "state", "reason"),
    [
        ("accepted", "0x00", MARKETING, State.ACCEPTED, Reason.NONE),
        ("throttle", "0x58", MARKETING, State.QUEUED, Reason.THROTTLED),
        ("retry", "0x14", MARKETING, State.RETRY_WAIT, Reason.GATEWAY_REFUSED),
        ("stop_bind", "0x0E", MARKETING, State.RETRY_WAIT, Reason.GATEWAY_REFUSED),
        ("permanent", "0x0B", MARKETING, State.REJECTED, Reason.GATEWAY_REFUSED),
        ("permanent", "CMPP 10", MARKETING, State.REJECTED, Reason.GATEWAY_REFUSED),
        ("throttle", "CMPP 8", MARKETING, State.QUEUED, Reason.THROTTLED),
        ("permanent", "unsendable: empty text", MARKETING, State.REJECTED, Reason.UNSENDABLE),
        ("not_sent", "not written", MARKETING, State.QUEUED, Reason.LINK_LOST),
        ("uncertain", "timeout", MARKETING, State.UNCERTAIN, Reason.NO_ANSWER),
        ("uncertain", "timeout", NOTIFICATION, State.UNCERTAIN, Reason.NO_ANSWER),
        # a system error may hide a stored message: only texts that may go out twice take it as a no
        ("uncertain", "0x08", MARKETING, State.UNCERTAIN, Reason.NO_ANSWER),
        ("uncertain", "0x08", NOTIFICATION, State.RETRY_WAIT, Reason.GATEWAY_REFUSED),
    ],
)
def test_each_answer_has_one_meaning(outcome, raw, message_class, state, reason):
    settled = settle(answer(outcome, raw), message_class, 1)

    assert (settled.state, settled.reason) == (state, reason)
    assert may_move(State.SUBMITTING, settled.state)


@pytest.mark.parametrize(
    ("outcome", "number", "least", "most"),
    [("throttle", 1, 0.8, 1.2), ("throttle", 30, 24, 36), ("retry", 1, 4, 6), ("retry", 30, 240, 360)],
)
def test_waits_grow_to_a_limit(outcome, number, least, most):
    assert least <= settle(answer(outcome, "0x58"), MARKETING, number).wait_seconds <= most


@pytest.mark.parametrize(
    ("raw", "message_class", "least", "most"),
    [
        ("0x14", MARKETING, 144, 216),
        ("0x14", MessageClass.VERIFICATION, 4, 6),  # a code cannot wait three minutes
        ("0x08", NOTIFICATION, 24, 36),
        ("0x64", MARKETING, 4, 6),
    ],
)
def test_a_full_queue_is_left_in_peace_longer(raw, message_class, least, most):
    outcome = "uncertain" if raw == "0x08" else "retry"

    assert least <= settle(answer(outcome, raw), message_class, 1).wait_seconds <= most
