"""SMPP 3.4 as octets.

PDUs in, PDUs out, nothing else. Pure functions; numbers and field order from the specification.

Decoding takes whatever bytes arrive and either returns a `Pdu` or raises `MalformedPdu`, never anything else.
It is liberal about field lengths (real SMSCs exceed them) but not about structure. Encoding refuses what a
field cannot hold.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import repeat

from messaging.gateways.smpp.pdus import (
    BIND_RECEIVER,
    BIND_RECEIVER_RESP,
    BIND_TRANSCEIVER,
    BIND_TRANSCEIVER_RESP,
    BIND_TRANSMITTER,
    BIND_TRANSMITTER_RESP,
    DELIVER_SM,
    DELIVER_SM_RESP,
    HEADER_OCTETS,
    NO_TLVS,
    PDU_OCTETS_MAX,
    SHORT_MESSAGE_OCTETS_MAX,
    SUBMIT_SM,
    SUBMIT_SM_RESP,
    VALIDITY_SECONDS_MAX,
    Bind,
    BindResponse,
    Body,
    MalformedPdu,
    MessageResponse,
    Pdu,
    ShortMessage,
)

_header = struct.Struct(">IIII")
_deliver_answer = struct.Struct(">IIIIx")
_tlv_header = struct.Struct(">HH")
_BINDS = frozenset((BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER))
_BIND_RESPONSES = frozenset((BIND_RECEIVER_RESP, BIND_TRANSMITTER_RESP, BIND_TRANSCEIVER_RESP))

read_header = _header.unpack_from
"""(length, command, status, sequence) at an offset of a buffer that holds at least 16 octets from there."""


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────


def encode(pdu: Pdu) -> bytes:
    """Any PDU as octets.

    Refuses fields that are too long or not Latin-1, and a body that is not the command's.
    """
    body = _encode_body(pdu)
    return frame(pdu.command, pdu.status, pdu.sequence, body)


def frame(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A header in front of a body that is encoded already."""
    try:
        return _header.pack(HEADER_OCTETS + len(body), command, status, sequence) + body
    except struct.error as error:
        raise MalformedPdu(str(error)) from error


def deliver_answers(status: int, sequences: Iterable[int]) -> bytes:
    """The deliver_sm_resp of each sequence number, in one piece.

    The specification wants an empty message_id.
    """
    length, command = repeat(HEADER_OCTETS + 1), repeat(DELIVER_SM_RESP)
    return b"".join(map(_deliver_answer.pack, length, command, repeat(status), sequences))


def submit_head(source_ton: int, source_npi: int, source_addr: str) -> bytes:
    """The part of a submit_sm body before an E.164 destination's digits.

    The same for all messages of a sender.
    """
    return (
        b"\0" + _octet(source_ton) + _octet(source_npi) + _c_octets(source_addr, 21) + b"\x01\x01"
    )  # an empty service_type; destination TON 1 (international), NPI 1 (E.164)


@lru_cache(maxsize=4096)
def submit_middle(esm_class: int, data_coding: int, validity_seconds: int | None) -> bytes:
    """From after the destination's digits up to sm_length: a receipt is always asked for."""
    validity = relative_validity(validity_seconds).encode()
    return b"\0" + bytes((esm_class, 0, 0)) + b"\0" + validity + b"\0" + bytes((1, 0, data_coding, 0))


def submit_pdu(
    sequence: int, head: bytes, digits: bytes, middle: bytes, message: bytes, parameters: bytes = b""
) -> bytes:
    """One submit_sm from its prepared pieces; the fast way that a campaign's messages take."""
    size = len(message)
    if size > SHORT_MESSAGE_OCTETS_MAX:
        raise MalformedPdu(f"{size} octets of text, at most {SHORT_MESSAGE_OCTETS_MAX}")
    if len(digits) > 20:
        raise MalformedPdu("destination longer than 20 digits")
    length = HEADER_OCTETS + len(head) + len(digits) + len(middle) + 1 + size + len(parameters)
    return b"%b%b%b%b%c%b%b" % (
        _header.pack(length, SUBMIT_SM, 0, sequence),
        head,
        digits,
        middle,
        size,
        message,
        parameters,
    )


