"""CMPP 2.0 and 3.0 as octets (China Mobile Peer to Peer, the carriers' own protocol behind 106 numbers).

PDUs in, PDUs out, nothing else. Pure functions; numbers, widths and field order from the specification. The
two versions differ in widths only: status and result have one octet or four, a phone number 21 or 32, and 3.0
adds number types and a LinkID. 2.1, which some clients and gateways name, has the layout of 2.0.

Decoding takes whatever octets arrive and either returns a `Pdu` or raises `CodecError`, never anything else.
Encoding refuses what a field cannot hold.
"""

from __future__ import annotations

import hashlib
import struct

from messaging.gateways.cmpp import pdus
from messaging.gateways.cmpp.pdus import (
    Body,
    CancelResponse,
    CodecError,
    Connect,
    ConnectResponse,
    DeliverMessage,
    MessageResponse,
    Pdu,
    QueryResponse,
    ReceiptContent,
    Submit,
)

HEADER_OCTETS = 12
PDU_OCTETS_MAX = 4_096  # the longest, a submit to 99 phones in 3.0, has 3,479

_header = struct.Struct(">III")
_deliver_answer_2, _deliver_answer_3 = struct.Struct(">IIIQB"), struct.Struct(">IIIQI")

read_header = _header.unpack_from
"""(length, command, sequence) at an offset of a buffer that holds at least 12 octets from there."""


# ── proofs ────────────────────────────────────────────────────────────────────────────────────────────────


def source_authenticator(source_addr: str, secret: str, timestamp: int) -> bytes:
    """What we prove ourselves with: MD5 of name, nine zeros, secret and the timestamp in ten digits."""
    proof = _octets(source_addr) + bytes(9) + _octets(secret) + b"%010d" % timestamp
    return hashlib.md5(proof, usedforsecurity=False).digest()


def gateway_authenticator(status: int, authenticator: bytes, secret: str, status_octets: int) -> bytes:
    """What the gateway proves itself with; the status goes in with as many octets as it has on the wire."""
    proof = status.to_bytes(status_octets, "big") + authenticator + _octets(secret)
    return hashlib.md5(proof, usedforsecurity=False).digest()


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────


def frame(command: int, sequence: int, body: bytes = b"") -> bytes:
    """A header in front of a body that is encoded already."""
    try:
        return _header.pack(HEADER_OCTETS + len(body), command, sequence) + body
    except struct.error as error:
        raise CodecError(str(error)) from error


def encode(pdu: Pdu, wide: bool) -> bytes:
    """Any PDU as octets, in the layout of 3.0 (`wide`) or 2.0.

    Refuses fields that are too long or not Latin-1, and a body that is not the command's.
    """
    return frame(pdu.command, pdu.sequence, _encode_body(pdu, wide))


def deliver_answers(answers: list[tuple[int, int]], result: int, wide: bool) -> bytes:
    """The DELIVER_RESP of each (sequence, Msg_Id), in one piece."""
    layout = _deliver_answer_3 if wide else _deliver_answer_2
    try:
        return b"".join([
            layout.pack(layout.size, pdus.DELIVER_RESP, sequence, msg_id, result) for sequence, msg_id in answers
        ])  # fmt: skip
    except struct.error as error:
        raise CodecError(str(error)) from error


def encode_receipt(receipt: ReceiptContent, wide: bool) -> bytes:
    """The content of a receipt: 60 octets in 2.0, 71 in 3.0."""
    return b"".join((
        _number(receipt.msg_id, 8), _text(receipt.stat, 7), _text(receipt.submit_time, 10),
        _text(receipt.done_time, 10), _text(receipt.dest_terminal_id, 32 if wide else 21),
        _number(receipt.smsc_sequence, 4),
    ))  # fmt: skip


