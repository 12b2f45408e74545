"""The other side and the dispatcher's side: an SMSC that does exactly what it is told, and books to look at.

The scripted SMSC is written against the specification, not against our codec.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

import smpp34

from messaging.encoding import split_parts
from messaging.gateways.base import GatewayLink, OutboundSms
from messaging.gateways.smpp.link import SmppLink, SmppSettings

PHONE = "+8613800138000"
RECEIPT = b"id:%s sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:"
HEADER = struct.Struct(">IIII")
BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 9, 4, 5, 6, 0x15
RESPONSE = 0x80000000


class ScriptedSmsc(asyncio.Protocol):
    """One connection at a time.

    `answer(number)` decides each submit's status; None leaves it without an answer.
    """

    def __init__(
        self, answer: Callable[[int], int | None] = lambda number: 0, bind_status: int | None = 0
    ) -> None:
        self.answer, self.bind_status = answer, bind_status
        self.answers_enquiries = True
        self.binds: list[bytes] = []
        self.submits: list[bytes] = []
        self.deliver_answers: list[tuple[int, int]] = []  # (sequence, status)
        self.other: list[tuple[int, int, int]] = []  # (command, status, sequence)
        self.connections = 0
        self.transport: asyncio.Transport | None = None
        self._server: asyncio.Server | None = None
        self._tail = b""

    async def start(self, tls=None) -> int:
        self._server = await asyncio.get_running_loop().create_server(lambda: self, "127.0.0.1", 0, ssl=tls)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        if self.transport:
            self.transport.abort()
        await asyncio.sleep(0)

    def send(self, octets: bytes) -> None:
        self.transport.write(octets)

    def drop(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self._tail = transport, b""
        self.connections += 1

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        replies = []
        while len(data) >= 16:
            length, command, status, sequence = HEADER.unpack_from(data)
            if len(data) < length:
                break
            replies.append(self._reply(data[:length], command, status, sequence))
            data = data[length:]
        self._tail = data
        self.transport.write(b"".join(replies))

    def _reply(self, pdu: bytes, command: int, status: int, sequence: int) -> bytes:
        if command == SUBMIT_SM:
            self.submits.append(pdu)
            verdict = self.answer(len(self.submits))
            if verdict is None:
                return b""
            body = b"" if verdict else b"id-%d\0" % len(self.submits)
            return HEADER.pack(16 + len(body), SUBMIT_SM | RESPONSE, verdict, sequence) + body
        if command == BIND_TRANSCEIVER:
            self.binds.append(pdu)
            if self.bind_status is None:
                return b""
            body = b"" if self.bind_status else b"scripted\0"
            return HEADER.pack(16 + len(body), BIND_TRANSCEIVER | RESPONSE, self.bind_status, sequence) + body
        if command == DELIVER_SM | RESPONSE:
            self.deliver_answers.append((sequence, status))
            return b""
        self.other.append((command, status, sequence))
        if command == UNBIND or (command == ENQUIRE_LINK and self.answers_enquiries):
            return HEADER.pack(16, command | RESPONSE, 0, sequence)
        return b""


class Books:
    """What a dispatcher would write down, and a way to wait for it."""

    def __init__(self):
        self.results, self.batches, self.delivers, self.closed = [], [], [], []

    def note_results(self, results):
        self.batches.append(results)
        self.results += results

    async def until(self, condition, seconds=5):
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    def outcomes(self):
        return {result.attempt_id: result.outcome for result in self.results}


def link_to(port, **settings) -> tuple[GatewayLink, Books]:
    books = Books()
    account = SmppSettings("127.0.0.1", port, "shop", "pw", **settings)
    return SmppLink(account, books.note_results, books.delivers.extend, books.closed.append), books


def sms(attempt_id, text="Dear Li Wei", sender="SHOP", encoding="GSM-7", **more):
    parts = tuple(split_parts(text, encoding))
    return OutboundSms(attempt_id, attempt_id, PHONE, sender, parts, encoding, reference=attempt_id, **more)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scenario(**settings):
    """Run a test's coroutine with a started scripted SMSC, a link to it and its books."""

    def run(coroutine):
        async def main():
            smsc = ScriptedSmsc()
            link, books = link_to(await smsc.start(), **settings)
            try:
                await coroutine(smsc, link, books)
            finally:
                await link.close()
                await smsc.stop()

        asyncio.run(main())

    return run


def receipt(number, provider_id, **fields):
    pdu = smpp34.DeliverSm(
        "8613800138000",
        "SHOP",
        RECEIPT % provider_id,
        esm_class=4,
        source_addr_ton=1,
        sequence_number=number,
        **fields,
    )
    return pdu.encode()
