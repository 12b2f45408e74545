"""The only door for texts. A draft goes in; a message comes out, queued or with the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from constance.utils import get_values_for_keys
from django.db import connection, transaction

from members.models import Member, Store
from members.phones import timezones_of
from messaging.domain import rules
from messaging.enums import LIFETIME_SECONDS, PRIORITY, Cause, MessageClass
from messaging.literals import numbers, words
from messaging.models import Message
from messaging.sql import statement
from messaging.states import Reason, State

_ARRAYS = {
    "phone": "text",
    "phone_hash": "bytea",
    "member_id": "bigint",
    "store_id": "bigint",
    "message_class": "text",
    "priority": "smallint",
    "language": "text",
    "text": "text",
    "encoding": "text",
    "parts": "smallint",
    "version_id": "bigint",
    "cause": "text",
    "cause_id": "bigint",
    "event_id": "bigint",
    "timezone": "text",
    "due_at": "timestamptz",
    "expires_at": "timestamptz",
    "refusal": "text",
}
_ENQUEUE = (
    "SELECT * FROM sms_enqueue("
    + ", ".join(f"%({name})s::{kind}[]" for name, kind in _ARRAYS.items())
    + ", %(at)s::timestamptz, %(opens)s::time, %(closes)s::time, %(per_day)s, %(per_month)s,"
    " false, %(reserved)s)"
)
_ENQUEUE_MEMBERS = statement("enqueue_members")
CHANNEL = "regulars_outbox"
_NUDGE = f"NOTIFY {CHANNEL}".encode()


@dataclass(frozen=True, slots=True)
class Draft:
    """A finished text to one phone, before any rule has looked at it.

    `timezone` is the recipient's. `refusal` is a reason the text cannot go at all, found while composing it.
    `due_at` defaults to the moment of enqueueing, `expires_at` to the lifetime of the class.
    """

    phone: str
    phone_hash: bytes
    message_class: MessageClass
    text: str
    encoding: str
    parts: int
    cause: Cause
    cause_id: int
    timezone: str
    member_id: int | None = None
    store_id: int | None = None
    language: str = ""
    version_id: int | None = None
    event_id: int | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    refusal: Reason = Reason.NONE


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of a draft: its message, where it stands and why."""

    message_id: int
    phone: str
    state: State
    reason: Reason


@dataclass(frozen=True)
class PermittedHours:
    """When marketing may leave in the recipient's day, and how often it may reach one phone.

    `reserved` of the month's are kept for texts of a moment of the reader's own.
    """

    opens: time
    closes: time
    per_day: int
    per_month: int
    reserved: int = 0

    def monthly(self, *, is_personal: bool) -> int:
        """How many a phone may have had in 30 days for one more to go."""
        return self.per_month if is_personal else self.per_month - self.reserved


_SETTINGS = [
    "MARKETING_FROM",
    "MARKETING_UNTIL",
    "MARKETING_PER_DAY",
    "MARKETING_PER_MONTH",
    "MARKETING_RESERVED_PER_MONTH",
]
_UNUSED_HOURS = PermittedHours(time(0), time(23, 59), 0, 0)


def permitted_hours() -> PermittedHours:
    """The rules in force at home, read once per batch from the run-time settings; they narrow the country's pack.

    Into the pack of another country they are narrowed where its numbers are judged, in the database.
    """
    opens, closes, *caps = get_values_for_keys(_SETTINGS).values()
    hours = rules.narrowed(rules.home_pack(), time.fromisoformat(opens), time.fromisoformat(closes))
    return PermittedHours(hours.opens, hours.closes, *caps)


def enqueue(drafts: Sequence[Draft], *, at: datetime, hours: PermittedHours | None = None) -> list[Enqueued]:
    """Judge and store the drafts in one statement, inside the caller's transaction; wake the gateways on commit.

    One message per (cause, cause_id, phone): a draft that was enqueued before gives back the earlier message.
    """
    if not drafts:
        return []
    hours = hours or hours_for(*{draft.message_class for draft in drafts})
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, _parameters(drafts, at, hours))
        found = {tuple(row[:3]): row[3:6] for row in cursor.fetchall()}
    if any(state == State.QUEUED for _id, state, _reason in found.values()):
        nudge_on_commit()
    if len(found) < len(drafts):
        found = _earlier(drafts) | found
    return [
        Enqueued(row[0], draft.phone, State(row[1]), Reason(row[2]))
        for draft in drafts
        for row in [found[(draft.cause, draft.cause_id, draft.phone)]]
    ]


class Said(NamedTuple):
    """A finished text to a member's own phone, one of many of the same cause; `zone` is the recipient's."""

    member: int
    phone: str
    phone_hash: bytes
    version: int | None
    language: str
    text: str
    encoding: str
    parts: int
    refusal: str
    zone: str


