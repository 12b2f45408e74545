"""The words of our own contract. Literal tables, no state; docs/gateways.md shows them to whoever builds the other side."""

from __future__ import annotations

from messaging.gateways.base import Outcome, ReceiptOutcome
from messaging.gateways.web import Ruling, Verdict, WebAnswer, json_object, plain_ruling
from messaging.states import Reason

RULINGS: dict[str, Ruling] = {
    "accepted": Ruling("accepted"),
    "try_later": Ruling("retry", Reason.GATEWAY_REFUSED),
    "slow_down": Ruling("throttle", Reason.THROTTLED),
    "bad_number": Ruling("permanent", Reason.BAD_NUMBER),
    "opted_out": Ruling("permanent", Reason.OPTED_OUT),
    "bad_text": Ruling("permanent", Reason.CONTENT_REFUSED),
    "bad_sender": Ruling("permanent", Reason.SENDER_REFUSED),
    "limit": Ruling("permanent", Reason.PROVIDER_LIMIT),
    "refused": Ruling("permanent", Reason.GATEWAY_REFUSED),
    "bad_key": Ruling("stop_bind"),
    "account_stopped": Ruling("stop_bind", Reason.ACCOUNT_STOPPED),
    "unknown": Ruling("uncertain"),
}
RECEIPTS: dict[str, tuple[ReceiptOutcome, bool]] = {
    "accepted": ("accepted", False),
    "delivered": ("delivered", True),
    "undelivered": ("undelivered", True),
    "unknown": ("unknown", False),
}


def ruling(status: str) -> Ruling:
    """What a status asks for. One that is not in the contract is a doubt: it may have meant yes."""
    return RULINGS.get(status, Ruling("uncertain"))


def submit_action(status: str) -> Outcome:
    """`ruling` without the reason."""
    return ruling(status).outcome


def read_answer(answer: WebAnswer) -> Verdict:
    """The body's status decides; without one, the HTTP status."""
    said = json_object(answer.body)
    status = said.get("status")
    if not isinstance(status, str):
        return Verdict(plain_ruling(answer.status), f"HTTP {answer.status}")
    ruled = ruling(status)
    given = str(said.get("id") or "")[:80]
    if ruled.outcome == "accepted" and not 200 <= answer.status < 300:
        return Verdict(Ruling("uncertain"), f"HTTP {answer.status} {status}")
    return Verdict(ruled, status, given or None)
