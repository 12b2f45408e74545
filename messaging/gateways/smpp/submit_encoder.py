"""From a message to submit_sm octets, with everything that repeats between messages prepared once."""

from __future__ import annotations

from typing import cast

from messaging.encoding import UnsendableText
from messaging.gateways.base import OutboundSms
from messaging.gateways.smpp import codec, texts
from messaging.gateways.smpp.long_message import Entry, LongMessage
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
        if entry.__class__ is OutboundSms:
            message = entry
            octets = texts.encode_part(message.parts[0], message.encoding, self._settings.default_alphabet)
            esm_class = 0
        else:
            long_message, index = cast(tuple[LongMessage, int], entry)
            message, octets = long_message.message, long_message.pieces[index]
            esm_class = codec.ESM_UDH if len(message.parts) > 1 else 0
        head = self._heads.get(message.sender) or self._learn_sender(message.sender)
        middle = codec.submit_middle(
            esm_class, texts.data_coding_of(message.encoding), message.validity_seconds
        )
        return codec.submit_pdu(sequence, head, texts.destination_digits(message.phone), middle, octets)

    def pieces(self, message: OutboundSms) -> tuple[bytes, ...]:
        """The octets of all parts, each with its concatenation header when there is more than one."""
        total = len(message.parts)
        if not 0 < total <= 255:
            raise UnsendableText(f"a message of {total} parts")
        pieces = [
            texts.encode_part(part, message.encoding, self._settings.default_alphabet)
            for part in message.parts
        ]
        if total > 1:
            header = texts.concatenation_header
            pieces = [header(message.reference, total, i) + piece for i, piece in enumerate(pieces, 1)]
        if max(map(len, pieces)) > codec.SHORT_MESSAGE_OCTETS_MAX:
            raise UnsendableText("a part too long for one submit_sm")
        return tuple(pieces)

    def _learn_sender(self, sender: str) -> bytes:
        if len(self._heads) >= _SENDERS_MAX:
            self._heads.clear()
        head = self._heads[sender] = codec.submit_head(*texts.sender_address(sender, self._settings))
        return head
