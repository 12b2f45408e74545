"""Gateways spoken to over HTTP: what is common to all of them. What differs is a `Provider`, pure functions.

There is no connection to lose, so the link watches answers instead: it goes down when the account is refused, or
when several requests in a row got none; connecting again asks the provider for a greeting first.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import httpx

from messaging.gateways.base import (
    REFUSED_TEMPORARILY,
    BindRefused,
    Deliver,
    LinkDown,
    OutboundSms,
    Outcome,
    SubmitResult,
    WindowFull,
    reasoned,
)
from messaging.gateways.callbacks import storable
from messaging.gateways.ending import end
from messaging.states import Reason

ANSWER_OCTETS_MAX = 256_000
CONNECTIONS_MAX = 100
FAILURES_MAX = 5  # requests in a row without an answer, then the link is down
KEEP_ALIVE_SECONDS = 4.0  # shorter than any provider's: a connection it closes meanwhile would be a doubt

# httpx writes each address it asks into the log: Aliyun's hold phones and codes.
for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


class WebRequest(NamedTuple):
    """What goes out, byte for byte: signatures cover it."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


class WebAnswer(NamedTuple):
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Ruling(NamedTuple):
    """What a provider's code means: one row of its table."""

    outcome: Outcome
    reason: Reason = Reason.NONE


class Verdict(NamedTuple):
    """What became of one message: the ruling, the provider's own word, and its id for it when it was taken."""

    ruling: Ruling
    raw: str
    provider_id: str | None = None


class Unaskable(Exception):
    """The message cannot be put as this provider wants it. `reason` says why; nothing was sent."""

    def __init__(self, raw: str, reason: Reason = Reason.UNSENDABLE) -> None:
        super().__init__(raw)
        self.raw, self.reason = raw, reason


class Provider(Protocol):
    """A provider's protocol, without the wire. Nothing here blocks, keeps state or reads a clock."""

    def batches(self, messages: Sequence[OutboundSms]) -> Iterable[tuple[OutboundSms, ...]]:
        """Which messages go in one request."""

    def request(self, batch: tuple[OutboundSms, ...], now: float, nonce: str) -> WebRequest:
        """The request for these. Raises `Unaskable`."""

    def verdicts(self, batch: tuple[OutboundSms, ...], answer: WebAnswer) -> list[Verdict] | None:
        """One for each message of the batch. None: a definite no to all of them for the sake of one; ask singly."""

    def greeting(self, now: float, nonce: str) -> WebRequest:
        """A request that sends nothing and tells whether the provider is there and knows us."""

    def check_greeting(self, answer: WebAnswer) -> None:
        """Raises `BindRefused` when the log-in is wrong, `LinkDown` when the provider is not well."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`window` is the most messages open at once."""

    window: int = 50
    connect_timeout_seconds: float = 10.0
    answer_timeout_seconds: float = 30.0
    failures_max: int = FAILURES_MAX


@dataclass
class _Wire:
    """How far one request came. Until its first octet was handed to the socket, nothing can have been sent."""

    has_begun: bool = False

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.has_begun = True


@dataclass
class _Open:
    """A batch on its way."""

    batch: tuple[OutboundSms, ...]
    wire: _Wire = field(default_factory=_Wire)
    is_settled: bool = False


