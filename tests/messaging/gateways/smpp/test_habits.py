"""What one SMSC wants otherwise than the next: each setting, on a real socket."""

import pytest
import smpp34

from messaging.encoding import UnsendableText
from messaging.gateways.options import BadOption
from messaging.gateways.smpp import codec, pdus, texts
from messaging.gateways.smpp.link import SmppSettings
from tests.messaging.gateways.smpp.peers import (
    RECEIPT,
    receipt,
    scenario,
    sms,
)

ACCOUNT = {"host": "smsc.example", "port": 2775, "system_id": "shop", "password": "pw"}
LONG = "您的余额" * 60  # 240 units: 67, 67, 67, 39, or 66, 66, 66, 42


# ── long texts ──────────────────────────────────────────────────────────────────────────────────────────


def submitted(smsc):
    return [codec.decode(pdu).body for pdu in smsc.submits]


@pytest.mark.parametrize(
    ("way", "esm_class", "lengths"),
    [
        ("udh8", 0x40, [140, 140, 140, 84]),
        ("udh16", 0x40, [139, 139, 139, 91]),
        ("sar", 0, [134, 134, 134, 78]),
    ],
)
def test_parts_are_tied_in_the_one_way_the_smsc_wants(way, esm_class, lengths):
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(0x1234, LONG, encoding="UCS-2")])
        await books.until(lambda: books.results)
        bodies = submitted(smsc)
        assert [len(body.short_message) for body in bodies] == lengths
        assert {body.esm_class for body in bodies} == {esm_class}
        read = [texts.read_inbound(body) for body in bodies]
        assert [piece.part[1:] for piece in read] == [(4, 1), (4, 2), (4, 3), (4, 4)]
        assert {piece.part[0] for piece in read} == {0x34 if way == "udh8" else 0x1234}
        assert "".join(piece.text for piece in read) == LONG
        assert all(bool(body.tlvs) == (way == "sar") for body in bodies)  # never both
        assert books.results[0].part_ids == ("id-1", "id-2", "id-3", "id-4")

    scenario(long_texts=way)(story)


def test_a_16_bit_reference_may_need_one_part_more_and_resends_only_the_missing_one():
    async def story(smsc, link, books):
        smsc.answer = lambda number: 0x58 if number == 3 else 0
        await link.connect()
        text = "您" * 134  # two parts of 67, or three of 66, 66 and 2
        link.submit_batch([sms(1, text, encoding="UCS-2")])
        await books.until(lambda: books.results)
        assert (books.results[0].outcome, books.results[0].part_ids) == ("throttle", ("id-1", "id-2", None))
        link.release(1)
        link.submit_batch([sms(1, text, encoding="UCS-2", accepted_parts=books.results[0].part_ids)])
        await books.until(lambda: len(books.results) == 2)
        assert books.results[1].part_ids == ("id-1", "id-2", "id-4")
        assert [texts.read_inbound(body).part[2] for body in submitted(smsc)] == [1, 2, 3, 3]

    scenario(long_texts="udh16")(story)


def test_message_payload_is_one_submit_that_the_smsc_cuts():
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1, LONG, encoding="UCS-2"), sms(2, "Dear Li Wei")])
        await books.until(lambda: len(books.results) == 2)
        long, short = submitted(smsc)
        assert (long.short_message, long.esm_class, set(long.tlvs)) == (b"", 0, {0x0424})
        assert long.content.decode("utf-16-be") == LONG
        assert (short.short_message, short.tlvs) == (b"Dear Li Wei", {})  # a short one goes as ever
        assert books.results[0][:6] == (1, "accepted", "id-1", "0x00", ("id-1",), False)

    scenario(long_texts="payload")(story)


# ── ids ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("form", "answered", "in_receipt", "kept"),
    [
        ("exact", "0A1B", "0A1B", "0A1B"),
        ("hex_to_dec", "0A1B", "2587", "2587"),
        ("hex_to_dec", "0x0a1b", "0000002587", "2587"),
        ("dec_to_hex", "2587", "A1B", "2587"),
        ("dec_to_hex", "0000002587", "0a1b", "2587"),
        ("hex_to_dec", "not-a-number", "not-a-number", "not-a-number"),
    ],
)
def test_answer_and_receipt_meet_whatever_base_they_are_written_in(form, answered, in_receipt, kept):
    assert texts.submit_id(answered, form) == kept
    body = pdus.ShortMessage("8613800138000", "SHOP", RECEIPT % in_receipt.encode(), esm_class=4)
    assert texts.read_receipt(body, form).provider_id == kept
    in_tlv = pdus.ShortMessage("8613", "S", esm_class=4, tlvs={0x001E: in_receipt.encode() + b"\0"})
    assert texts.read_receipt(in_tlv, form).provider_id == kept


@pytest.mark.parametrize("form", ["exact", "hex_to_dec", "dec_to_hex"])
@pytest.mark.parametrize("word", [None, "", "-1", "1.5", "٣", "²", "f" * 65, "0x"])
def test_no_id_makes_it_fail(form, word):
    assert texts.submit_id(word, form) == word
    assert texts.receipt_id(word, form) == word


