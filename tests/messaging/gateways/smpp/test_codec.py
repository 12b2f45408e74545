"""PDUs byte for byte: against smpp34, which shares no code with ours, and against octets written by hand."""

import random

import pytest
import smpp34

from messaging.gateways.smpp import codec, pdus
from messaging.gateways.smpp.codec import decode, encode, relative_validity
from messaging.gateways.smpp.pdus import Bind, BindResponse, MalformedPdu, MessageResponse, Pdu, ShortMessage

PAIRS = [
    ("service_type", "CMT", "service_type"),
    ("source_addr_ton", 5, "source_ton"),
    ("source_addr_npi", 0, "source_npi"),
    ("dest_addr_ton", 1, "destination_ton"),
    ("dest_addr_npi", 1, "destination_npi"),
    ("esm_class", 0x40, "esm_class"),
    ("protocol_id", 1, "protocol_id"),
    ("priority_flag", 2, "priority_flag"),
    ("schedule_delivery_time", "000000010000000R", "schedule_delivery_time"),
    ("validity_period", "000001000000000R", "validity_period"),
    ("registered_delivery", 1, "registered_delivery"),
    ("replace_if_present_flag", 1, "replace_if_present"),
    ("data_coding", 8, "data_coding"),
    ("sm_default_msg_id", 3, "default_message_id"),
]
TLVS = {0x0204: b"\x00\x2a", 0x001E: b"id-7\x00", 0x1403: b"\xaa\xbb\xcc"}


@pytest.mark.parametrize(
    ("theirs", "command"), [(smpp34.SubmitSm, pdus.SUBMIT_SM), (smpp34.DeliverSm, pdus.DELIVER_SM)]
)
@pytest.mark.parametrize("tlvs", [{}, TLVS])
@pytest.mark.parametrize("text", [b"", b"Dear Li Wei", bytes(range(254))])
@pytest.mark.parametrize("is_full", [False, True])
def test_short_messages_are_the_octets_of_smpp34(theirs, command, tlvs, text, is_full):
    pairs = PAIRS if is_full else []
    other = theirs(
        "SHOP",
        "8613800138000",
        text,
        tlvs=[smpp34.Tlv(tag, value) for tag, value in tlvs.items()],
        sequence_number=77,
        **{name: value for name, value, _ in pairs},
    )
    ours = Pdu(
        command,
        77,
        body=ShortMessage(
            "SHOP", "8613800138000", text, tlvs=tlvs, **{name: value for _, value, name in pairs}
        ),
    )

    assert encode(ours) == other.encode()
    assert decode(other.encode()) == ours


def test_smpp34_reads_our_other_pdus():
    for pdu in (
        Pdu(pdus.BIND_TRANSCEIVER, 1, body=Bind("shop", "secret12", "VMA", 0x34, 1, 1, "8613")),
        Pdu(pdus.SUBMIT_SM_RESP, 9, body=MessageResponse("id-9")),
        Pdu(pdus.ENQUIRE_LINK, 3),
        Pdu(pdus.GENERIC_NACK, 4, status=3),
    ):
        raw = smpp34.decode(encode(pdu))
        found = (raw.command_id, raw.sequence_number, raw.command_status)
        assert found == (pdu.command, pdu.sequence, pdu.status)


def test_bind_by_hand():
    pdu = Pdu(pdus.BIND_TRANSCEIVER, 1, body=Bind("shop", "pw"))

    assert encode(pdu) == bytes.fromhex("0000001d 00000009 00000000 00000001 73686f7000 707700 00 34000000")


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(pdus.BIND_RECEIVER, 1, body=Bind("shop", "secret12")),
        Pdu(pdus.BIND_TRANSMITTER, 2, body=Bind("shop", "", address_range="^8613")),
        Pdu(pdus.BIND_TRANSCEIVER_RESP, 1, body=BindResponse("smsc", {0x0210: b"\x34"})),
        Pdu(pdus.BIND_TRANSMITTER_RESP, 1, status=0x0E, body=BindResponse()),
        Pdu(pdus.SUBMIT_SM_RESP, 3, body=MessageResponse("0a1b-2c")),
        Pdu(pdus.DELIVER_SM_RESP, 3, status=0x64, body=MessageResponse()),
        Pdu(pdus.UNBIND, 4),
        Pdu(pdus.UNBIND_RESP, 4),
        Pdu(pdus.ENQUIRE_LINK, 5),
        Pdu(pdus.ENQUIRE_LINK_RESP, 5),
        Pdu(pdus.GENERIC_NACK, 0, status=2),
    ],
)
def test_what_is_encoded_is_read_back(pdu):
    assert decode(encode(pdu)) == pdu


