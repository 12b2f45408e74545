"""A member's timeline: events with their texts, other texts, and what the member wrote, as one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language

from crm.shell.formats import money_text
from crm.staff.paging import Page, aware_moment, cut, whole_number
from crm.staff.telling import TextLine, line_of, texts_by_event
from members.domain.events import UnknownEventType, event_type
from members.event_types import EVERYWHERE, EventType
from members.models import Member, MembershipEvent
from messaging.domain.formatting import formatted
from messaging.models import InboundText, Message

STORY_ROWS = 30
EVENT, MESSAGE, INBOUND = 2, 1, 0
_SAID_ELSEWHERE = frozenset(EVERYWHERE) | {
    *("stored_value", "principal"),
    *("balance", "principal_balance", "bonus_balance", "points_balance", "card"),
}
ICONS = {
    "member_enrolled": ("user-plus", "brand"),
    "card_opened": ("credit-card", "brand"),
    "card_recharged": ("wallet", "good"),
    "card_spent": ("shopping-bag", "brand"),
    "points_redeemed": ("gift", "wait"),
    "card_refunded": ("undo-2", "wait"),
    "booking_made": ("calendar-check", "move"),
    "customer_arrived": ("map-pin", "move"),
    "call_missed": ("phone-missed", "wait"),
    "fund_moved": ("landmark", "move"),
}


@dataclass(frozen=True)
class Item:
    """One thing on the timeline. `rank` and `pk` order what happened at the same instant."""

    at: datetime
    rank: int
    pk: int
    title: str | Promise
    icon: str
    tone: str = "plain"
    facts: Sequence[tuple[str | Promise, str]] = ()
    store: Any = None
    texts: Sequence[TextLine] = ()
    operation: Any = None
    said: str = ""

    @property
    def cursor(self) -> str:
        return f"{self.at.isoformat()}~{self.rank}~{self.pk}"


def story_of(request: HttpRequest, member: Member) -> Page[Item]:
    """One page of the timeline, newest first; a fixed number of queries."""
    after = _read_cursor(request.GET.get("after", ""))
    events = MembershipEvent.objects.filter(member=member).select_related("store", "operation")
    others = Message.objects.filter(member=member, event=None)
    inbound = InboundText.objects.filter(member=member)
    items = [
        *_event_items(_older(events, "at", EVENT, after)),
        *map(_message_item, _older(others.select_related("store"), "created_at", MESSAGE, after)),
        *map(_inbound_item, _older(inbound, "received_at", INBOUND, after)),
    ]
    items.sort(key=lambda item: (item.at, item.rank, item.pk), reverse=True)
    return cut(request, items[: STORY_ROWS + 1], STORY_ROWS, lambda item: item.cursor)


def _older(rows: QuerySet[Any], moment: str, rank: int, after: tuple[datetime, int, int] | None) -> list[Any]:
    if after:
        at, last_rank, last_pk = after
        same = Q(**{moment: at}) & (Q(pk__lt=last_pk) if rank == last_rank else Q())
        earlier = Q(**{f"{moment}__lt": at})
        rows = rows.filter(earlier | same if rank <= last_rank else earlier)
    return list(rows.order_by(f"-{moment}", "-pk")[: STORY_ROWS + 1])


def _read_cursor(text: str) -> tuple[datetime, int, int] | None:
    moment, _gap, rest = text.partition("~")
    rank, _gap, pk = rest.partition("~")
    at, numbers = aware_moment(moment), (whole_number(rank), whole_number(pk))
    if at is None or None in numbers:
        return None
    return at, numbers[0] or 0, numbers[1] or 0


def _event_items(events: Sequence[MembershipEvent]) -> list[Item]:
    texts = texts_by_event(events)
    declared = {name: _declared(name) for name in {event.type for event in events}}
    return [_event_item(event, declared[event.type], texts[event.pk]) for event in events]


def _declared(name: str) -> EventType | None:
    try:
        return event_type(name)
    except UnknownEventType:
        return None


def event_title(name: str) -> str | Promise:
    """What the shop calls an event of this type; the bare word of one that is no longer declared."""
    declared = _declared(name)
    return declared.label if declared else name


def _event_item(event: MembershipEvent, declared: EventType | None, texts: Sequence[TextLine]) -> Item:
    icon, tone = ICONS.get(event.type, ("sparkles", "move"))
    return Item(
        at=event.at,
        rank=EVENT,
        pk=event.pk,
        title=event_title(event.type),
        icon=icon,
        tone=tone,
        facts=_facts(event, declared),
        store=event.store,
        texts=texts,
        operation=event.operation,
    )


def _facts(event: MembershipEvent, declared: EventType | None) -> list[tuple[str | Promise, str]]:
    """The event's own values, as the reader writes them; zeroes left out."""
    if declared is None:
        return []
    told = {name: value for name, value in event.payload.items() if value and name not in _SAID_ELSEWHERE}
    language, zone = get_language() or "en", event.store.timezone
    shown = formatted(told, declared.placeholders, language=language, timezone=zone)
    shown |= {name: money_text(value) for name, value in told.items() if _is_money(declared, name, value)}
    return [(declared.placeholders[name].label or name, value) for name, value in shown.items()]


def _is_money(declared: EventType, name: str, value: Any) -> bool:
    placeholder = declared.placeholders.get(name)
    return placeholder is not None and placeholder.kind == "money" and isinstance(value, int)


def _message_item(message: Message) -> Item:
    return Item(
        at=message.created_at,
        rank=MESSAGE,
        pk=message.pk,
        title=message.get_cause_display(),
        icon="message-square-text",
        tone="move",
        store=message.store,
        texts=[line_of(message)],
    )


def _inbound_item(inbound: InboundText) -> Item:
    return Item(
        at=inbound.received_at,
        rank=INBOUND,
        pk=inbound.pk,
        title=inbound.intent,
        icon="message-circle-reply",
        tone="brand",
        said=inbound.text,
    )