class WebLink:
    """`GatewayLink` over HTTP. Slots that were not released survive a loss: their results are being written."""

    def __init__(
        self,
        provider: Provider,
        settings: WebSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """The callbacks run on the event loop and must only take note; receipts come by callback, not here."""
        self.provider, self.settings = provider, settings
        self.on_results, self.on_delivers, self.on_closed = on_results, on_delivers, on_closed
        self._client: httpx.AsyncClient | None = None
        self._open: dict[asyncio.Task[None], _Open] = {}
        self._results: list[SubmitResult] = []
        self._held = self._failures = 0
        self._is_bound = self._is_draining = False
        self._down_reason = ""
        self._refusal: BindRefused | None = None

    @property
    def is_up(self) -> bool:
        """Greeted, and not draining."""
        return self._is_bound and not self._is_draining

    @property
    def free(self) -> int:
        """How many messages `submit_batch` takes now."""
        return max(0, self.settings.window - self._held) if self.is_up else 0

    async def connect(self) -> None:
        """Ask for a greeting. Raises `LinkDown` or `BindRefused`, the latter also once after the account was
        refused while sending: whoever is told has to act, and the next call tries again.
        """
        if self._is_bound or self._down_reason:
            raise LinkDown("still connected")
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            raise refusal
        self._client = self._client or _client(self.settings)
        wire = _Wire()
        answer = await self._ask(self.provider.greeting(time.time(), secrets.token_hex(16)), wire)
        if isinstance(answer, str):
            raise LinkDown(f"cannot connect: {answer}")
        self.provider.check_greeting(answer)
        self._failures, self._is_bound, self._is_draining = 0, True, False

    def submit_batch(self, messages: Sequence[OutboundSms]) -> None:
        """Hand over messages. Raises `LinkDown` or `WindowFull`, then nothing was taken."""
        if not self.is_up:
            raise LinkDown("not connected")
        if len(messages) > self.free:
            raise WindowFull(f"{len(messages)} messages for {self.free} free slots")
        self._held += len(messages)
        for batch in self.provider.batches(messages):
            self._start(batch)

    def release(self, count: int) -> None:
        """The results of `count` messages are committed."""
        if count > self._held:
            raise ValueError(f"{count} slots released, {self._held} were taken")
        self._held -= count

    def acknowledge(self, *delivers: Deliver) -> None:
        """Nothing is delivered here: receipts and inbound texts come by callback."""

    def refuse(self, *delivers: Deliver, status: int = REFUSED_TEMPORARILY) -> None:
        """Nothing is delivered here."""

    async def drain(self, timeout_seconds: float) -> bool:
        """Take no more messages and wait for the open answers. False: some were still open at the end."""
        self._is_draining = True
        if self._open:
            await asyncio.wait(list(self._open), timeout=timeout_seconds)
        self._report()
        return not self._open

    async def close(self) -> None:
        """Break off what is open; its results come before this returns."""
        was_bound, self._is_bound = self._is_bound, False
        await end(list(self._open))
        self._report()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        if was_bound:
            self.on_closed("closed by us")

    # ── one batch ───────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, batch: tuple[OutboundSms, ...]) -> None:
        open_ = _Open(batch)
        task = asyncio.get_running_loop().create_task(self._carry(open_))
        self._open[task] = open_
        task.add_done_callback(self._ended)

    async def _carry(self, open_: _Open) -> None:
        """Ask, read, note. A batch gets its results exactly once, whatever happens."""
        batch, wire = open_.batch, open_.wire
        answer: WebAnswer | str
        try:
            request = self.provider.request(batch, time.time(), secrets.token_hex(16))
            answer = await self._ask(request, wire)
        except Unaskable as problem:
            self._note(open_, [Verdict(Ruling("permanent", problem.reason), problem.raw)] * len(batch))
            return
        except asyncio.CancelledError:  # by `close`, which waits for us
            answer = "closed by us"
        except Exception as problem:  # a fault of ours must not lose a message
            answer = type(problem).__name__
        if isinstance(answer, str):
            self._failed(answer)
            self._unanswered(open_, answer)
            return
        self._failures = 0
        self._understand(open_, answer)

    def _unanswered(self, open_: _Open, word: str) -> None:
        outcome: Outcome = "uncertain" if open_.wire.has_begun else "not_sent"
        self._note(open_, [Verdict(Ruling(outcome), word)] * len(open_.batch))

    def _understand(self, open_: _Open, answer: WebAnswer) -> None:
        batch = open_.batch
        try:
            verdicts = self.provider.verdicts(batch, answer)
        except Exception as problem:  # an answer nobody foresaw is a doubt, never a loss
            verdicts = [Verdict(Ruling("uncertain"), f"unreadable: {type(problem).__name__}")] * len(batch)
        if verdicts is None:
            if len(batch) > 1:
                open_.is_settled = True
                for message in batch:
                    self._start((message,))
                return
            verdicts = [Verdict(Ruling("uncertain"), "unreadable")]
        self._note(open_, verdicts)

    async def _ask(self, request: WebRequest, wire: _Wire) -> WebAnswer | str:
        """The answer, or in a word why there is none."""
        assert self._client is not None, "connected"
        try:
            async with asyncio.timeout(self.settings.answer_timeout_seconds):
                async with self._client.stream(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    content=request.content,
                    extensions={"trace": wire.trace},
                ) as response:
                    return await _read(response)
        except TimeoutError:
            return "timeout"
        except httpx.TimeoutException:
            return "connect timeout" if not wire.has_begun else "timeout"
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return "connection lost" if wire.has_begun else f"not reached: {type(problem).__name__}"

    # ── results ─────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, open_: _Open, verdicts: Sequence[Verdict]) -> None:
        """Results are reported a moment later, those of one turn of the loop together."""
        open_.is_settled = True
        if not self._results:
            asyncio.get_running_loop().call_soon(self._report)
        for message, verdict in zip(open_.batch, verdicts, strict=True):
            self._results.append(_result(message, verdict))
            if verdict.ruling.outcome == "stop_bind" and self._refusal is None:
                is_account = verdict.ruling.reason == Reason.ACCOUNT_STOPPED
                self._refusal = BindRefused(0x0E, is_final=True, is_account=is_account, word=verdict.raw[:32])
                self._go_down(f"refused: {verdict.raw}")

    def _report(self) -> None:
        results, self._results = self._results, []
        if results:
            self.on_results(results)

    def _failed(self, word: str) -> None:
        self._failures += 1
        if self._failures >= self.settings.failures_max:
            self._go_down(word)

    def _go_down(self, reason: str) -> None:
        """Take no more; `on_closed` follows when the open ones have their results."""
        if self._is_bound:
            self._is_bound, self._down_reason = False, reason

    def _ended(self, task: asyncio.Task[None]) -> None:
        open_ = self._open.pop(task)
        if not open_.is_settled:  # cancelled before its first step
            self._unanswered(open_, "closed by us")
        if self._down_reason and not self._open:
            reason, self._down_reason = self._down_reason, ""
            self._report()
            self.on_closed(reason)


def plain_ruling(status: int) -> Ruling:
    """What an HTTP status says when the body says nothing we know. Every doubt is a doubt."""
    if status == 429:
        return Ruling("throttle")
    if status in (401, 403):
        return Ruling("stop_bind")
    if status in (404, 405, 410) or 300 <= status < 400:  # the address is not the provider's
        return Ruling("stop_bind")
    if status == 408:
        return Ruling("retry", Reason.GATEWAY_REFUSED)
    if 400 <= status < 500:
        return Ruling("permanent", Reason.GATEWAY_REFUSED)
    return Ruling("uncertain")


def json_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer's body; an empty one for anything else."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _result(message: OutboundSms, verdict: Verdict) -> SubmitResult:
    """One id stands for the whole message: these providers cut long texts themselves."""
    outcome, reason = verdict.ruling
    given = verdict.provider_id if outcome == "accepted" else None
    provider_id = given and storable(given)
    raw = storable(verdict.raw)
    return reasoned(SubmitResult(message.attempt_id, outcome, provider_id, raw, (provider_id,)), reason)


async def _read(response: httpx.Response) -> WebAnswer:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_OCTETS_MAX:
            break
    headers = {name.lower(): value for name, value in response.headers.items()}
    return WebAnswer(response.status_code, headers, bytes(body[:ANSWER_OCTETS_MAX]))


def _client(settings: WebSettings) -> httpx.AsyncClient:
    """Certificates are checked, redirects not followed, the machine's proxies not used, nothing asked twice."""
    connections = min(settings.window, CONNECTIONS_MAX)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(settings.answer_timeout_seconds, connect=settings.connect_timeout_seconds),
        limits=httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        ),
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": "regulars"},
    )
