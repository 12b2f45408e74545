"""CMPP byte for byte: against another implementation's published vectors, and by hand."""

import hashlib
import random

import pytest

from messaging.gateways.cmpp import codec, pdus
from messaging.gateways.cmpp.pdus import (
    CancelResponse,
    CodecError,
    Connect,
    ConnectResponse,
    DeliverMessage,
    MessageResponse,
    MsgId,
    Pdu,
    QueryResponse,
    ReceiptContent,
    Submit,
)
from tests.messaging.gateways.cmpp import vectors

TEXT = Submit(("13800138000",), "您好".encode("utf-16-be"), "1069012345", "901234")


@pytest.mark.parametrize(("wide", "pdu", "octets"), [row[1:] for row in vectors.VECTORS])
def test_the_published_vectors(wide, pdu, octets):
    published = bytes.fromhex(octets)

    assert codec.encode(pdu, wide) == published
    assert codec.decode(published, wide) == pdu


def test_the_published_receipt():
    published = bytes.fromhex(vectors.RECEIPT_OCTETS)

    assert codec.encode_receipt(vectors.RECEIPT, wide=False) == published
    assert codec.read_receipt(published) == vectors.RECEIPT


# ── log-in ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_published_proofs():
    ours = codec.source_authenticator(vectors.SOURCE, vectors.SECRET, vectors.TIMESTAMP)

    assert ours == vectors.PROOF
    assert codec.gateway_authenticator(0, ours, vectors.SECRET, 1).hex() == "6c0b846e25bab6daa4ed1c466e0f4bd8"
    assert codec.gateway_authenticator(0, ours, vectors.SECRET, 4).hex() == "7942977274098cf210ab0c16c367bc8d"


def test_before_october_the_timestamps_leading_zero_is_hashed_though_it_is_not_sent():
    january = codec.source_authenticator("901234", "secret", 102030405)  # 2 January, 03:04:05

    assert january == hashlib.md5(b"901234" + bytes(9) + b"secret" + b"0102030405").digest()
    octets = codec.encode(Pdu(pdus.CONNECT, 1, Connect("901234", january, 0x20, 102030405)), False)
    assert octets[-4:] == (102030405).to_bytes(4, "big")


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5])
def test_the_log_ins_answer_tells_its_own_width(status, wide):
    pdu = Pdu(pdus.CONNECT_RESP, 9, ConnectResponse(status, bytes(range(16)), 0x20))

    for read_as_wide in (False, True):
        assert codec.decode(codec.encode(pdu, wide), read_as_wide) == pdu


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("msg_id", "fields"),
    [
        (12878564852733378560, MsgId(11, 5, 14, 29, 42, 1, 0)),
        (0, MsgId(0, 0, 0, 0, 0, 0, 0)),
        (2**64 - 1, MsgId(15, 31, 31, 63, 63, 2**22 - 1, 65535)),
    ],
)
def test_what_a_msg_id_says(msg_id, fields):
    assert pdus.read_msg_id(msg_id) == fields
    assert pdus.write_msg_id(fields) == msg_id


def test_a_msg_id_that_cannot_be():
    with pytest.raises(CodecError):
        pdus.write_msg_id(MsgId(16, 1, 1, 1, 1, 1, 1))


# ── all PDUs, both widths ───────────────────────────────────────────────────────────────────────────────

BODIES = [
    Pdu(pdus.CONNECT, 1, Connect("901234", bytes(16), 0x30, 1122120000)),
    Pdu(pdus.TERMINATE, 2),
    Pdu(pdus.TERMINATE_RESP, 2),
    Pdu(pdus.SUBMIT, 3, TEXT),
    Pdu(pdus.SUBMIT_RESP, 3, MessageResponse(7, 8)),
    Pdu(pdus.SUBMIT_RESP, 3, MessageResponse(2**64 - 1, 107)),
    Pdu(pdus.DELIVER, 4, DeliverMessage(7, "1069012345", "8613800138000", b"TD")),
    Pdu(pdus.DELIVER_RESP, 4, MessageResponse(7, 0)),
    Pdu(pdus.QUERY_RESP, 5, QueryResponse("20261122", 0, "", (1, 2, 3, 4, 5, 6, 7, 8))),
    Pdu(pdus.CANCEL_RESP, 6, CancelResponse(1)),
    Pdu(pdus.ACTIVE_TEST, 7),
    Pdu(pdus.ACTIVE_TEST_RESP, 7),
    Pdu(0x0010, 8),  # a route question between gateways: a header to us
]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("pdu", BODIES)
def test_what_is_written_is_read(pdu, wide):
    octets = codec.encode(pdu, wide)

    assert codec.decode(octets, wide) == pdu
    assert codec.frame_length(octets, 0) == len(octets)


@pytest.mark.parametrize(
    ("wide", "octets"), [(False, 12 + 117 + 21 + 1 + 4 + 8), (True, 12 + 129 + 32 + 2 + 4 + 20)]
)
def test_a_submits_size_by_the_table_of_the_specification(wide, octets):
    assert len(codec.encode(Pdu(pdus.SUBMIT, 1, TEXT), wide)) == octets


