"""The states of a message and the only moves between them; the database refuses every other move.

Documented in docs/message-states.md, which a test compares with this table.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    HELD = "held", _("Held")
    QUEUED = "queued", _("Queued")
    SUBMITTING = "submitting", _("Sending")
    ACCEPTED = "accepted", _("Sent")
    RETRY_WAIT = "retry_wait", _("Waiting to retry")
    UNCERTAIN = "uncertain", _("No answer")
    DELIVERED = "delivered", _("Delivered")
    UNDELIVERED = "undelivered", _("Not delivered")
    NO_RECEIPT = "no_receipt", _("No receipt")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Too late")
    CANCELLED = "cancelled", _("Cancelled")
    SUPPRESSED = "suppressed", _("Not sent")
    UNKNOWN = "unknown", _("Unknown")
    QUARANTINED = "quarantined", _("Set aside")


OPEN = frozenset(
    {State.HELD, State.QUEUED, State.SUBMITTING, State.ACCEPTED, State.RETRY_WAIT, State.UNCERTAIN}
)
FINAL = frozenset(State) - OPEN
# What was put aside for a text stays aside while it may still cost something, or may have.
HOLDS_MONEY = frozenset(
    {
        State.HELD,
        State.QUEUED,
        State.SUBMITTING,
        State.RETRY_WAIT,
        State.UNCERTAIN,
        State.UNKNOWN,
        State.QUARANTINED,
    }
)

MOVES: dict[State, frozenset[State]] = {
    State.HELD: frozenset(
        {State.QUEUED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED, State.QUARANTINED}
    ),
    State.QUEUED: frozenset(
        {
            State.SUBMITTING,
            State.CANCELLED,
            State.SUPPRESSED,
            State.EXPIRED,
            State.HELD,
            State.QUARANTINED,
        }
    ),
    State.SUBMITTING: frozenset(
        {State.ACCEPTED, State.RETRY_WAIT, State.REJECTED, State.UNCERTAIN, State.QUEUED}
    ),
    State.RETRY_WAIT: frozenset(
        {State.QUEUED, State.EXPIRED, State.REJECTED, State.CANCELLED, State.SUPPRESSED, State.QUARANTINED}
    ),
    State.UNCERTAIN: frozenset(
        {State.ACCEPTED, State.DELIVERED, State.UNDELIVERED, State.QUEUED, State.UNKNOWN}
    ),
    State.ACCEPTED: frozenset({State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT}),
    State.NO_RECEIPT: frozenset({State.DELIVERED, State.UNDELIVERED}),
    State.UNKNOWN: frozenset({State.DELIVERED, State.UNDELIVERED}),
    State.UNDELIVERED: frozenset({State.DELIVERED}),
    State.QUARANTINED: frozenset({State.QUEUED, State.CANCELLED}),
}


class Reason(models.TextChoices):
    """Why a message waits or was not sent. Every text not sent has one."""

    NONE = "", ""
    NO_CONSENT = "no_consent", _("The member has not agreed to these texts")
    OPTED_OUT = "opted_out", _("The number has opted out")
    UNREAD = "unread", _("What this number texted to the shop has not been read yet")
    QUIET_HOURS = "quiet_hours", _("Waiting for the permitted hours of the recipient’s day")
    FREQUENCY = "frequency", _("The number has had enough texts lately")
    TOO_LATE = "too_late", _("It would have arrived too late")
    DUPLICATE = "duplicate", _("The same text went to this number a moment ago")
    NO_NUMBER = "no_number", _("There is no number to text")
    UNSENDABLE = "unsendable", _("The text cannot be sent as written")
    TOO_LONG = "too_long", _("The text has more parts than allowed")
    NOT_APPROVED = "not_approved", _("The template has no approved version")
    PROMOTIONAL = "promotional", _("A value brought promotion into a service text")
    UNREGISTERED = (
        "unregistered",
        _("Its signature, a link or a number in it is not reported to the carriers"),
    )
    STOPPED = "stopped", _("Stopped by a person")
    BUDGET = "budget", _("The budget is used up")
    GATEWAY_REFUSED = "gateway_refused", _("The gateway refused it")
    NO_ANSWER = "no_answer", _("The gateway gave no answer")
    LINK_LOST = "link_lost", _("The connection was lost before it was sent")
    THROTTLED = "throttled", _("The gateway asked to slow down")
    NOT_DELIVERED = "not_delivered", _("The carrier could not deliver it")
    NO_RECEIPT = "no_receipt", _("The carrier never reported back")
    BAD_NUMBER = "bad_number", _("The provider says that this number cannot be texted")
    CONTENT_REFUSED = "content_refused", _("The provider refused what the text says")
    NO_TEMPLATE = "no_template", _("The provider has no approved template for this text")
    SENDER_REFUSED = "sender_refused", _("The provider refused the sender or the signature")
    PROVIDER_LIMIT = "provider_limit", _("The provider’s own limit is reached")
    ACCOUNT_STOPPED = "account_stopped", _("The provider has stopped the account")
    NO_ROUTE = "no_route", _("No route leads to this number")
    RESTORED = "restored", _("The database was restored; it may have gone out already")
    POISON = "poison", _("It failed again and again and was set aside")


# The gates of the policy in their order, each with its bit in Message.gates (set: it said no).
GATES: dict[Reason, int] = {
    Reason.NO_CONSENT: 1,
    Reason.OPTED_OUT: 2,
    Reason.UNREAD: 128,
    Reason.TOO_LATE: 4,
    Reason.FREQUENCY: 8,
    Reason.DUPLICATE: 32,
    Reason.QUIET_HOURS: 16,
    Reason.BUDGET: 64,
}


def gates_of(bits: int | None) -> list[Reason]:
    """The gates that said no, in their order."""
    return [reason for reason, bit in GATES.items() if (bits or 0) & bit]


def may_move(old: State, new: State) -> bool:
    """Whether a message may go from one state to another."""
    return new in MOVES.get(old, frozenset())


def sources_of(new: State) -> list[str]:
    """The states from which a message may come to this one, sorted."""
    return sorted(old.value for old, allowed in MOVES.items() if new in allowed)
