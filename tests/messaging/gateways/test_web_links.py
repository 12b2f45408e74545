"""Aliyun, Tencent Cloud, Twilio and our own contract keep what every link promises, and what HTTP adds to it."""

from __future__ import annotations

import asyncio

import pytest

from messaging.gateways.base import LinkDown, ProviderText
from messaging.states import Reason
from tests.messaging.gateways.contract import PHONES, Books, LinkContract, WrongKeyContract, sms
from tests.messaging.gateways.stages import STAGES


class TestWebLinks(LinkContract, WrongKeyContract):
    @pytest.fixture(params=sorted(STAGES))
    def stage(self, request):
        return STAGES[request.param]()

    def test_a_reason_comes_with_the_no(self, stage, play):
        async def story(link, books):
            stage.tell("bad number")
            link.submit_batch([sms(1)])
            (result,) = await books.results_of(1)

            assert (result.outcome, result.reason) == ("permanent", Reason.BAD_NUMBER)

        play(story)

    @pytest.mark.parametrize("mood", ["garbage", "broken"])
    def test_an_answer_nobody_can_read_is_a_doubt(self, stage, play, mood):
        async def story(link, books):
            stage.tell(mood)
            link.submit_batch([sms(1)])
            (result,) = await books.results_of(1)

            assert (result.outcome, result.provider_id) == ("uncertain", None)

        play(story)

    def test_a_provider_gone_between_two_texts_has_taken_nothing(self, stage):
        async def story():
            await stage.start()
            books = Books()
            link = stage.link(books, failures_max=1)
            await link.connect()
            await stage.stop()
            link.submit_batch([sms(1), sms(2, PHONES[1])])
            await books.until(lambda: bool(books.closed))

            assert [result.outcome for result in books.results] == ["not_sent", "not_sent"]
            assert (link.is_up, len(books.closed)) == (False, 1)
            with pytest.raises(LinkDown, match="cannot connect"):
                await link.connect()
            await link.close()

        asyncio.run(story())

    def test_a_provider_that_answers_nothing_any_more_is_down(self, stage):
        async def story():
            await stage.start()
            books = Books()
            link = stage.link(books, failures_max=1)
            await link.connect()
            stage.tell("silent")
            link.submit_batch([sms(number, PHONES[number - 1]) for number in (1, 2, 3)])
            await books.until(lambda: bool(books.closed))

            assert {result.outcome for result in books.results} == {"uncertain"}
            await link.close()
            await stage.stop()

        asyncio.run(story())

    def test_texts_closed_before_their_first_octet_were_not_sent(self, stage, play):
        async def story(link, books):
            link.submit_batch([sms(1)])
            await link.close()

            assert [result.outcome for result in books.results] == ["not_sent"]
            assert stage.taken() == 0

        play(story)


def test_a_providers_word_is_kept_as_far_as_the_database_can_hold_it():
    async def story():
        stage, books = STAGES["http"](), Books()
        stage.fake.take = lambda numbers, content: "A\0\ud800"
        await stage.start()
        link = stage.link(books)
        await link.connect()
        link.submit_batch([sms(1)])
        await books.results_of(1)
        stage.fake.statuses = {"accept": (202, "\ud800")}
        link.submit_batch([sms(2)])
        accepted, unknown = await books.results_of(2)
        await link.close()
        await stage.stop()

        assert (accepted.outcome, accepted.provider_id) == ("accepted", "A\ufffd")
        assert (unknown.outcome, unknown.raw_status) == ("uncertain", "\ufffd")

    asyncio.run(story())


def test_the_settings_show_no_secret():
    for make in STAGES.values():
        stage = make()
        link = stage.link(Books(), is_absent=True, key="hunter2")
        assert "hunter2" not in repr(link.provider.settings)


def test_no_phone_and_no_value_gets_into_the_log(caplog):
    async def story():
        stage = STAGES["aliyun"]()
        await stage.start()
        books = Books()
        link = stage.link(books)
        await link.connect()
        link.submit_batch([sms(1, provider_text=ProviderText("SMS_1", (("code", "482915"),), "常客"))])
        await books.results_of(1)
        await link.close()
        await stage.stop()

    with caplog.at_level("DEBUG"):
        asyncio.run(story())

    ours = " ".join(record.getMessage() for record in caplog.records if "aiohttp" not in record.name)
    assert "482915" not in ours
    assert "13800138000" not in ours
