"""A carrier's CMPP gateway (ISMG) for tests and the phone simulator: takes submits, answers, sends receipts and
replies, and does wrong what it is told to do wrong.

The journal is the judge: each accepted submit is in it before its answer leaves. `ismg_process` runs it by
itself.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from crm.local.simulator.decoding import read_text, split_header
from crm.local.simulator.journal import Journal
from messaging.gateways.cmpp import codec, pdus
from messaging.gateways.cmpp.pdus import (
    CodecError,
    Connect,
    ConnectResponse,
    DeliverMessage,
    MessageResponse,
    MsgId,
    Pdu,
    ReceiptContent,
    Submit,
)

GATEWAY_CODE = 10_657
RESULT_THROTTLED = 8
FAULTS = ("throttle", "drop", "reset_before", "reset_after", "wrong_id")
DELIVERS_OPEN_MAX = 16  # the protocol's window, in this direction
DELIVER_TRIES = 3  # the protocol's N


@dataclass
class IsmgMood:
    """How the gateway behaves; all of it can be switched while it runs.

    `fault` decides each submit by its number: one of `FAULTS`, a Result to answer with, or None for yes.
    `stat` decides what becomes of an accepted text; None sends no receipt.
    """

    fault: Callable[[int], str | int | None] = lambda number: None
    stat: Callable[[Submit], str | None] = lambda submit: "DELIVRD"
    answer_delay_ms: int = 0
    receipt_delay_ms: int = 0
    receipt_first: bool = False  # the receipt overtakes the answer
    repeat_seconds: float = 60.0  # the protocol's T: a DELIVER without an answer goes out again
    answers_tests: bool = True
    writes_wide_receipts: bool | None = None  # None: as the connection's version; gateways mix them


@dataclass
class _Open:
    """A DELIVER on its way."""

    message: DeliverMessage
    tries: int = 0
    timer: asyncio.TimerHandle | None = None


class Ismg:
    """One gateway. `on_submit` hears of each accepted submit with its Msg_Id (the phones are behind it)."""

    def __init__(
        self,
        journal: Journal | None = None,
        *,
        accounts: dict[str, str] | None = None,
        version: int = 0x30,
        on_submit: Callable[[Submit, int], None] = lambda submit, msg_id: None,
    ) -> None:
        """`accounts` maps sp_id to secret; None lets everybody in who has the right proof for "secret"."""
        self.journal, self.accounts, self.version = journal or Journal(None), accounts, version
        self.on_submit, self.mood = on_submit, IsmgMood()
        self.on_answered: Callable[[int], None] = lambda msg_id: None  # a DELIVER by its Msg_Id
        self.counts: Counter[str] = Counter()
        self.connections: list[IsmgConnection] = []
        self._sequence = itertools.count(1)
        self._waiting: list[DeliverMessage] = []
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; gives the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: IsmgConnection(self), "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Drop all connections."""
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.drop()
        await asyncio.sleep(0)

    def next_msg_id(self) -> int:
        """By the clock, this gateway and a running number."""
        now, number = time.localtime(), next(self._sequence)
        clock = (now.tm_mon, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec % 60)
        return pdus.write_msg_id(MsgId(*clock, GATEWAY_CODE, number & 0xFFFF))

    def reply(self, phone: str, to: str, text: str, *, parts: int = 1) -> list[int]:
        """A text from a handset, in UCS-2, cut into so many parts; the Msg_Id of each."""
        octets = text.encode("utf-16-be")
        size = -(-len(octets) // parts // 2) * 2
        ids = [self.next_msg_id() for _ in range(parts)]
        for number in range(parts):
            content = octets[number * size : (number + 1) * size]
            if parts > 1:
                content = bytes((5, 0, 3, 7, parts, number + 1)) + content
            self.deliver(
                DeliverMessage(
                    ids[number], to, phone, content, tp_udhi=int(parts > 1), msg_fmt=pdus.FORMAT_UCS2
                )
            )
        return ids

    def deliver(self, message: DeliverMessage) -> None:
        """Send it on one of the connections, or on the next that logs in."""
        bound = [connection for connection in self.connections if connection.sp_id]
        if bound:
            bound[next(self._sequence) % len(bound)].deliver(message)
        else:
            self._waiting.append(message)

    def receipt(self, submit: Submit, msg_id: int, stat: str, wide: bool) -> int:
        """Tell what became of a submit; the Msg_Id of the DELIVER that does."""
        now = time.strftime("%y%m%d%H%M")
        phone = submit.destinations[0]
        content = ReceiptContent(msg_id, stat, now, now, phone, next(self._sequence))
        is_wide = wide if self.mood.writes_wide_receipts is None else self.mood.writes_wide_receipts
        self.counts["receipts"] += 1
        own_id = self.next_msg_id()
        self.deliver(
            DeliverMessage(
                own_id,
                submit.src_id,
                phone,
                codec.encode_receipt(content, is_wide),
                service_id=submit.service_id,
                registered_delivery=1,
            )
        )
        return own_id

    def logged_in(self) -> None:
        """What waited for a connection goes out."""
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.deliver(message)

    def left(self, connection: "IsmgConnection", unanswered: list[DeliverMessage]) -> None:
        """A connection is gone; what it had not answered goes to another."""
        if connection in self.connections:
            self.connections.remove(connection)
        for message in unanswered:
            self.deliver(message)


class IsmgConnection(asyncio.Protocol):
    """One customer's connection."""

    def __init__(self, gateway: Ismg) -> None:
        self.gateway, self.sp_id, self.wide = gateway, "", False
        self.other: list[tuple[int, int]] = []  # (command, sequence) of what is neither submit nor answer
        self._tail = b""
        self._sequence = itertools.count(1)
        self._open: dict[int, _Open] = {}
        self._queue: list[DeliverMessage] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note it; nothing is sent before the log-in."""
        self._transport = cast(asyncio.Transport, transport)
        self.gateway.connections.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """What was not answered is the gateway's again."""
        unanswered = [entry.message for entry in self._open.values()] + self._queue
        for entry in self._open.values():
            if entry.timer:
                entry.timer.cancel()
        self.sp_id = ""
        self.gateway.left(self, unanswered)

    def data_received(self, data: bytes) -> None:
        """All whole PDUs; garbage ends the connection."""
        self._tail += data
        try:
            while len(self._tail) >= codec.HEADER_OCTETS:
                length = codec.frame_length(self._tail, 0)
                if len(self._tail) < length:
                    break
                octets, self._tail = self._tail[:length], self._tail[length:]
                self._take(octets)
        except CodecError:
            self.gateway.counts["garbage"] += 1
            self.drop()

    def send(self, octets: bytes) -> None:
        """Any octets, also wrong ones."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(octets)

    def drop(self) -> None:
        """Cut the line."""
        if self._transport:
            self._transport.abort()

    def deliver(self, message: DeliverMessage) -> None:
        """Send it when the window has room; again after T without an answer."""
        if len(self._open) >= DELIVERS_OPEN_MAX:
            self._queue.append(message)
            return
        sequence = next(self._sequence)
        self._open[sequence] = _Open(message)
        self._send_deliver(sequence)

    def terminate(self) -> None:
        """Log the customer out."""
        self.send(codec.frame(pdus.TERMINATE, next(self._sequence)))

    def _send_deliver(self, sequence: int) -> None:
        entry = self._open.get(sequence)
        if entry is None:
            return
        if entry.tries >= DELIVER_TRIES:
            self.gateway.counts["given_up"] += 1
            self._answered(sequence)
            return
        entry.tries += 1
        self.send(codec.encode(Pdu(pdus.DELIVER, sequence, entry.message), self.wide))
        loop = asyncio.get_running_loop()
        entry.timer = loop.call_later(self.gateway.mood.repeat_seconds, self._send_deliver, sequence)

    def _answered(self, sequence: int) -> None:
        entry = self._open.pop(sequence, None)
        if entry and entry.timer:
            entry.timer.cancel()
        if self._queue:
            self.deliver(self._queue.pop(0))

    def _take(self, octets: bytes) -> None:
        _, command, sequence = codec.read_header(octets)
        if command == pdus.CONNECT:
            self._log_in(sequence, cast(Connect, codec.decode(octets, False).body))
        elif not self.sp_id:
            self.drop()
        elif command == pdus.SUBMIT:
            self._submitted(sequence, cast(Submit, codec.decode(octets, self.wide).body))
        elif command == pdus.DELIVER_RESP:
            self._deliver_answered(sequence, cast(MessageResponse, codec.decode(octets, self.wide).body))
        else:
            self.other.append((command, sequence))
            if command == pdus.ACTIVE_TEST and self.gateway.mood.answers_tests:
                self.send(codec.encode(Pdu(pdus.ACTIVE_TEST_RESP, sequence), self.wide))
            elif command == pdus.TERMINATE:
                self.send(codec.frame(pdus.TERMINATE_RESP, sequence))
                if self._transport:
                    self._transport.close()

    def _log_in(self, sequence: int, asked: Connect) -> None:
        gateway = self.gateway
        accounts = gateway.accounts
        secret = "secret" if accounts is None else accounts.get(asked.source_addr, "")
        wide = pdus.is_wide(min(asked.version, gateway.version))
        proof = codec.source_authenticator(asked.source_addr, secret, asked.timestamp)
        status = 0
        if asked.version > gateway.version:
            status = 4
        elif not secret:
            status = 2
        elif proof != asked.authenticator:
            status = 3
        own = codec.gateway_authenticator(status, asked.authenticator, secret, 4 if wide else 1)
        answer = ConnectResponse(status, own, gateway.version)
        self.send(codec.encode(Pdu(pdus.CONNECT_RESP, sequence, answer), wide))
        gateway.counts["refused" if status else "logins"] += 1
        if not status:
            self.wide, self.sp_id = wide, asked.source_addr
            gateway.logged_in()

    def _submitted(self, sequence: int, submit: Submit) -> None:
        gateway = self.gateway
        gateway.counts["submits"] += 1
        fault = gateway.mood.fault(gateway.counts["submits"])
        if fault == "reset_before":
            self.drop()
        elif fault == "throttle" or isinstance(fault, int):
            gateway.counts["refused_submits"] += 1
            result = fault if isinstance(fault, int) else RESULT_THROTTLED
            self._answer(sequence, MessageResponse(0, result))
        else:
            self._accept(sequence, submit, fault)

    def _accept(self, sequence: int, submit: Submit, fault: str | None) -> None:
        gateway, msg_id = self.gateway, self.gateway.next_msg_id()
        gateway.counts["accepted"] += 1
        gateway.journal.write([_entry(submit, msg_id, self.sp_id)])
        gateway.on_submit(submit, msg_id)
        if gateway.mood.receipt_first:
            self._send_receipt(submit, msg_id)
        if fault == "reset_after":
            self.drop()
        elif fault != "drop":
            named = msg_id ^ 0xFFFF if fault == "wrong_id" else msg_id
            self._answer(sequence, MessageResponse(named, 0))
        if not gateway.mood.receipt_first:
            self._send_receipt(submit, msg_id)

    def _send_receipt(self, submit: Submit, msg_id: int) -> None:
        stat = self.gateway.mood.stat(submit)
        if submit.registered_delivery != 1 or stat is None:
            return
        mood = self.gateway.mood
        delay = (mood.receipt_delay_ms + (0 if mood.receipt_first else mood.answer_delay_ms)) / 1000
        asyncio.get_running_loop().call_later(delay, self.gateway.receipt, submit, msg_id, stat, self.wide)

    def _answer(self, sequence: int, answer: MessageResponse) -> None:
        octets = codec.encode(Pdu(pdus.SUBMIT_RESP, sequence, answer), self.wide)
        delay = self.gateway.mood.answer_delay_ms
        if delay:
            asyncio.get_running_loop().call_later(delay / 1000, self.send, octets)
        else:
            self.send(octets)

    def _deliver_answered(self, sequence: int, answer: MessageResponse) -> None:
        entry = self._open.get(sequence)
        if entry is None or entry.message.msg_id != answer.msg_id:
            self.gateway.counts["wrong_answers"] += 1
        elif answer.result == 0:
            self.gateway.counts["deliver_answers"] += 1
            self.gateway.on_answered(answer.msg_id)
            self._answered(sequence)


def _entry(submit: Submit, msg_id: int, sp_id: str) -> dict[str, Any]:
    part = split_header(submit.content, 0x40 if submit.tp_udhi else 0)
    return {
        "id": str(msg_id),
        "at": round(time.time(), 6),
        "system_id": sp_id,
        "from": submit.src_id,
        "to": submit.destinations[0],
        "data_coding": submit.msg_fmt,
        "part": part.number,
        "parts": part.total,
        "text": read_text(part.body, submit.msg_fmt or 1),
        "way": "CMPP",
        "hex": submit.content.hex(),
    }
