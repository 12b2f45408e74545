"""A member's points as they stand: usable, waiting, about to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Q, Sum

from members.domain.expiry_warnings import AHEAD
from members.enums import AccountKind
from members.models import Lot, Member


@dataclass(frozen=True)
class PointsHeld:
    """Points by what may be done with them. `expiring` are among the usable; they end from `expires_at` on."""

    usable: int
    pending: int
    pending_until: datetime | None
    expiring: int
    expires_at: datetime | None


def points_held(member: Member, at: datetime) -> PointsHeld:
    """One query. Points past their end are none of it, whether they have left the account or not."""
    lots = Lot.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=at),
        account__member=member,
        account__kind=AccountKind.POINTS,
        remaining__gt=0,
    )
    waiting = Q(active_from__gt=at)
    ending = Q(expires_at__lte=at + AHEAD) & ~waiting
    found = lots.aggregate(
        usable=Sum("remaining", filter=~waiting),
        pending=Sum("remaining", filter=waiting),
        pending_until=Min("active_from", filter=waiting),
        expiring=Sum("remaining", filter=ending),
        expires_at=Min("expires_at", filter=ending),
    )
    return PointsHeld(
        found["usable"] or 0,
        found["pending"] or 0,
        found["pending_until"],
        found["expiring"] or 0,
        found["expires_at"],
    )
