"""Receipts read in one look: the same, octet for octet, as read field by field, whatever comes."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from messaging.gateways.base import Deliver
from messaging.gateways.smpp import codec, pdus
from messaging.gateways.smpp.pdus import ShortMessage
from messaging.gateways.smpp.receipts import STATES
from messaging.gateways.smpp.session import SmppSession
from messaging.gateways.smpp.settings import SmppSettings

WORDS = ["DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", "ACCEPTD", "ENROUTE", "UNKNOWN", "DELETED"]
NUMBERS = {word: number for number, word in STATES.items()}
ODD_WORDS = ["delivrd", "FAILED", "DELIVRDX", "2", "", "BUFFERED"]
TAILS = ["", " text:", " text:Hello id:7 stat:UNDELIV", " text:caf\xe9", " ", "x", " text:a\0b", "\n"]
LETTERS = "0123456789abcdefABCDEF-_.~:;! \xe9"


def some_receipt(draw: random.Random, sequence: int) -> bytes:
    """A deliver_sm: mostly a plain receipt, often nearly one, now and then with octets thrown in."""
    if draw.random() < 0.5:
        stat = draw.choice(WORDS)
        text = f"id:{sequence:x} sub:001 dlvrd:001 submit date:2611291200 done date:2611291200 stat:{stat} err:000 text:"
        tlvs = some_parameters(draw, sequence, stat)
        usual = ShortMessage("8613800138000", "1069", text.encode(), "", 1, 1, esm_class=4, tlvs=tlvs)
        return codec.encode(pdus.Pdu(pdus.DELIVER_SM, sequence, body=usual))
    may = draw.random
    provider_id = "".join(
        draw.choices(LETTERS if may() < 0.2 else LETTERS[:16], k=draw.choice([1, 8, 10, 64, 70]))
    )
    text = (
        f"id:{provider_id} sub:{draw.choice(['001', '', '1'])} dlvrd:001"
        f" submit date:{draw.choice(['2611291200', '261129120000', ''])} done date:2611291200"
        f" stat:{draw.choice(WORDS if may() < 0.8 else ODD_WORDS)}"
        f" err:{draw.choice(['000', '', '1:34', 'A' * 33])}{draw.choice(TAILS[:3] if may() < 0.7 else TAILS)}"
    )
    tlvs = {0x001E: provider_id.encode("latin-1") + b"\0", 0x0427: b"\2"} if may() < 0.3 else {}
    message = ShortMessage(
        draw.choice(["8613800138000"] * 6 + ["", "+8613800138000", "shop", "8" * 20]),
        draw.choice(["1069012345", "", "shop"]),
        text.encode("latin-1")[: 254 if may() < 0.9 else 60],
        "CMT" if may() < 0.05 else "",
        draw.choice([1, 1, 1, 0, 2, 5]),
        1,
        esm_class=draw.choice([4, 4, 4, 4, 4, 4, 0, 0x20, 0x44]),
        data_coding=draw.choice([0, 0, 8, 1]),
        registered_delivery=draw.choice([0, 0, 1]),
        schedule_delivery_time="0" * 16 if may() < 0.03 else "",
        tlvs=tlvs,
    )
    octets = bytearray(codec.encode(pdus.Pdu(pdus.DELIVER_SM, sequence, body=message)))
    if may() < 0.15:
        octets[draw.randrange(16, len(octets))] = draw.choice([0, 1, 32, 58, draw.randrange(256)])
    return bytes(octets)


def some_parameters(draw: random.Random, sequence: int, stat: str) -> dict[int, bytes]:
    """What an SMSC adds to the text: mostly the same again, at times something else."""
    if draw.random() < 0.3:
        return {}
    state = NUMBERS[stat] if draw.random() < 0.8 else draw.randrange(10)
    ending = b"\0" if draw.random() < 0.8 else draw.choice([b"", b"9\0", b" \0"])
    again = {0x001E: b"%x" % sequence + ending, 0x0427: bytes([state])}
    other = {draw.choice([0x0204, 0x0204, 0x0423]): draw.choice([b"\1\2", b"\1\2", b"\3\0\1"])}
    return draw.choice([again, again, again | other, again | other, other, dict(reversed(again.items()))])


class Line:
    """The transport of a session that nobody listens to."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, octets: bytes) -> None:
        self.written += octets

    def __getattr__(self, name: str) -> Any:
        return lambda *_given, **_named: False


class Careful(SmppSession):
    """Reads every receipt field by field."""

    def _read_plain_receipt(self, *_given: Any) -> bool:
        return False


def heard(kind: Any, stream: bytes, cuts: list[int], **settings: Any) -> tuple[list[Deliver], bytes, bytes]:
    """What a session makes of a stream that comes in pieces: delivers, what it wrote, what it still keeps."""
    delivers: list[Deliver] = []

    async def read() -> tuple[list[Deliver], bytes, bytes]:
        account = SmppSettings("127.0.0.1", 1, "shop", "secret", delivers_open_max=10**9, **settings)
        session = kind(account, lambda results: None, delivers.extend, lambda *_ended: None, number=3)
        line = Line()
        session.connection_made(line)
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            session.data_received(stream[begin:end])
        session.answer_delivers([deliver.token[1] for deliver in delivers], 0)
        return delivers, line.written, session._tail

    return asyncio.run(read())


def one_stream(draw: random.Random, count: int) -> tuple[bytes, list[int]]:
    """Receipts with an answer or a probe between them here and there, and where the stream is cut."""
    pieces = []
    for number in range(count):
        pieces.append(some_receipt(draw, draw.choice([number + 1, draw.randrange(1, 2**31)])))
        if draw.random() < 0.1:
            pieces.append(codec.frame(pdus.ENQUIRE_LINK, 0, number + 1))
    stream = b"".join(pieces)
    return stream, sorted(draw.randrange(len(stream)) for _ in range(draw.randrange(6)))


def test_one_look_says_what_the_careful_reading_says():
    draw = random.Random(2026)
    plain = 0
    for _ in range(60):
        stream, cuts = one_stream(draw, 50)

        quick = heard(SmppSession, stream, cuts)

        careful = heard(Careful, stream, cuts)
        assert quick == careful and repr(quick) == repr(careful)
        plain += sum(deliver.receipt is not None for deliver in quick[0])
    assert plain > 1_000


def test_ids_in_two_bases_are_read_with_care():
    stream, cuts = one_stream(random.Random(7), 50)

    assert heard(SmppSession, stream, cuts, receipt_ids="hex_to_dec") == heard(
        Careful, stream, cuts, receipt_ids="hex_to_dec"
    )


def test_a_deliver_answered_twice_is_answered_once():
    async def story() -> bytes:
        session = SmppSession(
            SmppSettings("127.0.0.1", 1, "shop", "secret"),
            lambda results: None,
            lambda delivers: None,
            lambda *_ended: None,
        )
        line = Line()
        session.connection_made(line)  # type: ignore[arg-type]
        session.data_received(b"".join(some_receipt(random.Random(1), n) for n in (5, 6, 7)))
        session.answer_delivers([6, 5, 6, 9], 0)
        session.answer_delivers([5, 7], 0)
        return line.written

    assert asyncio.run(story()) == codec.deliver_answers(0, [6, 5, 7])
