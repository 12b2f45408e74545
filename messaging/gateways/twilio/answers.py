"""Twilio's words: what an error code asks of us, what a status says. Literal tables, no state."""

from __future__ import annotations

from messaging.gateways.base import Outcome, ReceiptOutcome
from messaging.gateways.web import Ruling, Verdict, WebAnswer, json_object, plain_ruling
from messaging.states import Reason

_BAD_NUMBER = Ruling("permanent", Reason.BAD_NUMBER)
_BAD_SENDER = Ruling("permanent", Reason.SENDER_REFUSED)
_BAD_CONTENT = Ruling("permanent", Reason.CONTENT_REFUSED)
_SLOWER = Ruling("throttle", Reason.THROTTLED)
_STOPPED = Ruling("stop_bind", Reason.ACCOUNT_STOPPED)
_DOUBT = Ruling("uncertain")

# Twilio's error dictionary, read 2026-11-22. What is not named is a definite, lasting no.
RULINGS: dict[int, Ruling] = {
    20429: _SLOWER,
    14107: _SLOWER,
    30001: _SLOWER,
    30022: _SLOWER,
    30017: _SLOWER,
    63018: _SLOWER,
    63038: _SLOWER,
    20003: Ruling("stop_bind"),
    20005: _STOPPED,
    20006: _STOPPED,
    30002: _STOPPED,
    30003: Ruling("retry", Reason.NOT_DELIVERED),
    30004: Ruling("permanent", Reason.OPTED_OUT),
    21610: Ruling("permanent", Reason.OPTED_OUT),
    21211: _BAD_NUMBER,
    21612: _BAD_SENDER,
    21614: _BAD_NUMBER,
    21635: _BAD_NUMBER,
    30005: _BAD_NUMBER,
    30006: _BAD_NUMBER,
    21408: _BAD_NUMBER,
    21606: _BAD_SENDER,
    21602: Ruling("permanent", Reason.UNSENDABLE),
    21617: Ruling("permanent", Reason.TOO_LONG),
    30007: _BAD_CONTENT,
    30034: _BAD_SENDER,
    30032: _BAD_SENDER,
    30018: _BAD_SENDER,
    30610: Ruling("retry", Reason.QUIET_HOURS),
    30008: _DOUBT,
    30410: _DOUBT,
    20500: _DOUBT,
}

# Each status with what it says and whether it is the last word. `sent` is the last one at carriers without receipts:
# the message's own time limit decides. Callbacks overtake each other; what absorbs what is the database's.
STATUSES: dict[str, tuple[ReceiptOutcome, bool]] = {
    "accepted": ("accepted", False),
    "scheduled": ("accepted", False),
    "queued": ("accepted", False),
    "sending": ("accepted", False),
    "sent": ("accepted", False),
    "delivered": ("delivered", True),
    "read": ("delivered", True),
    "undelivered": ("undelivered", True),
    "failed": ("undelivered", True),
    "canceled": ("undelivered", True),
    "partially_delivered": ("unknown", False),
    "receiving": ("unknown", False),
    "received": ("unknown", False),
}


def ruling(code: int) -> Ruling:
    """What an error code asks for."""
    return RULINGS.get(code, Ruling("permanent", Reason.GATEWAY_REFUSED))


def submit_action(code: int) -> Outcome:
    """`ruling` without the reason."""
    return ruling(code).outcome


def read_answer(answer: WebAnswer) -> Verdict:
    """201 with a sid took it, whatever its status is by now; else the error's code decides."""
    said = json_object(answer.body)
    sid = said.get("sid")
    if answer.status in (200, 201) and isinstance(sid, str) and sid:
        return Verdict(Ruling("accepted"), str(said.get("status") or "accepted"), sid[:80])
    code = said.get("code")
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= answer.status < 500:
        return Verdict(ruling(code) if code in RULINGS else _by_status(answer.status), str(code))
    return Verdict(plain_ruling(answer.status), f"HTTP {answer.status}")


def _by_status(status: int) -> Ruling:
    """A code nobody wrote down here: what the HTTP status says is safer than a guess."""
    return plain_ruling(status) if status in (401, 403, 404, 408, 429) else ruling(0)
