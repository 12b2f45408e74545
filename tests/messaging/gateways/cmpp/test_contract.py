"""The CMPP link keeps what every link promises."""

from __future__ import annotations

import pytest

from crm.local.simulator.ismg import Ismg
from messaging.gateways.cmpp.link import CmppLink, CmppSettings
from tests.messaging.gateways.contract import ANSWER_SECONDS, LinkContract
from tests.messaging.gateways.smpp.peers import free_port

FAULTS = {
    "accept": None,
    "later": 3,
    "throttle": "throttle",
    "bad number": 13,
    "silent": "drop",
    "cut": "reset_before",
}


class IsmgStage:
    """The tests' CMPP gateway as the contract wants it."""

    def __init__(self):
        self._fault, self._taken, self._port, self._ismg = None, 0, 0, None

    async def start(self):
        self._ismg = Ismg(on_submit=self._take)
        self._ismg.mood.fault = lambda number: self._fault
        self._ismg.mood.stat = lambda submit: None
        self._port = await self._ismg.start()

    async def stop(self):
        await self._ismg.stop()

    def tell(self, mood):
        self._fault = FAULTS[mood]

    def taken(self):
        return self._taken

    def link(self, books, *, window=10, is_absent=False):
        settings = CmppSettings(
            "127.0.0.1",
            free_port() if is_absent else self._port,
            "901234",
            "secret",
            window=window,
            submit_timeout_seconds=ANSWER_SECONDS,
        )
        return CmppLink(settings, books.results.extend, books.delivers.extend, books.closed.append)

    def _take(self, submit, msg_id):
        self._taken += 1


class TestCmppLink(LinkContract):
    @pytest.fixture
    def stage(self):
        return IsmgStage()