def _encode_body(pdu: Pdu, wide: bool) -> bytes:
    body, command = pdu.body, pdu.command
    if command == pdus.CONNECT and isinstance(body, Connect):
        return (
            _text(body.source_addr, 6)
            + _exactly(body.authenticator, 16)
            + _number(body.version, 1)
            + _number(body.timestamp, 4)
        )
    if command == pdus.CONNECT_RESP and isinstance(body, ConnectResponse):
        return (
            _number(body.status, _width(wide)) + _exactly(body.authenticator, 16) + _number(body.version, 1)
        )
    if command == pdus.SUBMIT and isinstance(body, Submit):
        return _encode_submit(body, wide)
    if command in (pdus.SUBMIT_RESP, pdus.DELIVER_RESP) and isinstance(body, MessageResponse):
        return _number(body.msg_id, 8) + _number(body.result, _width(wide))
    if command == pdus.DELIVER and isinstance(body, DeliverMessage):
        return _encode_deliver(body, wide)
    if command == pdus.CANCEL_RESP and isinstance(body, CancelResponse):
        return _number(body.success, _width(wide))
    if command == pdus.QUERY_RESP and isinstance(body, QueryResponse):
        counts = b"".join(_number(count, 4) for count in body.counts)
        return _text(body.time, 8) + _number(body.query_type, 1) + _text(body.query_code, 10) + counts
    if command == pdus.ACTIVE_TEST_RESP and body is None:
        return b"\0"
    if body is None:
        return b""
    raise CodecError(f"command 0x{command:08X} has no body {type(body).__name__}")


def _encode_submit(body: Submit, wide: bool) -> bytes:
    size_max = pdus.ASCII_OCTETS_MAX if body.msg_fmt == pdus.FORMAT_ASCII else pdus.CONTENT_OCTETS_MAX
    if len(body.content) > size_max:
        raise CodecError(f"{len(body.content)} octets of text, at most {size_max}")
    if not 0 < len(body.destinations) < 100:
        raise CodecError(f"{len(body.destinations)} destinations")
    phone = 32 if wide else 21
    return b"".join((
        _number(body.msg_id, 8), _number(body.pk_total, 1), _number(body.pk_number, 1),
        _number(body.registered_delivery, 1), _number(body.msg_level, 1), _text(body.service_id, 10),
        _number(body.fee_user_type, 1), _text(body.fee_terminal_id, phone),
        _number(body.fee_terminal_type, 1) if wide else b"",
        _number(body.tp_pid, 1), _number(body.tp_udhi, 1), _number(body.msg_fmt, 1), _text(body.msg_src, 6),
        _text(body.fee_type, 2), _text(body.fee_code, 6), _text(body.valid_time, 17), _text(body.at_time, 17),
        _text(body.src_id, 21), _number(len(body.destinations), 1),
        *(_text(destination, phone) for destination in body.destinations),
        _number(body.destination_type, 1) if wide else b"",
        _number(len(body.content), 1), body.content, _text(body.link_id, 20) if wide else bytes(8),
    ))  # fmt: skip


def _encode_deliver(body: DeliverMessage, wide: bool) -> bytes:
    return b"".join((
        _number(body.msg_id, 8), _text(body.dest_id, 21), _text(body.service_id, 10), _number(body.tp_pid, 1),
        _number(body.tp_udhi, 1), _number(body.msg_fmt, 1), _text(body.src_terminal_id, 32 if wide else 21),
        _number(body.src_terminal_type, 1) if wide else b"", _number(body.registered_delivery, 1),
        _number(len(body.content), 1), body.content, _text(body.link_id, 20) if wide else bytes(8),
    ))  # fmt: skip


def _width(wide: bool) -> int:
    """Octets of a status or result."""
    return 4 if wide else 1


def _number(value: int, size: int) -> bytes:
    try:
        return value.to_bytes(size, "big")
    except OverflowError as error:
        raise CodecError(f"{value} in {size} octets") from error


def _text(value: str, size: int) -> bytes:
    octets = _octets(value)
    if len(octets) > size or 0 in octets:
        raise CodecError(f"a field of {len(octets)} octets, at most {size} and no NUL")
    return octets.ljust(size, b"\0")


