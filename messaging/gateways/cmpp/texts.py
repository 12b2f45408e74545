"""Between our words and CMPP's fields: numbers, texts, receipts and inbound texts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from messaging.encoding import UnsendableText, encode_ucs2
from messaging.gateways import concatenation
from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.cmpp import codec, pdus
from messaging.gateways.cmpp.pdus import CodecError, DeliverMessage
from messaging.gateways.cmpp.receipts import read_stat
from messaging.gateways.cmpp.settings import CmppSettings

SRC_ID_MAX = 21
VALIDITY_DAYS_MAX = 7

_is_chinese_mobile = re.compile(r"\+86(1[3-9][0-9]{9})", re.ASCII).fullmatch
_is_digits = re.compile(r"[0-9]*", re.ASCII).fullmatch


def source_id(sender: str, account: CmppSettings) -> str:
    """The number on the handset: the account's access number, with the sender's digits as its extension.

    Refuses (`UnsendableText`) letters, and more than twenty-one digits.
    """
    digits, base = sender.removeprefix("+"), account.access_number
    number = digits if digits.startswith(base) else base + digits
    if not number or not _is_digits(number) or len(number) > SRC_ID_MAX:
        raise UnsendableText("a sender that is no access number with an extension")
    return number


def destination(phone: str, account: CmppSettings) -> str:
    """Eleven digits, with the account's prefix. Refuses other than mainland mobile numbers: no CMPP gateway
    reaches them.
    """
    found = _is_chinese_mobile(phone)
    if found is None:
        raise UnsendableText("CMPP reaches mainland Chinese mobile numbers only")
    return account.phone_prefix + found[1]


def encode_content(text: str, msg_fmt: int) -> bytes:
    """A part's octets in Msg_Fmt 0 or 8. Refuses (`UnsendableText`) what it cannot say."""
    if msg_fmt != pdus.FORMAT_ASCII:
        return encode_ucs2(text)
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as error:
        raise UnsendableText("a character outside ASCII") from error


def valid_time(now: datetime, seconds: int | None) -> str:
    """ValId_Time, absolute, YYMMDDhhmmss, tenths, and quarter hours ahead of UTC; at most seven days.

    `now` is Beijing's. Empty for the gateway's own default.
    """
    if seconds is None:
        return ""
    ends = now + min(timedelta(seconds=max(1, seconds)), timedelta(days=VALIDITY_DAYS_MAX))
    return f"{ends:%y%m%d%H%M%S}032+"


def decode_content(octets: bytes, msg_fmt: int) -> str:
    """An inbound text in any Msg_Fmt.

    Never fails: what cannot be read becomes U+FFFD. NUL is dropped, PostgreSQL stores none.
    """
    if msg_fmt == pdus.FORMAT_UCS2:
        text = octets.decode("utf-16-be", "replace")
    elif msg_fmt == pdus.FORMAT_GBK:
        text = octets.decode("gb18030", "replace")
    elif msg_fmt in (pdus.FORMAT_BINARY, pdus.FORMAT_SIM):
        text = octets.decode("latin-1")
    else:  # 0, and 1 and 9 that some gateways write for it; GBK within "ASCII" is met too
        text = octets.decode("gb18030", "replace")
    return text.replace("\0", "")


def read_inbound(message: DeliverMessage) -> InboundSms:
    """A DELIVER as a text from a handset; a piece of a long one says which piece it is."""
    part, octets = None, message.content
    if message.tp_udhi & 1:
        part, octets = concatenation.split_header(octets)
    text = decode_content(octets, message.msg_fmt)
    return InboundSms(message.src_terminal_id, message.dest_id, text, message.content.hex(), part)


def read_receipt(message: DeliverMessage) -> ReceiptIn:
    """A DELIVER as a receipt; one that cannot be read names no message and decides nothing, but is kept."""
    raw = message.content.hex()
    try:
        found = codec.read_receipt(message.content)
    except CodecError:
        return ReceiptIn(None, "", "", "unknown", False, raw)
    outcome, is_final = read_stat(found.stat)
    err = found.stat if any(map(str.isdecimal, found.stat)) else ""
    phone = found.dest_terminal_id or message.src_terminal_id
    return ReceiptIn(
        str(found.msg_id) if found.msg_id else None, found.stat, err, outcome, is_final, raw, phone
    )
