"""What the trigger rules did about an event, for the answer to whoever reported it."""

from __future__ import annotations

from typing import Any

from campaigns.domain.triggers import firings_of
from campaigns.models import RuleFiring
from crm.api.shapes import EventShape, FiringShape, MessageStandShape
from members.models import MembershipEvent
from messaging.enums import Cause
from messaging.models import Message


def show_event(event: MembershipEvent) -> dict[str, Any]:
    """The event and what each rule did about it."""
    return {**EventShape(event).data, "firings": show_firings(event)}  # type: ignore[dict-item]


def show_firings(event: MembershipEvent | None) -> list[dict[str, Any]]:
    """Per rule: the text it queued, or the reason there is none. Two queries, however many rules."""
    if event is None:
        return []
    messages = {m.cause_id: m for m in Message.objects.filter(event=event, cause=Cause.RULE)}
    firings = firings_of([event]).get(event.pk, [])
    return [_show(firing, messages.get(firing.pk)) for firing in firings]


def _show(firing: RuleFiring, message: Message | None) -> dict[str, Any]:
    stand = MessageStandShape(message).data if message else None
    return {**FiringShape(firing).data, "message": stand}
