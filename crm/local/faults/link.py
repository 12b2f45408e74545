"""A wire between a gateway and its carrier that can be torn, and that can swallow answers."""

from __future__ import annotations

import asyncio
import ssl
import struct
import threading
from collections.abc import Callable

HEADER = struct.Struct(">IIII")
SUBMIT_RESPONSE = 0x80000004


class FaultyLink:
    """A TCP relay on a port of this machine (0: a free one), in a thread of its own, to one port of the carrier's.

    With `tls` it is the carrier's TLS: the gateway's side is encrypted, the carrier's is not.
    """

    def __init__(self, to_port: int, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._to_port, self._tls = to_port, tls
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._ends: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Event] = set()
        self._answers_to_drop = 0
        self.answers_dropped = 0
        self.port = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)

    def reset(self) -> None:
        """Tear every connection that is open now."""
        self._loop.call_soon_threadsafe(self._tear)

    def silence(self) -> None:
        """Nothing comes through what is open now, either way, and nobody is told: a stall, or half a connection."""
        self._loop.call_soon_threadsafe(self._for_each, asyncio.Event.clear)

    def resume(self) -> None:
        """What was held back comes through after all."""
        self._loop.call_soon_threadsafe(self._for_each, asyncio.Event.set)

    def drop_answers(self, count: int) -> None:
        """The next so many answers to submits never arrive; what they answer was taken all the same."""
        self._answers_to_drop += count

    def close(self) -> None:
        """Tear everything and stop."""
        self._loop.call_soon_threadsafe(self._tear)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._relay, "127.0.0.1", self.port, ssl=self._tls)
        server = self._loop.run_until_complete(serving)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        server.close()
        self._loop.close()

    def _for_each(self, change: Callable[[asyncio.Event], None]) -> None:
        for flow in self._flows:
            change(flow)

    def _tear(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        ends, flow = {writer, far_writer}, asyncio.Event()
        flow.set()
        self._ends |= ends
        self._flows.add(flow)
        works = [
            asyncio.create_task(self._there(reader, far_writer, flow)),
            asyncio.create_task(self._back(far_reader, writer, flow)),
        ]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # by `close`
            pass
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            self._flows.discard(flow)
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _there(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            await flow.wait()
            writer.write(data)
            await writer.drain()

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: asyncio.Event
    ) -> None:
        while True:
            header = await reader.readexactly(16)
            length, command, _, _ = HEADER.unpack(header)
            body = await reader.readexactly(length - 16)
            await flow.wait()
            if command == SUBMIT_RESPONSE and self._answers_to_drop:
                self._answers_to_drop -= 1
                self.answers_dropped += 1
                continue
            writer.write(header + body)
            await writer.drain()
