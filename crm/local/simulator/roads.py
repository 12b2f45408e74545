"""The other roads to the phones, besides SMPP: a CMPP gateway and the doors of four providers. A text goes home, its receipt
and the replies to it, by the road it came.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from crm.local.simulator.carrier import WANTS_RECEIPT, Carrier, Submit
from crm.local.simulator.decoding import UNICODE, Part, split_header
from crm.local.simulator.handsets import digits_of
from crm.local.simulator.ismg import Ismg
from crm.local.simulator.providers import Aliyun, Http, Provider, Tencent, Twilio
from crm.local.simulator.reports import (
    Account,
    AliyunWords,
    HttpWords,
    Posting,
    Taken,
    TencentWords,
    TwilioWords,
    Words,
)
from messaging.gateways.cmpp import pdus

KEY_ID, SECRET = "simulator", "phone-simulator-secret"
KEPT_MAX = 20_000
RETRY_SECONDS = (0.5, 2.0, 5.0, 15.0, 30.0)
CALL_SECONDS = 10
ENDS = ("/receipts", "/inbound", "/status")


class Road(Protocol):
    """A way to the phones and home again."""

    name: str

    def receipt(self, submit: Submit, stat: str, count: Callable[[], None]) -> None:
        """Tell what became of a text; `count` once that is acknowledged."""

    async def reply(self, phone: str, to: str, text: str) -> None:
        """Send a phone's text; comes back when it is acknowledged."""

    def card(self) -> dict[str, Any]:
        """What a gateway has to be told to come this way."""

    def clear(self) -> None:
        """Forget what is on its way."""


