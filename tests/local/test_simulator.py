"""A shop's connection, the carrier and its customers' phones, over real SMPP."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterator

import pytest
import smpp34

from tests.local.conftest import Simulator

ANN, BO = "447700900123", "8613800138000"
RECEIPT = 4


class Shop:
    """An independent client (smpp34's) that keeps what it hears."""

    def __init__(self, session: smpp34.Smsc) -> None:
        self.session = session
        self.heard: asyncio.Queue[smpp34.DeliverSmEvent] = asyncio.Queue()

    async def listen(self) -> None:
        while isinstance(event := await self.session.next(), smpp34.DeliverSmEvent):
            self.heard.put_nowait(event)

    async def text(self, to: str, body: bytes, **more: object) -> smpp34.SubmitSmResp:
        return await self.session.submit_sm(
            to, body, **({"source_addr": "1069", "registered_delivery": 1} | more)
        )

    async def next_heard(self) -> smpp34.DeliverSmEvent:
        return await asyncio.wait_for(self.heard.get(), 20)


@contextlib.asynccontextmanager
async def shop_at(simulator: Simulator) -> AsyncIterator[Shop]:
    client = smpp34.Client(host="127.0.0.1", port=simulator.smsc_port, system_id="shop", password="secret")
    shop = Shop(await client.connect())
    listening = asyncio.create_task(shop.listen())
    try:
        yield shop
    finally:
        listening.cancel()
        with contextlib.suppress(smpp34.SmppError):
            await shop.session.unbind()
        await client.stop()


async def ask(simulator: Simulator, path: str, body: object = None) -> object:
    return await asyncio.to_thread(simulator.call, path, body)


def test_a_text_reaches_the_phone_and_its_receipt_the_shop(simulator: Simulator) -> None:
    async def story() -> None:
        async with shop_at(simulator) as shop:
            reference = [smpp34.Tlv(smpp34.TLV_USER_MESSAGE_REFERENCE, b"\x01\x02")]
            answer = await shop.text(ANN, b"Hello Ann", tlvs=reference)
            receipt = await shop.next_heard()

        assert receipt.esm_class == RECEIPT
        assert f"id:{answer.message_id} ".encode() in receipt.short_message
        assert b"stat:DELIVRD err:000" in receipt.short_message
        assert {tlv.tag: tlv.value for tlv in receipt.tlvs}[smpp34.TLV_USER_MESSAGE_REFERENCE] == b"\x01\x02"
        assert (receipt.source_addr, receipt.destination_addr) == (ANN, "1069")

    asyncio.run(story())
    [text] = simulator.thread(f"+{ANN}")
    assert (text["text"], text["peer"], text["state"]) == ("Hello Ann", "1069", "delivered")
    assert [entry["text"] for entry in simulator.journal() if entry["id"] in text["ids"]] == ["Hello Ann"]


def test_a_long_text_is_one_bubble_with_a_receipt_for_each_part(simulator: Simulator) -> None:
    long = "【常客】王芳您好，您的会员卡已充值500元，赠送80元。" * 4
    body = long.encode("utf-16-be")
    pieces = [body[at : at + 134] for at in range(0, len(body), 134)]

    async def story() -> None:
        async with shop_at(simulator) as shop:
            for number in reversed(range(len(pieces))):
                header = bytes([5, 0, 3, 77, len(pieces), number + 1])
                await shop.text(BO, header + pieces[number], data_coding=8, esm_class=0x40)
            receipts = {(await shop.next_heard()).short_message[:20] for _ in pieces}
            assert len(receipts) == len(pieces)

    asyncio.run(story())
    [text] = simulator.thread(BO)
    assert (text["text"], text["parts"], text["parts_here"], text["alphabet"]) == (long, 2, 2, "UCS-2")


@pytest.mark.parametrize(
    ("typed", "coding", "sent"), [("STOP", 0, b"STOP"), ("退订", 8, "退订".encode("utf-16-be"))]
)
def test_a_reply_goes_to_whoever_wrote_last(
    simulator: Simulator, typed: str, coding: int, sent: bytes
) -> None:
    async def story() -> None:
        async with shop_at(simulator) as shop:
            await shop.text(ANN, b"Offer!", source_addr="10690001", registered_delivery=0)
            reply = await ask(simulator, f"/api/handsets/{ANN}/reply", {"text": typed})
            heard = await shop.next_heard()

        assert reply["acknowledged"]
        assert (heard.source_addr, heard.destination_addr) == (ANN, "10690001")
        assert (heard.data_coding, heard.short_message) == (coding, sent)

    asyncio.run(story())
    assert [text["state"] for text in simulator.thread(ANN)] == ["delivered", "sent"]


def test_a_phone_that_is_off_gets_its_texts_when_it_is_on_again(simulator: Simulator) -> None:
    async def story() -> None:
        async with shop_at(simulator) as shop:
            await ask(simulator, f"/api/handsets/{ANN}/power", {"on": False})
            await shop.text(ANN, b"Are you there?")
            assert [text["state"] for text in await ask(simulator, f"/api/handsets/{ANN}/messages")] == [
                "waiting"
            ]
            assert shop.heard.empty()
            await ask(simulator, f"/api/handsets/{ANN}/power", {"on": True})
            assert b"stat:DELIVRD" in (await shop.next_heard()).short_message

    asyncio.run(story())
    assert [text["state"] for text in simulator.thread(ANN)] == ["delivered"]


@pytest.mark.parametrize(("fate", "stat"), [("undelivered", b"stat:UNDELIV"), ("expired", b"stat:EXPIRED")])
def test_a_phone_that_stays_off_sends_the_bad_news(simulator: Simulator, fate: str, stat: bytes) -> None:
    async def story() -> None:
        async with shop_at(simulator) as shop:
            await ask(simulator, f"/api/handsets/{ANN}/power", {"on": False, "fate": fate})
            await shop.text(ANN, b"Are you there?")
            assert stat in (await shop.next_heard()).short_message

    asyncio.run(story())


def test_a_throttling_carrier_refuses_and_writes_nothing_down(simulator: Simulator) -> None:
    async def story() -> list[int]:
        async with shop_at(simulator) as shop:
            await ask(simulator, "/api/carrier", {"throttle": True})
            refused = await shop.text(ANN, b"Too fast")
            await ask(simulator, "/api/carrier", {"throttle": False})
            return [refused.command_status, (await shop.text(ANN, b"Slower")).command_status]

    before = len(simulator.journal())
    assert asyncio.run(story()) == [0x58, 0]
    assert [entry["text"] for entry in simulator.journal()[before:]] == ["Slower"]
    assert [text["text"] for text in simulator.thread(ANN)] == ["Slower"]


def test_a_carrier_that_loses_receipts_delivers_all_the_same(simulator: Simulator) -> None:
    async def story() -> None:
        async with shop_at(simulator) as shop:
            await ask(simulator, "/api/carrier", {"lose_receipts": True})
            await shop.text(ANN, b"No news")
            await ask(simulator, "/api/carrier", {"lose_receipts": False})
            told = await shop.text(ANN, b"News")
            assert told.message_id.encode() in (await shop.next_heard()).short_message

    asyncio.run(story())
    assert simulator.call("/api/stats")["receipts_lost"] == 1


def test_a_receipt_is_repeated_until_the_shop_acknowledges_it(simulator: Simulator) -> None:
    simulator.call("/api/carrier", {"receipt_delay_ms": 100})
    with bound_line(simulator) as line:
        submit_hi(line)
        _, _, sequence, receipt = receive(line)
        send(line, 0x80000005, sequence, b"\0", status=0x08)  # "system error": not taken
        _, _, sequence, again = receive(line)
        assert (b"stat:DELIVRD" in receipt, again) == (True, receipt)
        assert simulator.call("/api/stats")["receipts"] == 0

        send(line, 0x80000005, sequence, b"\0")
        assert simulator.waits_for(receipts=1)
        assert simulator.call("/api/stats")["pending"] == 0


def test_a_receipt_on_a_line_that_breaks_comes_over_the_next_one(simulator: Simulator) -> None:
    simulator.call("/api/carrier", {"receipt_delay_ms": 100})
    with bound_line(simulator) as line:
        submit_hi(line)
        *_, receipt = receive(line)

    with bound_line(simulator) as line:
        *_, again = receive(line)
        assert again == receipt


def test_receipts_wait_for_the_next_connection(simulator: Simulator) -> None:
    async def story() -> bytes:
        await ask(simulator, "/api/carrier", {"receipt_delay_ms": 300})
        async with shop_at(simulator) as shop:
            await shop.text(ANN, b"Gone before the receipt")
        await asyncio.sleep(0.5)
        async with shop_at(simulator) as shop:
            return (await shop.next_heard()).short_message

    assert b"stat:DELIVRD" in asyncio.run(story())


def test_only_the_last_two_hundred_phones_keep_a_thread(simulator: Simulator) -> None:
    async def story() -> None:
        async with shop_at(simulator) as shop:
            await asyncio.gather(
                *(shop.text(f"4477009{n:05}", b"Hello", registered_delivery=0) for n in range(250))
            )

    asyncio.run(story())
    stats = simulator.call("/api/stats")
    assert (stats["accepted"], stats["handsets"]) == (250, 200)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/handsets/447700900123/reply", {"text": "  "}, "text"),
        ("/api/handsets/447700900123/reply", {"text": "x" * 1001}, "text"),
        ("/api/handsets/447700900123/reply", {"text": 5}, "text"),
        ("/api/handsets/12/reply", {"text": "Hi"}, "phone"),
        ("/api/handsets/447700900123/power", {"on": "yes"}, "on"),
        ("/api/handsets/447700900123/power", {"on": False, "fate": "explode"}, "fate"),
        ("/api/carrier", {"answer_delay_ms": -1}, "answer_delay_ms"),
        ("/api/carrier", {"answer_delay_ms": True}, "answer_delay_ms"),
        ("/api/carrier", {"throttle": 1}, "throttle"),
        ("/api/carrier", {"speed": 9}, "speed"),
        ("/api/carrier", ["throttle"], ""),
    ],
)
def test_bad_values_are_refused_by_name(simulator: Simulator, path: str, body: object, field: str) -> None:
    status, answer = simulator.answer(path, body)

    assert (status, answer["field"]) == (400, field)


