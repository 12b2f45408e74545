"""A store at a glance: how many members may be texted, what became of the day's texts, what came in."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count

from crm.reports.rows import ask
from crm.reports.takings import takings
from members.models import MemberStatus, Store
from messaging.models import Message

COUNTED_MAX = 20_000

# The three counts are those of the member list's filters; who never agreed may have opted out as well. Of a large store
# the newest members are counted, by member_store_newest: no page waits for a million.
_REACHABLE = """
SELECT count(*) AS members,
       count(*) FILTER (WHERE has_agreed AND NOT has_opted_out) AS reachable,
       count(*) FILTER (WHERE NOT has_agreed) AS not_agreed,
       count(*) FILTER (WHERE has_opted_out) AS opted_out
FROM (SELECT m.has_marketing_consent AS has_agreed,
             EXISTS (SELECT 1 FROM messaging_suppression s
                     WHERE s.phone_hash = m.phone_hash AND s.lifted_at IS NULL) AS has_opted_out
      FROM members_member m
      WHERE m.home_store_id = %(store)s AND m.status = %(active)s
      ORDER BY m.id DESC LIMIT %(most)s) newest"""


def reachable(store: Store) -> dict[str, int]:
    """The store's members, how many may get marketing texts, and how many not for which reason. One query.

    `members` of COUNTED_MAX are the newest so many; then each number is at least that.
    """
    (row,) = ask(_REACHABLE, {"store": store.pk, "active": str(MemberStatus.ACTIVE), "most": COUNTED_MAX})
    return row


def texts_since(store: Store, since: datetime) -> dict[str, int]:
    """The store's texts written since then, by state. One query."""
    rows = Message.objects.filter(store=store, created_at__gte=since).order_by()
    return dict(rows.values_list("state").annotate(number=Count("pk")))


def money_in(store: Store, *, midnight: datetime) -> dict[str, int]:
    """Outside money of the day that began at `midnight`, less what was given back, by tender. One query."""
    rows = takings([store], begins=midnight, ends=midnight + timedelta(days=1))
    return {row["tender"]: row["together"] for row in rows}
