"""Between our words and SMPP's fields: senders, texts, concatenation headers, receipts and inbound texts."""

from __future__ import annotations

import re

from messaging.encoding import GSM7, Encoding, UnsendableText, decode_gsm7, encode_gsm7, encode_ucs2
from messaging.gateways import concatenation
from messaging.gateways.base import InboundSms, ReceiptIn
from messaging.gateways.concatenation import PartOf
from messaging.gateways.smpp import pdus
from messaging.gateways.smpp.pdus import ShortMessage
from messaging.gateways.smpp.receipts import OUTCOMES, STATES, parse_receipt
from messaging.gateways.smpp.settings import Alphabet, IdForm, SmppSettings

DATA_CODING_DEFAULT, DATA_CODING_UCS2 = 0, 8
TON_UNKNOWN, TON_INTERNATIONAL, TON_ALPHANUMERIC = 0, 1, 5
NPI_UNKNOWN, NPI_E164 = 0, 1
PROVIDER_ID_MAX, ADDRESS_MAX = 64, 32  # longer ones break the specification and would break a column
ALPHANUMERIC_MAX = 11  # TS 23.040 9.1.2.5: eleven septets fit an address of ten octets


_is_plain = re.compile(r"[A-Za-z0-9 !\"#%&'()*+,\-./:;<=>?_]*").fullmatch
_digits_of = {10: re.compile("[0-9]+").fullmatch, 16: re.compile("[0-9a-f]+").fullmatch}


def sender_address(sender: str, settings: SmppSettings) -> tuple[int, int, str]:
    """(TON, NPI, address) of a sender.

    "+" and digits is E.164, digits alone a short code, the rest letters: at most eleven, of the characters
    that ASCII and the GSM alphabet have in common. Refuses (`UnsendableText`) others.
    """
    digits = sender.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        if sender.startswith("+"):
            return TON_INTERNATIONAL, NPI_E164, digits
        return settings.short_code_ton, settings.short_code_npi, digits
    if not sender:
        return TON_UNKNOWN, NPI_UNKNOWN, ""
    if len(sender) > ALPHANUMERIC_MAX or not _is_plain(sender):
        raise UnsendableText("a sender of letters that no handset shows")
    return TON_ALPHANUMERIC, NPI_UNKNOWN, sender


def data_coding_of(encoding: Encoding, default: int = DATA_CODING_DEFAULT) -> int:
    """What stands for the SMSC's default alphabet, or 8 for UCS-2."""
    return default if encoding == GSM7 else DATA_CODING_UCS2


def submit_id(provider_id: str | None, form: IdForm) -> str | None:
    """The id of a submit's answer as it is kept: a decimal number where answer and receipt differ in base.

    One that is no such number stays as it is.
    """
    return _decimal(provider_id, 16 if form == "hex_to_dec" else 10) if form != "exact" else provider_id


def receipt_id(provider_id: str | None, form: IdForm) -> str | None:
    """The id of a receipt in the form that `submit_id` keeps."""
    return _decimal(provider_id, 10 if form == "hex_to_dec" else 16) if form != "exact" else provider_id


def _decimal(provider_id: str | None, base: int) -> str | None:
    digits = (provider_id or "").lower()
    digits = digits.removeprefix("0x") if base == 16 else digits
    if not digits or len(digits) > 32 or not _digits_of[base](digits):
        return provider_id
    return str(int(digits, base))


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
    kind = message.esm_class & pdus.ESM_TYPE_MASK
    return kind in (pdus.ESM_RECEIPT, pdus.ESM_INTERMEDIATE) or pdus.TAG_RECEIPTED_MESSAGE_ID in message.tlvs


def read_receipt(message: ShortMessage, id_form: IdForm = "exact") -> ReceiptIn:
    """A deliver_sm as a receipt. An intermediate notification is never final. Fields free of NUL."""
    raw = message.content.decode("latin-1").replace("\0", "")
    message_id, stat, err, outcome, is_final = parse_receipt(raw, message.tlvs)
    if id_form != "exact":
        message_id = receipt_id(message_id, id_form)
    if is_final and message.esm_class & pdus.ESM_TYPE_MASK == pdus.ESM_INTERMEDIATE:
        outcome, is_final = "accepted", False
    if message_id and len(message_id) > PROVIDER_ID_MAX or len(stat) > 32 or len(err) > 32:
        message_id, stat, err = message_id and message_id[:PROVIDER_ID_MAX], stat[:32], err[:32]
    return ReceiptIn(
        message_id, stat, err, outcome, is_final, raw, _phone(message.source_ton, message.source_addr)
    )


# The body of a deliver_sm that is a receipt as appendix B writes it, from a number of digits: nearly all of them. Over the
# octets as Latin-1. Possessive, so that any other body is given up at once.
find_plain_receipt = re.compile(
    r"\0(.).([0-9]{1,32}+)\0..[^\0]{0,32}+\0\x04..\0\0....."
    r"(id:([!-9;-~]{1,64}+) sub:[0-9]*+ dlvrd:[0-9]*+ submit date:[0-9]*+ done date:[0-9]*+"
    rf" stat:({'|'.join(OUTCOMES)}) err:([!-9;-~]{{0,32}}+)(?: [^\0]*+)?)(\0\x1e.*+)?\Z",
    re.DOTALL,
).match
"""Its type of number, number, whole text, id, state, error and optional parameters; None for any other body, to be read
field by field. The caller holds the text's length against the octet before it, and asks `only_confirms`."""

_STATE_OCTETS = {word: chr(number) for number, word in STATES.items()}
_REFERENCE, _REFERENCE_LENGTH = "\x02\x04\0\x02", 6


def only_confirms(parameters: str, provider_id: str, stat: str) -> bool:
    """Whether optional parameters say the text's own id and state again, and at most our reference after them."""
    usual = f"\0\x1e\0{chr(len(provider_id) + 1)}{provider_id}\0\x04\x27\0\x01{_STATE_OCTETS[stat]}"
    if not parameters.startswith(usual):
        return False
    rest = len(parameters) - len(usual)
    return not rest or (rest == _REFERENCE_LENGTH and parameters.startswith(_REFERENCE, len(usual)))


def read_inbound(message: ShortMessage, alphabet: Alphabet = "gsm7") -> InboundSms:
    """A deliver_sm as a text from a handset; a piece of a long one says which piece it is."""
    octets = message.content
    part, text = _part_from_tlvs(message), octets
    if message.esm_class & pdus.ESM_UDH:
        part, text = concatenation.split_header(octets)
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
    if pdus.TAG_SAR_TOTAL not in tlvs:
        return None
    numbers = (
        int.from_bytes(tlvs.get(tag, b"")[:2], "big")
        for tag in (pdus.TAG_SAR_REFERENCE, pdus.TAG_SAR_TOTAL, pdus.TAG_SAR_NUMBER)
    )
    return concatenation.valid_part(*numbers)