@pytest.mark.parametrize(
    ("headers", "status"), [({"Host": "shop.example"}, 421), ({"Content-Type": "text/plain"}, 415)]
)
def test_other_web_sites_cannot_press_our_buttons(
    simulator: Simulator, headers: dict[str, str], status: int
) -> None:
    assert simulator.answer("/api/reset", {}, headers)[0] == status


@contextlib.contextmanager
def bound_line(simulator: Simulator) -> Iterator[socket.socket]:
    """A bare connection, bound, that answers nothing by itself."""
    with socket.create_connection(("127.0.0.1", simulator.smsc_port), timeout=5) as line:
        send(line, 0x09, 1, b"shop\0secret\0\0\x34\0\0\0")
        assert receive(line)[:2] == (0x80000009, 0)
        yield line


def submit_hi(line: socket.socket) -> None:
    send(line, 0x04, 2, b"\0\1\1" + b"1069\0" + b"\1\1" + ANN.encode() + b"\0\0\0\0\0\0\1\0\0\0\2Hi")
    assert receive(line)[:2] == (0x80000004, 0)


def send(line: socket.socket, command: int, sequence: int, body: bytes, status: int = 0) -> None:
    line.sendall(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)


def receive(line: socket.socket) -> tuple[int, int, int, bytes]:
    length, command, status, sequence = struct.unpack(">IIII", read_exactly(line, 16))
    return command, status, sequence, read_exactly(line, length - 16)


def read_exactly(line: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        more = line.recv(count - len(read))
        assert more, "the carrier hung up"
        read += more
    return read
