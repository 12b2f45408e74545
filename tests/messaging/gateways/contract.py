"""What every gateway's link promises its dispatcher, whatever the protocol (messaging/gateways/base.py).

A module of tests inherits `LinkContract` and gives it a `Stage`: the other side, which can be told to fail, and a way
to a link. Each test runs on a loop of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol

import pytest

from messaging.encoding import split_parts
from messaging.gateways.base import (
    BindRefused,
    GatewayLink,
    LinkDown,
    OutboundSms,
    ProviderText,
    SubmitResult,
    WindowFull,
)

PHONES = ("+8613800138000", "+8613900139000", "+8613700137000")
ANSWER_SECONDS = 0.4  # how long a contract's link waits for an answer


class Books:
    """What a dispatcher would write down, and a way to wait for it."""

    def __init__(self) -> None:
        self.results: list[SubmitResult] = []
        self.delivers: list[Any] = []
        self.closed: list[str] = []

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    async def results_of(self, count: int) -> list[SubmitResult]:
        """Wait for so many results, and a moment longer for one too many."""
        await self.until(lambda: len(self.results) >= count)
        await asyncio.sleep(0.02)
        return self.results


class Stage(Protocol):
    """The other side of one gateway kind. `tell` sets what it does with the next texts: see fakes.MOODS."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def tell(self, mood: str) -> None: ...
    def link(self, books: Books, *, window: int = 10, is_absent: bool = False) -> GatewayLink:
        """A link to it; `is_absent`: to a port where nobody listens."""

    def taken(self) -> int:
        """How many texts it has said yes to."""


def sms(attempt_id: int, phone: str = PHONES[0], text: str = "Dear Li Lei", **more: Any) -> OutboundSms:
    """A text with what any provider may ask for."""
    fields: dict[str, Any] = {
        "provider_text": ProviderText("SMS_1", (("name", "Li Lei"),), "常客"),
        "message_class": "notification",
    } | more
    parts = tuple(split_parts(text, "GSM-7"))
    return OutboundSms(attempt_id, attempt_id, phone, "+15005550006", parts, "GSM-7", attempt_id, **fields)


