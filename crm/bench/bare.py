"""The limits of `send`: the best loop without rules, and what a typical team writes."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from datetime import UTC, datetime

import psycopg
from django.db import connection, transaction

from crm.bench.wire import Sink
from messaging.enums import Cause
from messaging.models import Message

HEADER = struct.Struct(">IIII")
BATCH, WINDOW = 1000, 2000
TEXT = "【Bench】Hello, 20% off this week. Reply STOP to opt out".encode("utf-16-be")
BODY = b"\0\5\0bench\0\1\1%s\0\0\0\0\0\0\1\0\x08\0" + bytes([len(TEXT)]) + TEXT


def bare_rate(total: int) -> float:
    """Texts per second of a bare asyncio loop: ranges claimed from a table, PDUs written, outcomes appended by COPY,
    receipts acknowledged; no rules, no attempts, no state per message. Two commits a batch, durable."""
    sink = Sink()
    try:
        _make_tables()
        started = time.perf_counter()
        asyncio.run(_BareLoop(total).run(sink.port))
        return total / (time.perf_counter() - started)
    finally:
        sink.stop()


def _make_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_range, bench_outcome")
        cursor.execute(
            "CREATE TABLE bench_range (first bigint PRIMARY KEY, done boolean NOT NULL DEFAULT false)"
        )
        cursor.execute("CREATE TABLE bench_outcome (id bigint, what text)")


class _BareLoop(asyncio.Protocol):
    def __init__(self, total: int) -> None:
        self.total = total
        self.answered = self.delivered = 0
        self.tail = b""
        self.outcomes: list[tuple[int, str]] = []
        self.moved = asyncio.Event()
        self.acks: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        data = self.tail + data
        start = 0
        while len(data) - start >= 16:
            length, command, _, sequence = HEADER.unpack_from(data, start)
            if len(data) - start < length:
                break
            if command == 0x80000004:
                self.answered += 1
                self.outcomes.append((sequence, "accepted"))
            elif command == 5:
                self.delivered += 1
                self.outcomes.append((sequence, "delivered"))
                self.acks.append(HEADER.pack(17, 0x80000005, 0, sequence) + b"\0")
            start += length
        self.tail = data[start:]
        self.moved.set()

    async def run(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", port)
        parameters = connection.get_connection_params()
        own = {
            k: v for k, v in parameters.items() if k in ("host", "port", "user", "password", "dbname") and v
        }
        self.transport.write(HEADER.pack(16 + 12, 9, 0, 1) + b"b\0b\0\0\x34\0\0\0\0\0\0"[:12])
        async with await psycopg.AsyncConnection.connect(**own, autocommit=True) as database:
            await self._go(database)

    async def _go(self, database: psycopg.AsyncConnection) -> None:
        sent = 0
        while self.delivered < self.total or self.outcomes:
            room = WINDOW - (sent - self.answered)
            if sent < self.total and room >= BATCH:
                await database.execute("INSERT INTO bench_range VALUES (%s)", [sent])
                count = min(BATCH, self.total - sent)
                self.transport.write(b"".join(_pdu(sent + n + 2) for n in range(count)))
                sent += count
            elif not self.outcomes:
                self.moved.clear()
                await self.moved.wait()
            await self._write_back(database)

    async def _write_back(self, database: psycopg.AsyncConnection) -> None:
        rows, self.outcomes = self.outcomes, []
        acks, self.acks = self.acks, []
        if not rows:
            await asyncio.sleep(0)
            return
        async with database.cursor() as cursor, cursor.copy("COPY bench_outcome FROM STDIN") as copy:
            await copy.write("".join(f"{pk}\t{what}\n" for pk, what in rows))
        self.transport.write(b"".join(acks))


def _pdu(sequence: int) -> bytes:
    body = BODY.replace(b"%s", b"8613%09d" % (sequence % 10**9), 1)
    return HEADER.pack(16 + len(body), 4, 0, sequence) + body


def orm_rate(total: int) -> float:
    """Texts per second of the usual way, one job a message: fetch, submit and wait, save, save the receipt.

    Without the broker's own cost, so it flatters that way.
    """
    ids = list(Message.objects.filter(cause=Cause.RUN).order_by("id").values_list("id", flat=True)[:total])
    sink = Sink()
    try:
        with socket.create_connection(("127.0.0.1", sink.port)) as link:
            link.sendall(HEADER.pack(16 + 12, 9, 0, 1) + b"b\0b\0\0\x34\0\0\0\0\0\0"[:12])
            reader = link.makefile("rb")
            _read(reader)
            started = time.perf_counter()
            for number, pk in enumerate(ids):
                _one(link, reader, pk, number + 2)
            return len(ids) / (time.perf_counter() - started)
    finally:
        sink.stop()


def _one(link: socket.socket, reader: object, pk: int, sequence: int) -> None:
    with transaction.atomic():
        message = Message.objects.select_for_update().get(pk=pk)
        message.attempts += 1
        message.save()
    link.sendall(_pdu(sequence))
    _read(reader)
    message.submitted_at = datetime.now(UTC)
    message.save()
    _read(reader)
    message = Message.objects.get(pk=pk)
    message.final_at = datetime.now(UTC)
    message.save()
    link.sendall(HEADER.pack(17, 0x80000005, 0, sequence) + b"\0")


def _read(reader: object) -> bytes:
    header = reader.read(16)  # type: ignore[attr-defined]
    return reader.read(HEADER.unpack(header)[0] - 16)  # type: ignore[attr-defined]