def test_3_0_has_number_types_and_a_link_id_and_2_0_has_not():
    full = Submit(
        ("13800138000",),
        b"hi",
        "1069",
        "901234",
        fee_terminal_type=1,
        destination_type=1,
        link_id="L" * 20,
        msg_fmt=0,
    )

    assert codec.decode(codec.encode(Pdu(pdus.SUBMIT, 1, full), True), True).body == full
    poorer = codec.decode(codec.encode(Pdu(pdus.SUBMIT, 1, full), False), False).body
    assert (poorer.fee_terminal_type, poorer.destination_type, poorer.link_id) == (0, 0, "")


def test_the_answers_to_many_delivers_in_one_piece():
    for wide, size in ((False, 21), (True, 24)):
        octets = codec.deliver_answers([(1, 7), (2, 2**64 - 1)], 0, wide)
        assert [codec.decode(octets[:size], wide), codec.decode(octets[size:], wide)] == [
            Pdu(pdus.DELIVER_RESP, 1, MessageResponse(7, 0)),
            Pdu(pdus.DELIVER_RESP, 2, MessageResponse(2**64 - 1, 0)),
        ]


# ── receipts in a deliver ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("wide", "size"), [(False, 60), (True, 71)])
def test_a_receipts_length_tells_its_layout_whatever_the_connection_speaks(wide, size):
    found = ReceiptContent(2**63, "MA:0001", "2611221200", "2611221201", "8613800138000", 77)

    octets = codec.encode_receipt(found, wide)

    assert len(octets) == size
    assert codec.read_receipt(octets) == found


@pytest.mark.parametrize("size", [15, 25, 35, 56, 59, 61, 70, 72, 109])
def test_a_receipt_of_another_length_keeps_what_counts(size):
    octets = codec.encode_receipt(vectors.RECEIPT, size > 71).ljust(size, b"\0")[:size]

    found = codec.read_receipt(octets)

    assert (found.msg_id, found.stat) == (vectors.RECEIPT.msg_id, "DELIVRD")


@pytest.mark.parametrize("size", [0, 7, 8, 14])
def test_a_receipt_without_its_stat_is_none(size):
    with pytest.raises(CodecError):
        codec.read_receipt(b"x" * size)


# ── what fits no field ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(pdus.CONNECT, 1, Connect("1234567", bytes(16), 0x20, 1)),
        Pdu(pdus.CONNECT, 1, Connect("901234", bytes(15), 0x20, 1)),
        Pdu(pdus.CONNECT, 1, Connect("901234", bytes(16), 0x20, -1)),
        Pdu(pdus.CONNECT, 2**32, Connect("901234", bytes(16), 0x20, 1)),
        Pdu(pdus.SUBMIT, 1, Submit((), b"hi", "1069", "901234")),
        Pdu(pdus.SUBMIT, 1, Submit(("1",) * 100, b"hi", "1069", "901234")),
        Pdu(pdus.SUBMIT, 1, Submit(("1" * 33,), b"hi", "1069", "901234")),
        Pdu(pdus.SUBMIT, 1, Submit(("13800138000",), b"x" * 141, "1069", "901234")),
        Pdu(pdus.SUBMIT, 1, Submit(("13800138000",), b"x" * 160, "1069", "901234", msg_fmt=0)),
        Pdu(pdus.SUBMIT, 1, Submit(("13800138000",), b"x", "1" * 22, "901234")),
        Pdu(pdus.SUBMIT, 1, Submit(("13800138000",), b"x", "1069", "蓝湾")),
        Pdu(pdus.SUBMIT, 1, Submit(("13800138000",), b"x", "10\x0069", "901234")),
        Pdu(pdus.SUBMIT, 1, Submit(("13800138000",), b"x", "1069", "901234", pk_total=256)),
        Pdu(pdus.SUBMIT_RESP, 1, MessageResponse(2**64, 0)),
        Pdu(pdus.SUBMIT_RESP, 1, TEXT),
        Pdu(pdus.ACTIVE_TEST, 1, MessageResponse(1, 0)),
    ],
)
@pytest.mark.parametrize("wide", [False, True])
def test_what_no_field_can_hold_is_refused(pdu, wide):
    with pytest.raises(CodecError):
        codec.encode(pdu, wide)


def test_a_wide_result_needs_the_wide_layout():
    with pytest.raises(CodecError):
        codec.encode(Pdu(pdus.SUBMIT_RESP, 1, MessageResponse(1, 256)), False)


# ── garbage ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("pdu", BODIES)
def test_a_pdu_cut_anywhere_is_refused_or_read_but_nothing_else(pdu, wide):
    octets = codec.encode(pdu, wide)
    for size in range(len(octets)):
        with pytest.raises(CodecError):
            codec.decode(octets[:size], wide)  # the header promises more
        if size >= 12:
            shorter = size.to_bytes(4, "big") + octets[4:size]
            try:
                codec.decode(shorter, wide)
            except CodecError:
                continue


@pytest.mark.parametrize("length", [0, 11, 4_097, 2**32 - 1])
def test_a_length_that_cannot_be_is_refused_before_anything_is_stored(length):
    with pytest.raises(CodecError):
        codec.frame_length(length.to_bytes(4, "big") + bytes(8), 0)


def test_random_octets_are_read_or_refused():
    rng = random.Random(11)
    commands = [pdu.command for pdu in BODIES]
    for _ in range(5_000):
        body = rng.randbytes(rng.randrange(260))
        octets = codec.frame(rng.choice(commands), rng.randrange(2**32), body)
        try:
            codec.decode(octets, rng.random() < 0.5)
        except CodecError:
            continue
