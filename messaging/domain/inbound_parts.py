"""Pieces of long inbound texts: kept until the others are here, whatever their order, twice or at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from messaging.gateways.base import InboundSms
from messaging.models import InboundPart

PARTS_WAIT = timedelta(hours=24)
MISSING = "…"


@dataclass(frozen=True)
class Joined:
    """A text made of pieces. `is_complete` False: some never came, and stand as an ellipsis."""

    gateway: int
    phone: str
    to: str
    text: str
    is_complete: bool


def add_part(gateway: int, sms: InboundSms, at: datetime) -> list[Joined]:
    """Keep a piece. Gives the whole text if it was the last one missing, and before it what it pushed out.

    A number's reference comes round again: a piece that is already there with other words belongs to a new text, and
    the old one is given up as it is.
    """
    assert sms.part is not None
    reference, total, number = sms.part
    key = {
        "gateway_id": gateway,
        "phone": sms.phone[:32],
        "to": sms.to[:32],
        "reference": reference,
        "total": total,
    }
    _take_turns(key)
    done = []
    earlier = InboundPart.objects.filter(**key, number=number).first()
    if earlier and earlier.text != sms.text:
        done.append(_taken(key))
        earlier = None
    if earlier is None:
        InboundPart.objects.create(**key, number=number, text=sms.text, received_at=at)
    if InboundPart.objects.filter(**key).count() >= total:
        done.append(_taken(key))
    return done


def late_keys(at: datetime) -> list[dict[str, object]]:
    """The texts of which a piece has waited for a day."""
    names = ("gateway_id", "phone", "to", "reference", "total")
    late = InboundPart.objects.filter(received_at__lte=at - PARTS_WAIT).values(*names).distinct()
    return list(late)


def take_late(key: dict[str, object]) -> list[Joined]:
    """What there is of a text; nothing when somebody else took it."""
    _take_turns(key)
    return [_taken(key)] if InboundPart.objects.filter(**key).exists() else []


def _taken(key: dict[str, object]) -> Joined:
    """The pieces of a text in their order, taken out of the table."""
    kept = InboundPart.objects.filter(**key)
    pieces = {piece.number: piece.text for piece in kept}
    kept.delete()
    total = int(str(key["total"]))
    return Joined(
        gateway=int(str(key["gateway_id"])),
        phone=str(key["phone"]),
        to=str(key["to"]),
        text="".join(pieces.get(number, MISSING) for number in range(1, total + 1)),
        is_complete=len(pieces) >= total,
    )


def _take_turns(key: dict[str, object]) -> None:
    """Two pieces of one text that come at the same moment see each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4104, hashtext(%s))", [repr(sorted(key.items()))])
