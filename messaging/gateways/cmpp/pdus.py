"""CMPP's commands, numbers and messages as values; `codec` turns them into octets and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from messaging.gateways.base import Malformed

CONNECT, TERMINATE = 0x01, 0x02
SUBMIT, DELIVER = 0x04, 0x05
QUERY, CANCEL = 0x06, 0x07
ACTIVE_TEST = 0x08
RESPONSE = 0x80000000  # added to a request's command id
CONNECT_RESP, TERMINATE_RESP = RESPONSE | CONNECT, RESPONSE | TERMINATE
SUBMIT_RESP, DELIVER_RESP = RESPONSE | SUBMIT, RESPONSE | DELIVER
QUERY_RESP, CANCEL_RESP = RESPONSE | QUERY, RESPONSE | CANCEL
ACTIVE_TEST_RESP = RESPONSE | ACTIVE_TEST

Version = Literal["2.0", "2.1", "3.0"]
VERSION_OCTETS: dict[Version, int] = {"2.0": 0x20, "2.1": 0x21, "3.0": 0x30}
FORMAT_ASCII, FORMAT_SIM, FORMAT_BINARY, FORMAT_UCS2, FORMAT_GBK = 0, 3, 4, 8, 15

CONTENT_OCTETS_MAX = 140
ASCII_OCTETS_MAX = 159  # Msg_Fmt 0: "less than 160"


class CodecError(Malformed):
    """These octets are not a CMPP PDU, or these values do not fit one."""


class Connect(NamedTuple):
    """`timestamp` is MMDDHHMMSS as a number: its leading zero is lost and put back before hashing."""

    source_addr: str
    authenticator: bytes
    version: int
    timestamp: int


class ConnectResponse(NamedTuple):
    """0 is yes; 1 structure, 2 unknown source, 3 authentication, 4 version too high, others the gateway's."""

    status: int
    authenticator: bytes = bytes(16)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Submit:
    """One text to one or more phones (we send one: a wrong number fails all of them).

    Widths beyond the fields' are refused. In 2.0 the `*_type` fields and `link_id` do not exist.
    """

    destinations: tuple[str, ...]
    content: bytes
    src_id: str
    msg_src: str
    msg_id: int = 0
    pk_total: int = 1
    pk_number: int = 1
    registered_delivery: int = 1
    msg_level: int = 1
    service_id: str = ""
    fee_user_type: int = 2
    fee_terminal_id: str = ""
    fee_terminal_type: int = 0
    tp_pid: int = 0
    tp_udhi: int = 0
    msg_fmt: int = FORMAT_UCS2
    fee_type: str = "01"
    fee_code: str = "000000"
    valid_time: str = ""
    at_time: str = ""
    destination_type: int = 0
    link_id: str = ""


class MessageResponse(NamedTuple):
    """Body of SUBMIT_RESP and DELIVER_RESP."""

    msg_id: int
    result: int


class DeliverMessage(NamedTuple):
    """Body of DELIVER: a handset's text, or (`registered_delivery` 1) a receipt in `content`."""

    msg_id: int
    dest_id: str
    src_terminal_id: str
    content: bytes
    service_id: str = ""
    tp_pid: int = 0
    tp_udhi: int = 0
    msg_fmt: int = FORMAT_ASCII
    src_terminal_type: int = 0
    registered_delivery: int = 0
    link_id: str = ""


class ReceiptContent(NamedTuple):
    """What a DELIVER with `registered_delivery` 1 holds. Times are YYMMDDhhmm of the gateway's clock."""

    msg_id: int
    stat: str
    submit_time: str
    done_time: str
    dest_terminal_id: str
    smsc_sequence: int


class QueryResponse(NamedTuple):
    """Counts of one day, as the gateway keeps them."""

    time: str
    query_type: int
    query_code: str
    counts: tuple[int, ...]


class CancelResponse(NamedTuple):
    """0 is yes."""

    success: int


Body = (
    Connect
    | ConnectResponse
    | Submit
    | MessageResponse
    | DeliverMessage
    | QueryResponse
    | CancelResponse
    | int
    | None
)


class Pdu(NamedTuple):
    """One PDU. `body` is None for those without one (TERMINATE, ACTIVE_TEST and its answer) and for commands
    this product does not speak.
    """

    command: int
    sequence: int
    body: Body = None


class MsgId(NamedTuple):
    """What a Msg_Id says: when it was given (the gateway's clock), by which gateway, as its how many-eth."""

    month: int
    day: int
    hour: int
    minute: int
    second: int
    gateway: int
    sequence: int


def read_msg_id(msg_id: int) -> MsgId:
    """4 bits month, 5 day, 5 hour, 6 minute, 6 second, 22 gateway code, 16 sequence."""
    widths, fields = (4, 5, 5, 6, 6, 22, 16), []
    for width in reversed(widths):
        fields.append(msg_id & (1 << width) - 1)
        msg_id >>= width
    return MsgId(*reversed(fields))


def write_msg_id(fields: MsgId) -> int:
    """The number again."""
    msg_id = 0
    for width, value in zip((4, 5, 5, 6, 6, 22, 16), fields, strict=True):
        if not 0 <= value < 1 << width:
            raise CodecError(f"{value} in {width} bits")
        msg_id = msg_id << width | value
    return msg_id


def is_wide(version: int) -> bool:
    """The layout of 3.0."""
    return version >= 0x30
