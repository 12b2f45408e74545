"""What a dispatcher and a gateway say to each other. Frozen words, no models, no provider's vocabulary.

The promises that make "nothing lost, marketing never twice" possible (reliability 2.13):

* a message handed over by `submit_batch` gets exactly one result that is not late;
* a window slot stays taken until the caller says, by `release`, that the result is committed;
* a receipt or an inbound text is answered only by `acknowledge` or `refuse`, after the caller's commit;
* "not_sent" is said only when no octet of what has no id can have left; every doubt is "uncertain".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from messaging.encoding import Encoding
from messaging.states import Reason

Outcome = Literal["accepted", "retry", "throttle", "permanent", "stop_bind", "uncertain", "not_sent"]
ReceiptOutcome = Literal["delivered", "undelivered", "accepted", "unknown"]

REFUSED_TEMPORARILY = 0x64  # the other side sends it again; 0x08 is the word some vendors prefer


class GatewayError(Exception):
    """Something a gateway could not do."""


class Malformed(ValueError):
    """These octets are no PDU of the protocol, or these values do not fit one."""


class LinkDown(GatewayError):
    """No connection: refused, timed out, lost or closed. Trying again later may help."""


class BindRefused(GatewayError):
    """The other side answered the log-in with a status, SMPP's or HTTP's.

    `is_final`: a person must act. `is_account`: the log-in is right, but the account may not send (no money left, a
    permission missing). `word` is the provider's own code.
    """

    def __init__(
        self, status: int, *, is_final: bool | None = None, is_account: bool = False, word: str = ""
    ) -> None:
        super().__init__(f"bind refused with status 0x{status:02X} {word}".rstrip())
        self.status, self.word, self.is_account = status, word, is_account
        self.is_final = status in (0x0D, 0x0E, 0x0F) if is_final is None else is_final


class WindowFull(GatewayError):
    """More messages were handed over than `free` allowed; none of them was taken."""


@dataclass(frozen=True, slots=True)
class ProviderText:
    """What a provider that keeps the wordings itself is told in place of a text: which one, and what to fill in.

    `values` are (the provider's own name of the hole, value) in the provider's order; `signature` has no brackets.
    """

    code: str
    values: tuple[tuple[str, str], ...] = ()
    signature: str = ""


@dataclass(frozen=True, slots=True)
class OutboundSms:
    """One message of one recipient, ready for the wire.

    `phone` is E.164. `sender` is "+" and digits (E.164), digits alone (short code or access number) or
    letters. `parts` are texts that fit one SMS each in `encoding` (`messaging.encoding.split_parts`);
    `reference` ties the parts together on the handset (its low octet is used) and must be the same when
    missing parts are resent. `accepted_parts` repeats an earlier result's `part_ids`: parts with an id there
    are not sent again. `provider_text` is there for gateways that send by the provider's own template.
    """

    message_id: int
    attempt_id: int
    phone: str
    sender: str
    parts: tuple[str, ...]
    encoding: Encoding
    reference: int = 0
    validity_seconds: int | None = None
    accepted_parts: tuple[str | None, ...] = ()
    message_class: str = ""
    provider_text: ProviderText | None = None

    @property
    def text(self) -> str:
        """The whole text, for gateways that cut long ones themselves."""
        return "".join(self.parts)


class SubmitResult(NamedTuple):
    """What became of one `OutboundSms`; of a long one when each part has an answer or can have none any more.

    `outcome` of several parts is the gravest: uncertain, stop_bind, permanent, throttle, retry, not_sent,
    accepted. `provider_id` is the first part's id, `part_ids` has one per part (None: not accepted). When it
    holds ids and the outcome is throttle, retry or not_sent, resend with `accepted_parts=part_ids` so that no
    part goes out twice. `raw_status` is the provider's own word ("0x58") or ours ("timeout", "connection
    lost", "not written", …). `is_late`: the answer to a message already reported uncertain; its slot is not
    to be released again.
    """

    attempt_id: int
    outcome: Outcome
    provider_id: str | None
    raw_status: str
    part_ids: tuple[str | None, ...]
    is_late: bool = False

    @property
    def reason(self) -> Reason:
        """Why not, when the provider's word tells more than the outcome."""
        return Reason.NONE


class ReasonedResult(SubmitResult):
    """The same with a reason; see `reasoned`."""

    why: Reason

    @property
    def reason(self) -> Reason:
        return self.why


def reasoned(result: SubmitResult, why: Reason) -> SubmitResult:
    """The result with why not; equal to the one without."""
    if not why:
        return result
    told = ReasonedResult(*result)
    told.why = why
    return told


class ReceiptIn(NamedTuple):
    """A delivery receipt. `stat` and `err` are the provider's words; `raw` the whole text as received."""

    provider_id: str | None
    stat: str
    err: str
    outcome: ReceiptOutcome
    is_final: bool
    raw: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class InboundSms:
    """A text from a handset. `raw` is the octets in hexadecimal.

    `phone` starts with "+" only when the provider said it is international: the caller normalises.
    `part` is (reference, total, number) of a long text's piece, else None: the caller joins before it reads.
    """

    phone: str
    to: str
    text: str
    raw: str
    part: tuple[int, int, int] | None = None


class Deliver(NamedTuple):
    """One thing the provider delivered.

    Exactly one of `receipt` and `inbound`. `token` is the gateway's own.
    """

    token: tuple[int, int]
    receipt: ReceiptIn | None
    inbound: InboundSms | None


class GatewayLink(Protocol):
    """A long-lived connection to one provider, used by one dispatcher on one event loop. Nothing here blocks.

    The callbacks are set before `connect` and run on the loop, each with a batch; they must only take note
    and return. After `on_closed` the dispatcher may call `connect` again; results of the lost connection come
    before `on_closed`.
    """

    on_results: Callable[[list[SubmitResult]], None]
    on_delivers: Callable[[list[Deliver]], None]
    on_closed: Callable[[str], None]

    @property
    def is_up(self) -> bool:
        """Bound, and not draining."""

    @property
    def free(self) -> int:
        """How many messages `submit_batch` takes now; 0 while the link is not up."""

    async def connect(self) -> None:
        """Connect and log in. Raises `LinkDown` (try later) or `BindRefused` (see `is_final`)."""

    def submit_batch(self, messages: Sequence[OutboundSms]) -> None:
        """Hand over messages whose attempts are committed.

        Raises `WindowFull` or `LinkDown`: nothing was taken.
        """

    def release(self, count: int) -> None:
        """The results of `count` messages (not late ones) are committed: their slots may be used again."""

    def acknowledge(self, *delivers: Deliver) -> None:
        """Tell the provider these are stored.

        Silently nothing when their connection is gone: they come again.
        """

    def refuse(self, *delivers: Deliver, status: int = REFUSED_TEMPORARILY) -> None:
        """Tell the provider these could not be stored, so that it sends them again."""

    async def drain(self, timeout_seconds: float) -> bool:
        """Take no more messages and wait for the open answers. False: some were still open at the end."""

    async def close(self) -> None:
        """Log out and disconnect. What is still open becomes uncertain or not_sent, through `on_results`."""
