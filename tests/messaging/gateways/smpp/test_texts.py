"""Senders, texts and headers between our words and SMPP's fields."""

import random

import pytest

from messaging.encoding import UnsendableText
from messaging.gateways.smpp import codec, pdus, texts
from messaging.gateways.smpp.pdus import ShortMessage
from messaging.gateways.smpp.settings import SmppSettings

ACCOUNT = SmppSettings("smsc.example", 2775, "shop", "pw")


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("+8613800138000", (1, 1, "8613800138000")),
        ("1069012345", (3, 0, "1069012345")),
        ("BLUELAGOON", (5, 0, "BLUELAGOON")),
        ("4U Wash", (5, 0, "4U Wash")),
        ("", (0, 0, "")),
    ],
)
def test_a_sender_says_what_kind_of_number_it_is(sender, fields):
    assert texts.sender_address(sender, ACCOUNT) == fields


@pytest.mark.parametrize("phone", ["", "+", "+86138x", "+86 138", "１３８", "138\0"])
def test_a_destination_is_digits_or_nothing(phone):
    with pytest.raises(UnsendableText):
        texts.destination_digits(phone)


@pytest.mark.parametrize(("alphabet", "octets"), [("gsm7", b"Caf\x05 \x00"), ("latin1", b"Caf\xe9 @")])
def test_the_default_alphabet_is_the_accounts(alphabet, octets):
    assert texts.encode_part("Café @", "GSM-7", alphabet) == octets


def test_what_the_smsc_cannot_say_is_refused_not_guessed():
    with pytest.raises(UnsendableText):
        texts.encode_part("Café", "GSM-7", "ascii")


@pytest.mark.parametrize(
    ("octets", "data_coding", "alphabet", "text"),
    [
        (b"STOP", 0, "gsm7", "STOP"),
        (b"\x00\x1b\x65", 0, "gsm7", "@€"),
        (b"caf\xe9", 0, "latin1", "café"),
        (b"caf\xe9", 3, "gsm7", "café"),
        (b"caf\xe9", 1, "gsm7", "caf\ufffd"),
        ("退订".encode("utf-16-be"), 8, "gsm7", "退订"),
        ("😀".encode("utf-16-be"), 0x18, "gsm7", "😀"),
        ("退".encode("utf-16-be") + b"\x8b", 8, "gsm7", "退\ufffd"),
        (b"\xd8\x3d", 8, "gsm7", "\ufffd"),
        (b"a\0b", 3, "gsm7", "ab"),
        (b"STOP", 0xF1, "gsm7", "STOP"),
        (b"caf\xe9", 0xF5, "gsm7", "café"),
    ],
)
def test_inbound_texts_are_read_in_their_coding(octets, data_coding, alphabet, text):
    assert texts.decode_text(octets, data_coding, alphabet) == text


@pytest.mark.parametrize(
    ("message", "part", "text"),
    [
        (ShortMessage("8613", "1069", b"STOP"), None, "STOP"),
        (ShortMessage("8613", "1069", b"\x05\x00\x03\x2a\x03\x02half", esm_class=0x40), (42, 3, 2), "half"),
        (ShortMessage("8613", "1069", b"\x06\x08\x04\x01\x02\x02\x01b", esm_class=0x40), (258, 2, 1), "b"),
        (ShortMessage("8613", "1069", b"\x05\x00\x03\x2a\x01\x01all", esm_class=0x40), None, "all"),
        (ShortMessage("8613", "1069", b"\x05\x00\x03\x2a\x02\x09odd", esm_class=0x40), None, "odd"),
        # No header that long: all of it is text.
        (ShortMessage("8613", "1069", b"STOP", esm_class=0x40), None, "STOP"),
        (ShortMessage("8613", "1069", b"", esm_class=0x40), None, ""),
        (ShortMessage("8613", "1069", tlvs={0x0424: b"x" * 300}), None, "x" * 300),
        (
            ShortMessage(
                "8613", "1069", b"half", tlvs={0x020C: b"\x01\x02", 0x020E: b"\x02", 0x020F: b"\x01"}
            ),
            (258, 2, 1),
            "half",
        ),
    ],
)
def test_pieces_of_long_inbound_texts_say_which_they_are(message, part, text):
    found = texts.read_inbound(message)

    assert (found.part, found.text) == (part, text)