def relative_validity(seconds: int | None) -> str:
    """The relative form YYMMDDhhmmss000R, at least one second; empty for the SMSC's own default."""
    if seconds is None:
        return ""
    days, rest = divmod(max(1, min(seconds, VALIDITY_SECONDS_MAX)), 86_400)
    hours, rest = divmod(rest, 3600)
    return f"0000{days:02d}{hours:02d}{rest // 60:02d}{rest % 60:02d}000R"


def _encode_body(pdu: Pdu) -> bytes:
    body = pdu.body
    if pdu.command in _BINDS and isinstance(body, Bind):
        return _encode_bind(body)
    if pdu.command in _BIND_RESPONSES and isinstance(body, BindResponse):
        return _c_octets(body.system_id, 16) + tlvs_octets(body.tlvs)
    if pdu.command in (SUBMIT_SM, DELIVER_SM) and isinstance(body, ShortMessage):
        return _encode_short_message(body)
    if pdu.command in (SUBMIT_SM_RESP, DELIVER_SM_RESP) and isinstance(body, MessageResponse):
        return _c_octets(body.message_id, 65) + tlvs_octets(body.tlvs)
    if body is None:
        return b""
    raise MalformedPdu(f"command 0x{pdu.command:08X} has no body {type(body).__name__}")


def _encode_bind(body: Bind) -> bytes:
    return (
        _c_octets(body.system_id, 16)
        + _c_octets(body.password, 9)
        + _c_octets(body.system_type, 13)
        + _octet(body.interface_version)
        + _octet(body.addr_ton)
        + _octet(body.addr_npi)
        + _c_octets(body.address_range, 41)
    )


def _encode_short_message(body: ShortMessage) -> bytes:
    if len(body.short_message) > SHORT_MESSAGE_OCTETS_MAX:
        raise MalformedPdu(f"{len(body.short_message)} octets of text, at most {SHORT_MESSAGE_OCTETS_MAX}")
    return b"".join((
        _c_octets(body.service_type, 6),
        _octet(body.source_ton), _octet(body.source_npi), _c_octets(body.source_addr, 21),
        _octet(body.destination_ton), _octet(body.destination_npi), _c_octets(body.destination_addr, 21),
        _octet(body.esm_class), _octet(body.protocol_id), _octet(body.priority_flag),
        _c_octets(body.schedule_delivery_time, 17), _c_octets(body.validity_period, 17),
        _octet(body.registered_delivery), _octet(body.replace_if_present), _octet(body.data_coding),
        _octet(body.default_message_id), _octet(len(body.short_message)), body.short_message,
        tlvs_octets(body.tlvs),
    ))  # fmt: skip


def tlvs_octets(tlvs: Mapping[int, bytes]) -> bytes:
    """Optional parameters, in the mapping's order."""
    try:
        return b"".join(_tlv_header.pack(tag, len(value)) + value for tag, value in tlvs.items())
    except struct.error as error:
        raise MalformedPdu(str(error)) from error