class CmppRoad:
    """A carrier's CMPP gateway; every account is let in with the secret "secret"."""

    name = "CMPP"

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.gateway = Ismg(carrier.journal, on_submit=self._take)
        self.gateway.mood.fault = self._fault
        self.gateway.mood.stat = lambda submit: None  # the phones say
        self.gateway.on_answered = self._answered
        self.port = 0
        self._open: dict[int, Callable[[], None]] = {}
        self._submits: OrderedDict[str, tuple[pdus.Submit, int]] = OrderedDict()

    async def start(self, port: int) -> None:
        self.port = await self.gateway.start(port)

    async def stop(self) -> None:
        await self.gateway.stop()

    def card(self) -> dict[str, Any]:
        return {
            "way": self.name,
            "address": f"127.0.0.1:{self.port}",
            "account": "901234",
            "secret": "secret",
        }

    def clear(self) -> None:
        self._submits.clear()
        self._open.clear()

    def receipt(self, submit: Submit, stat: str, count: Callable[[], None]) -> None:
        known = self._submits.pop(submit.id, None)
        if known is not None:
            is_wide = any(connection.wide for connection in self.gateway.connections)
            self._open[self.gateway.receipt(*known, stat, is_wide)] = count

    async def reply(self, phone: str, to: str, text: str) -> None:
        parts = max(1, -(-len(text.encode("utf-16-be")) // 134)) if len(text) > 70 else 1
        acknowledged = [asyncio.Event() for _ in range(parts)]
        for number, done in zip(self.gateway.reply(phone, to, text, parts=parts), acknowledged, strict=True):
            self._open[number] = done.set
        for done in acknowledged:
            await done.wait()

    def _fault(self, number: int) -> str | None:
        self.gateway.mood.answer_delay_ms = self._carrier.mood.answer_delay_ms
        if not self._carrier.mood.throttle:
            return None
        self._carrier.counts["throttled"] += 1
        return "throttle"

    def _take(self, asked: pdus.Submit, msg_id: int) -> None:
        submit = Submit(
            id=str(msg_id),
            system_id="",
            source=asked.src_id,
            destination=_with_country(asked.destinations[0]),
            data_coding=asked.msg_fmt or 1,
            part=split_header(asked.content, 0x40 if asked.tp_udhi else 0),
            registered_delivery=asked.registered_delivery,
            reference=None,
            at=time.time(),
            way=self.name,
        )
        self._submits[submit.id] = (asked, msg_id)
        if len(self._submits) > KEPT_MAX:
            self._submits.popitem(last=False)
        self._carrier.take(submit)

    def _answered(self, msg_id: int) -> None:
        self._open.pop(msg_id, lambda: None)()


class ProviderRoad:
    """A provider's door. Its reports go where its `callback` says: the secret path of a gateway of the house."""

    def __init__(
        self, carrier: Carrier, name: str, provider: Provider, words: Words, path: str, key_id: str
    ) -> None:
        self.name, self.path = name, path
        self.callback = ""
        self._carrier, self._provider, self._words = carrier, provider, words
        provider.key_id, provider.secret, provider.on_taken = key_id, SECRET, self._take
        provider.stem = f"{time.time_ns() // 1_000_000:x}-"
        self._account = Account(key_id, SECRET)
        self._taken: OrderedDict[str, Taken] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Any request of a gateway, in the carrier's mood."""
        mood = self._carrier.mood
        self._provider.mood = "throttle" if mood.throttle else "accept"
        if mood.answer_delay_ms:
            await asyncio.sleep(mood.answer_delay_ms / 1000)
        return await self._provider.serve(request)

    def card(self) -> dict[str, Any]:
        account = {"account": self._account.key_id, "secret": self._account.secret}
        return {"way": self.name, "path": self.path, "callback": self.callback} | account

    def clear(self) -> None:
        self._taken.clear()
        for task in self._tasks:
            task.cancel()

    def receipt(self, submit: Submit, stat: str, count: Callable[[], None]) -> None:
        taken = self._taken.pop(submit.id, None)
        base = self.callback or (_base(str(taken.asked.get("StatusCallback", ""))) if taken else "")
        if taken is None or not base:
            return
        task = asyncio.create_task(
            self._say(self._words.report(taken, stat, self._account, base), base, count)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reply(self, phone: str, to: str, text: str) -> None:
        if self.callback:
            base = self.callback
            await self._say(self._words.reply(phone, to, text, self._account, base), base, lambda: None)
        else:
            await asyncio.Event().wait()  # nobody to tell

    def _take(self, number: str, provider_id: str, asked: dict[str, Any]) -> None:
        taken = Taken(number, provider_id, asked)
        source, text = self._words.shown(taken)
        submit = Submit(
            id=f"{provider_id}/{number}",
            system_id="",
            source=source,
            destination=_with_country(number),
            data_coding=UNICODE,
            part=Part(text.encode()),
            registered_delivery=WANTS_RECEIPT,
            reference=None,
            at=time.time(),
            way=self.name,
        )
        self._taken[submit.id] = taken
        if len(self._taken) > KEPT_MAX:
            self._taken.popitem(last=False)
        self._carrier.journal.write([self._carrier.entry(submit)])
        self._carrier.take(submit)

    async def _say(self, posting: Posting, base: str, count: Callable[[], None]) -> None:
        """Until the house takes it; not for ever."""
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for pause in (*RETRY_SECONDS, 0.0):
                try:
                    async with session.post(
                        f"{base}/{posting.end}", data=posting.body, headers=posting.headers
                    ) as answer:
                        if answer.status < 300:
                            count()
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(pause)


class Roads:
    """All of them, by name; remembers where reports go in a file beside the journal."""

    def __init__(self, carrier: Carrier, file: Path) -> None:
        self.cmpp = CmppRoad(carrier)
        self._file = file
        self.providers = [
            ProviderRoad(carrier, "Aliyun", Aliyun(), AliyunWords(), "/providers/aliyun", KEY_ID),
            ProviderRoad(carrier, "Tencent", Tencent(), TencentWords(), "/providers/tencent", KEY_ID),
            ProviderRoad(carrier, "Twilio", Twilio(), TwilioWords(), "/providers/twilio", "AC" + "0" * 32),
            ProviderRoad(carrier, "HTTP", Http(), HttpWords(), "/providers/http", KEY_ID),
        ]
        roads: list[Road] = [self.cmpp, *self.providers]
        carrier.roads = {road.name: road for road in roads}
        for name, callback in self._kept().items():
            self.tell(name, callback)

    def cards(self) -> list[dict[str, Any]]:
        """What the page shows of each."""
        return [self.cmpp.card(), *(road.card() for road in self.providers)]

    def tell(self, name: str, callback: str) -> bool:
        """Where a provider's reports go; False when there is no such provider."""
        road = next((road for road in self.providers if road.name == name), None)
        if road is None:
            return False
        road.callback = _base(callback)
        self._file.write_text(json.dumps({road.name: road.callback for road in self.providers}))
        return True

    def _kept(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_text()))
        except (OSError, ValueError):
            return {}


def _base(address: str) -> str:
    """The secret path, whichever of its ends was pasted."""
    address = address.strip().rstrip("/")
    for end in ENDS:
        address = address.removesuffix(end)
    return address


def _with_country(number: str) -> str:
    """Digits with the country's; Chinese providers are given mainland numbers without."""
    digits = digits_of(number)
    is_mainland = len(digits) == 11 and digits.startswith("1") and not number.startswith("+")
    return f"86{digits}" if is_mainland else digits