class LinkContract:
    """Inherit and give a `stage` fixture."""

    # What a refused log-in looks like differs: SMPP is told at the bind, an API at the first request.
    moods_of_no: tuple[tuple[str, str], ...] = (
        ("later", "retry"),
        ("throttle", "throttle"),
        ("bad number", "permanent"),
    )

    @pytest.fixture
    def stage(self) -> Iterator[Stage]:
        raise NotImplementedError

    @pytest.fixture
    def play(self, stage: Stage) -> Callable[..., None]:
        """Run a story with the other side there, a connected link and its books; close it afterwards."""

        def run(
            story: Callable[[GatewayLink, Books], Coroutine[Any, Any, None]], *, window: int = 10
        ) -> None:
            async def main() -> None:
                await stage.start()
                books = Books()
                link = stage.link(books, window=window)
                try:
                    await link.connect()
                    await story(link, books)
                finally:
                    await link.close()
                    await stage.stop()

            asyncio.run(main())

        return run

    def test_each_message_gets_one_result_with_an_id_of_its_own(self, stage, play):
        async def story(link, books):
            link.submit_batch([sms(number, PHONES[number % 3]) for number in range(1, 7)])
            results = await books.results_of(6)

            assert sorted(result.attempt_id for result in results) == [1, 2, 3, 4, 5, 6]
            assert {(result.outcome, result.is_late) for result in results} == {("accepted", False)}
            assert len({result.provider_id for result in results} - {None}) == 6
            assert all(result.part_ids == (result.provider_id,) for result in results)
            assert stage.taken() == 6

        play(story)

    def test_a_slot_is_free_again_only_when_the_result_is_written(self, play):
        async def story(link, books):
            assert (link.is_up, link.free) == (True, 3)
            link.submit_batch([sms(1), sms(2, PHONES[1]), sms(3, PHONES[2])])
            assert link.free == 0
            with pytest.raises(WindowFull):
                link.submit_batch([sms(4)])
            await books.results_of(3)

            assert link.free == 0
            link.release(2)
            assert link.free == 2
            with pytest.raises(ValueError, match="released"):
                link.release(2)

        play(story, window=3)

    def test_a_no_says_what_to_do(self, stage, play):
        async def story(link, books):
            for number, (mood, _outcome) in enumerate(self.moods_of_no, 1):
                stage.tell(mood)
                link.submit_batch([sms(number)])
                await books.results_of(number)

            assert [result.outcome for result in books.results] == [
                outcome for _mood, outcome in self.moods_of_no
            ]
            assert all(result.provider_id is None and result.raw_status for result in books.results)
            assert link.is_up
            assert stage.taken() == 0

        play(story)

    def test_silence_is_a_doubt_and_takes_no_longer_than_the_limit(self, stage, play):
        async def story(link, books):
            stage.tell("silent")
            began = asyncio.get_running_loop().time()
            link.submit_batch([sms(1)])
            (result,) = await books.results_of(1)

            assert (result.outcome, result.raw_status) == ("uncertain", "timeout")
            assert asyncio.get_running_loop().time() - began < ANSWER_SECONDS * 4

        play(story)

    def test_a_connection_cut_after_the_request_is_a_doubt(self, stage, play):
        async def story(link, books):
            stage.tell("cut")
            link.submit_batch([sms(1)])
            (result,) = await books.results_of(1)

            assert (result.outcome, result.provider_id) == ("uncertain", None)

        play(story)

    def test_nobody_there_is_a_link_that_is_down_and_takes_nothing(self, stage):
        async def story():
            link = stage.link(Books(), is_absent=True)
            with pytest.raises(LinkDown):
                await link.connect()
            assert (link.is_up, link.free) == (False, 0)
            with pytest.raises(LinkDown):
                link.submit_batch([sms(1)])
            await link.close()

        asyncio.run(story())

    def test_a_drain_takes_no_more_and_waits_for_what_is_open(self, play):
        async def story(link, books):
            link.submit_batch([sms(1), sms(2, PHONES[1])])

            assert await link.drain(2.0)
            assert (link.is_up, link.free, len(books.results)) == (False, 0, 2)
            with pytest.raises(LinkDown):
                link.submit_batch([sms(3)])

        play(story)

    def test_closing_accounts_for_what_is_open(self, stage, play):
        async def story(link, books):
            stage.tell("silent")
            link.submit_batch([sms(1), sms(2, PHONES[1])])
            await asyncio.sleep(0.05)
            assert not await link.drain(0.05)
            await link.close()

            outcomes = {result.attempt_id: result.outcome for result in books.results}
            assert outcomes == {1: "uncertain", 2: "uncertain"}
            assert len(books.closed) == 1

        play(story)

    def test_the_callbacks_run_after_the_hand_over_never_inside_it(self, play):
        async def story(link, books):
            link.submit_batch([sms(1)])
            assert books.results == []
            await books.results_of(1)

        play(story)


class WrongKeyContract:
    """For links that learn at the greeting that their key is wrong, and later that their account may not send."""

    def test_a_wrong_key_is_said_at_once_and_for_a_person(self, stage, play):
        async def story():
            await stage.start()
            link = stage.link(Books(), key="another key")
            try:
                with pytest.raises(BindRefused) as refused:
                    await link.connect()
                assert (refused.value.is_final, refused.value.is_account) == (True, False)
            finally:
                await link.close()
                await stage.stop()

        asyncio.run(story())

    def test_an_account_that_may_not_send_takes_the_link_down_until_a_person_has_looked(self, stage, play):
        async def story(link, books):
            stage.tell("account")
            link.submit_batch([sms(1), sms(2, PHONES[1])])
            await books.until(lambda: bool(books.closed))

            assert {result.outcome for result in books.results} == {"stop_bind"}
            assert (len(books.results), link.is_up, len(books.closed)) == (2, False, 1)
            with pytest.raises(BindRefused) as refused:
                await link.connect()
            assert (refused.value.is_final, refused.value.is_account) == (True, True)
            stage.tell("accept")
            await link.connect()
            assert (link.is_up, link.free) == (True, 8), "two results are not written yet"

        play(story)
