"""From a message to submit_sm octets, with everything that repeats between messages prepared once."""

from __future__ import annotations

from typing import cast

from messaging.encoding import PARTS_MAX, UnsendableText, split_parts
from messaging.gateways import concatenation
from messaging.gateways.base import OutboundSms
from messaging.gateways.long_message import Entry, LongMessage
from messaging.gateways.smpp import codec, pdus, texts
from messaging.gateways.smpp.settings import SmppSettings

_SENDERS_MAX = 4_096


class SubmitEncoder:
    """Encodes for one account.

    Raises `UnsendableText` or `MalformedPdu` for what cannot be sent, naming no content.
    """

    def __init__(self, settings: SmppSettings) -> None:
        self._settings = settings
        self._heads: dict[str, bytes] = {}

    def encode(self, entry: Entry, sequence: int) -> bytes:
        """The whole PDU of a message, or of one part of a long one."""
        account = self._settings
        esm_class, parameters = 0, b""
        if entry.__class__ is OutboundSms:
            message = entry
            octets = texts.encode_part(message.parts[0], message.encoding, account.default_alphabet)
        else:
            long_message, index = cast(tuple[LongMessage, int], entry)
            message, octets = long_message.message, long_message.pieces[index]
            if len(message.parts) > 1:
                esm_class, octets, parameters = self._tied(long_message, index, octets)
        head = self._heads.get(message.sender) or self._learn_sender(message.sender)
        middle = codec.submit_middle(
            esm_class,
            texts.data_coding_of(message.encoding, account.default_data_coding),
            message.validity_seconds if account.sends_validity else None,
        )
        digits = texts.destination_digits(message.phone)
        return codec.submit_pdu(sequence, head, digits, middle, octets, parameters)

    def pieces(self, message: OutboundSms) -> tuple[bytes, ...]:
        """The octets of all submits of a message, each with its header when the account wants headers."""
        if not 0 < len(message.parts) <= PARTS_MAX:
            raise UnsendableText(f"a message of {len(message.parts)} parts")
        pieces = [
            texts.encode_part(part, message.encoding, self._settings.default_alphabet)
            for part in self._parts(message)
        ]
        total = len(pieces)
        if total > 1 and self._settings.long_texts in ("udh8", "udh16"):
            bits = 16 if self._settings.long_texts == "udh16" else 8
            header = concatenation.header
            pieces = [header(message.reference, total, i, bits) + piece for i, piece in enumerate(pieces, 1)]
        if self._settings.long_texts != "payload" and max(map(len, pieces)) > pdus.SHORT_MESSAGE_OCTETS_MAX:
            raise UnsendableText("a part too long for one submit_sm")
        return tuple(pieces)

    def _parts(self, message: OutboundSms) -> tuple[str, ...]:
        """As they were cut for the six-octet header, unless this account wants another cut or none."""
        if len(message.parts) == 1 or self._settings.long_texts in ("udh8", "sar"):
            return message.parts
        whole = "".join(message.parts)
        return (
            (whole,)
            if self._settings.long_texts == "payload"
            else tuple(split_parts(whole, message.encoding, 16))
        )

    def _tied(self, long_message: LongMessage, index: int, octets: bytes) -> tuple[int, bytes, bytes]:
        """(esm_class, short_message, optional parameters) of one submit of a long text."""
        way = self._settings.long_texts
        if way == "payload":
            return 0, b"", codec.tlvs_octets({pdus.TAG_MESSAGE_PAYLOAD: octets})
        if way == "sar":
            reference, total = long_message.message.reference & 0xFFFF, len(long_message.pieces)
            return 0, octets, codec.tlvs_octets({
                pdus.TAG_SAR_REFERENCE: reference.to_bytes(2, "big"),
                pdus.TAG_SAR_TOTAL: bytes((total,)),
                pdus.TAG_SAR_NUMBER: bytes((index + 1,)),
            })  # fmt: skip
        return pdus.ESM_UDH, octets, b""

    def _learn_sender(self, sender: str) -> bytes:
        if len(self._heads) >= _SENDERS_MAX:
            self._heads.clear()
        head = self._heads[sender] = codec.submit_head(*texts.sender_address(sender, self._settings))
        return head