def enqueue_members(
    said: Sequence[Said],
    *,
    store_id: int,
    message_class: MessageClass,
    cause: Cause,
    cause_id: int,
    at: datetime,
    is_personal: bool = False,
) -> dict[str, int]:
    """`enqueue` for a crowd: the same rules, one statement, and only how many came to stand in each state.

    `is_personal`: each is chosen for a moment of their own, and may use the slots kept under the month's cap. A member whom this cause has texted before is left as is, and not counted.
    """
    if not said:
        return {}
    hours = hours_for(message_class)
    parameters: dict[str, Any] = _columns(said) | {
        "store": store_id,
        "message_class": message_class.value,
        "priority": PRIORITY[message_class],
        "cause": cause.value,
        "cause_id": cause_id,
        "at": at,
        "expires_at": at + timedelta(seconds=LIFETIME_SECONDS[message_class]),
        "opens": hours.opens,
        "closes": hours.closes,
        "per_day": hours.per_day,
        "per_month": hours.per_month,
        "reserved": hours.reserved,
        "is_personal": is_personal,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE_MEMBERS, parameters)
        by_state: dict[str, int] = dict(cursor.fetchall())
    if by_state.get(State.QUEUED):
        nudge_on_commit()
    return by_state


def _columns(said: Sequence[Said]) -> dict[str, Any]:
    members, phones, hashes, versions, languages, texts, encodings, parts, refusals, zones = zip(
        *said, strict=True
    )
    return {
        "total": len(said),
        "members": numbers(members),
        "phones": words(phones),
        "hashes": words([f"\\x{bytes(phone_hash).hex()}" for phone_hash in hashes]),
        "versions": numbers(versions),
        "languages": words(languages),
        "texts": words(texts),
        "encodings": words(encodings),
        "parts": numbers(parts),
        "refusals": words(refusals),
        "zones": words(zones),
    }


def nudge_on_commit() -> None:
    """Let the gateways know, once this transaction is committed, that a text waits. Its failure costs nothing."""
    transaction.on_commit(_nudge, robust=True)


def _nudge() -> None:
    """Wake the gateways, in a transaction that writes nothing; they look by themselves each second.

    Said to libpq directly, since every deed says it: a third of what a cursor costs.
    """
    if connection.connection is not None:
        connection.connection.pgconn.exec_(_NUDGE)


def recipient_zone(member: Member | None, phone: str, store: Store | None) -> str:
    """The recipient's time zone: said by the member, told by the number, else the store's."""
    return zone_of(phone, said=member.timezone if member else "", store=store.timezone if store else "")


def zone_of(phone: str, *, said: str, store: str) -> str:
    """`recipient_zone` for whoever has only the words: what the member said, and the store's zone.

    Where the number alone cannot tell, all zones it may be in, parted by commas: hours are kept in each of them.
    """
    if said:
        return said
    return _zones_told_by(phone) or store or "UTC"


def _zones_told_by(phone: str) -> str:
    zones = timezones_of(phone)
    return zones[0] if len(zones) == 1 else extremes(zones)


@lru_cache(maxsize=256)
def extremes(zones: tuple[str, ...]) -> str:
    """The zones of a country whose day begins first or last at some time of the year: between them lie the others."""
    year = datetime.now(UTC).year
    months = [datetime(year, month, 15, 12, tzinfo=UTC) for month in range(1, 13)]
    offsets = {
        zone: tuple(f"{moment.astimezone(ZoneInfo(zone)):%m%d%H%M}" for moment in months) for zone in zones
    }
    chosen: dict[tuple[str, ...], str] = {}
    for month in range(len(months) if zones else 0):
        by_clock = {offsets[zone][month]: zone for zone in sorted(zones, reverse=True)}
        for clock in (min(by_clock), max(by_clock)):
            chosen.setdefault(offsets[by_clock[clock]], by_clock[clock])
    return ",".join(sorted(chosen.values()))


def clock_zone(member: Member, store: Store | None) -> str:
    """The one zone in which a member is shown the time: theirs, or the store's where their number leaves it open."""
    zones = recipient_zone(member, member.phone, store)
    return zones if "," not in zones else store.timezone if store else zones.partition(",")[0]


def hours_for(*classes: MessageClass) -> PermittedHours:
    """The rules in force if any of these classes obeys them; asks nothing for the others."""
    return permitted_hours() if MessageClass.MARKETING in classes else _UNUSED_HOURS


def _parameters(drafts: Sequence[Draft], at: datetime, hours: PermittedHours) -> dict[str, Any]:
    derived = {"priority", "due_at", "expires_at"}
    columns: dict[str, Any] = {
        name: [_plain(getattr(draft, name)) for draft in drafts] for name in _ARRAYS if name not in derived
    }
    columns["priority"] = [PRIORITY[draft.message_class] for draft in drafts]
    columns["due_at"] = [draft.due_at or at for draft in drafts]
    columns["expires_at"] = [draft.expires_at or _end_of_life(draft, at) for draft in drafts]
    return columns | {
        "at": at,
        "opens": hours.opens,
        "closes": hours.closes,
        "per_day": hours.per_day,
        "per_month": hours.per_month,
        "reserved": hours.reserved,
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _end_of_life(draft: Draft, at: datetime) -> datetime:
    return (draft.due_at or at) + timedelta(seconds=LIFETIME_SECONDS[draft.message_class])


def _earlier(drafts: Sequence[Draft]) -> dict[tuple[Any, ...], Any]:
    rows = Message.objects.filter(
        cause__in={draft.cause for draft in drafts},
        cause_id__in={draft.cause_id for draft in drafts},
        phone__in={draft.phone for draft in drafts},
    ).values_list("cause", "cause_id", "phone", "id", "state", "reason")
    return {tuple(row[:3]): row[3:6] for row in rows}
