"""A wire between a gateway and its carrier that can be torn, and that can swallow answers."""

from __future__ import annotations

import asyncio
import struct
import threading

HEADER = struct.Struct(">IIII")
SUBMIT_RESPONSE = 0x80000004


class FaultyLink:
    """A TCP relay on a free port of this machine, in a thread of its own, to one port of the carrier's."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._ends: set[asyncio.StreamWriter] = set()
        self._answers_to_drop = 0
        self.answers_dropped = 0
        self.port = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)

    def reset(self) -> None:
        """Tear every connection that is open now."""
        self._loop.call_soon_threadsafe(self._tear)

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
        server = self._loop.run_until_complete(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()

    def _tear(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            await asyncio.gather(self._there(reader, far_writer), self._back(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            header = await reader.readexactly(16)
            length, command, _, _ = HEADER.unpack(header)
            body = await reader.readexactly(length - 16)
            if command == SUBMIT_RESPONSE and self._answers_to_drop:
                self._answers_to_drop -= 1
                self.answers_dropped += 1
                continue
            writer.write(header + body)
            await writer.drain()
