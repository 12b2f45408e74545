"""The SMPP link keeps what every link promises."""

from __future__ import annotations

import pytest

from messaging.gateways.smpp.link import SmppLink, SmppSettings
from tests.messaging.gateways.contract import ANSWER_SECONDS, LinkContract
from tests.messaging.gateways.smpp.peers import ScriptedSmsc, free_port

STATUSES = {"accept": 0x00, "later": 0x14, "throttle": 0x58, "bad number": 0x0B, "silent": None}


class SmscStage:
    """The scripted SMSC as the contract wants it."""

    def __init__(self):
        self._mood, self._taken, self._port = "accept", 0, 0
        self._smsc = ScriptedSmsc(self._answer)

    async def start(self):
        self._port = await self._smsc.start()

    async def stop(self):
        await self._smsc.stop()

    def tell(self, mood):
        self._mood = mood

    def taken(self):
        return self._taken

    def link(self, books, *, window=10, is_absent=False):
        settings = SmppSettings(
            "127.0.0.1",
            free_port() if is_absent else self._port,
            "shop",
            "pw",
            window=window,
            submit_timeout_seconds=ANSWER_SECONDS,
        )
        return SmppLink(settings, books.results.extend, books.delivers.extend, books.closed.append)

    def _answer(self, number):
        if self._mood == "cut":
            self._smsc.drop()
            return None
        self._taken += self._mood == "accept"
        return STATUSES[self._mood]


class TestSmppLink(LinkContract):
    @pytest.fixture
    def stage(self):
        return SmscStage()
