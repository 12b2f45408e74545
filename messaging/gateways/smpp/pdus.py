"""SMPP 3.4: commands, statuses, parameters and bodies. Numbers and field order from the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from messaging.gateways.base import Malformed

GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM = 0x04, 0x05
UNBIND, ENQUIRE_LINK = 0x06, 0x15
RESPONSE = 0x80000000  # added to a request's command id
BIND_RECEIVER_RESP, BIND_TRANSMITTER_RESP = RESPONSE | BIND_RECEIVER, RESPONSE | BIND_TRANSMITTER
BIND_TRANSCEIVER_RESP = RESPONSE | BIND_TRANSCEIVER
SUBMIT_SM_RESP, DELIVER_SM_RESP = RESPONSE | SUBMIT_SM, RESPONSE | DELIVER_SM
UNBIND_RESP, ENQUIRE_LINK_RESP = RESPONSE | UNBIND, RESPONSE | ENQUIRE_LINK

STATUS_OK = 0x00
STATUS_INVALID_LENGTH = 0x02
STATUS_INVALID_COMMAND = 0x03

TAG_RECEIPTED_MESSAGE_ID, TAG_MESSAGE_STATE, TAG_NETWORK_ERROR = 0x001E, 0x0427, 0x0423
TAG_MESSAGE_PAYLOAD = 0x0424
TAG_SAR_REFERENCE, TAG_SAR_TOTAL, TAG_SAR_NUMBER = 0x020C, 0x020E, 0x020F
ESM_UDH = 0x40
ESM_TYPE_MASK, ESM_RECEIPT, ESM_INTERMEDIATE = 0x3C, 0x04, 0x20

HEADER_OCTETS = 16
PDU_OCTETS_MAX = 70_000  # message_payload may hold 65,535 octets
SHORT_MESSAGE_OCTETS_MAX = 254
VALIDITY_SECONDS_MAX = 99 * 86_400 - 1
NO_TLVS: Mapping[int, bytes] = MappingProxyType({})


class MalformedPdu(Malformed):
    """These octets are not an SMPP PDU, or these values do not fit one."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Body of bind_transceiver, bind_transmitter and bind_receiver."""

    system_id: str
    password: str
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True)
class BindResponse:
    """Body of a bind's answer; a refusing SMSC may leave it out."""

    system_id: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=lambda: NO_TLVS)


class ShortMessage(NamedTuple):
    """Body of submit_sm and deliver_sm.

    Addresses are without "+". A tuple: receipts come by the hundred thousand.
    """

    source_addr: str
    destination_addr: str
    short_message: bytes = b""
    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    destination_ton: int = 0
    destination_npi: int = 0
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_message_id: int = 0
    tlvs: Mapping[int, bytes] = NO_TLVS

    @property
    def content(self) -> bytes:
        """The text's octets, wherever the sender put them."""
        return self.short_message or self.tlvs.get(TAG_MESSAGE_PAYLOAD, b"")


@dataclass(frozen=True, slots=True)
class MessageResponse:
    """Body of submit_sm_resp and deliver_sm_resp; an error may come without one."""

    message_id: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=lambda: NO_TLVS)


Body = Bind | BindResponse | ShortMessage | MessageResponse | None


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU. `body` is None for those without one, and for commands this product does not speak."""

    command: int
    sequence: int
    status: int = STATUS_OK
    body: Body = None
