"""The only door for facts: store the event, then announce it. Whoever stored it already may only announce it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.dispatch import Signal

from members.event_types import CUSTOM_PREFIX, EVENT_TYPES, EventType, custom_type
from members.models import CustomEventType, Member, MembershipEvent, MissedSignal, Operation, Store
from members.signals import custom_event_happened

log = structlog.get_logger(__name__)
RETRY_AFTER = timedelta(seconds=30)


class UnknownEventType(ValueError):
    """There is no event of this name."""


def event_type(name: str) -> EventType:
    """The declaration of an event by name, a shop's own events included. Raises UnknownEventType."""
    if found := EVENT_TYPES.get(name):
        return found
    if name.startswith(CUSTOM_PREFIX):
        own = CustomEventType.objects.filter(name=name.removeprefix(CUSTOM_PREFIX)).first()
        if own:
            return custom_type(own.name, own.label, own.fields)
    raise UnknownEventType(name)


def publish(
    name: str,
    *,
    member: Member,
    store: Store,
    source: str,
    key: str,
    at: datetime,
    payload: Mapping[str, Any] | None = None,
    operation: Operation | None = None,
) -> MembershipEvent | None:
    """Store a fact and announce it, inside the caller's transaction. None if (source, key) already told it.

    Raises UnknownEventType. What a receiver does with it neither refuses nor loses the fact: see `announce`.
    """
    event_type(name)
    event = store_event(
        name, member=member, store=store, source=source, key=key, at=at, payload=payload, operation=operation
    )
    if event is not None:
        announce(event, at)
    return event


@dataclass(frozen=True)
class Fact:
    """What `publish` takes, for one of many."""

    name: str
    member: Member
    store: Store
    source: str
    key: str
    payload: Mapping[str, Any]


_STORE_MANY = """
INSERT INTO members_membershipevent (public_id, type, member_id, store_id, payload, source, key, at)
SELECT public_id, type, member, store, payload, source, key, %s
FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::jsonb[], %s::text[], %s::text[])
  WITH ORDINALITY AS f(public_id, type, member, store, payload, source, key, n)
ORDER BY n
ON CONFLICT (source, key) DO NOTHING RETURNING public_id, id, created_at
"""


def publish_many(facts: Sequence[Fact], *, at: datetime) -> list[MembershipEvent]:
    """Store these facts in one statement, in their order, then announce each; those that are told now.

    As `publish` otherwise: one whose (source, key) is told already is left out, and no receiver loses a fact.
    """
    for name in {fact.name for fact in facts}:
        event_type(name)
    told = _store_many(facts, at) if facts else []
    for event in told:
        announce(event, at)
    return told


def _store_many(facts: Sequence[Fact], at: datetime) -> list[MembershipEvent]:
    ids = [uuid.uuid4() for _fact in facts]
    columns: list[Any] = [
        ids,
        [fact.name for fact in facts],
        [fact.member.pk for fact in facts],
        [fact.store.pk for fact in facts],
        [json.dumps(dict(fact.payload)) for fact in facts],
        [fact.source for fact in facts],
        [fact.key for fact in facts],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_MANY, [at, *columns])
        written = {public_id: (pk, created_at) for public_id, pk, created_at in cursor.fetchall()}
    return [
        _stored(fact, public_id, at, *written[public_id])
        for fact, public_id in zip(facts, ids, strict=True)
        if public_id in written
    ]


def _stored(fact: Fact, public_id: uuid.UUID, at: datetime, pk: int, created_at: datetime) -> MembershipEvent:
    event = MembershipEvent(
        pk=pk,
        public_id=public_id,
        type=fact.name,
        member=fact.member,
        store=fact.store,
        payload=dict(fact.payload),
        source=fact.source,
        key=fact.key,
        at=at,
        created_at=created_at,
    )
    event._state.adding, event._state.db = False, DEFAULT_DB_ALIAS
    return event


_COLUMNS = [field.attname for field in MembershipEvent._meta.concrete_fields]
_STORE = """
INSERT INTO members_membershipevent
  (public_id, type, member_id, store_id, operation_id, payload, source, key, at)
VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)
ON CONFLICT (source, key) DO NOTHING RETURNING id, created_at
"""


def store_event(
    name: str,
    *,
    member: Member,
    store: Store,
    source: str,
    key: str,
    at: datetime,
    payload: Mapping[str, Any] | None = None,
    operation: Operation | None = None,
) -> MembershipEvent | None:
    """Write the fact down in one statement, and tell nobody. None if (source, key) is there, committed or not."""
    facts, operation_id = dict(payload or {}), operation.pk if operation else None
    row: list[Any] = [
        uuid.uuid4(),
        name,
        member.pk,
        store.pk,
        operation_id,
        json.dumps(facts),
        source,
        key,
        at,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, row)
        written = cursor.fetchone()
    if written is None:
        return None
    row[5] = facts
    event = MembershipEvent.from_db(DEFAULT_DB_ALIAS, _COLUMNS, [written[0], *row, written[1]])
    event._state.fields_cache = {"member": member, "store": store, "operation": operation}
    return event


def announce(event: MembershipEvent, at: datetime) -> None:
    """Tell the receivers of a stored event, inside the transaction that wrote it.

    For `publish`, and for whoever writes the row in a statement of their own (the ledger). `event` is the stored
    event: it has its id, its member and its store. A receiver that fails is written down for the sweep and costs
    nothing else, provided that it left nothing behind: what a receiver asks of the database it asks inside a
    savepoint, Django's or that of a function with an EXCEPTION block.
    """
    for receiver, answer in _signal_of(event.type).send_robust(sender=MembershipEvent, event=event):
        if isinstance(answer, Exception):
            log.error(
                "receiver_failed", event_id=event.pk, receiver=_name(receiver), error=type(answer).__name__
            )
            MissedSignal.objects.create(
                event=event, receiver=_name(receiver), error=type(answer).__name__, next_at=at + RETRY_AFTER
            )


def _signal_of(name: str) -> Signal:
    declared = EVENT_TYPES.get(name)
    return declared.signal if declared else custom_event_happened


def _name(receiver: Any) -> str:
    return f"{receiver.__module__}.{receiver.__qualname__}"


def sweep_missed(*, at: datetime, limit: int = 200) -> dict[str, int]:
    """Send missed events to the receivers that failed on them. Safe to run twice; backs off to an hour."""
    counts = {"settled": 0, "failed": 0}
    for missed_id in MissedSignal.objects.filter(settled_at=None, next_at__lte=at).values_list(
        "id", flat=True
    )[:limit]:
        with transaction.atomic():
            missed = (
                MissedSignal.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("event__member", "event__store")
                .filter(pk=missed_id, settled_at=None)
                .first()
            )
            if missed:
                counts["settled" if _retry(missed, at) else "failed"] += 1
    return counts


def _retry(missed: MissedSignal, at: datetime) -> bool:
    sent = _signal_of(missed.event.type).send_robust(sender=MembershipEvent, event=missed.event)
    answers = {_name(receiver): answer for receiver, answer in sent}
    if isinstance(answers.get(missed.receiver), Exception):
        missed.attempts += 1
        missed.next_at = at + min(RETRY_AFTER * 2**missed.attempts, timedelta(hours=1))
    else:
        missed.settled_at = at
    missed.save()
    return missed.settled_at is not None
