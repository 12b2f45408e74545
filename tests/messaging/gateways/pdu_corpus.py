"""Wrong PDUs by the hundred, generated from tables: each good PDU with each kind of damage. The same every run."""

from __future__ import annotations

from messaging.gateways.cmpp import codec as cmpp
from messaging.gateways.cmpp import pdus
from messaging.gateways.smpp import codec as smpp
from messaging.gateways.smpp import pdus as smpp_pdus
from messaging.gateways.smpp.pdus import Bind, BindResponse, MessageResponse, ShortMessage

RECEIPT = b"id:7 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:"
TLVS = {0x001E: b"7\0", 0x0427: b"\x02", 0x0423: b"\x03\0\x22", 0x1403: b"\xff"}
SMPP_GOOD = {
    "bind": smpp.encode(smpp_pdus.Pdu(smpp_pdus.BIND_TRANSCEIVER, 1, body=Bind("shop", "pw"))),
    "bind answer": smpp.encode(
        smpp_pdus.Pdu(smpp_pdus.BIND_TRANSCEIVER_RESP, 1, body=BindResponse("smsc", TLVS))
    ),
    "submit": smpp.encode(
        smpp_pdus.Pdu(smpp_pdus.SUBMIT_SM, 2, body=ShortMessage("SHOP", "8613800138000", b"hi", tlvs=TLVS))
    ),
    "submit answer": smpp.encode(smpp_pdus.Pdu(smpp_pdus.SUBMIT_SM_RESP, 2, body=MessageResponse("id-7"))),
    "receipt": smpp.encode(
        smpp_pdus.Pdu(
            smpp_pdus.DELIVER_SM, 3, body=ShortMessage("8613", "SHOP", RECEIPT, esm_class=4, tlvs=TLVS)
        )
    ),
    "part": smpp.encode(
        smpp_pdus.Pdu(
            smpp_pdus.DELIVER_SM,
            4,
            body=ShortMessage("8613", "1069", b"\5\0\3\x2a\2\1hi", esm_class=0x40, data_coding=8),
        )
    ),
    "payload": smpp.encode(
        smpp_pdus.Pdu(
            smpp_pdus.DELIVER_SM,
            5,
            body=ShortMessage("8613", "1069", tlvs={0x0424: b"x" * 300, 0x020C: b"\0\1"}),
        )
    ),
    "enquiry": smpp.frame(smpp_pdus.ENQUIRE_LINK, 0, 6),
    "nack": smpp.frame(smpp_pdus.GENERIC_NACK, 3, 7),
}
_deliver = pdus.DeliverMessage(7, "1069012345", "8613800138000", b"TD")
_receipt = cmpp.encode_receipt(pdus.ReceiptContent(7, "DELIVRD", "2611221200", "2611221201", "138", 1), False)
_cmpp_bodies = {
    "connect": (pdus.CONNECT, pdus.Connect("901234", bytes(16), 0x20, 1)),
    "connect answer": (pdus.CONNECT_RESP, pdus.ConnectResponse(0)),
    "submit": (pdus.SUBMIT, pdus.Submit(("13800138000",), "您好".encode("utf-16-be"), "1069", "901234")),
    "submit answer": (pdus.SUBMIT_RESP, pdus.MessageResponse(7, 0)),
    "deliver": (pdus.DELIVER, _deliver),
    "receipt": (pdus.DELIVER, _deliver._replace(content=_receipt, registered_delivery=1)),
    "part": (pdus.DELIVER, _deliver._replace(content=b"\5\0\3\x2a\2\1\x60\xa8", tp_udhi=1, msg_fmt=8)),
    "test": (pdus.ACTIVE_TEST, None),
}
CMPP_GOOD = {
    f"{name} {'3.0' if wide else '2.0'}": (cmpp.encode(pdus.Pdu(command, 9, body), wide), wide)
    for name, (command, body) in _cmpp_bodies.items()
    for wide in (False, True)
}


def _with_length(pdu, length=None):
    return (len(pdu) if length is None else length).to_bytes(4, "big") + pdu[4:]


def _damages(pdu, header):
    """(name, octets) of each way to spoil a PDU; its length field is right again unless that is the damage."""
    size = len(pdu)
    for length in (0, 1, header - 1, header, size - 1, size + 1, 2**16, 2**31, 2**32 - 1):
        yield f"length {length}", _with_length(pdu, length)
    for cut in sorted({1, 2, 3, (size - header) // 2, size - header - 1}):
        if 0 < cut <= size - header:
            yield f"cut {cut}", _with_length(pdu[:-cut])
    for tail in (b"\0", b"\xff" * 3, bytes(4), b"\x04\x24\xff\xff", b"\x04\x24\x00\x01"):
        yield f"tail {tail.hex()}", _with_length(pdu + tail)
    for place in range(header, size, max(1, (size - header) // 6)):
        for value in (0x00, 0xFF, 0x80):
            yield f"octet {place} {value}", pdu[:place] + bytes((value,)) + pdu[place + 1 :]
    yield "no NUL", pdu[:header] + pdu[header:].replace(b"\0", b"\x01")
    yield "only NUL", pdu[:header] + bytes(size - header)
    yield "only ff", pdu[:header] + b"\xff" * (size - header)


SMPP_WRONG = [
    (f"{name}: {how}", octets) for name, pdu in SMPP_GOOD.items() for how, octets in _damages(pdu, 16)
]
CMPP_WRONG = [
    (f"{name}: {how}", octets, wide)
    for name, (pdu, wide) in CMPP_GOOD.items()
    for how, octets in _damages(pdu, 12)
]
