"""One bind: submits and receipts a second through our session, beside the same PDUs over a bare asyncio socket."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Coroutine
from pathlib import Path
from statistics import median
from typing import Any

import smpp34

from crm.bench.database import versions
from crm.bench.wire import Sink
from messaging.gateways.base import Deliver, OutboundSms, SubmitResult
from messaging.gateways.smpp.link import SmppLink, SmppSettings

SIZES = {"small": (2_000, 1), "standard": (40_000, 3), "large": (200_000, 3)}
WINDOWS = (1, 10, 100)
TEXT = "【Bench】Hello, 20% off this week. Reply STOP to opt out"
HEADER = struct.Struct(">IIII")
_OCTETS = TEXT.encode("utf-16-be")
_BODY = b"\0\5\0bench\0\1\1%s\0\0\0\0\0\0\1\0\x08\0" + bytes([len(_OCTETS)]) + _OCTETS


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """Submits a second at window 100, timers, throttling and error paths on, beside the bare socket."""
    total, repeats = SIZES[size]
    rates: dict[str, Any] = {}
    for window in WINDOWS:
        texts = total if window > 1 else max(total // 10, 500)
        ours = [_timed(_submit_ours, texts, window) for _ in range(repeats)]
        bare = [_timed(_submit_bare, texts, window) for _ in range(repeats)]
        smpp34_rate = _timed(_submit_smpp34, min(texts, 10_000), window)
        rates[f"window_{window}"] = {
            "ours": round(median(ours)),
            "bare": round(median(bare)),
            "ratio": round(median(ours) / median(bare), 3),
            "smpp34": round(smpp34_rate),
        }
    receipts = [_timed(_receive_ours, total, 1) for _ in range(repeats)]
    bare_receipts = [_timed(_receive_bare, total, 1) for _ in range(repeats)]
    best = rates["window_100"]
    return {
        "name": "smpp",
        "value": best["ours"],
        "unit": "submit_sm/s",
        "limit": best["bare"],
        "ratio": best["ratio"],
        "goal": 0.3,
        "details": versions()
        | {"size": size, "submits": total}
        | rates
        | {
            "receipts_ours": round(median(receipts)),
            "receipts_bare": round(median(bare_receipts)),
            "receipts_ratio": round(median(receipts) / median(bare_receipts), 3),
        },
    }


def _timed(work: Any, total: int, window: int) -> float:
    """Things a second of one go, against a carrier of its own."""
    sink = Sink(receipts=False)
    try:
        seconds: float = asyncio.run(_with_sink(work(sink, total, window)))
    finally:
        sink.stop()
    return total / seconds


async def _with_sink(work: Coroutine[Any, Any, float]) -> float:
    return await asyncio.wait_for(work, 120)


def _sms(number: int) -> OutboundSms:
    return OutboundSms(
        number, number, f"+8613{number:09d}", "bench", (TEXT,), "UCS-2", number & 0xFFFF, 86_400
    )


class _Ours:
    """The dispatcher's side of a link: answers are committed at once, receipts acknowledged at once."""

    def __init__(self, port: int, window: int) -> None:
        settings = SmppSettings("127.0.0.1", port, "bench", "bench", window=window)
        self.link = SmppLink(settings, self._results, self._delivers, lambda reason: None)
        self.answered = self.received = 0
        self.moved = asyncio.Event()

    def _results(self, results: list[SubmitResult]) -> None:
        self.answered += len(results)
        self.link.release(len(results))
        self.moved.set()

    def _delivers(self, delivers: list[Deliver]) -> None:
        self.received += len(delivers)
        self.link.acknowledge(*delivers)
        self.moved.set()


async def _submit_ours(sink: Sink, total: int, window: int) -> float:
    ours = _Ours(sink.port, window)
    await ours.link.connect()
    messages = [_sms(number) for number in range(total)]
    started, sent = time.perf_counter(), 0
    while ours.answered < total:
        if free := min(ours.link.free, total - sent):
            ours.link.submit_batch(messages[sent : sent + free])
            sent += free
        ours.moved.clear()
        await ours.moved.wait()
    elapsed = time.perf_counter() - started
    await ours.link.close()
    return elapsed


async def _receive_ours(sink: Sink, total: int, window: int) -> float:
    ours = _Ours(sink.port, 10)
    await ours.link.connect()
    sink.flood(total)
    started = time.perf_counter()
    while ours.received < total:
        ours.moved.clear()
        await ours.moved.wait()
    elapsed = time.perf_counter() - started
    await ours.link.close()
    return elapsed


class _Bare(asyncio.Protocol):
    """The same octets with nothing around them."""

    def __init__(self, total: int, window: int) -> None:
        self.total, self.window = total, window
        self.sent = self.answered = self.received = 0
        self.tail = b""
        self.bound, self.done = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        transport.write(HEADER.pack(16 + 12, 9, 0, 1) + b"b\0b\0\0\x34\0\0\0\0\0\0"[:12])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        data, start, out = self.tail + data, 0, []
        while len(data) - start >= 16:
            length, command, _, sequence = HEADER.unpack_from(data, start)
            if len(data) - start < length:
                break
            if command == 0x80000004:
                self.answered += 1
            elif command == 5:
                self.received += 1
                out.append(HEADER.pack(17, 0x80000005, 0, sequence) + b"\0")
            else:
                self.bound.set()
            start += length
        self.tail = data[start:]
        if out:
            self.transport.write(b"".join(out))
        if self.sent:
            self.pump()
        if self.answered + self.received >= self.total:
            self.done.set()

    def pump(self) -> None:
        """Fill the window in one write."""
        room = min(self.window - (self.sent - self.answered), self.total - self.sent)
        if room > 0:
            self.transport.write(b"".join(self._pdu(self.sent + n) for n in range(room)))
            self.sent += room

    def _pdu(self, number: int) -> bytes:
        body = _BODY.replace(b"%s", b"8613%09d" % number, 1)
        return HEADER.pack(16 + len(body), 4, 0, number + 2) + body


async def _bare(sink: Sink, total: int, window: int) -> _Bare:
    loop = asyncio.get_running_loop()
    _, bare = await loop.create_connection(lambda: _Bare(total, window), "127.0.0.1", sink.port)
    await bare.bound.wait()
    return bare


async def _submit_bare(sink: Sink, total: int, window: int) -> float:
    bare = await _bare(sink, total, window)
    started = time.perf_counter()
    bare.pump()
    await bare.done.wait()
    elapsed = time.perf_counter() - started
    bare.transport.close()
    return elapsed


async def _receive_bare(sink: Sink, total: int, window: int) -> float:
    bare = await _bare(sink, total, window)
    sink.flood(total)
    started = time.perf_counter()
    await bare.done.wait()
    elapsed = time.perf_counter() - started
    bare.transport.close()
    return elapsed


async def _submit_smpp34(sink: Sink, total: int, window: int) -> float:
    client = smpp34.Client("127.0.0.1", sink.port, "bench", "bench", window_size=window)
    smsc = await client.connect()
    numbers = iter(range(total))

    async def some() -> None:
        for number in numbers:
            await smsc.submit_sm(
                f"8613{number:09d}", _OCTETS, source_addr="bench", data_coding=8, registered_delivery=1
            )

    started = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(window)))
    elapsed = time.perf_counter() - started
    await client.stop()
    return elapsed
