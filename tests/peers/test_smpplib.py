"""smpplib, a client shared by half the Python world: the same PDUs octet for octet, and it reads ours."""

import random

import pytest
from smpplib import consts, gsm, smpp
from smpplib.client import SimpleSequenceGenerator

from messaging.encoding import encode_gsm7, split_parts
from messaging.gateways.base import OutboundSms
from messaging.gateways.long_message import LongMessage
from messaging.gateways.smpp import codec, pdus
from messaging.gateways.smpp.pdus import Bind, Pdu, ShortMessage
from messaging.gateways.smpp.settings import SmppSettings
from messaging.gateways.smpp.submit_encoder import SubmitEncoder

PHONE = "+8613800138000"
CHINESE = "【蓝湾洗车】您的余额是88元" + "您" * 150


class Client:
    """What smpplib asks of a client when it makes and reads PDUs."""

    def __init__(self):
        self.next_sequence = SimpleSequenceGenerator().next_sequence


def theirs(command, sequence, **fields):
    return smpp.make_pdu(command, client=Client(), sequence=sequence, **fields).generate()


def ours(text, encoding, sender="SHOP", **settings):
    """The submits of one text as the link would write them, from sequence 1."""
    encoder = SubmitEncoder(SmppSettings("h", 1, "shop", "pw", **settings))
    parts = tuple(split_parts(text, encoding))
    message = OutboundSms(1, 1, PHONE, sender, parts, encoding, reference=0x2A)
    if len(parts) == 1:
        return [encoder.encode(message, 1)]
    long_message = LongMessage(message, encoder.pieces(message))
    return [encoder.encode((long_message, i), i + 1) for i in range(len(long_message.pieces))]


def submit(sequence, octets, sender="SHOP", ton=5, npi=0, **fields):
    address = {"source_addr": sender, "source_addr_ton": ton, "source_addr_npi": npi}
    to = {"destination_addr": PHONE[1:], "dest_addr_ton": 1, "dest_addr_npi": 1}
    return theirs(
        "submit_sm", sequence, **address, **to, short_message=octets, registered_delivery=1, **fields
    )


def test_bind_enquire_and_unbind():
    body = {"system_id": "shop", "password": "secret12", "system_type": "VMA", "interface_version": 0x34}
    for command, name in (
        (pdus.BIND_TRANSCEIVER, "bind_transceiver"),
        (pdus.BIND_TRANSMITTER, "bind_transmitter"),
        (pdus.BIND_RECEIVER, "bind_receiver"),
    ):
        pdu = Pdu(command, 7, body=Bind("shop", "secret12", "VMA"))
        assert codec.encode(pdu) == theirs(name, 7, **body)
    assert codec.frame(pdus.ENQUIRE_LINK, 0, 8) == theirs("enquire_link", 8)
    assert codec.frame(pdus.ENQUIRE_LINK_RESP, 0, 8) == theirs("enquire_link_resp", 8)
    assert codec.frame(pdus.UNBIND, 0, 9) == theirs("unbind", 9)
    assert codec.frame(pdus.UNBIND_RESP, 0, 9) == theirs("unbind_resp", 9)


@pytest.mark.parametrize(
    ("sender", "ton", "npi"), [("SHOP", 5, 0), ("1069012345", 3, 0), ("+8613800138001", 1, 1)]
)
def test_a_short_text_from_each_kind_of_sender(sender, ton, npi):
    (found,) = ours("Dear Li Wei, €5 [now]", "GSM-7", sender)

    assert found == submit(1, encode_gsm7("Dear Li Wei, €5 [now]"), sender.removeprefix("+"), ton, npi)


@pytest.mark.parametrize(
    ("text", "encoding", "coding"), [(CHINESE, "UCS-2", 8), ("Dear Li Wei " * 20, "GSM-7", 0)]
)
def test_the_parts_of_a_long_text_are_cut_and_headed_alike(text, encoding, coding):
    parts, _, esm_class = gsm.make_parts(text, coding)
    expected = [
        submit(number, part[:3] + b"\x2a" + part[4:], esm_class=esm_class, data_coding=coding)
        for number, part in enumerate(parts, 1)
    ]  # its reference is drawn, ours is the message's

    assert ours(text, encoding) == expected


def test_long_texts_tied_by_parameters():
    parts, _, esm_class = gsm.make_parts(CHINESE, consts.SMPP_ENCODING_ISO10646, use_udhi=False)
    expected = [
        submit(
            number,
            part,
            esm_class=esm_class,
            data_coding=8,
            sar_msg_ref_num=0x2A,
            sar_total_segments=len(parts),
            sar_segment_seqnum=number,
        )
        for number, part in enumerate(parts, 1)
    ]

    assert ours(CHINESE, "UCS-2", long_texts="sar") == expected


def test_a_long_text_as_message_payload():
    octets = CHINESE.encode("utf-16-be")

    assert ours(CHINESE, "UCS-2", long_texts="payload") == [
        submit(1, b"", data_coding=8, message_payload=octets)
    ]


def test_a_receipt_with_its_parameters_is_read_as_it_was_meant():
    text = b"id:7 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:"
    octets = theirs(
        "deliver_sm",
        3,
        source_addr=PHONE[1:],
        source_addr_ton=1,
        source_addr_npi=1,
        destination_addr="SHOP",
        esm_class=4,
        short_message=text,
        receipted_message_id="7",
        message_state=2,
    )

    body = codec.decode(octets).body

    assert (body.source_addr, body.short_message, body.esm_class) == (PHONE[1:], text, 4)
    assert (body.tlvs[0x001E], body.tlvs[0x0427]) == (b"7\0", b"\x02")


def test_it_reads_all_we_can_write():
    rng = random.Random(1)
    for number in range(300):
        message = ShortMessage(
            "SHOP",
            PHONE[1:],
            rng.randbytes(rng.randrange(255)),
            source_ton=5,
            destination_ton=1,
            destination_npi=1,
            esm_class=rng.choice([0, 0x40]),
            data_coding=rng.choice([0, 3, 8]),
            registered_delivery=1,
            validity_period=codec.relative_validity(rng.choice([None, 60, 86_400])),
        )
        octets = codec.encode(Pdu(pdus.SUBMIT_SM, number + 1, body=message))
        found = smpp.parse_pdu(octets, client=Client(), allow_unknown_opt_params=True)
        assert (found.sequence, found.short_message or b"") == (number + 1, message.short_message)
        assert (found.esm_class, found.data_coding) == (message.esm_class, message.data_coding)
        assert found.destination_addr == PHONE[1:].encode()
