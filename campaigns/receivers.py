"""What campaigns do when something happened. Connected in `CampaignsConfig.ready`; listed in docs/events.md."""

from __future__ import annotations

from typing import Any

from campaigns.domain import triggers
from members.event_types import EVENT_TYPES
from members.models import MembershipEvent
from members.signals import custom_event_happened


def fire_trigger_rules(sender: Any, *, event: MembershipEvent, **_: Any) -> None:
    """Every event: let its trigger rules answer it."""
    triggers.fire(event)


def connect() -> None:
    """Connect every receiver."""
    for declared in EVENT_TYPES.values():
        declared.signal.connect(fire_trigger_rules, dispatch_uid="trigger_rules")
    custom_event_happened.connect(fire_trigger_rules, dispatch_uid="trigger_rules")
