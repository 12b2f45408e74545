"""The other side for the CMPP tests: our ISMG, a scenario around it, and what the dispatcher writes down."""

from __future__ import annotations

import asyncio
import json

from crm.local.simulator.ismg import Ismg
from crm.local.simulator.journal import Journal
from messaging.encoding import split_parts
from messaging.gateways.base import OutboundSms
from messaging.gateways.cmpp.link import CmppLink, CmppSettings
from tests.messaging.gateways.smpp.peers import PHONE, Books

ACCESS = "1069012345"


def link_to(port, **settings):
    books = Books()
    account = CmppSettings("127.0.0.1", port, "901234", "secret", **({"access_number": ACCESS} | settings))
    return CmppLink(account, books.note_results, books.delivers.extend, books.closed.append), books


def text(attempt_id, words="您的余额是 88 元", sender="", **more):
    return OutboundSms(
        attempt_id, attempt_id, PHONE, sender, tuple(split_parts(words, "UCS-2")), "UCS-2", attempt_id, **more
    )


def with_ismg(coroutine, *, journal=None, accounts=None, highest=0x30, **settings):
    """Run a test's coroutine with a started gateway, a link to it (not connected) and its books."""

    async def main():
        ismg = Ismg(Journal(journal), accounts=accounts, version=highest)
        link, books = link_to(await ismg.start(), **settings)
        try:
            await coroutine(ismg, link, books)
        finally:
            await link.close()
            await ismg.stop()

    asyncio.run(main())


def journalled(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Stranger(asyncio.Protocol):
    """Answers a log-in with whatever it is told, and keeps what it hears."""

    def __init__(self, answer=b""):
        self.answer, self.heard, self.transport = answer, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if not self.heard:
            self.transport.write(self.answer)
        self.heard += data
        if data.startswith(bytes.fromhex("0000000c 00000002")):  # TERMINATE
            self.transport.close()


def with_stranger(answer, coroutine, **settings):
    async def main():
        stranger = Stranger(answer)
        server = await asyncio.get_running_loop().create_server(lambda: stranger, "127.0.0.1", 0)
        link, books = link_to(server.sockets[0].getsockname()[1], **settings)
        try:
            await coroutine(stranger, link, books)
        finally:
            await link.close()
            server.close()

    asyncio.run(main())


YES = bytes.fromhex("0000001e 80000001 00000001 00") + bytes(16) + b"\x20"
