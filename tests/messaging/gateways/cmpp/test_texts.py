"""Numbers, texts and headers between our words and CMPP's fields."""

import random
from datetime import datetime

import pytest

from messaging.encoding import UnsendableText, split_parts
from messaging.gateways.base import OutboundSms
from messaging.gateways.cmpp import codec, texts
from messaging.gateways.cmpp.pdus import DeliverMessage, Submit
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.cmpp.submit_encoder import BEIJING, SubmitEncoder
from messaging.gateways.long_message import LongMessage
from messaging.gateways.options import BadOption

ACCOUNT = CmppSettings("ismg.example", 7890, "901234", "secret", access_number="1069012345")
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=BEIJING)


def submits(text, encoding="UCS-2", account=ACCOUNT, wide=False, **more):
    """What goes on the wire for one text, read back."""
    parts = tuple(split_parts(text, encoding))
    message = OutboundSms(1, 1, "+8613800138000", "", parts, encoding, reference=0x1234, **more)
    encoder = SubmitEncoder(account, lambda: NOON)
    long_message = LongMessage(message, encoder.pieces(message))
    found = [
        codec.decode(encoder.encode((long_message, index), index + 1, wide), wide).body
        for index in range(len(long_message.pieces))
    ]
    assert all(isinstance(submit, Submit) for submit in found)
    return found


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        ("", "1069012345"),
        ("1069012345", "1069012345"),
        ("+1069012345", "1069012345"),
        ("106901234588", "106901234588"),
        ("88", "106901234588"),
        ("12345678901", "106901234512345678901"),
    ],
)
def test_the_source_is_the_access_number_with_the_extension(sender, number):
    assert texts.source_id(sender, ACCOUNT) == number


@pytest.mark.parametrize("sender", ["BLUELAGOON", "蓝湾", "123456789012", "10 69", "１０６９", "88\0"])
def test_a_source_that_is_no_number_is_refused(sender):
    with pytest.raises(UnsendableText):
        texts.source_id(sender, ACCOUNT)


def test_no_number_at_all_is_refused():
    with pytest.raises(UnsendableText):
        texts.source_id("", CmppSettings("h", 1, "901234", "s"))


@pytest.mark.parametrize(("prefix", "digits"), [("", "13800138000"), ("86", "8613800138000")])
def test_the_destination_as_the_gateway_wants_it(prefix, digits):
    account = CmppSettings("h", 1, "901234", "s", phone_prefix=prefix)

    assert texts.destination("+8613800138000", account) == digits


@pytest.mark.parametrize(
    "phone", ["", "+85261234567", "+447700900123", "13800138000", "+8613８00138000", "+861380013800"]
)
def test_other_than_mainland_mobiles_are_refused(phone):
    with pytest.raises(UnsendableText):
        texts.destination(phone, ACCOUNT)


@pytest.mark.parametrize("wide", [False, True])
def test_a_chinese_text_of_three_parts_carries_header_flag_and_numbers(wide):
    text = "【蓝湾洗车】" + "您" * 154

    found = submits(text, wide=wide)

    assert [(s.pk_total, s.pk_number, s.tp_udhi, s.msg_fmt) for s in found] == [
        (3, 1, 1, 8), (3, 2, 1, 8), (3, 3, 1, 8)
    ]  # fmt: skip
    assert [s.content[:6].hex() for s in found] == ["050003340301", "050003340302", "050003340303"]
    assert [len(s.content) for s in found] == [140, 140, 58]
    assert "".join(s.content[6:].decode("utf-16-be") for s in found) == text


def test_a_short_text_has_no_header():
    (found,) = submits("您好" * 35)

    assert (found.tp_udhi, found.pk_total, found.pk_number, len(found.content)) == (0, 1, 1, 140)


@pytest.mark.parametrize(
    ("text", "formats", "lengths"),
    [
        ("Dear Li Wei", [0], [11]),
        ("a" * 159, [0], [159]),
        ("a" * 160, [8, 8, 8], [140, 140, 58]),  # "less than 160": cut anew for UCS-2
        ("a" * 200, [0, 0], [159, 53]),
        ("Café", [8], [8]),  # GSM-7 has é, ASCII has not
        ("€" * 71, [8, 8], [140, 14]),
    ],
)
def test_a_text_counted_for_gsm_goes_as_ascii_where_it_can(text, formats, lengths):
    found = submits(text, encoding="GSM-7")

    assert [s.msg_fmt for s in found] == formats
    assert [len(s.content) for s in found] == lengths


