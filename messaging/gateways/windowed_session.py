"""One connection of a protocol that keeps so many requests open at once: what SMPP's and CMPP's have in common. Window,
batches, timers, and an honest account of every message when it ends.

Everything is done in batches: one write for all messages that fit the window, one callback for all answers of
a read. There is no await and no task per message: awaiting each one is what makes wrapped libraries slow
(goals.md).

What is certain when the connection ends: a message still in our own queue was never given to the operating
system ("not_sent"); one that was written and has no answer may have been taken ("uncertain"). Writing stops
as soon as the operating system's buffer is full, so the queue is where messages wait.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from messaging.gateways.base import Deliver, LinkDown, Malformed, OutboundSms, SubmitResult
from messaging.gateways.ending import drop
from messaging.gateways.long_message import Entry, LongMessage, settle_all
from messaging.gateways.window import Window

Welcome = TypeVar("Welcome")


class SessionSettings(Protocol):
    """What a session itself needs to know of an account."""

    @property
    def window(self) -> int: ...
    @property
    def bind_timeout_seconds(self) -> float: ...
    @property
    def submit_timeout_seconds(self) -> float: ...
    @property
    def delivers_open_max(self) -> int: ...


class WindowedSession(asyncio.Protocol, ABC, Generic[Welcome]):
    """The protocol of one connection; not reusable. Create it through its link or `loop.create_connection`.

    Callbacks run inside the event loop's read and must not raise: `on_results` and `on_delivers` with a
    batch, `on_closed` once with the reason, after the last results.
    """

    PROBE: str  # the protocol's word for "are you there?"
    _settings: SessionSettings
    _delivers_open: set[int] | dict[int, int]  # sequences that have no answer of ours

    def __init__(
        self,
        settings: SessionSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[Any, str], None],
        number: int,
        *,
        quiet_seconds: float,
        probe_timeout_seconds: float,
    ) -> None:
        """`number` marks this connection's delivers, so that an answer can never go to another connection.

        A line that was quiet for so long is probed, and left when that gets no answer.
        """
        self.number = number
        self.is_bound = False
        self._settings = settings
        self._on_results, self._on_delivers, self._on_closed = on_results, on_delivers, on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Welcome] = self._loop.create_future()  # to the log-in
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._reason = ""
        self._tail = b""
        self._window = Window(settings.window, settings.submit_timeout_seconds)
        self._waiting: deque[Entry] = deque()
        self._is_paused = False
        self._results: list[SubmitResult] = []  # of the read in progress
        self._delivers: list[Deliver] = []
        self._received_at = self._loop.time()
        self._quiet_seconds, self._probe_timeout_seconds = quiet_seconds, probe_timeout_seconds
        self._probed_at: float | None = None
        waits = (settings.submit_timeout_seconds, quiet_seconds, probe_timeout_seconds)
        self._tick_seconds = min(1.0, min(waits) / 4)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open_count(self) -> int:
        """Parts without an answer: waiting for room in the window, or on the wire."""
        return len(self._waiting) + len(self._window.pending)

    # ── what each protocol says in its own way ──────────────────────────────────────────────────────────

    @abstractmethod
    async def bind(self) -> None:
        """Log in. Raises `BindRefused` with the other side's status, `LinkDown` on silence or a lost connection."""

    @abstractmethod
    def answer_delivers(self, sequences: Sequence[int], status: int) -> None:
        """Answer each of what was delivered; one that is answered already is left alone."""

    @abstractmethod
    def _pieces(self, message: OutboundSms) -> tuple[bytes, ...]:
        """The octets of all parts. Raises ValueError for what cannot be said, naming no content."""

    @abstractmethod
    def _encode(self, entry: Entry, sequence: int) -> bytes:
        """The submit of a message or a part. Raises ValueError."""

    @abstractmethod
    def _read(self, buffer: bytes) -> None:
        """Take in all whole PDUs and keep the rest as `_tail`. Raises `Malformed`."""

    @abstractmethod
    def _log_out(self) -> None:
        """Say that we are leaving."""

    @abstractmethod
    def _probe(self) -> None:
        """Ask whether anybody is there."""

    def _not_understood(self) -> None:
        """Say that what came is no PDU."""

    # ── for the owner ───────────────────────────────────────────────────────────────────────────────────

    def submit(self, messages: Iterable[OutboundSms]) -> None:
        """Queue messages and write as many as the window allows.

        Unencodable ones come back as "permanent".
        """
        refused: list[SubmitResult] = []
        for message in messages:
            refused += self._queue(message)
        if refused:
            self._report_soon(refused)
        self._pump()

    async def unbind(self, timeout_seconds: float = 2.0) -> None:
        """Log out and close; never raises for a connection that is gone already."""
        if self.is_bound and not self._gone.done():
            self.is_bound = False
            self._reason = self._reason or "closed by us"
            self._log_out()
            await asyncio.wait([self._gone], timeout=timeout_seconds)
        self._reason = self._reason or "closed by us"
        self._close_transport()
        if self._transport:
            await asyncio.wait([self._gone], timeout=timeout_seconds)
            drop(self._transport)

    def abort(self, reason: str) -> None:
        """Drop the connection."""
        self._reason = self._reason or reason
        self.is_bound = False
        if self._transport:
            drop(self._transport)

    # ── for the event loop ──────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Any octet the operating system does not take at once pauses us."""
        self._transport = cast(asyncio.Transport, transport)
        # asyncio's TLS transport counts "as much as" where the plain one counts "more than": with 0 it would
        # pause us at the first write and never say when to go on.
        self._transport.set_write_buffer_limits(
            high=1 if transport.get_extra_info("sslcontext") else 0, low=0
        )

    def pause_writing(self) -> None:
        """The peer reads too slowly: messages wait in our queue, where "not_sent" is certain."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """The buffer is empty again."""
        self._is_paused = False
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Read all whole PDUs, then report and refill the window once."""
        self._received_at = self._loop.time()
        try:
            self._read(self._tail + data if self._tail else data)
        except Malformed as error:
            self._not_understood()
            self._tail = b""
            self._reason = f"garbage received: {error}"
            self._close_transport()
        results, self._results = self._results, []
        if results:
            self._on_results(results)
        if self._delivers:
            self._hand_over_delivers()
        if self._waiting:
            self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Account for every message, then say why."""
        reason = self._reason or "connection lost"
        self.is_bound = False
        if self._timer:
            self._timer.cancel()
        results = settle_all(self._window.pending.values(), "uncertain", reason)
        results += settle_all(self._waiting, "not_sent", "not written")
        self._window.pending.clear()
        self._waiting.clear()
        if not self._gone.done():
            self._gone.set_result(None)
        if not self._answer.done():
            self._answer.set_exception(LinkDown(reason))
            self._answer.exception()  # retrieved: nobody may be waiting any more
        if results:
            self._on_results(results)
        self._on_closed(self, reason)

    # ── logging in ──────────────────────────────────────────────────────────────────────────────────────

    async def _welcome(self, asked: str) -> Welcome:
        try:
            return await asyncio.wait_for(self._answer, self._settings.bind_timeout_seconds)
        except TimeoutError as error:
            self.abort(f"no answer to {asked}")
            raise LinkDown(f"no answer to {asked}") from error

    def _begin(self) -> None:
        """Logged in. Raises `LinkDown` when the connection was lost meanwhile."""
        if self._gone.done() or self._transport is None or self._transport.is_closing():
            raise LinkDown(self._reason or "connection lost")
        self.is_bound = True
        self._tick()

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────

    def _hand_over_delivers(self) -> None:
        delivers, self._delivers = self._delivers, []
        if self._transport and len(self._delivers_open) > self._settings.delivers_open_max:
            self._transport.pause_reading()
        self._on_delivers(delivers)

    def _read_on(self) -> None:
        """Enough of what was delivered has its answer."""
        if self._transport and len(self._delivers_open) <= self._settings.delivers_open_max // 2:
            self._transport.resume_reading()

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    def _queue(self, message: OutboundSms) -> Sequence[SubmitResult]:
        """Encode all parts before the first one goes out: half a message is worse than none."""
        try:
            long_message = LongMessage(message, self._pieces(message))
        except ValueError as error:
            none = (None,) * len(message.parts)
            return [SubmitResult(message.attempt_id, "permanent", None, str(error), none)]
        missing = long_message.missing
        self._waiting.extend([(long_message, index) for index in missing])
        return [] if missing else [long_message.result()]

    def _pump(self) -> None:
        """Move from the queue to the wire, in one write, what the window and the operating system take."""
        waiting, pending, encode = self._waiting, self._window.pending, self._encode
        if self._is_paused or not waiting or not self.is_bound:
            return
        room = self._settings.window - len(pending)
        chunks: list[bytes] = []
        refused: list[SubmitResult] = []
        while room > 0 and waiting:
            entry = waiting.popleft()
            sequence = self._window.next_sequence()
            try:
                chunks.append(encode(entry, sequence))
            except ValueError as error:
                refused += settle_all((entry,), "permanent", str(error))
                continue
            pending[sequence] = entry
            room -= 1
        if refused:
            self._report_soon(refused)
        if chunks:
            self._write(b"".join(chunks))

    def _write(self, octets: bytes) -> None:
        if octets and self._transport and not self._transport.is_closing():
            self._transport.write(octets)

    def _close_transport(self) -> None:
        self.is_bound = False
        if self._transport:
            self._transport.close()

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        now = self._loop.time()
        self._expire(now)
        if self._probed_at is not None and self._received_at >= self._probed_at:
            self._probed_at = None
        if self._probed_at is not None:
            if now - self._probed_at >= self._probe_timeout_seconds:
                self.abort(f"no answer to {self.PROBE}")
                return
        elif now - self._received_at >= self._quiet_seconds:
            self._probed_at = now
            self._probe()
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def _expire(self, now: float) -> None:
        """What has waited for an answer too long is uncertain; its place in the window is free again."""
        results = settle_all(self._window.expire(now), "uncertain", "timeout")
        if results:
            self._on_results(results)
            self._pump()

    def _report_soon(self, results: list[SubmitResult]) -> None:
        """Outside the caller's own call, so that its books are in order first."""
        self._loop.call_soon(self._on_results, results)
