"""The contract's stages for gateways spoken to over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messaging.gateways.aliyun.link import Aliyun
from messaging.gateways.aliyun.settings import AliyunSettings
from messaging.gateways.http.link import Http
from messaging.gateways.http.settings import HttpSettings
from messaging.gateways.tencent.link import Tencent
from messaging.gateways.tencent.settings import TencentSettings
from messaging.gateways.twilio.link import Twilio
from messaging.gateways.twilio.settings import TwilioSettings
from messaging.gateways.web import Provider, WebLink, WebSettings
from tests.messaging.gateways.contract import ANSWER_SECONDS, Books
from tests.messaging.gateways.fakes import FakeAliyun, FakeHttp, FakeProvider, FakeTencent, FakeTwilio
from tests.messaging.gateways.smpp.peers import free_port

MakeProvider = Callable[[FakeProvider, str, str], Provider]  # the fake, its address, the secret


class WebStage:
    """A fake provider and the way to it."""

    def __init__(self, fake: FakeProvider, provider: MakeProvider) -> None:
        self.fake, self._provider = fake, provider

    async def start(self) -> None:
        self.fake.__enter__()

    async def stop(self) -> None:
        self.fake.__exit__()

    def tell(self, mood: str) -> None:
        self.fake.mood = mood

    def taken(self) -> int:
        return len(self.fake.taken)

    def link(
        self, books: Books, *, window: int = 10, is_absent: bool = False, key: str = "", **more: Any
    ) -> WebLink:
        address = f"http://127.0.0.1:{free_port()}" if is_absent else self.fake.endpoint
        provider = self._provider(self.fake, address, key or self.fake.secret)
        settings = WebSettings(window=window, answer_timeout_seconds=ANSWER_SECONDS, **more)
        return WebLink(provider, settings, books.results.extend, books.delivers.extend, books.closed.append)


def aliyun(fake: FakeProvider, address: str, secret: str, **more: Any) -> Aliyun:
    return Aliyun(AliyunSettings(fake.key_id, secret, endpoint=address, **more))


def tencent(fake: FakeProvider, address: str, secret: str, **more: Any) -> Tencent:
    return Tencent(TencentSettings(fake.key_id, secret, "1400", endpoint=address, **more))


def twilio(fake: FakeProvider, address: str, secret: str, **more: Any) -> Twilio:
    return Twilio(TwilioSettings(fake.key_id, secret, endpoint=address, **more))


def http(fake: FakeProvider, address: str, secret: str) -> Http:
    return Http(HttpSettings(address, fake.key_id, secret))


STAGES: dict[str, Callable[[], WebStage]] = {
    "aliyun": lambda: WebStage(FakeAliyun(), aliyun),
    "tencent": lambda: WebStage(FakeTencent(), tencent),
    "twilio": lambda: WebStage(FakeTwilio(), twilio),
    "http": lambda: WebStage(FakeHttp(), http),
}
