"""One CMPP connection: log-in, window, batches, timers, and an honest account of every message when it ends.

Like the SMPP session: one write for all that fits the window, one callback for all answers of a read. What is
certain when the connection ends: a message still in our own queue was never given to the operating system
("not_sent"); one that was written and has no answer may have been taken ("uncertain"). The protocol's own
advice, to repeat a submit after T, would send a text twice: that decision is the caller's.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from messaging.encoding import UnsendableText
from messaging.gateways.base import BindRefused, Deliver, LinkDown, OutboundSms, SubmitResult
from messaging.gateways.cmpp import codec, pdus, texts
from messaging.gateways.cmpp.pdus import (
    CodecError,
    Connect,
    ConnectResponse,
    DeliverMessage,
    MessageResponse,
    Pdu,
)
from messaging.gateways.cmpp.receipts import submit_action
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.cmpp.submit_encoder import SubmitEncoder, beijing_now
from messaging.gateways.ending import drop
from messaging.gateways.smpp.long_message import Entry, LongMessage, settle_all
from messaging.gateways.smpp.window import Window

_STRUCTURE_WRONG = 1  # a DELIVER_RESP's Result
_FINAL_STATUSES = frozenset({2, 3, 4})  # of a log-in: unknown source, wrong proof, version too high


class CmppSession(asyncio.Protocol):
    """The protocol of one connection; not reusable. Create it through `CmppLink`.

    Callbacks run inside the event loop's read and must not raise: `on_results` and `on_delivers` with a
    batch, `on_closed` once with the reason, after the last results.
    """

    def __init__(
        self,
        settings: CmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[CmppSession, str], None],
        number: int = 0,
    ) -> None:
        """`number` marks this connection's delivers, so that an answer can never go to another connection."""
        self.number = number
        self.is_bound = False
        self._settings = settings
        self._wide = pdus.is_wide(pdus.VERSION_OCTETS[settings.version])
        self._on_results, self._on_delivers, self._on_closed = on_results, on_delivers, on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[ConnectResponse] = self._loop.create_future()  # of the log-in
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._reason = ""
        self._tail = b""
        self._encoder = SubmitEncoder(settings)
        self._window = Window(settings.window, settings.submit_timeout_seconds)
        self._waiting: deque[tuple[LongMessage, int]] = deque()
        self._is_paused = False
        self._results: list[SubmitResult] = []  # of the read in progress
        self._delivers: list[Deliver] = []
        self._delivers_open: dict[int, int] = {}  # sequence → Msg_Id, which the answer repeats
        self._received_at = self._loop.time()
        self._tested_at: float | None = None
        self._tick_seconds = min(
            1.0,
            settings.submit_timeout_seconds / 4,
            settings.active_test_seconds / 4,
            settings.active_test_timeout_seconds / 4,
        )
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open_count(self) -> int:
        """Parts without an answer: waiting for room in the window, or on the wire."""
        return len(self._waiting) + len(self._window.pending)

    # ── for the owner ───────────────────────────────────────────────────────────────────────────────────

    async def bind(self) -> None:
        """Log in. Raises `BindRefused` with the gateway's status, `LinkDown` on silence, a lost connection,
        or a gateway that does not know the secret (when the account asks for that proof).
        """
        account = self._settings
        timestamp = int(f"{beijing_now():%m%d%H%M%S}")
        proof = codec.source_authenticator(account.sp_id, account.secret, timestamp)
        asked = pdus.VERSION_OCTETS[account.version]
        body = Connect(account.sp_id, proof, asked, timestamp)
        self._write(codec.encode(Pdu(pdus.CONNECT, self._window.next_sequence(), body), self._wide))
        try:
            answer = await asyncio.wait_for(self._answer, account.bind_timeout_seconds)
        except TimeoutError as error:
            self.abort("no answer to CONNECT")
            raise LinkDown("no answer to CONNECT") from error
        if answer.status:
            self._reason = f"log-in refused with status {answer.status}"
            self._close_transport()
            raise BindRefused(
                answer.status, is_final=answer.status in _FINAL_STATUSES, word=f"CMPP {answer.status}"
            )
        if account.checks_gateway and not self._is_proven(answer, proof):
            self.abort("the gateway does not know the secret")
            raise LinkDown(self._reason)
        if self._gone.done() or self._transport is None or self._transport.is_closing():
            raise LinkDown(self._reason or "connection lost")
        # An older gateway answers with its own, highest version: the lower of the two is spoken.
        self._wide = pdus.is_wide(min(asked, answer.version or asked))
        self.is_bound = True
        self._tick()

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

    def answer_delivers(self, sequences: Sequence[int], status: int) -> None:
        """Write the DELIVER_RESP of each; one that is answered already is left alone.

        Not 0: nothing is written. A gateway must send again what has no answer after T; what it does with a
        Result other than 0 is nowhere said, and a receipt it gave up would be lost.
        """
        known = [
            (sequence, msg_id)
            for sequence in dict.fromkeys(sequences)
            if (msg_id := self._delivers_open.pop(sequence, None)) is not None
        ]
        if not status:
            self._write(codec.deliver_answers(known, 0, self._wide))
        if self._transport and len(self._delivers_open) <= self._settings.delivers_open_max // 2:
            self._transport.resume_reading()

    async def unbind(self, timeout_seconds: float = 2.0) -> None:
        """Log out and close; never raises for a connection that is gone already."""
        if self.is_bound and not self._gone.done():
            self.is_bound = False
            self._reason = self._reason or "closed by us"
            self._write(codec.frame(pdus.TERMINATE, self._window.next_sequence()))
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
        self._transport.set_write_buffer_limits(high=0)

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
        except CodecError as error:
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
        position, end = 0, len(buffer)
        while end - position >= codec.HEADER_OCTETS:
            stop = position + codec.frame_length(buffer, position)
            if stop > end:
                break
            self._read_pdu(buffer[position:stop])
            position = stop
        self._tail = buffer[position:]

    def _read_pdu(self, octets: bytes) -> None:
        _, command, sequence = codec.read_header(octets)
        if command == pdus.ACTIVE_TEST:
            self._write(codec.encode(Pdu(pdus.ACTIVE_TEST_RESP, sequence), self._wide))
        elif command == pdus.DELIVER:
            self._read_deliver(octets, sequence)
        elif command == pdus.TERMINATE:
            self._reason = "closed by the gateway"
            self._write(codec.frame(pdus.TERMINATE_RESP, sequence))
            self._close_transport()
        elif command == pdus.TERMINATE_RESP:
            self._close_transport()
        elif command == pdus.SUBMIT_RESP:
            answer = cast(MessageResponse, codec.decode(octets, self._wide).body)
            self._answered(sequence, answer)
        elif command == pdus.CONNECT_RESP and not self._answer.done():
            self._answer.set_result(cast(ConnectResponse, codec.decode(octets, self._wide).body))

    def _read_deliver(self, octets: bytes, sequence: int) -> None:
        """A body that cannot be read is refused by itself; the stream goes on."""
        try:
            message = cast(DeliverMessage, codec.decode(octets, self._wide).body)
        except CodecError:
            msg_id = int.from_bytes(octets[codec.HEADER_OCTETS :][:8], "big")
            self._write(codec.deliver_answers([(sequence, msg_id)], _STRUCTURE_WRONG, self._wide))
            return
        token = (self.number, sequence)
        self._delivers_open[sequence] = message.msg_id
        if message.registered_delivery == 1:
            self._delivers.append(Deliver(token, texts.read_receipt(message), None))
        else:
            self._delivers.append(Deliver(token, None, texts.read_inbound(message)))

    def _answered(self, sequence: int, answer: MessageResponse) -> None:
        """One part's answer, perhaps after its time had run out."""
        entry: Entry | None = self._window.pending.pop(sequence, None) or self._window.take_late(sequence)
        if entry is None or isinstance(entry, OutboundSms):
            return
        outcome = submit_action(answer.result, self._settings.result_actions)
        provider_id = str(answer.msg_id) if outcome == "accepted" and answer.msg_id else None
        result = entry[0].settle(entry[1], outcome, provider_id, f"CMPP {answer.result}")
        if result:
            self._results.append(result)

    def _hold(self) -> None:
        delivers, self._delivers = self._delivers, []
        if self._transport and len(self._delivers_open) > self._settings.delivers_open_max:
            self._transport.pause_reading()
        self._on_delivers(delivers)

    def _is_proven(self, answer: ConnectResponse, proof: bytes) -> bool:
        """With the status in one octet or in four: gateways do both, whatever their version."""
        return any(
            hmac.compare_digest(
                codec.gateway_authenticator(answer.status, proof, self._settings.secret, octets),
                answer.authenticator,
            )
            for octets in (1, 4)
        )

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
                chunks.append(self._encoder.encode(entry, sequence, self._wide))
            except (UnsendableText, CodecError) as error:
                refused += settle_all((entry,), "permanent", str(error))
                continue
            pending[sequence] = entry
            room -= 1
        if refused:
            self._report_soon(refused)
        if chunks:
            self._write(b"".join(chunks))

    def _queue(self, message: OutboundSms) -> list[SubmitResult]:
        """Encode all parts before the first one goes out: half a message is worse than none."""
        try:
            long_message = LongMessage(message, self._encoder.pieces(message))
        except (UnsendableText, CodecError) as error:
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

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        now = self._loop.time()
        results = settle_all(self._window.expire(now), "uncertain", "timeout")
        if results:
            self._on_results(results)
            self._pump()
        if self._tested_at is not None and self._received_at >= self._tested_at:
            self._tested_at = None
        if self._tested_at is not None:
            if now - self._tested_at >= self._settings.active_test_timeout_seconds:
                self.abort("no answer to ACTIVE_TEST")
                return
        elif now - self._received_at >= self._settings.active_test_seconds:
            self._tested_at = now
            self._write(codec.frame(pdus.ACTIVE_TEST, self._window.next_sequence()))
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def _report_soon(self, results: list[SubmitResult]) -> None:
        """Outside the caller's own call, so that its books are in order first."""
        self._loop.call_soon(self._on_results, results)
