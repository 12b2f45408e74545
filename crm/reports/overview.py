"""A store at a glance: how many members may be texted, what became of the day's texts, what came in these days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count

from crm.reports.rows import ask
from crm.reports.takings import takings
from members.models import MemberStatus, Store
from messaging.models import Message

DAYS_SHOWN = 14

# The three counts are those of the member list's filters; who never agreed may have opted out as well.
_REACHABLE = """
SELECT count(*) AS members,
       count(*) FILTER (WHERE m.has_marketing_consent AND refused.phone_hash IS NULL) AS reachable,
       count(*) FILTER (WHERE NOT m.has_marketing_consent) AS not_agreed,
       count(*) FILTER (WHERE refused.phone_hash IS NOT NULL) AS opted_out
FROM members_member m
LEFT JOIN (SELECT DISTINCT phone_hash FROM messaging_suppression WHERE lifted_at IS NULL) refused
  ON refused.phone_hash = m.phone_hash
WHERE m.home_store_id = %(store)s AND m.status = %(active)s"""


@dataclass(frozen=True)
class Takings:
    """Outside money of one day, less what was given back, and of each of the last days, the oldest first."""

    today_minor: int
    by_tender: Mapping[str, int]
    trend: list[int]


def reachable(store: Store) -> dict[str, int]:
    """The store's members, how many may get marketing texts, and how many not for which reason. One query."""
    (row,) = ask(_REACHABLE, {"store": store.pk, "active": str(MemberStatus.ACTIVE)})
    return row


def texts_since(store: Store, since: datetime) -> dict[str, int]:
    """The store's texts written since then, by state. One query."""
    rows = Message.objects.filter(store=store, created_at__gte=since).order_by()
    return dict(rows.values_list("state").annotate(number=Count("pk")))


def money_in(store: Store, today: date, *, midnight: datetime) -> Takings:
    """What the store took on its business day `today`, which began at `midnight`, and the days before. One query."""
    span = {"begins": midnight - timedelta(days=DAYS_SHOWN - 1), "ends": midnight + timedelta(days=1)}
    by_day: dict[date, int] = {}
    by_tender: dict[str, int] = {}
    for row in takings([store], **span):
        by_day[row["on"]] = by_day.get(row["on"], 0) + row["together"]
        if row["on"] == today:
            by_tender[row["tender"]] = row["together"]
    days = [today - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    return Takings(by_day.get(today, 0), by_tender, [by_day.get(on, 0) for on in days])
