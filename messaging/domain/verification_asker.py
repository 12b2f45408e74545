"""Who asks for a code, as far as limits are concerned: keyed hashes, so that nothing here says who it was."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings

from members.domain.enrolment import phone_hash
from members.phones import keyed_hash


@dataclass(frozen=True)
class Asker:
    """A number with its surroundings, and the address, network and device it is asked from.

    `is_outside` is False for staff who ask for the member before them: then only the number's own limits hold.
    """

    number: bytes
    prefix: bytes  # the number without its last four digits: of a Chinese one the first seven
    span: bytes  # its hundred
    shifted_span: bytes  # its hundred, counted from fifty: any fifty neighbours share one of the two
    address: bytes  # one IPv4 address, or one IPv6 /64
    network: bytes  # the /24, or the /64
    device: bytes
    is_outside: bool


def asker_of(phone: str, ip: str | None, device: str = "") -> Asker:
    """The asker of an E.164 number; without `ip` it is staff."""
    number = phone_hash(phone)
    digits = int(phone[1:])
    return Asker(
        number=number,
        prefix=_hashed(f"prefix:{phone[:-4]}"),
        span=_hashed(f"span:{digits // 100}"),
        shifted_span=_hashed(f"shifted:{(digits + 50) // 100}"),
        address=_network(ip, 32) if ip is not None else number,
        network=_network(ip, 24) if ip is not None else number,
        device=_hashed(f"device:{device.encode().hex()}") if device else b"",
        is_outside=ip is not None,
    )


def _network(ip: str, prefix: int) -> bytes:
    """The part of IPv4 that counts as one; IPv6 by its /64, which one customer holds whole."""
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return _hashed(f"ip/{prefix}:")
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    length = 64 if parsed.version == 6 else prefix
    return _hashed(f"ip/{prefix}:{ipaddress.ip_network((parsed.packed, length), strict=False)}")


def _hashed(text: str) -> bytes:
    return keyed_hash(text, settings.REGULARS_PHONE_KEY.encode())