def test_the_accounts_own_fields():
    account = CmppSettings.from_options(
        {
            "msg_src": "905678",
            "service_id": "MBLUE",
            "msg_level": 3,
            "fee_user_type": 3,
            "fee_terminal_id": "13900139000",
            "fee_type": "02",
            "fee_code": "000010",
            "wants_receipts": False,
        },
        host="h",
        port=7890,
        sp_id="901234",
        secret="s",
        access_number="1069",
    )

    (found,) = submits("您好", account=account, validity_seconds=300)

    assert found == Submit(
        ("13800138000",), "您好".encode("utf-16-be"), "1069", "905678", registered_delivery=0, msg_level=3,
        service_id="MBLUE", fee_user_type=3, fee_terminal_id="13900139000", fee_type="02", fee_code="000010",
        valid_time="261122120500032+",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, ""),
        (0, "261122120001032+"),
        (300, "261122120500032+"),
        (43_200, "261123000000032+"),
        (10**9, "261129120000032+"),
    ],
)
def test_until_when_the_gateway_may_try(seconds, written):
    assert texts.valid_time(NOON, seconds) == written


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"version": "1.2"}, "version"),
        ({"version": 3.0}, "version"),
        ({"secret": "x"}, "secret"),
        ({"result_actions": {"107": "slower"}}, "result_actions"),
        ({"result_actions": {107: "throttle"}}, "result_actions"),
        ({"result_actions": "throttle"}, "result_actions"),
        ({"service_code": "x"}, "service_code"),
    ],
)
def test_an_option_that_cannot_be_is_named(options, name):
    with pytest.raises(BadOption) as refused:
        CmppSettings.from_options(options, host="h", port=1, sp_id="901234", secret="hunter2")
    assert refused.value.name == name
    assert "hunter2" not in repr(CmppSettings("h", 1, "901234", "hunter2"))


# ── inbound ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("octets", "msg_fmt", "text"),
    [
        (b"TD", 0, "TD"),
        ("退订".encode("utf-16-be"), 8, "退订"),
        ("退订".encode("gbk"), 15, "退订"),
        ("退订".encode("gbk"), 0, "退订"),  # met at gateways that call all of GBK "ASCII"
        ("😀".encode("utf-16-be"), 8, "😀"),
        (b"caf\xe9", 4, "café"),
        (b"a\0b", 0, "ab"),
        ("退".encode("utf-16-be") + b"\x8b", 8, "退\ufffd"),
        (b"\xd8\x3d", 8, "\ufffd"),
        (b"\xff\xff", 15, "\ufffd\ufffd"),
        (b"", 8, ""),
    ],
)
def test_inbound_texts_are_read_in_their_format(octets, msg_fmt, text):
    assert texts.decode_content(octets, msg_fmt) == text


def test_a_piece_of_a_long_inbound_text_says_which_it_is():
    content = b"\x05\x00\x03\x2a\x03\x02" + "您好".encode("utf-16-be")

    found = texts.read_inbound(
        DeliverMessage(7, "106901234588", "13800138000", content, tp_udhi=1, msg_fmt=8)
    )

    assert (found.part, found.text, found.phone, found.to) == (
        (42, 3, 2),
        "您好",
        "13800138000",
        "106901234588",
    )
    assert found.raw == content.hex()


def test_a_header_without_the_flag_is_text():
    found = texts.read_inbound(DeliverMessage(7, "1069", "138", b"\x05\x00\x03\x2a\x03\x02", msg_fmt=4))

    assert (found.part, found.text) == (None, "\x05\x03*\x03\x02")


@pytest.mark.parametrize("wide", [False, True])
def test_a_receipt_names_its_message_by_the_number_inside(wide):
    content = codec.encode_receipt(
        codec.ReceiptContent(12878564852733378560, "MB:0069", "2611221200", "2611221201", "13800138000", 1),
        wide,
    )

    found = texts.read_receipt(DeliverMessage(999, "1069", "13800138000", content, registered_delivery=1))

    assert found == (
        "12878564852733378560",
        "MB:0069",
        "MB:0069",
        "undelivered",
        True,
        content.hex(),
        "13800138000",
    )


def test_a_receipt_that_cannot_be_read_is_kept_and_decides_nothing():
    found = texts.read_receipt(DeliverMessage(999, "1069", "138", b"\x01\x02", registered_delivery=1))

    assert found == (None, "", "", "unknown", False, "0102", "")


def test_no_deliver_makes_it_fail_or_holds_a_nul():
    rng = random.Random(5)
    for _ in range(3_000):
        message = DeliverMessage(
            rng.randrange(2**64), "1069", "138", rng.randbytes(rng.randrange(80)),
            tp_udhi=rng.randrange(256), msg_fmt=rng.randrange(256),
        )  # fmt: skip
        assert "\0" not in texts.read_receipt(message).stat
        found = texts.read_inbound(message)
        found.text.encode()  # storable: no lone surrogate
        assert "\0" not in found.text
