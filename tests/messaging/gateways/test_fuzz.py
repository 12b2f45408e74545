"""Nothing that arrives on a wire makes us fail: both codecs, both sessions, and the words of receipts.

A fixed corpus of wrong PDUs, and what Hypothesis thinks of.
"""

import asyncio
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways import concatenation
from messaging.gateways.cmpp import codec as cmpp
from messaging.gateways.cmpp import pdus
from messaging.gateways.cmpp import texts as cmpp_texts
from messaging.gateways.cmpp.pdus import CodecError, DeliverMessage, Submit
from messaging.gateways.cmpp.session import CmppSession
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.smpp import codec as smpp
from messaging.gateways.smpp import pdus as smpp_pdus
from messaging.gateways.smpp import texts as smpp_texts
from messaging.gateways.smpp.pdus import MalformedPdu, ShortMessage
from messaging.gateways.smpp.receipts import Receipt, parse_receipt
from messaging.gateways.smpp.session import SmppSession
from messaging.gateways.smpp.settings import SmppSettings
from messaging.gateways.window import SEQUENCE_MAX
from tests.messaging.gateways import pdu_corpus

quick = settings(deadline=None, max_examples=80, derandomize=True, database=None)

octet = st.integers(0, 255)
latin = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
word = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)  # no blanks: CMPP strips them
tags = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4)


# ── the fixed corpus ────────────────────────────────────────────────────────────────────────────────────


def test_the_corpus_is_large_and_holds_each_kind_once():
    assert len(pdu_corpus.SMPP_WRONG) >= 150
    assert len(pdu_corpus.CMPP_WRONG) >= 150
    names = [name for name, *_ in pdu_corpus.SMPP_WRONG + pdu_corpus.CMPP_WRONG]
    assert len(names) >= 300


def test_no_wrong_smpp_pdu_escapes_the_codec():
    for name, octets in pdu_corpus.SMPP_WRONG:
        try:
            found = smpp.decode(octets)
        except MalformedPdu:
            continue
        assert isinstance(found, smpp_pdus.Pdu), name


def test_no_wrong_cmpp_pdu_escapes_the_codec():
    for name, octets, wide in pdu_corpus.CMPP_WRONG:
        try:
            found = cmpp.decode(octets, wide)
        except CodecError:
            continue
        assert isinstance(found, pdus.Pdu), name


class Wire:
    """A transport without a network: keeps what is written, and whether it was closed."""

    def __init__(self):
        self.written, self.is_gone = [], False

    def write(self, octets):
        self.written.append(octets)

    def close(self):
        self.is_gone = True

    abort = close

    def is_closing(self):
        return self.is_gone

    def get_extra_info(self, name):
        return None

    def set_write_buffer_limits(self, high=None, low=None):
        pass

    def pause_reading(self):
        pass

    resume_reading = pause_reading


async def session_after(kind, account, octets, good):
    """A session that got these octets, in two pieces, then a good PDU."""
    session, wire = kind(account, lambda results: None, lambda delivers: None, lambda *_: None), Wire()
    session.connection_made(wire)
    session.is_bound = True
    for piece in (octets[:7], octets[7:], good):
        if not wire.is_gone:
            session.data_received(piece)
    return session, wire


def test_a_session_survives_each_wrong_pdu_or_leaves_and_keeps_nothing_endless():
    async def main():
        account = SmppSettings("h", 1, "shop", "pw")
        for name, octets in pdu_corpus.SMPP_WRONG:
            session, wire = await session_after(
                SmppSession, account, octets, smpp.frame(smpp_pdus.ENQUIRE_LINK, 0, 99)
            )
            assert len(session._tail) <= smpp_pdus.PDU_OCTETS_MAX, name
            assert wire.is_gone or wire.written or session._tail, name

    asyncio.run(main())


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_a_cmpp_session_survives_each_wrong_pdu_or_leaves(version):
    async def main():
        account = CmppSettings("h", 1, "901234", "s", version=version)
        for name, octets, _ in pdu_corpus.CMPP_WRONG:
            session, wire = await session_after(
                CmppSession, account, octets, cmpp.frame(pdus.ACTIVE_TEST, 99)
            )
            assert len(session._tail) <= cmpp.PDU_OCTETS_MAX, name
            assert wire.is_gone or wire.written or session._tail, name

    asyncio.run(main())


# ── what Hypothesis thinks of ───────────────────────────────────────────────────────────────────────────


@quick
@given(st.binary(max_size=400))
def test_octets_are_a_pdu_or_malformed(octets):
    for decode in (smpp.decode, lambda data: cmpp.decode(data, False), lambda data: cmpp.decode(data, True)):
        for data in (octets, (len(octets) + 4).to_bytes(4, "big") + octets):
            try:
                decode(data)
            except (MalformedPdu, CodecError):
                continue