def _octets(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise CodecError("a character that no CMPP field can hold") from error


def _exactly(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise CodecError(f"{len(value)} octets, not {size}")
    return value


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────


def frame_length(buffer: bytes, start: int) -> int:
    """The length a header announces.

    Raises `CodecError` for one that cannot be: the stream is lost then.
    """
    length: int = read_header(buffer, start)[0]
    if not HEADER_OCTETS <= length <= PDU_OCTETS_MAX:
        raise CodecError(f"Total_Length {length}")
    return length


def decode(data: bytes, wide: bool) -> Pdu:
    """Exactly one PDU in the layout of 3.0 (`wide`) or 2.0.

    Raises `CodecError` when the octets are fewer, more or not what the command promises. CONNECT_RESP tells
    its layout by its own length (a gateway may answer in an older version than it was asked for).
    """
    if len(data) < HEADER_OCTETS:
        raise CodecError(f"{len(data)} octets are no header")
    length, command, sequence = read_header(data)
    if length != len(data):
        raise CodecError(f"Total_Length says {length}, {len(data)} octets are here")
    return Pdu(command, sequence, _decode_body(command, _Reader(data), wide))


def read_receipt(content: bytes) -> ReceiptContent:
    """A receipt's content. Its length tells the layout, not the connection's version: gateways mix them.

    Any other length is read as far as it goes, so that the one thing that counts, Msg_Id and Stat, is not
    lost. Raises `CodecError` below those fifteen octets.
    """
    if len(content) < 15:
        raise CodecError(f"a receipt of {len(content)} octets")
    phone = 32 if len(content) >= 71 else 21
    read = _Reader(content + bytes(71), 0)
    return ReceiptContent(
        read.number(8), read.text(7), read.text(10), read.text(10), read.text(phone), read.number(4)
    )


class _Reader:
    """A place in a PDU that moves on with each field."""

    __slots__ = ("_data", "_at")

    def __init__(self, data: bytes, at: int = HEADER_OCTETS) -> None:
        self._data, self._at = data, at

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def octets(self, size: int) -> bytes:
        if size > self.left:
            raise CodecError("a PDU that ends within its fields")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.octets(size), "big")

    def text(self, size: int) -> str:
        """Up to the first NUL; blanks, which some gateways pad with, do not count."""
        return self.octets(size).split(b"\0", 1)[0].decode("latin-1").strip()


def _decode_body(command: int, read: _Reader, wide: bool) -> Body:
    if command in (pdus.SUBMIT_RESP, pdus.DELIVER_RESP):
        # A gateway that answers in the other width is understood: the result is what is left.
        msg_id = read.number(8)
        return MessageResponse(msg_id, read.number(min(4, read.left) if read.left > 1 else 1))
    if command == pdus.DELIVER:
        return _decode_deliver(read, wide)
    if command == pdus.SUBMIT:
        return _decode_submit(read, wide)
    if command == pdus.CONNECT:
        return Connect(read.text(6), read.octets(16), read.number(1), read.number(4))
    if command == pdus.CONNECT_RESP:
        return ConnectResponse(read.number(4 if read.left >= 21 else 1), read.octets(16), read.number(1))
    if command == pdus.CANCEL_RESP:
        return CancelResponse(read.number(4 if read.left >= 4 else 1))
    if command == pdus.QUERY_RESP:
        return QueryResponse(
            read.text(8), read.number(1), read.text(10), tuple(read.number(4) for _ in range(8))
        )
    return None


def _decode_deliver(read: _Reader, wide: bool) -> DeliverMessage:
    msg_id, dest_id, service_id = read.number(8), read.text(21), read.text(10)
    tp_pid, tp_udhi, msg_fmt = read.octets(3)
    source = read.text(32 if wide else 21)
    source_type = read.number(1) if wide else 0
    is_receipt, size = read.octets(2)
    content = read.octets(size)
    link_id = read.text(min(20, read.left)) if wide else ""  # left out, or cut short, by some gateways
    return DeliverMessage(
        msg_id,
        dest_id,
        source,
        content,
        service_id,
        tp_pid,
        tp_udhi,
        msg_fmt,
        source_type,
        is_receipt,
        link_id,
    )


def _decode_submit(read: _Reader, wide: bool) -> Submit:
    phone = 32 if wide else 21
    msg_id = read.number(8)
    pk_total, pk_number, registered, level = read.octets(4)
    service_id, fee_user_type, fee_terminal_id = read.text(10), read.number(1), read.text(phone)
    fee_terminal_type = read.number(1) if wide else 0
    tp_pid, tp_udhi, msg_fmt = read.octets(3)
    msg_src, fee_type, fee_code = read.text(6), read.text(2), read.text(6)
    valid_time, at_time, src_id = read.text(17), read.text(17), read.text(21)
    destinations = tuple(read.text(phone) for _ in range(read.number(1)))
    destination_type = read.number(1) if wide else 0
    content = read.octets(read.number(1))
    return Submit(
        destinations, content, src_id, msg_src, msg_id, pk_total, pk_number, registered, level, service_id,
        fee_user_type, fee_terminal_id, fee_terminal_type, tp_pid, tp_udhi, msg_fmt, fee_type, fee_code,
        valid_time, at_time, destination_type, read.text(min(20, read.left)) if wide else "",
    )  # fmt: skip
