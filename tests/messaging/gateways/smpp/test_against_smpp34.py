"""The link against smpp34's server: an SMSC that shares no code and no author with ours."""

import asyncio

import smpp34

from tests.messaging.gateways.smpp.peers import PHONE, RECEIPT, free_port, link_to, sms


class Smpp34Smsc:
    """smpp34's own server; answers each submit as told and keeps what arrived."""

    def __init__(self, answer=lambda number: 0):
        self.answer, self.submits, self.esmes = answer, [], []
        self.port = free_port()
        self.server = smpp34.Server("127.0.0.1", self.port, system_id="smpp34")

    async def __aenter__(self):
        await self.server.start()
        self.reader = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        await self.server.stop()
        await asyncio.sleep(0.05)  # its own thread still reports to this event loop
        self.reader.cancel()

    async def read(self):
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.esmes.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submits.append(event)
                status = self.answer(len(self.submits))
                event.reject(status) if status else event.accept(f"id-{len(self.submits)}")


def with_smpp34(coroutine, answer=lambda number: 0, **settings):
    async def main():
        async with Smpp34Smsc(answer) as smsc:
            link, books = link_to(smsc.port, **settings)
            await link.connect()
            await coroutine(smsc, link, books)
            await link.close()

    asyncio.run(main())


def test_a_text_is_accepted_with_its_provider_id_and_its_fields_arrive():
    async def story(smsc, link, books):
        link.submit_batch([sms(1, "Café 5€ @home")])
        await books.until(lambda: books.results)
        (result,), (arrived,) = books.results, smsc.submits
        assert result[:6] == (1, "accepted", "id-1", "0x00", ("id-1",), False)
        assert (arrived.source_addr, arrived.source_addr_ton, arrived.source_addr_npi) == ("SHOP", 5, 0)
        assert (arrived.destination_addr, arrived.dest_addr_ton, arrived.dest_addr_npi) == (PHONE[1:], 1, 1)
        assert (arrived.registered_delivery, arrived.data_coding, arrived.esm_class) == (1, 0, 0)
        assert arrived.short_message == b"Caf\x05 5\x1b\x65 \x00home"

    with_smpp34(story)


def test_a_chinese_text_of_three_parts_is_one_result_with_three_ids():
    text = "【蓝湾洗车】" + "您" * 154

    async def story(smsc, link, books):
        link.submit_batch([sms(300, text, sender="1069012345", encoding="UCS-2")])
        await books.until(lambda: books.results)
        (result,) = books.results
        assert result[:6] == (300, "accepted", "id-1", "0x00", ("id-1", "id-2", "id-3"), False)
        arrived = [event.short_message for event in smsc.submits]
        assert [octets[:6].hex() for octets in arrived] == ["0500032c0301", "0500032c0302", "0500032c0303"]
        assert "".join(octets[6:].decode("utf-16-be") for octets in arrived) == text
        fields = {(event.esm_class, event.data_coding, event.source_addr_ton) for event in smsc.submits}
        assert fields == {(0x40, 8, 3)}

    # One by one: smpp34 hands over in any order what arrives together.
    with_smpp34(story, window=1)


def test_throttling_is_surfaced_message_by_message():
    async def story(smsc, link, books):
        link.submit_batch([sms(number) for number in range(1, 7)])
        await books.until(lambda: len(books.results) == 6)
        assert sorted(books.outcomes().values()) == ["accepted"] * 3 + ["throttle"] * 3
        refused = [result for result in books.results if result.outcome == "throttle"]
        assert {(result.provider_id, result.raw_status) for result in refused} == {(None, "0x58")}

    with_smpp34(story, answer=lambda number: 0x58 if number % 2 else 0)


def test_a_receipt_waits_for_our_commit():
    async def story(smsc, link, books):
        await books.until(lambda: smsc.esmes)
        sending = asyncio.ensure_future(
            smsc.esmes[0].deliver_sm("SHOP", RECEIPT % b"id-1", source_addr="8613800138000", esm_class=4)
        )
        await books.until(lambda: books.delivers)
        await asyncio.sleep(0.1)
        assert not sending.done()
        (deliver,) = books.delivers
        found = deliver.receipt
        assert (found.provider_id, found.outcome, found.is_final) == ("id-1", "delivered", True)

        link.acknowledge(deliver)
        assert (await sending).is_success

    with_smpp34(story)


def test_a_refused_receipt_is_answered_as_temporary():
    async def story(smsc, link, books):
        await books.until(lambda: smsc.esmes)
        sending = asyncio.ensure_future(smsc.esmes[0].deliver_sm("SHOP", RECEIPT % b"id-1", esm_class=4))
        await books.until(lambda: books.delivers)
        link.refuse(*books.delivers)
        assert (await sending).command_status == 0x64

    with_smpp34(story)


def test_an_inbound_chinese_reply():
    async def story(smsc, link, books):
        await books.until(lambda: smsc.esmes)
        octets = "退订".encode("utf-16-be")
        sending = asyncio.ensure_future(
            smsc.esmes[0].deliver_sm(
                "1069012345", octets, source_addr="8613800138000", source_addr_ton=1, data_coding=8
            )
        )
        await books.until(lambda: books.delivers)
        inbound = books.delivers[0].inbound
        assert (inbound.phone, inbound.to, inbound.text, inbound.part) == (PHONE, "1069012345", "退订", None)
        link.acknowledge(*books.delivers)
        await sending

    with_smpp34(story)


def test_two_thousand_texts_through_a_window_of_ten():
    async def story(smsc, link, books):
        waiting = [sms(number) for number in range(2_000)]
        while len(books.results) < 2_000:
            batch = [waiting.pop() for _ in range(min(link.free, len(waiting)))]
            link.submit_batch(batch)
            known = len(books.results)
            await books.until(lambda known=known: len(books.results) > known)
            link.release(len(books.results) - known)
        assert set(books.outcomes().values()) == {"accepted"}
        assert len({result.provider_id for result in books.results}) == len(smsc.submits) == 2_000

    with_smpp34(story)