def test_the_campaigns_fast_way_writes_the_same_octets():
    slow = ShortMessage(
        "SHOP",
        "8613800138000",
        b"Dear Li Wei",
        source_ton=5,
        destination_ton=1,
        destination_npi=1,
        esm_class=0x40,
        validity_period="000000010000000R",
        registered_delivery=1,
        data_coding=8,
    )
    head, middle = codec.submit_head(5, 0, "SHOP"), codec.submit_middle(0x40, 8, 3600)
    fast = codec.submit_pdu(9, head, b"8613800138000", middle, b"Dear Li Wei")

    assert fast == encode(Pdu(pdus.SUBMIT_SM, 9, body=slow))


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, ""),
        (-5, "000000000001000R"),
        (1, "000000000001000R"),
        (300, "000000000500000R"),
        (3_661, "000000010101000R"),
        (3 * 86_400, "000003000000000R"),
        (10**9, "000098235959000R"),
    ],
)
def test_validity_is_relative(seconds, written):
    assert relative_validity(seconds) == written


@pytest.mark.parametrize("code", [pdus.SUBMIT_SM_RESP, pdus.DELIVER_SM_RESP, pdus.BIND_TRANSCEIVER_RESP])
def test_an_answer_without_a_body_is_read(code):
    assert decode(codec.frame(code, 0x58, 3)).status == 0x58


WHOLE = encode(
    Pdu(
        pdus.DELIVER_SM,
        5,
        body=ShortMessage("8613800138000", "106900", b"id:7 stat:DELIVRD", esm_class=4, tlvs=TLVS),
    )
)


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_a_truncated_pdu_is_refused_whatever_its_header_says(size):
    cut = WHOLE[:size]
    with pytest.raises(MalformedPdu):
        decode(cut)
    if size >= 16:
        honest = codec.frame(pdus.DELIVER_SM, 0, 5, cut[16:])
        if size not in BODY_ENDS:
            with pytest.raises(MalformedPdu):
                decode(honest)


# Cuts between two optional parameters leave a whole PDU.
_TEXT_END = len(WHOLE) - sum(4 + len(value) for value in TLVS.values())
BODY_ENDS = {_TEXT_END, _TEXT_END + 6, _TEXT_END + 6 + 9}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0" * 15,
        b"\0" * 16,
        b"\xff" * 16,
        codec.frame(pdus.SUBMIT_SM, 0, 1),
        codec.frame(pdus.SUBMIT_SM, 0, 1, b"\0" * 5),
        codec.frame(pdus.SUBMIT_SM, 0, 1, b"\0" * 16 + b"\xfe" + b"short"),
        codec.frame(pdus.SUBMIT_SM_RESP, 0, 1, b"no terminator"),
        codec.frame(pdus.SUBMIT_SM_RESP, 0, 1, b"id\0\x00\x1e"),
        codec.frame(pdus.SUBMIT_SM_RESP, 0, 1, b"id\0\x00\x1e\xff\xff12"),
        codec.frame(pdus.BIND_TRANSCEIVER, 0, 1, b"a\0b\0c\0\x34"),
        codec.frame(pdus.BIND_TRANSCEIVER, 0, 1, b"a\0b\0c\0\x34\0\0\0more"),
        codec.frame(pdus.ENQUIRE_LINK, 0, 1) + b"more",
    ],
)
def test_malformed_octets_are_refused(octets):
    with pytest.raises(MalformedPdu):
        decode(octets)


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_a_length_that_cannot_be_loses_the_stream(length):
    with pytest.raises(MalformedPdu):
        codec.frame_length(length.to_bytes(4, "big") + b"\0" * 12, 0)


def test_no_octets_raise_anything_else():
    rng = random.Random(34)
    for _ in range(20_000):
        damaged = bytearray(WHOLE)
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(4, len(damaged))] = rng.randrange(256)
        command = rng.choice((pdus.DELIVER_SM, pdus.SUBMIT_SM_RESP, pdus.BIND_TRANSCEIVER))
        damaged[4:8] = command.to_bytes(4, "big")
        try:
            decode(bytes(damaged))
        except MalformedPdu:
            continue


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(pdus.BIND_TRANSCEIVER, 1, body=Bind("x" * 16, "pw")),
        Pdu(pdus.BIND_TRANSCEIVER, 1, body=Bind("shop", "longer than eight")),
        Pdu(pdus.BIND_TRANSCEIVER, 1, body=Bind("shop", "李伟")),
        Pdu(pdus.BIND_TRANSCEIVER, 1, body=Bind("shop", "a\0b")),
        Pdu(pdus.SUBMIT_SM, 1, body=ShortMessage("SHOP", "1" * 21)),
        Pdu(pdus.SUBMIT_SM, 1, body=ShortMessage("SHOP", "1", b"x" * 255)),
        Pdu(pdus.SUBMIT_SM, 1, body=ShortMessage("SHOP", "1", data_coding=256)),
        Pdu(pdus.SUBMIT_SM, 1, body=ShortMessage("SHOP", "1", tlvs={0x0424: b"x" * 70_000})),
        Pdu(pdus.ENQUIRE_LINK, 1, body=MessageResponse("id")),
        Pdu(pdus.ENQUIRE_LINK, -1),
    ],
)
def test_values_that_fit_no_field_are_refused(pdu):
    with pytest.raises(MalformedPdu):
        encode(pdu)
