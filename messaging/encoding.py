"""How a text goes on the air: which alphabet, how many units, cut into which parts, as which octets.

Counting follows 3GPP TS 23.038 and 23.040 with the six-octet concatenation header (8-bit reference): 160
septets or 70 UTF-16 units for one SMS, 153 or 67 for each part of a longer one (152 or 66 where a gateway
wants the seven-octet header with a 16-bit reference, see `split_parts`). An escape sequence and a
surrogate pair are never cut in two, so a part may go out one unit short. The Chinese rule (`rule="cn"`) is
what domestic platforms bill. Nothing here cleans a text by itself: call `clean` first, then count exactly
what will be sent.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Encoding = Literal["GSM-7", "UCS-2"]
Rule = Literal["3gpp", "cn"]
ReferenceBits = Literal[8, 16]

GSM7: Encoding = "GSM-7"
UCS2: Encoding = "UCS-2"

GSM7_SINGLE_UNITS, GSM7_PART_UNITS = 160, 153
UCS2_SINGLE_UNITS, UCS2_PART_UNITS = 70, 67
# The part's room for text under each concatenation header: 140 octets less 6 or 7, in septets and in units.
PART_UNITS: dict[ReferenceBits, tuple[int, int]] = {8: (GSM7_PART_UNITS, UCS2_PART_UNITS), 16: (152, 66)}
PARTS_MAX = 255  # one octet in the concatenation header

ESC = "\x1b"
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F,
    "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip

_basic_class = re.escape(_BASIC.replace(ESC, ""))
_extension_class = re.escape("".join(_EXTENSION))
_is_basic = re.compile(f"[{_basic_class}]*").fullmatch
_is_gsm7 = re.compile(f"[{_basic_class}{_extension_class}]*").fullmatch
_extension_characters = re.compile(f"[{_extension_class}]").findall
# Octets that mean the same character in ASCII and in the default alphabet: such a text needs no translation.
_is_same_in_ascii = re.compile(r"[\n\r !\"#%&'()*+,\-./0-9:;<=>?A-Za-z]*").fullmatch

_escaped = {ord(character): ESC + character for character in _EXTENSION}
_to_septets: dict[int, str] = {ord(character): chr(code) for code, character in enumerate(_BASIC)}
_to_septets |= {ord(character): ESC + chr(code) for character, code in _EXTENSION.items()}
_from_septets = dict(enumerate(_BASIC))
_from_septets |= dict.fromkeys(range(128, 256), "�")
_from_extension = {chr(code): character for character, code in _EXTENSION.items()}
_escape_pair = re.compile("\x1b(.?)", re.DOTALL)


class UnsendableText(ValueError):
    """The text cannot go out as an SMS at all.

    Empty, an ESC or half a surrogate pair in it, or over 255 parts.
    """


class TextMeasure(NamedTuple):
    """What a text costs.

    `units` are septets for GSM-7 and UTF-16 units for UCS-2; `parts` is what is billed.
    """

    encoding: Encoding
    units: int
    parts: int


def measure(text: str, rule: Rule = "3gpp") -> TextMeasure:
    """Count the finished text. Refuses (`UnsendableText`) empty text, ESC and lone surrogates.

    "cn": always UCS-2, one unit per UTF-16 unit (so an emoji beyond U+FFFF is 2, as on the air and as the
    stricter platforms bill), up to 70 one part, beyond that ceil(units / 67). Includes texts longer than a
    header can number: whoever sends caps the parts; `split_parts` refuses more than 255.
    """
    if not text or ESC in text:
        raise UnsendableText("empty text" if not text else "control character ESC")
    if rule == "3gpp":
        if _is_basic(text):
            units = len(text)
            return TextMeasure(GSM7, units, 1 if units <= GSM7_SINGLE_UNITS else -(-units // GSM7_PART_UNITS))
        if _is_gsm7(text):
            return _measure_with_extension(text)
    elif rule != "cn":
        raise ValueError(f"unknown counting rule {rule!r}")
    data = _utf16(text)
    units = len(data) // 2
    if units <= UCS2_SINGLE_UNITS:
        return TextMeasure(UCS2, units, 1)
    if rule == "cn" or units == len(text):
        return TextMeasure(UCS2, units, -(-units // UCS2_PART_UNITS))
    return TextMeasure(UCS2, units, len(_ucs2_cuts(data)) - 1)


def split_parts(text: str, encoding: Encoding, reference_bits: ReferenceBits = 8) -> list[str]:
    """Cut a text into the parts that go on the wire, in order; joined they are the text again.

    `encoding` is the one to send in ("UCS-2" takes any text, also one that would fit GSM-7).
    `reference_bits` is the size of the reference in the header that will stand before each part. Refuses
    empty text, ESC, lone surrogates, characters outside the encoding and texts of more than 255 parts.
    """
    if not text or ESC in text:
        raise UnsendableText("empty text" if not text else "control character ESC")
    septets, units = PART_UNITS[reference_bits]
    parts = _split_gsm7(text, septets) if encoding == GSM7 else _split_ucs2(text, units)
    if len(parts) > PARTS_MAX:
        raise UnsendableText(f"{len(parts)} parts, at most {PARTS_MAX}")
    return parts


def encode_gsm7(text: str) -> bytes:
    """The octets of SMPP's default alphabet.

    One septet in an octet (unpacked), extension characters as two.
    """
    if _is_same_in_ascii(text):
        return text.encode("ascii")
    if not _is_gsm7(text):
        raise UnsendableText("a character outside the GSM 7-bit alphabet")
    return text.translate(_to_septets).encode("latin-1")


def decode_gsm7(data: bytes) -> str:
    """Read unpacked septets.

    Never fails: an unknown escape shows the basic character, as TS 23.038 asks of a handset.

    A lone escape becomes a space, an octet above 0x7F the replacement character.
    """
    text = data.decode("latin-1")
    if ESC not in text:
        return text.translate(_from_septets)
    pieces = _escape_pair.split(text)  # plain, escaped, plain, escaped, … plain
    return "".join(
        _unescape(piece) if is_escaped else piece.translate(_from_septets)
        for is_escaped, piece in zip((False, True) * (len(pieces) // 2 + 1), pieces, strict=False)
    )


def encode_ucs2(text: str) -> bytes:
    """UTF-16, big-endian, without a byte order mark. Refuses lone surrogates."""
    return _utf16(text)


def _drop(*ranges: tuple[int, int]) -> dict[int, str]:
    return {code: "" for first, last in ranges for code in range(first, last + 1)}


_cleaned: dict[int, str] = {
    **_drop((0x00, 0x1F), (0x7F, 0x9F)),
    **_drop((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0xFEFF, 0xFEFF)),
    ord("\n"): "\n", ord("\r"): "\r", ord("\t"): " ", 0xA0: " ",
}  # fmt: skip
_needs_cleaning = re.compile(
    "[" + "".join(re.escape(chr(c)) for c in _cleaned if c not in (0x0A, 0x0D)) + "]"
).search

_friendly: dict[int, str] = {
    ord(character): plain
    for characters, plain in (
        ("‘’‚‛′‵´`ʼʹ＇", "'"),
        ("“”„‟″‶〝〞＂", '"'),
        ("«", "<<"), ("»", ">>"), ("‹", "<"), ("›", ">"),
        ("‐‑‒–—―−⁃﹣－", "-"),
        ("…", "..."),
        ("•·∙●▪", "*"),
        ("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "),
        ("\u2028\u2029", "\n"),
        ("×", "x"), ("÷⁄∕", "/"), ("½", "1/2"), ("¼", "1/4"), ("¾", "3/4"),
        ("©", "(c)"), ("®", "(R)"), ("™", "(TM)"), ("№", "No."),
        ("áâãā", "a"), ("ÁÀÂÃĀ", "A"), ("êëē", "e"), ("ÈÊËĒ", "E"), ("íîïī", "i"), ("ÍÌÎÏĪ", "I"),
        ("óôõō", "o"), ("ÓÒÔÕŌ", "O"), ("úûū", "u"), ("ÚÙÛŪ", "U"), ("ýÿ", "y"), ("Ý", "Y"),
        ("çĉćč", "c"), ("ĆČ", "C"), ("šś", "s"), ("ŠŚ", "S"), ("žźż", "z"), ("ŽŹŻ", "Z"),
        ("ń", "n"), ("ł", "l"),
    )
    for character in characters
}  # fmt: skip


def clean(text: str) -> str:
    """Take out what no handset shows and every counter charges for.

    Control characters but line ends, zero-width and direction marks go; a tab and a no-break space become a
    space. Joined emoji (families) fall apart into single ones. Lone surrogates stay, for `measure` to refuse.
    """
    return text.translate(_cleaned) if _needs_cleaning(text) else text


def gsm_friendly(text: str) -> str:
    """Replace typographic characters by look-alikes of the 7-bit alphabet.

    Curly quotes, dashes, ellipsis, accents.

    Only proposes: a name loses its accent, and a text that holds Chinese stays UCS-2 whatever is folded, so
    the caller compares `measure` before and after and a person accepts.
    """
    return text if _is_gsm7(text) else text.translate(_friendly)


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise UnsendableText("half of a surrogate pair") from error


def _measure_with_extension(text: str) -> TextMeasure:
    units = len(text) + len(_extension_characters(text))
    if units <= GSM7_SINGLE_UNITS:
        return TextMeasure(GSM7, units, 1)
    return TextMeasure(GSM7, units, len(_gsm7_cuts(text.translate(_escaped))) - 1)


def _gsm7_cuts(escaped: str, room: int = GSM7_PART_UNITS) -> list[int]:
    """Where parts begin and end in a text whose extension characters carry their ESC."""
    cuts, position, end = [0], 0, len(escaped)
    while end - position > room:
        position += room
        if escaped[position - 1] == ESC:
            position -= 1
        cuts.append(position)
    return [*cuts, end]


def _ucs2_cuts(data: bytes, room: int = UCS2_PART_UNITS) -> list[int]:
    """Where parts begin and end in big-endian UTF-16, in octets."""
    cuts, position, end = [0], 0, len(data)
    while end - position > 2 * room:
        position += 2 * room
        if data[position - 2] & 0xFC == 0xD8:  # a high surrogate would be last: it moves to the next part
            position -= 2
        cuts.append(position)
    return [*cuts, end]


def _split_gsm7(text: str, room: int) -> list[str]:
    if not _is_gsm7(text):
        raise UnsendableText("a character outside the GSM 7-bit alphabet")
    escaped = text if _is_basic(text) else text.translate(_escaped)
    if len(escaped) <= GSM7_SINGLE_UNITS:
        return [text]
    cuts = _gsm7_cuts(escaped, room)
    return [escaped[a:b].replace(ESC, "") for a, b in zip(cuts, cuts[1:], strict=False)]


def _split_ucs2(text: str, room: int) -> list[str]:
    data = _utf16(text)
    if len(data) <= 2 * UCS2_SINGLE_UNITS:
        return [text]
    cuts = _ucs2_cuts(data, room)
    return [data[a:b].decode("utf-16-be") for a, b in zip(cuts, cuts[1:], strict=False)]


def _unescape(character: str) -> str:
    if character in ("", ESC):
        return " "
    return _from_extension.get(character) or character.translate(_from_septets)
