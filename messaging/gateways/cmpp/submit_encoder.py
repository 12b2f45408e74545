"""From a message to SUBMIT octets, one phone each: one wrong number would fail all that share a submit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from messaging.encoding import GSM7, PARTS_MAX, UCS2, UnsendableText, split_parts
from messaging.gateways import concatenation
from messaging.gateways.base import OutboundSms
from messaging.gateways.cmpp import codec, pdus, texts
from messaging.gateways.cmpp.pdus import Pdu, Submit
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.long_message import LongMessage

BEIJING = timezone(timedelta(hours=8))  # the carriers' clock; China keeps no other


def beijing_now() -> datetime:
    """The carriers' clock."""
    return datetime.now(BEIJING)


class SubmitEncoder:
    """Encodes for one account.

    Raises `UnsendableText` or `CodecError` for what cannot be sent, naming no content.
    """

    def __init__(self, settings: CmppSettings, now: Callable[[], datetime] = beijing_now) -> None:
        self._settings, self._now = settings, now

    def pieces(self, message: OutboundSms) -> tuple[bytes, ...]:
        """The octets of all submits of a message, header included when there is more than one."""
        if not 0 < len(message.parts) <= PARTS_MAX:
            raise UnsendableText(f"a message of {len(message.parts)} parts")
        msg_fmt, parts = self._parts(message)
        pieces, total = [texts.encode_content(part, msg_fmt) for part in parts], len(parts)
        if total > 1:
            header = concatenation.header
            pieces = [header(message.reference, total, i) + piece for i, piece in enumerate(pieces, 1)]
        return tuple(pieces)

    def encode(self, entry: tuple[LongMessage, int], sequence: int, wide: bool) -> bytes:
        """The whole PDU of one part."""
        long_message, index = entry
        account, message, total = self._settings, long_message.message, len(long_message.pieces)
        seconds = message.validity_seconds if account.sends_validity else None
        submit = Submit(
            destinations=(texts.destination(message.phone, account),),
            content=long_message.pieces[index],
            src_id=texts.source_id(message.sender, account),
            msg_src=account.msg_src or account.sp_id,
            pk_total=total,
            pk_number=index + 1,
            registered_delivery=int(account.wants_receipts),
            msg_level=account.msg_level,
            service_id=account.service_id,
            fee_user_type=account.fee_user_type,
            fee_terminal_id=account.fee_terminal_id,
            tp_udhi=int(total > 1),
            msg_fmt=self._parts(message)[0],
            fee_type=account.fee_type,
            fee_code=account.fee_code,
            valid_time=texts.valid_time(self._now(), seconds),
        )
        return codec.encode(Pdu(pdus.SUBMIT, sequence, submit), wide)

    def _parts(self, message: OutboundSms) -> tuple[int, tuple[str, ...]]:
        """(Msg_Fmt, parts): ASCII only when each character is and each part is under 160 octets, else UCS-2,
        cut anew if it was counted for another alphabet.
        """
        if message.encoding != GSM7:
            return pdus.FORMAT_UCS2, message.parts
        if all(part.isascii() and len(part) <= pdus.ASCII_OCTETS_MAX for part in message.parts):
            return pdus.FORMAT_ASCII, message.parts
        return pdus.FORMAT_UCS2, tuple(split_parts("".join(message.parts), UCS2))
