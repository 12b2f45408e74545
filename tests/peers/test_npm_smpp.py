"""npm's smpp as the SMSC that our link is bound to: what its decoder makes of our PDUs, and its receipts to us."""

import asyncio
import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest

from messaging.gateways.base import BindRefused
from messaging.gateways.smpp.link import SmppLink, SmppSettings
from tests.messaging.gateways.smpp.peers import Books, sms

pytestmark = pytest.mark.xdist_group("peers")
LONG = "【蓝湾洗车】您的余额是 88 元" + "您" * 150


class NpmSmsc:
    """The node process and what it said so far."""

    def __init__(self, modules):
        self.modules, self.events = modules, []

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            shutil.which("node"),
            str(Path(__file__).with_name("smsc.js")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"NODE_PATH": str(self.modules)},
        )
        self.port = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 20))["port"]
        self.reader = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 5)
        self.reader.cancel()

    async def read(self):
        while line := await self.process.stdout.readline():
            self.events.append(json.loads(line))

    def heard(self, event):
        return [entry for entry in self.events if entry["event"] == event]


def with_npm(modules, story, password="pw", **settings):
    async def main():
        async with NpmSmsc(modules) as smsc:
            books = Books()
            account = SmppSettings("127.0.0.1", smsc.port, "shop", password, **settings)
            link = SmppLink(account, books.note_results, books.delivers.extend, books.closed.append)
            try:
                await story(smsc, link, books)
            finally:
                await link.close()

    asyncio.run(main())


def test_it_reads_our_texts_and_we_its_answers_and_receipts(node_modules):
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch(
            [sms(1, "Dear Li Wei, €5 @home", validity_seconds=90), sms(2, "您好 😀", encoding="UCS-2")]
        )
        await books.until(lambda: len(books.results) == 2 and len(books.delivers) == 2)
        await books.until(lambda: len(smsc.heard("submit")) == 2)  # its words come by a pipe of their own
        assert [entry["text"] for entry in smsc.heard("submit")] == ["Dear Li Wei, €5 @home", "您好 😀"]
        first = smsc.heard("submit")[0]
        assert (first["from"], first["from_ton"], first["to"], first["wants_receipt"]) == (
            "SHOP",
            5,
            "8613800138000",
            1,
        )
        assert [result.provider_id for result in books.results] == ["npm-1", "npm-2"]
        assert [d.receipt[:5] for d in books.delivers] == [
            (f"npm-{number}", "DELIVRD", "000", "delivered", True) for number in (1, 2)
        ]
        await asyncio.sleep(0.05)
        assert smsc.heard("receipt answered") == []
        link.acknowledge(books.delivers[0])
        link.refuse(books.delivers[1])
        await books.until(lambda: len(smsc.heard("receipt answered")) == 2)
        assert [entry["status"] for entry in smsc.heard("receipt answered")] == [0, 0x64]
        await link.close()
        await books.until(lambda: smsc.heard("unbind"))
        assert smsc.heard("bind_transceiver") == [
            {"event": "bind_transceiver", "system_id": "shop", "version": 0x34}
        ]

    with_npm(node_modules, story)


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar", "payload"])
def test_it_puts_our_long_texts_together(node_modules, way):
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(0x1234, LONG, encoding="UCS-2")])
        await books.until(lambda: "".join(entry["text"] for entry in smsc.heard("submit")) == LONG)
        submits = smsc.heard("submit")
        numbers = range(1, len(submits) + 1)
        total = f"{len(submits):02x}"
        expected = {
            "udh8": [(["000334" + total + f"{n:02x}"], []) for n in numbers],
            "udh16": [(["08041234" + total + f"{n:02x}"], []) for n in numbers],
            "sar": [([], [0x1234, len(submits), n]) for n in numbers],
            "payload": [([], [])],
        }
        assert [(entry["udh"], entry["sar"]) for entry in submits] == expected[way]

    with_npm(node_modules, story, long_texts=way)


def test_throttling_and_a_wrong_password(node_modules):
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1, "THROTTLE me"), sms(2)])
        await books.until(lambda: len(books.results) == 2)
        assert books.outcomes() == {1: "throttle", 2: "accepted"}

    async def refused(smsc, link, books):
        with pytest.raises(BindRefused) as problem:
            await link.connect()
        assert (problem.value.status, problem.value.is_final) == (0x0E, True)

    with_npm(node_modules, story)
    with_npm(node_modules, refused, password="wrong")


def test_a_transmitter_and_a_receiver(node_modules):
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1)])
        await books.until(lambda: books.results)
        assert [entry["event"] for entry in smsc.events][:2] == ["bind_transmitter", "bind_receiver"]
        assert books.outcomes() == {1: "accepted"}

    with_npm(node_modules, story, bind="pair")


def test_our_enquiries_are_answered(node_modules):
    async def story(smsc, link, books):
        await link.connect()
        await books.until(lambda: len(smsc.heard("enquire_link")) >= 2)
        assert link.is_up

    with_npm(node_modules, story, enquire_seconds=0.1, enquire_timeout_seconds=1)