def test_a_connection_that_answers_in_hexadecimal():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1)])
        await books.until(lambda: smsc.submits)
        smsc.send(
            b"\0\0\0\x15\x80\0\0\x04\0\0\0\0" + smsc.submits[0][12:16] + b"0A1B\0" + receipt(9, b"2587")
        )
        await books.until(lambda: books.results and books.delivers)
        assert books.results[0].provider_id == books.delivers[0].receipt.provider_id == "2587"

    scenario(receipt_ids="hex_to_dec")(story)


def test_a_receipt_written_in_ucs2_is_read():
    message = pdus.ShortMessage(
        "8613800138000", "SHOP", (RECEIPT % b"7").decode().encode("utf-16-be"), esm_class=4, data_coding=8
    )

    assert texts.read_receipt(message)[:4] == ("7", "DELIVRD", "000", "delivered")


# ── fields ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_default_alphabets_own_number_and_no_validity():
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1, "Café", validity_seconds=90), sms(2, "您好", encoding="UCS-2")])
        await books.until(lambda: len(books.results) == 2)
        latin, chinese = submitted(smsc)
        assert (latin.short_message, latin.data_coding, latin.validity_period) == (b"Caf\xe9", 3, "")
        assert chinese.data_coding == 8

    scenario(default_alphabet="latin1", default_data_coding=3, sends_validity=False)(story)


@pytest.mark.parametrize("sender", ["TWELVE CHARS", "蓝湾洗车", "CAFÉ", "A\0B", "A`B", "[shop]"])
def test_a_sender_that_no_handset_could_show_is_refused(sender):
    with pytest.raises(UnsendableText):
        texts.sender_address(sender, SmppSettings(**ACCOUNT))


def test_an_impossible_sender_is_the_messages_fault_not_the_connections():
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1, sender="TOO LONG A NAME"), sms(2)])
        await books.until(lambda: len(books.results) == 2)
        assert books.outcomes() == {1: "permanent", 2: "accepted"}
        assert link.is_up

    scenario()(story)


@pytest.mark.parametrize(
    ("options", "fields"), [({}, (3, 0)), ({"short_code_ton": 0, "short_code_npi": 0}, (0, 0))]
)
def test_a_short_code_as_the_aggregator_wants_it(options, fields):
    account = SmppSettings.from_options(options, **ACCOUNT)

    assert texts.sender_address("1069012345", account)[:2] == fields


# ── options ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hots": "x"}, "hots"),
        ({"host": "elsewhere"}, "host"),
        ({"password": "pw"}, "password"),
        ({"long_texts": "udh32"}, "long_texts"),
        ({"long_texts": ["udh8"]}, "long_texts"),
        ({"bind": True}, "bind"),
        ({"tls": "yes"}, "tls"),
        ({"tls_ca_file": 5}, "tls_ca_file"),
        ({"system_type": "a\0b"}, "system_type"),
        ({"window": -1}, "window"),
        ({"window": 1.5}, "window"),
        ({"window": True}, "window"),
        ({"enquire_seconds": float("nan")}, "enquire_seconds"),
        ({"enquire_seconds": None}, "enquire_seconds"),
        ({"default_data_coding": "0"}, "default_data_coding"),
    ],
)
def test_an_option_that_cannot_be_is_named(options, name):
    with pytest.raises(BadOption) as refused:
        SmppSettings.from_options(options, **ACCOUNT)
    assert refused.value.name == name
    assert "pw" not in str(refused.value)


def test_options_come_on_top_of_the_gateways_own_columns():
    account = SmppSettings.from_options(
        {"bind": "pair", "enquire_seconds": 20, "receipt_ids": "exact"}, **ACCOUNT
    )

    assert (account.host, account.bind, account.enquire_seconds) == ("smsc.example", "pair", 20)


def test_a_half_open_connection_is_found_within_45_seconds():
    """Silence is noticed after `enquire_seconds`, given up after `enquire_timeout_seconds`; the clock looks
    once a second at most.
    """
    account = SmppSettings(**ACCOUNT)

    assert account.enquire_seconds + account.enquire_timeout_seconds + 2 * 1.0 <= 45


def test_smpp34_reads_our_parameters():
    """The octets of a submit with optional parameters, read by the other library."""
    head = codec.submit_head(5, 0, "SHOP")
    pdu = codec.submit_pdu(
        7,
        head,
        b"8613800138000",
        codec.submit_middle(0, 8, None),
        b"hi",
        codec.tlvs_octets({0x020C: b"\x01\x02"}),
    )
    other = smpp34.SubmitSm(
        "SHOP",
        "8613800138000",
        b"hi",
        source_addr_ton=5,
        dest_addr_ton=1,
        dest_addr_npi=1,
        registered_delivery=1,
        data_coding=8,
        tlvs=[smpp34.Tlv(0x020C, b"\x01\x02")],
        sequence_number=7,
    )

    assert pdu == other.encode()
