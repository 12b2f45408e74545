"""The header that ties the parts of a long text together on a handset: TS 23.040 9.2.3.24.1 and 9.2.3.24.8.

The same octets in SMPP and in CMPP. Writing refuses nothing; reading never fails.
"""

from __future__ import annotations

PartOf = tuple[int, int, int]
"""(reference, total, number) of a long text's piece."""


def header(reference: int, total: int, number: int, reference_bits: int = 8) -> bytes:
    """Six octets with an 8-bit reference, seven with a 16-bit one; of a longer reference the low bits."""
    if reference_bits == 16:
        return bytes((6, 8, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number))
    return bytes((5, 0, 3, reference & 0xFF, total, number))


def split_header(octets: bytes) -> tuple[PartOf | None, bytes]:
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
            part = valid_part(value[0], value[1], value[2])
        elif element == 0x08 and len(value) == 4:
            part = valid_part(int.from_bytes(value[:2], "big"), value[2], value[3])
        position += 2 + size
    return part, octets[end:]


def valid_part(reference: int, total: int, number: int) -> PartOf | None:
    """None for one of one, and for numbers outside the total: such a text stands alone."""
    return (reference, total, number) if total > 1 and 1 <= number <= total else None
