"""The only door for facts: store the event, then announce it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from members.event_types import CUSTOM_PREFIX, EVENT_TYPES, EventType, custom_type
from members.models import CustomEventType, Member, MembershipEvent, MissedSignal, Operation, Store

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

    Each receiver keeps its own savepoint; one that fails is written down for the sweep and costs nothing else.
    """
    event_type(name)
    event = MembershipEvent(
        type=name,
        member=member,
        store=store,
        operation=operation,
        payload=dict(payload or {}),
        source=source,
        key=key,
        at=at,
    )
    if operation is None and MembershipEvent.objects.filter(source=source, key=key).exists():
        return None
    event.save(force_insert=True)
    announce(event, at)
    return event


def announce(event: MembershipEvent, at: datetime) -> None:
    """Send the signal of a stored event, inside the transaction that stored it."""
    for receiver, answer in event_type(event.type).signal.send_robust(sender=MembershipEvent, event=event):
        if isinstance(answer, Exception):
            log.error(
                "receiver_failed", event_id=event.pk, receiver=_name(receiver), error=type(answer).__name__
            )
            MissedSignal.objects.create(
                event=event, receiver=_name(receiver), error=type(answer).__name__, next_at=at + RETRY_AFTER
            )


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
    declared = event_type(missed.event.type)
    answers = {
        _name(receiver): answer
        for receiver, answer in declared.signal.send_robust(sender=MembershipEvent, event=missed.event)
    }
    if isinstance(answers.get(missed.receiver), Exception):
        missed.attempts += 1
        missed.next_at = at + min(RETRY_AFTER * 2**missed.attempts, timedelta(hours=1))
    else:
        missed.settled_at = at
    missed.save()
    return missed.settled_at is not None
