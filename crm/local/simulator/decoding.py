"""What a handset does with the bytes it gets: split off the header, join the parts, read the alphabet.

Written apart from the sending side on purpose: it is the judge of what the sender encoded.
"""

import math
from dataclasses import dataclass

GSM_7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENDED = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}
ESCAPE = 27
HAS_HEADER = 0x40
UNICODE = 256  # not a data_coding: a provider over HTTP is given the words themselves
ALPHABETS = {0: "GSM-7", 1: "ASCII", 3: "Latin-1", 8: "UCS-2", 15: "GBK", UNICODE: ""}
PART_UNITS_GSM, PART_UNITS_UCS2 = (160, 153), (70, 67)


@dataclass(frozen=True)
class Part:
    """One submit: its bytes without the header, and which part of which long text it is."""

    body: bytes
    reference: int = 0
    total: int = 1
    number: int = 1


def split_header(body: bytes, esm_class: int) -> Part:
    """Read the concatenation header (8 or 16 bit reference), if there is one. A broken header is shown as
    text.
    """
    if not esm_class & HAS_HEADER or not body or body[0] >= len(body):
        return Part(body)
    header, rest = body[1 : body[0] + 1], body[body[0] + 1 :]
    while len(header) >= 2:
        element, length = header[0], header[1]
        value, header = header[2 : 2 + length], header[2 + length :]
        if (element, len(value)) in {(0x00, 3), (0x08, 4)}:
            *reference, total, number = value
            if 1 <= number <= total:
                return Part(rest, int.from_bytes(bytes(reference), "big"), total, number)
    return Part(rest)


def read_text(body: bytes, data_coding: int) -> str:
    """The text of the joined parts. Unknown alphabets are shown as hexadecimal, never refused."""
    if data_coding == 0:
        return _read_gsm(body)
    codec = {1: "ascii", 3: "latin-1", 8: "utf-16-be", 15: "gbk", UNICODE: "utf-8"}.get(data_coding)
    return body.decode(codec, errors="replace") if codec else body.hex(" ")


def _read_gsm(body: bytes) -> str:
    text, codes = [], iter(body)
    for code in codes:
        if code == ESCAPE:
            text.append(GSM_7_EXTENDED.get(next(codes, 0), " "))
        else:
            text.append(GSM_7[code] if code < 128 else "\N{REPLACEMENT CHARACTER}")
    return "".join(text)


def write_reply(text: str, reference: int) -> list[tuple[bytes, int, int]]:
    """A reply as the phone sends it: (bytes, data_coding, esm_class) of each part."""
    body, data_coding = _encode(text)
    unit = 1 if data_coding == 0 else 2
    whole, piece = (limit * unit for limit in (PART_UNITS_GSM if unit == 1 else PART_UNITS_UCS2))
    if len(body) <= whole:
        return [(body, data_coding, 0)]
    total = math.ceil(len(body) / piece)
    return [
        (
            bytes([5, 0, 3, reference & 255, total, n + 1]) + body[n * piece : (n + 1) * piece],
            data_coding,
            HAS_HEADER,
        )
        for n in range(total)
    ]


def _encode(text: str) -> tuple[bytes, int]:
    extended = {character: code for code, character in GSM_7_EXTENDED.items()}
    codes: list[int] = []
    for character in text:
        if character in extended:
            codes += [ESCAPE, extended[character]]
        elif character != "\x1b" and (code := GSM_7.find(character)) >= 0:
            codes.append(code)
        else:
            return text.encode("utf-16-be", errors="replace"), 8
    return bytes(codes), 0
