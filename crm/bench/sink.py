"""A carrier that is never the bottleneck: takes every submit, answers at once, sends its receipt right after.

Run as a process of its own: `python -m crm.bench.sink`. Prints its port. Every line on standard input
is answered by the counts and the time (CLOCK_MONOTONIC, nanoseconds) of the last submit, or, for "arrivals" and when
started with --keep, by every destination and its time; "flood N" sends that many receipts of nothing to the last bind.
With --no-receipts none is sent by itself. Written straight against the specification.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time

HEADER = struct.Struct(">IIII")
BIND_RESPONSE, SUBMIT, SUBMIT_RESPONSE, DELIVER = 0x80000000, 0x4, 0x80000004, 0x5
DELIVER_RESPONSE, ENQUIRE, ENQUIRE_RESPONSE, UNBIND, UNBIND_RESPONSE = (
    0x80000005,
    0x15,
    0x80000015,
    0x6,
    0x80000006,
)
RECEIPT = "id:%s sub:001 dlvrd:001 submit date:2611221200 done date:2611221200 stat:DELIVRD err:000 text:"


class Counts:
    """What the carrier has seen."""

    submits = 0
    acknowledged = 0
    last_submit_ns = 0
    arrivals: list[tuple[str, int]] = []
    last_bind: Carrier | None = None


class Carrier(asyncio.Protocol):
    """One bind. Everything that arrives in one read is answered in one write."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self.tail = b""
        self.sequence = 0

    def data_received(self, data: bytes) -> None:
        data = self.tail + data
        start = 0
        out: list[bytes] = []
        while len(data) - start >= 16:
            length, command, _, sequence = HEADER.unpack_from(data, start)
            if len(data) - start < length:
                break
            self._answer(command, sequence, data[start + 16 : start + length], out)
            start += length
        self.tail = data[start:]
        self.transport.write(b"".join(out))

    def _answer(self, command: int, sequence: int, body: bytes, out: list[bytes]) -> None:
        if command == SUBMIT:
            Counts.submits += 1
            Counts.last_submit_ns = time.monotonic_ns()
            provider_id = f"{Counts.submits:x}"
            if KEEP:
                Counts.arrivals.append((_destination(body), Counts.last_submit_ns))
            out.append(_frame(SUBMIT_RESPONSE, sequence, provider_id.encode() + b"\0"))
            if RECEIPTS:
                self.sequence += 1
                out.append(_frame(DELIVER, self.sequence, _receipt(provider_id)))
        elif command == DELIVER_RESPONSE:
            Counts.acknowledged += 1
        elif command in (1, 2, 9):
            Counts.last_bind = self
            out.append(_frame(BIND_RESPONSE | command, sequence, b"sink\0"))
        elif command == ENQUIRE:
            out.append(_frame(ENQUIRE_RESPONSE, sequence))
        elif command == UNBIND:
            out.append(_frame(UNBIND_RESPONSE, sequence))

    def flood(self, total: int) -> None:
        """So many receipts, in one write."""
        self.transport.write(b"".join(_frame(DELIVER, n + 1, _receipt(f"{n:x}")) for n in range(total)))


def _frame(command: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(16 + len(body), command, 0, sequence) + body


def _destination(body: bytes) -> str:
    """The destination address of a submit_sm: after service type and source."""
    at = body.index(b"\0") + 1 + 2
    at = body.index(b"\0", at) + 1 + 2
    return body[at : body.index(b"\0", at)].decode()


def _receipt(provider_id: str) -> bytes:
    text = (RECEIPT % provider_id).encode()
    return (
        b"\0\1\1" + b"8613800138000\0" + b"\0\0sink\0" + b"\x04\0\0\0\0\0\0\0\0" + bytes([len(text)]) + text
    )


KEEP = "--keep" in sys.argv
RECEIPTS = "--no-receipts" not in sys.argv


async def main() -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Carrier, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "arrivals":
            print(" ".join(f"{phone}:{at}" for phone, at in Counts.arrivals), flush=True)
            Counts.arrivals.clear()
        elif line.startswith("flood") and Counts.last_bind:
            Counts.last_bind.flood(int(line.split()[1]))
            print(flush=True)
        else:
            print(Counts.submits, Counts.acknowledged, Counts.last_submit_ns, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
