"""One SMPP connection: bind, window, batches, timers, and an honest account of every message when it ends.

Everything is done in batches: one write for all messages that fit the window, one callback for all answers of
a read. There is no await and no task per message: awaiting each one is what makes wrapped libraries slow
(goals.md).

What is certain when the connection ends: a message still in our own queue was never given to the operating
system ("not_sent"); one that was written and has no answer may have been taken ("uncertain"). Writing stops
as soon as the operating system's buffer is full, so the queue is where messages wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from messaging.encoding import UnsendableText
from messaging.gateways.base import BindRefused, Deliver, LinkDown, OutboundSms, SubmitResult
from messaging.gateways.ending import drop
from messaging.gateways.smpp import codec, pdus, texts
from messaging.gateways.smpp.long_message import Entry, LongMessage, settle_all
from messaging.gateways.smpp.pdus import MalformedPdu
from messaging.gateways.smpp.receipts import submit_action
from messaging.gateways.smpp.settings import BindKind, SmppSettings
from messaging.gateways.smpp.submit_encoder import SubmitEncoder
from messaging.gateways.smpp.window import Window

_BINDS = {
    "transceiver": pdus.BIND_TRANSCEIVER,
    "transmitter": pdus.BIND_TRANSMITTER,
    "receiver": pdus.BIND_RECEIVER,
}
_RAW_WORDS = {status: f"0x{status:02X}" for status in range(0x100)}


class SmppSession(asyncio.Protocol):
    """The protocol of one connection; not reusable. Create it through `SmppLink` or `loop.create_connection`.

    Callbacks run inside the event loop's read and must not raise: `on_results` and `on_delivers` with a
    batch, `on_closed` once with the reason, after the last results.
    """

    def __init__(
        self,
        settings: SmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[SmppSession, str], None],
        number: int = 0,
        as_bind: BindKind | None = None,
    ) -> None:
        """`number` marks this connection's delivers, so that an answer can never go to another connection.

        `as_bind`: what this connection logs in as, when the account has more than one.
        """
        self.number = number
        self._bind_command = _BINDS[as_bind or settings.bind]
        self.is_bound = False
        self._settings = settings
        self._on_results, self._on_delivers, self._on_closed = on_results, on_delivers, on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] = self._loop.create_future()  # of the bind
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._reason = ""
        self._tail = b""
        self._encoder = SubmitEncoder(settings)
        self._window = Window(settings.window, settings.submit_timeout_seconds)
        self._waiting: deque[Entry] = deque()
        self._is_paused = False
        self._results: list[SubmitResult] = []  # of the read in progress
        self._delivers: list[Deliver] = []
        self._delivers_open: set[int] = set()
        self._received_at = self._loop.time()
        self._enquired_at: float | None = None
        self._tick_seconds = min(
            1.0,
            settings.submit_timeout_seconds / 4,
            settings.enquire_seconds / 4,
            settings.enquire_timeout_seconds / 4,
        )
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open_count(self) -> int:
        """Parts without an answer: waiting for room in the window, or on the wire."""
        return len(self._waiting) + len(self._window.pending)

    # ── for the owner ───────────────────────────────────────────────────────────────────────────────────

    async def bind(self) -> None:
        """Log in. Raises `BindRefused` with the SMSC's status, `LinkDown` on silence or a lost connection."""
        account = self._settings
        body = pdus.Bind(account.system_id, account.password, account.system_type)
        self._write(codec.encode(pdus.Pdu(self._bind_command, self._window.next_sequence(), body=body)))
        try:
            status = await asyncio.wait_for(self._answer, account.bind_timeout_seconds)
        except TimeoutError as error:
            self.abort("no answer to bind")
            raise LinkDown("no answer to bind") from error
        if status:
            self._reason = f"bind refused with status 0x{status:02X}"
            self._close_transport()
            raise BindRefused(status)
        if self._gone.done() or self._transport is None or self._transport.is_closing():
            raise LinkDown(self._reason or "connection lost")
        self.is_bound = True
        self._tick()

    def submit(self, messages: Iterable[OutboundSms]) -> None:
        """Queue messages and write as many as the window allows.

        Unencodable ones come back as "permanent".
        """
        refused: list[SubmitResult] = []
        for message in messages:
            if len(message.parts) == 1 and not message.accepted_parts:
                self._waiting.append(message)
            else:
                refused += self._queue_long(message)
        if refused:
            self._report_soon(refused)
        self._pump()

    def answer_delivers(self, sequences: Sequence[int], status: int) -> None:
        """Write the deliver_sm_resp of each; one that is answered already is left alone."""
        open_ = self._delivers_open
        ours = open_.intersection(sequences)
        open_ -= ours
        self._write(
            codec.deliver_answers(
                status, [sequence for sequence in dict.fromkeys(sequences) if sequence in ours]
            )
        )
        if self._transport and len(open_) <= self._settings.delivers_open_max // 2:
            self._transport.resume_reading()

    async def unbind(self, timeout_seconds: float = 2.0) -> None:
        """Log out and close; never raises for a connection that is gone already."""
        if self.is_bound and not self._gone.done():
            self.is_bound = False
            self._reason = self._reason or "closed by us"
            self._write(codec.frame(pdus.UNBIND, 0, self._window.next_sequence()))
            await asyncio.wait([self._gone], timeout=timeout_seconds)
        self._reason = self._reason or "closed by us"
        self._close_transport()
        if self._transport:
            await asyncio.wait([self._gone], timeout=timeout_seconds)
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
        except MalformedPdu as error:
            self._write(codec.frame(pdus.GENERIC_NACK, pdus.STATUS_INVALID_LENGTH, 0))
            self._tail = b""
            self._reason = f"garbage received: {error}"
            self._close_transport()
        results, self._results = self._results, []
        if results:
            self._on_results(results)
        if self._delivers:
            self._hold()
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

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, buffer: bytes) -> None:
        """The hot loop: answers to submits are read in place, everything else goes to `_read_other`."""
        position, end = 0, len(buffer)
        pending, results, read_header = self._window.pending, self._results, codec.read_header
        id_form = self._settings.receipt_ids
        while end - position >= pdus.HEADER_OCTETS:
            length, command, status, sequence = read_header(buffer, position)
            stop = position + length
            if stop > end or length < pdus.HEADER_OCTETS:
                codec.frame_length(buffer, position)  # raises when it can never be whole
                break
            if command == pdus.SUBMIT_SM_RESP:
                entry = pending.pop(sequence, None)
                text_end = buffer.find(0, position + 16, stop)
                octets = buffer[position + 16 : stop if text_end < 0 else text_end]
                provider_id = octets[: texts.PROVIDER_ID_MAX].decode("latin-1") or None
                if id_form != "exact":
                    provider_id = texts.submit_id(provider_id, id_form)
                if entry.__class__ is OutboundSms and not status:
                    results.append(
                        SubmitResult(entry.attempt_id, "accepted", provider_id, "0x00", (provider_id,))
                    )
                else:
                    self._answered(entry, sequence, status, provider_id)
            else:
                self._read_other(buffer, position, stop)
            position = stop
        self._tail = buffer[position:]

    def _read_other(self, buffer: bytes, start: int, stop: int) -> None:
        _, command, status, sequence = codec.read_header(buffer, start)
        if command == pdus.DELIVER_SM:
            self._read_deliver(buffer, start, stop, sequence)
        elif command == pdus.ENQUIRE_LINK:
            self._write(codec.frame(pdus.ENQUIRE_LINK_RESP, 0, sequence))
        elif command == pdus.UNBIND:
            self._reason = "unbound by the SMSC"
            self._write(codec.frame(pdus.UNBIND_RESP, 0, sequence))
            self._close_transport()
        elif command == pdus.UNBIND_RESP:
            self._close_transport()
        elif command == pdus.RESPONSE | self._bind_command or (
            command == pdus.GENERIC_NACK and not self.is_bound
        ):
            if not self._answer.done():
                self._answer.set_result(status)
        elif command == pdus.GENERIC_NACK:
            self._answered(self._window.pending.pop(sequence, None), sequence, status or 0xFF, None)
        elif not command & pdus.RESPONSE:
            self._write(codec.frame(pdus.GENERIC_NACK, pdus.STATUS_INVALID_COMMAND, sequence))

    def _read_deliver(self, buffer: bytes, start: int, stop: int, sequence: int) -> None:
        """A body that cannot be read is refused by itself; the stream goes on."""
        plain = None
        if self._settings.receipt_ids == "exact":
            plain = texts.read_plain_receipt(buffer, start + pdus.HEADER_OCTETS, stop)
        if plain is not None:
            self._delivers.append(Deliver((self.number, sequence), plain, None))
            return
        try:
            message = codec.decode_short_message(buffer, start + pdus.HEADER_OCTETS, stop)
        except MalformedPdu:
            self._write(codec.frame(pdus.GENERIC_NACK, pdus.STATUS_INVALID_LENGTH, sequence))
            return
        token = (self.number, sequence)
        if texts.is_receipt(message):
            self._delivers.append(
                Deliver(token, texts.read_receipt(message, self._settings.receipt_ids), None)
            )
        else:
            self._delivers.append(
                Deliver(token, None, texts.read_inbound(message, self._settings.default_alphabet))
            )

    def _answered(self, entry: Entry | None, sequence: int, status: int, provider_id: str | None) -> None:
        """An answer that is not simply yes: a no, a part of a long message, or one whose time had run out."""
        is_late = entry is None
        entry = entry or self._window.take_late(sequence)
        if entry is None:
            return
        outcome = submit_action(status)
        raw = _RAW_WORDS.get(status) or f"0x{status:08X}"
        provider_id = provider_id if outcome == "accepted" else None
        if isinstance(entry, OutboundSms):
            self._results.append(
                SubmitResult(entry.attempt_id, outcome, provider_id, raw, (provider_id,), is_late)
            )
        elif result := entry[0].settle(entry[1], outcome, provider_id, raw):
            self._results.append(result)

    def _hold(self) -> None:
        delivers, self._delivers = self._delivers, []
        self._delivers_open.update([deliver.token[1] for deliver in delivers])
        if self._transport and len(self._delivers_open) > self._settings.delivers_open_max:
            self._transport.pause_reading()
        self._on_delivers(delivers)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    def _pump(self) -> None:
        """Move from the queue to the wire, in one write, what the window and the operating system take."""
        waiting, pending = self._waiting, self._window.pending
        if self._is_paused or not waiting or not self.is_bound:
            return
        room = self._settings.window - len(pending)
        chunks: list[bytes] = []
        refused: list[SubmitResult] = []
        while room > 0 and waiting:
            entry = waiting.popleft()
            sequence = self._window.next_sequence()
            try:
                chunks.append(self._encoder.encode(entry, sequence))
            except (UnsendableText, MalformedPdu) as error:
                refused += settle_all((entry,), "permanent", str(error))
                continue
            pending[sequence] = entry
            room -= 1
        if refused:
            self._report_soon(refused)
        if chunks:
            self._write(b"".join(chunks))

    def _queue_long(self, message: OutboundSms) -> list[SubmitResult]:
        """Encode all parts before the first one goes out: half a message is worse than none."""
        try:
            long_message = LongMessage(message, self._encoder.pieces(message))
        except (UnsendableText, ValueError) as error:
            none = (None,) * len(message.parts)
            return [SubmitResult(message.attempt_id, "permanent", None, str(error), none)]
        missing = long_message.missing
        self._waiting.extend([(long_message, index) for index in missing])
        return [] if missing else [long_message.result()]

    def _write(self, octets: bytes) -> None:
        if octets and self._transport and not self._transport.is_closing():
            self._transport.write(octets)

    def _close_transport(self) -> None:
        self.is_bound = False
        if self._transport:
            self._transport.close()

    def abort(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.is_bound = False
        if self._transport:
            drop(self._transport)

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        now = self._loop.time()
        self._expire(now)
        if self._enquired_at is not None and self._received_at >= self._enquired_at:
            self._enquired_at = None
        if self._enquired_at is not None:
            if now - self._enquired_at >= self._settings.enquire_timeout_seconds:
                self.abort("no answer to enquire_link")
                return
        elif now - self._received_at >= self._settings.enquire_seconds:
            self._enquired_at = now
            self._write(codec.frame(pdus.ENQUIRE_LINK, 0, self._window.next_sequence()))
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
