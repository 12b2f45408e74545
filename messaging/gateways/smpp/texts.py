"""Between our words and SMPP's fields: senders, texts, concatenation headers, receipts and inbound texts."""

from __future__ import annotations

from messaging.encoding import GSM7, Encoding, UnsendableText, decode_gsm7, encode_gsm7, encode_ucs2
from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.smpp import codec
from messaging.gateways.smpp.codec import ShortMessage
from messaging.gateways.smpp.receipts import parse_receipt
from messaging.gateways.smpp.settings import Alphabet, SmppSettings

DATA_CODING_DEFAULT, DATA_CODING_UCS2 = 0, 8
TON_UNKNOWN, TON_INTERNATIONAL, TON_ALPHANUMERIC = 0, 1, 5
NPI_UNKNOWN, NPI_E164 = 0, 1
PROVIDER_ID_MAX, ADDRESS_MAX = 64, 32  # longer ones break the specification and would break a column

PartOf = tuple[int, int, int]


def sender_address(sender: str, settings: SmppSettings) -> tuple[int, int, str]:
    """(TON, NPI, address) of a sender.

    "+" and digits is E.164, digits alone a short code, the rest letters.
    """
    digits = sender.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        if sender.startswith("+"):
            return TON_INTERNATIONAL, NPI_E164, digits
        return settings.short_code_ton, settings.short_code_npi, digits
    return (TON_ALPHANUMERIC, NPI_UNKNOWN, sender) if sender else (TON_UNKNOWN, NPI_UNKNOWN, "")


def data_coding_of(encoding: Encoding) -> int:
    """0 for the SMSC's default alphabet, 8 for UCS-2."""
    return DATA_CODING_DEFAULT if encoding == GSM7 else DATA_CODING_UCS2


def encode_part(text: str, encoding: Encoding, alphabet: Alphabet) -> bytes:
    """A part's octets. Refuses (`UnsendableText`) what this SMSC's default alphabet cannot say."""
    if encoding != GSM7:
        return encode_ucs2(text)
    if alphabet == "gsm7":
        return encode_gsm7(text)
    try:
        return text.encode(alphabet)
    except UnicodeEncodeError as error:
        raise UnsendableText(f"a character outside {alphabet}") from error


def concatenation_header(reference: int, total: int, number: int) -> bytes:
    """The six octets before each part of a long text; 8-bit reference, TS 23.040 9.2.3.24.1."""
    return bytes((5, 0, 3, reference & 0xFF, total, number))


def destination_digits(phone: str) -> bytes:
    """E.164 without its "+". Refuses anything that is not digits."""
    digits = phone.removeprefix("+").encode("ascii", "replace")
    if not digits.isdigit():
        raise UnsendableText("a destination that is not digits")
    return digits


def decode_text(octets: bytes, data_coding: int, alphabet: Alphabet = "gsm7") -> str:
    """An inbound text.

    Never fails: what cannot be read becomes U+FFFD. NUL is dropped, PostgreSQL stores none.
    """
    if data_coding & 0xF0 == 0xF0:  # message class group: bit 2 says 8-bit, else the default alphabet
        data_coding = 0x03 if data_coding & 0x04 else DATA_CODING_DEFAULT
    if data_coding & 0x0C == 0x08:  # UCS-2, also with a message class (0x18 …)
        return octets.decode("utf-16-be", "replace").replace("\0", "")
    if data_coding == DATA_CODING_DEFAULT and alphabet == "gsm7":
        return decode_gsm7(octets)
    if data_coding == 0x01 or (data_coding == DATA_CODING_DEFAULT and alphabet == "ascii"):
        return octets.decode("ascii", "replace").replace("\0", "")
    return octets.decode("latin-1").replace("\0", "")


def is_receipt(message: ShortMessage) -> bool:
    """By the message type or the TLV only: a handset can write "id:… stat:DELIVRD" too, but not set these."""
    kind = message.esm_class & codec.ESM_TYPE_MASK
    return (
        kind in (codec.ESM_RECEIPT, codec.ESM_INTERMEDIATE) or codec.TAG_RECEIPTED_MESSAGE_ID in message.tlvs
    )


def read_receipt(message: ShortMessage) -> ReceiptIn:
    """A deliver_sm as a receipt. An intermediate notification is never final. Fields free of NUL."""
    raw = message.content.decode("latin-1").replace("\0", "")
    message_id, stat, err, outcome, is_final = parse_receipt(raw, message.tlvs)
    if is_final and message.esm_class & codec.ESM_TYPE_MASK == codec.ESM_INTERMEDIATE:
        outcome, is_final = "accepted", False
    if message_id and len(message_id) > PROVIDER_ID_MAX or len(stat) > 32 or len(err) > 32:
        message_id, stat, err = message_id and message_id[:PROVIDER_ID_MAX], stat[:32], err[:32]
    return ReceiptIn(
        message_id, stat, err, outcome, is_final, raw, _phone(message.source_ton, message.source_addr)
    )


def read_inbound(message: ShortMessage, alphabet: Alphabet = "gsm7") -> InboundSms:
    """A deliver_sm as a text from a handset; a piece of a long one says which piece it is."""
    octets = message.content
    part, text = _part_from_tlvs(message), octets
    if message.esm_class & codec.ESM_UDH:
        part, text = _split_header(octets)
    return InboundSms(
        _phone(message.source_ton, message.source_addr),
        message.destination_addr[:ADDRESS_MAX],
        decode_text(text, message.data_coding, alphabet),
        octets.hex(),
        part,
    )


def _phone(ton: int, address: str) -> str:
    address = address[:ADDRESS_MAX]
    is_international = ton == TON_INTERNATIONAL and address and not address.startswith("+")
    return f"+{address}" if is_international else address


def _part_from_tlvs(message: ShortMessage) -> PartOf | None:
    tlvs = message.tlvs
    if codec.TAG_SAR_TOTAL not in tlvs:
        return None
    numbers = (
        int.from_bytes(tlvs.get(tag, b"")[:2], "big")
        for tag in (codec.TAG_SAR_REFERENCE, codec.TAG_SAR_TOTAL, codec.TAG_SAR_NUMBER)
    )
    return _valid_part(*numbers)


def _split_header(octets: bytes) -> tuple[PartOf | None, bytes]:
    """The concatenation in a user data header, and the text after it.

    A header that cannot be is read as text.
    """
    if not octets or 1 + octets[0] > len(octets):
        return None, octets
    end, position, part = 1 + octets[0], 1, None
    while position + 2 <= end:
        element, size = octets[position], octets[position + 1]
        value = octets[position + 2 : min(position + 2 + size, end)]
        if element == 0x00 and len(value) == 3:
            part = _valid_part(value[0], value[1], value[2])
        elif element == 0x08 and len(value) == 4:
            part = _valid_part(int.from_bytes(value[:2], "big"), value[2], value[3])
        position += 2 + size
    return part, octets[end:]


def _valid_part(reference: int, total: int, number: int) -> PartOf | None:
    """None for one of one, and for numbers outside the total: such a text stands alone."""
    return (reference, total, number) if total > 1 and 1 <= number <= total else None