@pytest.mark.parametrize(
    ("ton", "address", "phone"), [(1, "8613", "+8613"), (1, "+8613", "+8613"), (0, "138", "138"), (1, "", "")]
)
def test_only_an_international_number_gets_a_plus(ton, address, phone):
    assert texts.read_inbound(ShortMessage(address, "1069", b"hi", source_ton=ton)).phone == phone


def test_a_handset_cannot_forge_a_receipt():
    forged = ShortMessage("8613", "1069", b"id:7 stat:DELIVRD err:000")

    assert not texts.is_receipt(forged)
    assert texts.is_receipt(forged._replace(esm_class=4))


def test_an_intermediate_notice_is_never_final():
    notice = ShortMessage("8613", "1069", b"id:7 stat:UNDELIV err:027", esm_class=0x20)

    found = texts.read_receipt(notice)

    assert (found.outcome, found.is_final, found.stat) == ("accepted", False, "UNDELIV")


def test_no_deliver_makes_it_fail_or_holds_a_nul():
    rng = random.Random(5)
    for _ in range(3_000):
        message = ShortMessage(
            "8613",
            "1069",
            rng.randbytes(rng.randrange(40)),
            esm_class=rng.randrange(256),
            data_coding=rng.randrange(256),
        )
        assert "\0" not in texts.read_receipt(message).raw
        found = texts.read_inbound(message)
        found.text.encode()  # storable: no lone surrogate
        assert "\0" not in found.text


PLAIN = (
    "id:ab12 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:Hello"
)


@pytest.mark.parametrize(
    ("text", "fields", "is_plain"),
    [
        (PLAIN, {}, True),
        (PLAIN.removesuffix(" text:Hello"), {}, True),
        (PLAIN.replace("DELIVRD", "UNDELIV"), {"source_ton": 0}, True),
        (PLAIN.replace("DELIVRD", "delivered"), {}, False),
        (PLAIN.replace("id:ab12", "id:"), {}, False),
        (PLAIN, {"esm_class": 0x20}, False),
        (PLAIN, {"esm_class": 0}, False),
        (PLAIN, {"tlvs": {0x001E: b"ab12\0", 0x0427: b"\2"}}, True),
        (PLAIN, {"tlvs": {0x0423: b"\3\0\1"}}, False),
    ],
)
def test_a_receipt_as_appendix_b_has_it_is_read_in_one_look_and_nothing_else(text, fields, is_plain):
    usual = {"source_ton": 1, "source_npi": 1, "esm_class": 4} | fields
    message = ShortMessage("8613800138000", "1069012345", text.encode(), **usual)
    pdu = codec.encode(pdus.Pdu(pdus.DELIVER_SM, 7, body=message)).decode("latin-1")

    found = texts.find_plain_receipt(pdu, pdus.HEADER_OCTETS, len(pdu))

    assert (found is not None) == is_plain


def test_parameters_that_say_the_same_again_change_nothing():
    usual = "\0\x1e\0\5ab12\0\x04\x27\0\1\2"

    assert texts.only_confirms(usual, "ab12", "DELIVRD")
    assert texts.only_confirms(usual + "\2\4\0\2xy", "ab12", "DELIVRD")
    assert not texts.only_confirms(usual, "ab12", "UNDELIV")
    assert not texts.only_confirms(usual, "ab13", "DELIVRD")
    assert not texts.only_confirms(usual + "\x04\x23\0\3\3\0\1", "ab12", "DELIVRD")
