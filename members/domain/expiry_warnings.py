"""One warning a member, a week before value ends: money, points and services together."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from members.domain import events
from members.models import MembershipEvent

AHEAD = timedelta(days=7)
SOURCE = "expiry"

# The lots are claimed by their warnings; who loses that race to another run tells nothing.
_WARN = """
WITH due AS (
  SELECT l.id, a.member_id
  FROM members_lot l
  JOIN members_account a ON a.id = l.account_id
  WHERE l.remaining > 0 AND l.expires_at > %(at)s AND l.expires_at <= %(until)s AND a.member_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM members_expirywarning w WHERE w.lot_id = l.id AND w.expires_at = l.expires_at)
    AND NOT EXISTS (SELECT 1 FROM members_cardpause p WHERE p.card_id = a.card_id AND p.ended_at IS NULL)
  ORDER BY l.expires_at, l.id
),
people AS (SELECT member_id FROM due GROUP BY member_id ORDER BY min(id) LIMIT %(limit)s),
claimed AS (
  INSERT INTO members_expirywarning (lot_id, expires_at, at)
  SELECT l.id, l.expires_at, %(at)s FROM due JOIN people USING (member_id) JOIN members_lot l ON l.id = due.id
  ORDER BY l.id
  ON CONFLICT (lot_id, expires_at) DO NOTHING
  RETURNING id, lot_id, expires_at
),
told AS (
  SELECT a.member_id, s.id AS store_id, min(c.id) AS first,
         coalesce(sum(l.remaining) FILTER (WHERE a.kind IN ('principal', 'bonus')), 0)::bigint AS amount,
         coalesce(sum(l.remaining) FILTER (WHERE a.kind = 'points'), 0)::bigint AS points,
         coalesce(sum(l.remaining) FILTER (WHERE a.kind = 'services'), 0)::bigint AS services,
         (min(c.expires_at - interval '1 microsecond') AT TIME ZONE s.timezone)::date AS expires_on
  FROM claimed c
  JOIN members_lot l ON l.id = c.lot_id
  JOIN members_account a ON a.id = l.account_id
  JOIN members_member m ON m.id = a.member_id
  JOIN members_store s ON s.id = m.home_store_id
  GROUP BY a.member_id, s.id, s.timezone
)
INSERT INTO members_membershipevent (public_id, type, member_id, store_id, payload, source, key, at)
SELECT gen_random_uuid(), 'value_expiring', member_id, store_id,
       jsonb_build_object('amount', amount, 'points', points, 'services', services, 'expires_on', expires_on),
       %(source)s, 'warning:' || first, %(at)s
FROM told ORDER BY member_id
RETURNING id
"""


@transaction.atomic
def warn_expiring(*, at: datetime, limit: int = 500) -> dict[str, int]:
    """Tell up to `limit` members what of theirs ends within a week, once for each lot and end. A paused card's does not.

    Publishes value_expiring. Safe to run twice, also at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WARN, {"at": at, "until": at + AHEAD, "limit": limit, "source": SOURCE})
        ids = [row[0] for row in cursor.fetchall()]
    for event in MembershipEvent.objects.filter(pk__in=ids).select_related("member", "store").order_by("id"):
        events.announce(event, at)
    return {"members": len(ids)}
