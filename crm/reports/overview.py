"""A store at a glance: who may be texted, who came back, what became of the day's texts, their price, what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Subquery

from crm.reports.rows import ask
from crm.reports.takings import takings
from members.models import Member, MemberStatus, Purchase, Store
from members.models.member import MemberQuerySet
from messaging.enums import MessageClass
from messaging.models import Message
from messaging.states import State

# What left the house, as far as one knows: the carrier's price is due for it.
SENT = frozenset(
    {
        State.ACCEPTED,
        State.DELIVERED,
        State.UNDELIVERED,
        State.NO_RECEIPT,
        State.UNCERTAIN,
        State.UNKNOWN,
    }
)
BACK_DAYS, AWAY_DAYS, AFTER_TEXT_DAYS, BACK_COUNTED_MAX = 7, 60, 14, 5_000
COUNTED_MAX = 20_000
TEXTS_READ_MAX = 100_000

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


# Of each state the texts, and of those handed over parts and price: what the gateway asked for such numbers at the end of
# the hour, as in the tally. No index names the store: the newest texts of the house are read, by their ids.
_TEXTS = """
WITH reach AS MATERIALIZED (
  SELECT coalesce(max(length(prefix)), 0) AS digits FROM messaging_gatewayprice
), alike AS (
  SELECT m.state, m.gateway_id, left(m.phone, (SELECT digits FROM reach)) AS start,
         date_trunc('hour', coalesce(m.submitted_at, m.created_at)) + interval '1 hour' AS priced_at,
         count(*) AS texts, sum(m.parts) AS parts
  FROM messaging_message m
  WHERE m.id > %(edge)s AND m.created_at >= %(since)s AND m.store_id = %(store)s
  GROUP BY 1, 2, 3, 4
)
SELECT state, sum(texts)::bigint AS texts,
       coalesce(sum(parts) FILTER (WHERE state = ANY(%(sent)s)), 0)::bigint AS parts,
       coalesce(sum(parts * sms_part_price(gateway_id, start, priced_at)) FILTER (WHERE state = ANY(%(sent)s)), 0)::bigint
         AS cost_milli
FROM alike GROUP BY 1"""


@dataclass(frozen=True)
class Texts:
    """The texts of a day, by state; of those handed over the parts, and what their numbers cost, rounded up.

    `is_cut`: the house wrote more than TEXTS_READ_MAX since then, and each number is at least that.
    """

    by_state: dict[str, int]
    parts: int
    cost_minor: int
    is_cut: bool


def texts_since(store: Store, since: datetime) -> Texts:
    """The store's texts written since then, among the newest of the house. Three queries, however many there are."""
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    edge = newest - TEXTS_READ_MAX
    before = Message.objects.filter(pk__lte=edge).order_by("-pk").values_list("created_at", flat=True).first()
    asked = {"store": store.pk, "since": since, "edge": edge, "sent": sorted(SENT)}
    rows = ask(_TEXTS, asked)
    return Texts(
        by_state={row["state"]: row["texts"] for row in rows},
        parts=sum(row["parts"] for row in rows),
        cost_minor=-(-sum(row["cost_milli"] for row in rows) // 1000),
        is_cut=before is not None and before >= since,
    )


def back_again(members: MemberQuerySet, now: datetime) -> MemberQuerySet:
    """Of these members those who came in the last seven days, and before that not for sixty.

    One look into the index of purchases for each who came: an anti-join would read everybody's of two months.
    """
    week = now - timedelta(days=BACK_DAYS)
    away = week - timedelta(days=AWAY_DAYS)
    before = Purchase.objects.filter(member=OuterRef("pk"), at__lt=week).order_by("-at").values("at")[:1]
    lately = members.filter(facts__last_visit_at__gte=week, facts__first_visit_at__lt=away)
    return lately.alias(seen_before=Subquery(before)).filter(seen_before__lt=away)


def came_back(store: Store, now: datetime) -> tuple[int, int]:
    """How many members of the store came back, and how many of them after a marketing text. One query, counted no
    further than 5,000.
    """
    lately = now - timedelta(days=BACK_DAYS + AFTER_TEXT_DAYS)
    texts = Message.objects.filter(
        phone_hash=OuterRef("phone_hash"),
        message_class=MessageClass.MARKETING,
        created_at__gte=lately,
        created_at__lt=OuterRef("facts__last_visit_at"),
        state=State.DELIVERED,
    )
    members = Member.objects.current().filter(home_store=store)
    found = back_again(members, now).annotate(had_text=Exists(texts)).order_by()
    had_text = list(found.values_list("had_text", flat=True)[:BACK_COUNTED_MAX])
    return len(had_text), sum(had_text)


def money_in(store: Store, *, midnight: datetime) -> dict[str, int]:
    """Outside money of the day that began at `midnight`, less what was given back, by tender. One query."""
    rows = takings([store], begins=midnight, ends=midnight + timedelta(days=1))
    return {row["tender"]: row["together"] for row in rows}
