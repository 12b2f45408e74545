"""The providers of the phone simulator, each on a loop of its own thread: a provider's blocking SDK can call it as well as
our link.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

from aiohttp import web

from crm.local.simulator.providers import MOODS, Aliyun, Http, Provider, Tencent, Twilio

__all__ = ["MOODS", "FakeAliyun", "FakeHttp", "FakeProvider", "FakeTencent", "FakeTwilio", "running"]


class FakeProvider(Provider):
    """A server on 127.0.0.1."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> FakeProvider:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]


class FakeAliyun(FakeProvider, Aliyun):
    """Aliyun's door."""


class FakeTencent(FakeProvider, Tencent):
    """Tencent Cloud's door."""


class FakeTwilio(FakeProvider, Twilio):
    """Twilio's door."""


class FakeHttp(FakeProvider, Http):
    """The door of a gateway of one's own."""


def running(fake: FakeProvider) -> Iterator[FakeProvider]:
    """A fixture's body."""
    with fake:
        yield fake
