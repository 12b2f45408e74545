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


# ── the forms of vendors ────────────────────────────────────────────────────────────────────────────────
# (text, id, stat, err, outcome, is final). "=": the plain case of a delivered message 7 without error.

D, U = ("DELIVRD", "delivered", True), ("UNDELIV", "undelivered", True)
EXPIRED, DELETED, REJECTED = ((word, "undelivered", True) for word in ("EXPIRED", "DELETED", "REJECTD"))
ACCEPTED, ENROUTE, UNKNOWN = (
    ("ACCEPTD", "accepted", False),
    ("ENROUTE", "accepted", False),
    ("UNKNOWN", "unknown", False),
)
UUID = "3f2b9c1e-0d4a-4e0e-9a57-6f0b7c1d2e3f"
FORMS = [
    # appendix B and dates of 10, 12 and 14 digits, or written out
    (
        "id:7 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:Hi",
        "7",
        D,
        "000",
    ),
    (
        "id:7 sub:001 dlvrd:001 submit date:261122120059 done date:261122120101 stat:DELIVRD err:000 text:Hi",
        "7",
        D,
        "000",
    ),
    (
        "id:7 sub:001 dlvrd:001 submit date:20261122120059 done date:20261122120101 stat:DELIVRD err:000 Text:Hi",
        "7",
        D,
        "000",
    ),
    (
        "id:7 sub:001 dlvrd:001 submit date:2026-11-22 12:00:59 done date:2026-11-22 12:01:01 stat:DELIVRD err:000 text:",
        "7",
        D,
        "000",
    ),
    (
        "id:7 sub:001 dlvrd:001 submit date:22/11/26 12:00 done date:22/11/26 12:01 stat:EXPIRED err:027 text:",
        "7",
        EXPIRED,
        "027",
    ),
    ("id:7 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:Hi", "7", D, "000"),
    ("id:7 sub:001 dlvrd:000 submit date: done date: stat:REJECTD err:255 text:Hi", "7", REJECTED, "255"),
    (
        "id:7 sub: dlvrd: submit date:2611221200 done date:2611221201 stat:DELETED err:  text:Hi",
        "7",
        DELETED,
        "",
    ),
    # names spelt otherwise
    (
        "id:7 sub:001 dlvrd:001 submit_date:2611221200 done_date:2611221201 stat:DELIVRD err:000",
        "7",
        D,
        "000",
    ),
    (
        "id:7 sub:001 dlvrd:001 submitdate:2611221200 donedate:2611221201 stat:DELIVRD err:000 text:",
        "7",
        D,
        "000",
    ),
    ("msgid:7 stat:DELIVRD err:0", "7", D, "0"),
    ("msg_id=7 stat=DELIVRD err=0", "7", D, "0"),
    ("message_id:7 status:UNDELIVERED error:12", "7", U, "12"),
    ("messageid:7 state:EXPIRED", "7", EXPIRED, ""),
    ("Message-ID: 7 Status: Delivered", "7", D, ""),
    ("Message ID: 7, Status: Failed, Error code: 31", "7", U, "31"),
    ("receipted_message_id:7 message_state:2 err:0", "7", D, "0"),
    ("id:7 stat:DELIVRD errcode:0", "7", D, "0"),
    ("id:7 stat:UNDELIV error_code:0x0B", "7", U, "0x0B"),
    # order
    ("stat:DELIVRD err:000 id:7", "7", D, "000"),
    (
        "done date:2611221201 submit date:2611221200 dlvrd:001 sub:001 err:000 stat:DELIVRD id:7",
        "7",
        D,
        "000",
    ),
    ("sub:001 dlvrd:001 id:7 stat:DELIVRD", "7", D, ""),
    # separators
    ("id:7,sub:001,dlvrd:001,stat:DELIVRD,err:000,text:Hi", "7", D, "000"),
    ("id:7;stat:DELIVRD;err:000", "7", D, "000"),
    ("id:7|stat:DELIVRD|err:000", "7", D, "000"),
    ("id=7&stat=DELIVRD&err=000", "7", D, "000"),
    ("id:7\tstat:DELIVRD\terr:000", "7", D, "000"),
    ("id:7\r\nstat:DELIVRD\r\nerr:000\r\n", "7", D, "000"),
    ("id:7\nsub:001\nstat:UNDELIV\nerr:001\ntext:Hi", "7", U, "001"),
    ("  id:7   stat:DELIVRD   err:000  ", "7", D, "000"),
    ("id : 7 stat : DELIVRD err : 000", "7", D, "000"),
    ("id: 7 stat: DELIVRD err: 000", "7", D, "000"),
    # quotes and JSON
    ("id:'7' stat:'DELIVRD' err:'000'", "7", D, "000"),
    ('{"id":"7","stat":"DELIVRD","err":"000"}', "7", D, "000"),
    ('{"id": 7, "stat": "EXPIRED", "err": 27}', "7", EXPIRED, "27"),
    ('{"message_id":"7","status":"undelivered","error_code":"5"}', "7", U, "5"),
    # case
    (
        "ID:7 SUB:001 DLVRD:001 SUBMIT DATE:2611221200 DONE DATE:2611221201 STAT:DELIVRD ERR:000 TEXT:HI",
        "7",
        D,
        "000",
    ),
    ("Id:7 Stat:Delivrd Err:000", "7", D, "000"),
    ("id:7 stat:delivered err:000", "7", D, "000"),
    # words written out, or cut elsewhere
    ("id:7 stat:DELIVERED", "7", D, ""),
    ("id:7 stat:DELIVERD", "7", D, ""),
    ("id:7 stat:DELIVRED", "7", D, ""),
    ("id:7 stat:DELIVERED_TO_HANDSET", "7", D, ""),
    ("id:7 stat:UNDELIVERABLE err:1", "7", U, "1"),
    ("id:7 stat:UNDELIVRD err:1", "7", U, "1"),
    ("id:7 stat:NOT-DELIVERED err:1", "7", U, "1"),
    ("id:7 stat:DELIVERY_FAILED err:1", "7", U, "1"),
    ("id:7 stat:FAILED err:1", "7", U, "1"),
    ("id:7 stat:REJECTED err:1", "7", REJECTED, "1"),
    ("id:7 stat:REJECT err:1", "7", REJECTED, "1"),
    ("id:7 stat:ACCEPTED err:0", "7", ACCEPTED, "0"),
    ("id:7 stat:ACCEPTD err:0", "7", ACCEPTED, "0"),
    ("id:7 stat:ENROUTE err:0", "7", ENROUTE, "0"),
    ("id:7 stat:BUFFERED err:0", "7", ENROUTE, "0"),
    ("id:7 stat:EXPIRD err:0", "7", EXPIRED, "0"),
    ("id:7 stat:UNKNOWN err:0", "7", UNKNOWN, "0"),
    # states as numbers
    ("id:7 stat:1", "7", ENROUTE, ""),
    ("id:7 stat:2", "7", D, ""),
    ("id:7 stat:3", "7", EXPIRED, ""),
    ("id:7 stat:4", "7", DELETED, ""),
    ("id:7 stat:5", "7", U, ""),
    ("id:7 stat:6", "7", ACCEPTED, ""),
    ("id:7 stat:7", "7", UNKNOWN, ""),
    ("id:7 stat:8", "7", REJECTED, ""),
    ("id:7 stat:002 err:000", "7", D, "000"),
    # ids
    (
        f"id:{UUID} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:",
        UUID,
        D,
        "000",
    ),
    ("id:0000000007 stat:DELIVRD", "0000000007", D, ""),
    ("id:0A1B2C3D stat:DELIVRD", "0A1B2C3D", D, ""),
    ("id:12.34_56/78+9= stat:DELIVRD", "12.34_56/78+9=", D, ""),
    ("id:7@smsc.example stat:DELIVRD", "7@smsc.example", D, ""),
    # errors
    ("id:7 stat:UNDELIV err:-1", "7", U, "-1"),
    ("id:7 stat:UNDELIV err:0x1b", "7", U, "0x1b"),
    ("id:7 stat:UNDELIV err:NULL", "7", U, "NULL"),
    ("id:7 stat:UNDELIV err:3:34 text:", "7", U, "3:34"),
    ("id:7 stat:UNDELIV err: sub:001", "7", U, ""),
    # something missing
    ("stat:DELIVRD err:000", None, D, "000"),
    ("id: stat:DELIVRD err:000", None, D, "000"),
    ("id:7 stat: err:000", "7", ("", "unknown", False), "000"),
    ("id:7 err:000", "7", ("", "unknown", False), "000"),
    ("id:7", "7", ("", "unknown", False), ""),
    # the message's own text may say anything
    ("id:7 stat:DELIVRD err:000 text:id:8 stat:UNDELIV err:1", "7", D, "000"),
    ("id:7 stat:DELIVRD err:000 Text:stat:EXPIRED", "7", D, "000"),
    ("id:7 stat:DELIVRD err:000 txt:id:8", "7", D, "000"),
    # not receipts at all
    ("paid:7 state", None, ("", "unknown", False), ""),
    ("Your order id 7 is delivered", None, ("", "unknown", False), ""),
]


@pytest.mark.parametrize(("text", "message_id", "state", "err"), FORMS)
def test_a_receipt_in_the_words_of_a_vendor(text, message_id, state, err):
    word, outcome, is_final = state

    assert parse_receipt(text) == Receipt(message_id, word, err, outcome, is_final)


def test_there_are_enough_forms_and_no_two_alike():
    assert len({text for text, *_ in FORMS}) == len(FORMS) >= 60


def test_the_networks_code_in_its_own_parameter_wins_over_the_text():
    found = parse_receipt("id:7 stat:UNDELIV err:000", {0x0423: b"\x03\x00\x0b"})

    assert (found.id, found.stat, found.err) == ("7", "UNDELIV", "3:11")