def _c_octets(value: str, size_max: int) -> bytes:
    """A C-octet string; `size_max` counts its NUL, as the specification's tables do."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise MalformedPdu("a character that no SMPP field can hold") from error
    if len(octets) >= size_max or 0 in octets:
        raise MalformedPdu(f"a field of {len(octets)} octets, at most {size_max - 1} and no NUL")
    return octets + b"\0"


def _octet(value: int) -> bytes:
    if not 0 <= value <= 0xFF:
        raise MalformedPdu(f"{value} in a field of one octet")
    return bytes((value,))


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────


def decode(data: bytes) -> Pdu:
    """Exactly one PDU.

    Raises `MalformedPdu` when the octets are fewer, more or not what the command promises.
    """
    if len(data) < HEADER_OCTETS:
        raise MalformedPdu(f"{len(data)} octets are no header")
    length, command, status, sequence = read_header(data)
    if length != len(data):
        raise MalformedPdu(f"command_length says {length}, {len(data)} octets are here")
    return Pdu(command, sequence, status, _decode_body(command, status, data))


def frame_length(buffer: bytes, start: int) -> int:
    """The length a header announces.

    Raises `MalformedPdu` for one that cannot be: the stream is lost then.
    """
    length: int = read_header(buffer, start)[0]
    if not HEADER_OCTETS <= length <= PDU_OCTETS_MAX:
        raise MalformedPdu(f"command_length {length}")
    return length


def decode_short_message(data: bytes, start: int, end: int) -> ShortMessage:
    """The body of a submit_sm or deliver_sm that lies in data[start:end]."""
    find = data.find
    try:
        service_end = find(0, start, end)
        source = service_end + 3
        source_end = find(0, source, end)
        destination = source_end + 3
        destination_end = find(0, destination, end)
        schedule = destination_end + 4
        schedule_end = find(0, schedule, end)
        validity_end = find(0, schedule_end + 1, end)
        text = validity_end + 6
        if text > end or -1 in (service_end, source_end, destination_end, schedule_end, validity_end):
            raise MalformedPdu("a short message that ends within its fields")
        text_end = text + data[text - 1]
        if text_end > end:
            raise MalformedPdu("sm_length reaches beyond the PDU")
        ton, npi = data[service_end + 1 : source]
        to_ton, to_npi = data[source_end + 1 : destination]
        esm_class, protocol_id, priority = data[destination_end + 1 : schedule]
        receipt, replace, data_coding, default_id = data[validity_end + 1 : text - 1]
        return ShortMessage(
            data[source:source_end].decode("latin-1"),
            data[destination:destination_end].decode("latin-1"),
            data[text:text_end],
            data[start:service_end].decode("latin-1") if service_end > start else "",
            ton,
            npi,
            to_ton,
            to_npi,
            esm_class,
            protocol_id,
            priority,
            data[schedule:schedule_end].decode("latin-1") if schedule_end > schedule else "",
            data[schedule_end + 1 : validity_end].decode("latin-1")
            if validity_end > schedule_end + 1
            else "",
            receipt,
            replace,
            data_coding,
            default_id,
            decode_tlvs(data, text_end, end) if text_end < end else NO_TLVS,
        )
    except IndexError as error:
        raise MalformedPdu("a short message that ends within its fields") from error


def decode_tlvs(data: bytes, start: int, end: int) -> Mapping[int, bytes]:
    """Optional parameters in data[start:end]; of a repeated tag the first wins."""
    tlvs: dict[int, bytes] = {}
    while start < end:
        if end - start < 4:
            raise MalformedPdu("an optional parameter without a whole header")
        tag, size = _tlv_header.unpack_from(data, start)
        start += 4
        if size > end - start:
            raise MalformedPdu("an optional parameter that reaches beyond the PDU")
        tlvs.setdefault(tag, data[start : start + size])
        start += size
    return tlvs


def _decode_body(command: int, status: int, data: bytes) -> Body:
    end = len(data)
    if command in (SUBMIT_SM, DELIVER_SM):
        return decode_short_message(data, HEADER_OCTETS, end)
    if command in _BINDS:
        return _decode_bind(data)
    if command in _BIND_RESPONSES:
        return BindResponse(*_decode_id_and_tlvs(data, status))
    if command in (SUBMIT_SM_RESP, DELIVER_SM_RESP):
        return MessageResponse(*_decode_id_and_tlvs(data, status))
    return None


def _decode_id_and_tlvs(data: bytes, status: int) -> tuple[str, Mapping[int, bytes]]:
    if len(data) == HEADER_OCTETS:  # several SMSCs leave the body of an error out, and some of a success
        return "", NO_TLVS
    value, position = _c_string(data, HEADER_OCTETS)
    return value, decode_tlvs(data, position, len(data)) if position < len(data) else NO_TLVS


def _decode_bind(data: bytes) -> Bind:
    system_id, position = _c_string(data, HEADER_OCTETS)
    password, position = _c_string(data, position)
    system_type, position = _c_string(data, position)
    if position + 3 > len(data):
        raise MalformedPdu("a bind that ends within its fields")
    version, ton, npi = data[position : position + 3]
    address_range, position = _c_string(data, position + 3)
    if position != len(data):
        raise MalformedPdu("octets after a bind's last field")
    return Bind(system_id, password, system_type, version, ton, npi, address_range)


def _c_string(data: bytes, start: int) -> tuple[str, int]:
    end = data.find(0, start)
    if end < 0:
        raise MalformedPdu("a string without its NUL")
    return data[start:end].decode("latin-1"), end + 1
