"""An SMSC's words, as met in the wild."""

import random

import pytest

from messaging.gateways.smpp.receipts import Receipt, parse_receipt, submit_action

APPENDIX_B = (
    "id:{} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:{} err:{} text:Dear Li Wei"
)


@pytest.mark.parametrize(
    ("stat", "outcome", "is_final"),
    [
        ("DELIVRD", "delivered", True),
        ("EXPIRED", "undelivered", True),
        ("DELETED", "undelivered", True),
        ("UNDELIV", "undelivered", True),
        ("REJECTD", "undelivered", True),
        ("ACCEPTD", "accepted", False),
        ("ENROUTE", "accepted", False),
        ("UNKNOWN", "unknown", False),
        ("MA:0001", "unknown", False),
    ],
)
def test_the_words_of_appendix_b(stat, outcome, is_final):
    found = parse_receipt(APPENDIX_B.format("0a1b-2c", stat, "000"))

    assert (found.id, found.outcome, found.is_final) == ("0a1b-2c", outcome, is_final)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (APPENDIX_B.format("7", "DELIVRD", "000"), Receipt("7", "DELIVRD", "000", "delivered", True)),
        (b"id:7 stat:DELIVRD", Receipt("7", "DELIVRD", "", "delivered", True)),
        ("ID: 0007 SUB: 001 STAT: delivrd ERR: 0", Receipt("0007", "DELIVRD", "0", "delivered", True)),
        ("stat:UNDELIV,id:77,err:1b", Receipt("77", "UNDELIV", "1b", "undelivered", True)),
        ("id=abc status=Delivered error=0", Receipt("abc", "DELIVRD", "0", "delivered", True)),
        ('message_id:"x-1" stat:"REJECTED" err:"4"', Receipt("x-1", "REJECTD", "4", "undelivered", True)),
        ("id:9 sub:001 stat:2 err:0", Receipt("9", "DELIVRD", "0", "delivered", True)),
        ("id:9 stat:ACCEPTD text:id:8 stat:DELIVRD", Receipt("9", "ACCEPTD", "", "accepted", False)),
        ("text:id:8 stat:DELIVRD", Receipt(None, "", "", "unknown", False)),
        ("id: sub:001 dlvrd:000 stat:EXPIRED err:5", Receipt(None, "EXPIRED", "5", "undelivered", True)),
        ("", Receipt(None, "", "", "unknown", False)),
        ("您的短信已送达", Receipt(None, "", "", "unknown", False)),
        ("stat:" + "9" * 5_000, Receipt(None, "999", "", "unknown", False)),
    ],
)
def test_other_hands(text, expected):
    assert parse_receipt(text) == expected


@pytest.mark.parametrize(
    ("tlvs", "expected"),
    [
        ({0x001E: b"tlv-id\0"}, ("tlv-id", "UNDELIV", True)),
        ({0x0427: b"\x02"}, ("7", "DELIVRD", True)),
        ({0x0427: 2, 0x001E: "s"}, ("s", "DELIVRD", True)),
        ({0x0427: b"\x01"}, ("7", "ENROUTE", False)),
        ({0x0427: b"\x09"}, ("7", "UNDELIV", True)),  # no such state: the text stays
        ({0x0427: b""}, ("7", "UNDELIV", True)),
        ({0x001E: b"\0"}, ("7", "UNDELIV", True)),
        ({0x0427: "x", 0x1403: b"\xff"}, ("7", "UNDELIV", True)),
    ],
)
def test_tlvs_win_over_the_text(tlvs, expected):
    found = parse_receipt("id:7 stat:UNDELIV err:011", tlvs)

    assert (found.id, found.stat, found.is_final) == expected


def test_a_receipt_of_tlvs_alone():
    found = parse_receipt("", {0x001E: b"7\0", 0x0427: b"\x05", 0x0423: b"\x03\x00\x22"})

    assert found == Receipt("7", "UNDELIV", "3:34", "undelivered", True)


def test_no_text_makes_it_fail():
    rng = random.Random(4)
    pieces = [
        "id:",
        "stat:",
        "err:",
        "text:",
        "DELIVRD",
        " ",
        ":",
        "=",
        '"',
        "7",
        "\0",
        "\n",
        "汉",
        "sub:",
        "²",
        "٣",
    ]
    for _ in range(5_000):
        assert isinstance(parse_receipt("".join(rng.choices(pieces, k=rng.randrange(12)))), Receipt)


@pytest.mark.parametrize(
    ("action", "statuses"),
    [
        ("accepted", [0x00]),
        ("throttle", [0x58]),
        ("retry", [0x04, 0x05, 0x14, 0x64]),
        ("stop_bind", [0x0D, 0x0E, 0x0F]),
        ("uncertain", [0x08, 0x45, 0xFF]),
        ("permanent", [0x01, 0x02, 0x0A, 0x0B, 0x33, 0x61, 0x65, 0xFE, 0x400, 0xFFFFFFFF]),
    ],
)
def test_what_a_status_asks_of_us(action, statuses):
    assert {status: submit_action(status) for status in statuses} == dict.fromkeys(statuses, action)