short_messages = st.builds(
    ShortMessage,
    source_addr=latin,
    destination_addr=latin,
    short_message=st.binary(max_size=254),
    service_type=latin.filter(lambda text: len(text) < 6),
    source_ton=octet,
    source_npi=octet,
    destination_ton=octet,
    destination_npi=octet,
    esm_class=octet,
    protocol_id=octet,
    priority_flag=octet,
    schedule_delivery_time=st.sampled_from(["", "000001000000000R"]),
    validity_period=st.sampled_from(["", "000001000000000R"]),
    replace_if_present=octet,
    registered_delivery=octet,
    data_coding=octet,
    default_message_id=octet,
    tlvs=tags,
)


@quick
@given(
    short_messages,
    st.sampled_from([smpp_pdus.SUBMIT_SM, smpp_pdus.DELIVER_SM]),
    st.integers(0, SEQUENCE_MAX),
)
def test_each_short_message_survives_the_wire(message, command, sequence):
    pdu = smpp_pdus.Pdu(command, sequence, body=message)

    assert smpp.decode(smpp.encode(pdu)) == pdu


@quick
@given(short_messages)
def test_each_deliver_is_a_receipt_or_a_text_that_can_be_stored(message):
    for form in ("exact", "hex_to_dec", "dec_to_hex"):
        found = smpp_texts.read_receipt(message, form)
        assert "\0" not in found.raw + found.stat + found.err + (found.provider_id or "")
        assert len(found.provider_id or "") <= 64
    text = smpp_texts.read_inbound(message).text
    assert "\0" not in text
    text.encode()


submits = st.builds(
    Submit,
    destinations=st.lists(word, min_size=1, max_size=3).map(tuple),
    content=st.binary(max_size=140),
    src_id=word,
    msg_src=word.filter(lambda text: len(text) <= 6),
    msg_id=st.integers(0, 2**64 - 1),
    pk_total=octet,
    pk_number=octet,
    registered_delivery=octet,
    msg_level=octet,
    service_id=word.filter(lambda text: len(text) <= 10),
    fee_user_type=octet,
    fee_terminal_id=word,
    tp_pid=octet,
    tp_udhi=octet,
    msg_fmt=octet,
    valid_time=word.filter(lambda text: len(text) <= 17),
)
delivers = st.builds(
    DeliverMessage,
    msg_id=st.integers(0, 2**64 - 1),
    dest_id=word,
    src_terminal_id=word,
    content=st.binary(max_size=255),
    service_id=word.filter(lambda text: len(text) <= 10),
    tp_pid=octet,
    tp_udhi=octet,
    msg_fmt=octet,
    src_terminal_type=st.just(0),  # 2.0 has none
    registered_delivery=octet,
    link_id=st.just(""),
)


@quick
@given(submits, delivers, st.booleans(), st.integers(0, 2**32 - 1))
def test_each_cmpp_message_survives_the_wire(submit, deliver, wide, sequence):
    for pdu in (pdus.Pdu(pdus.SUBMIT, sequence, submit), pdus.Pdu(pdus.DELIVER, sequence, deliver)):
        assert cmpp.decode(cmpp.encode(pdu, wide), wide) == pdu


@quick
@given(delivers)
def test_each_cmpp_deliver_is_a_receipt_or_a_text_that_can_be_stored(deliver):
    found = cmpp_texts.read_receipt(deliver)
    assert "\0" not in found.stat + found.err + found.phone
    text = cmpp_texts.read_inbound(deliver).text
    assert "\0" not in text
    text.encode()


pieces_of_receipts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "id",
                "stat",
                "err",
                "text",
                ":",
                "=",
                " ",
                '"',
                "{",
                ",",
                "DELIVRD",
                "7",
                "²",
                "٣",
                "\n",
                "id:7",
            ]
        ),
        st.text(string.printable + "汉😀\0", max_size=6),
    ),
    max_size=20,
).map("".join)


@quick
@given(
    pieces_of_receipts,
    st.dictionaries(
        st.sampled_from([0x001E, 0x0427, 0x0423, 0x1403]),
        st.one_of(st.binary(max_size=70), st.text(max_size=10), st.integers(-5, 300)),
        max_size=3,
    ),
)
def test_no_receipt_makes_it_fail(text, tlvs):
    for words in (text, text.encode()):
        found = parse_receipt(words, tlvs)
        assert isinstance(found, Receipt)
        assert found.outcome in {"delivered", "undelivered", "accepted", "unknown"}
        assert found.is_final == (found.outcome in {"delivered", "undelivered"})


@quick
@given(
    st.integers(0, 0xFFFF), st.integers(2, 255), st.sampled_from([8, 16]), st.binary(max_size=140), st.data()
)
def test_each_concatenation_header_is_read_as_it_was_written(reference, total, bits, rest, data):
    number = data.draw(st.integers(1, total))
    kept = reference & 0xFF if bits == 8 else reference

    found = concatenation.split_header(concatenation.header(reference, total, number, bits) + rest)

    assert found == ((kept, total, number), rest)


@quick
@given(st.binary(max_size=140))
def test_no_header_makes_it_fail(octets):
    part, rest = concatenation.split_header(octets)

    assert octets.endswith(rest)
    assert part is None or 1 <= part[2] <= part[1]
