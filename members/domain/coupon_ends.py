"""The clock's work on coupons: free what was reserved, end what is over, warn of what ends soon."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from members.domain import coupon_codes, events
from members.domain.coupon_issuing import told
from members.domain.coupon_locks import lock_coupons
from members.models import Coupon, CouponState

SOURCE = "coupons"
WARN_BEFORE = timedelta(days=7)
WARN_EVERY = timedelta(days=7)
_RELEASE = """
UPDATE members_coupon SET state = 'issued', reserved_for = '', reserved_until = NULL WHERE id IN (
  SELECT id FROM members_coupon WHERE state = 'reserved' AND reserved_until <= %(at)s
  ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
"""
_EXPIRE = """
UPDATE members_coupon SET state = 'expired', reserved_for = '', reserved_until = NULL WHERE id IN (
  SELECT id FROM members_coupon WHERE state IN ('issued', 'reserved') AND expires_at <= %(at)s
  ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
"""
_WARN = """
SELECT DISTINCT c.member_id FROM members_coupon c
WHERE c.state IN ('issued', 'reserved') AND c.expires_at > %(at)s AND c.expires_at <= %(soon)s AND c.warned_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM members_coupon w WHERE w.member_id = c.member_id AND w.warned_at > %(lately)s)
ORDER BY c.member_id LIMIT %(limit)s
"""


def end_coupons(*, at: datetime, limit: int = 5000) -> dict[str, int]:
    """Release reservations and expire coupons whose time is over, and forget old wrong codes. Safe to run twice."""
    asked: dict[str, Any] = {"at": at, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, asked)
        released = cursor.rowcount
        cursor.execute(_EXPIRE, asked)
        expired = cursor.rowcount
    return {"released": released, "expired": expired, "forgotten": coupon_codes.forget_misses(at=at)}


def warn_of_ends(*, at: datetime, limit: int = 500) -> dict[str, int]:
    """Publish one coupon_expiring a member for all their coupons of the next seven days, at most once a week."""
    asked: dict[str, Any] = {"at": at, "soon": at + WARN_BEFORE, "lately": at - WARN_EVERY, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_WARN, asked)
        members = [row[0] for row in cursor.fetchall()]
    return {"warned": sum(_warn(member, at) for member in members)}


@transaction.atomic
def _warn(member_id: int, at: datetime) -> int:
    soon = Coupon.objects.filter(
        member_id=member_id,
        state__in=(CouponState.ISSUED, CouponState.RESERVED),
        expires_at__gt=at,
        expires_at__lte=at + WARN_BEFORE,
    )
    ending = lock_coupons(soon.select_related("definition", "store", "member__home_store"))
    if not any(coupon.warned_at is None for coupon in ending):
        return 0
    Coupon.objects.filter(pk__in=[coupon.pk for coupon in ending]).update(warned_at=at)
    first = min(ending, key=lambda coupon: (coupon.expires_at or at, coupon.pk))
    more = f" +{len(ending) - 1}" if len(ending) > 1 else ""
    payload = told(first)
    events.publish(
        "coupon_expiring",
        member=first.member,
        store=first.member.home_store,
        source=SOURCE,
        key=f"expiring:{first.public_id}:{first.round}:{first.expires_at:%Y%m%d}",
        at=at,
        payload=payload | {"coupon": payload["coupon"] + more},
    )
    return 1
