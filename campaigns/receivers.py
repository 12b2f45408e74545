"""What campaigns do when something happened. Connected in `CampaignsConfig.ready`; listed in docs/events.md."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from campaigns.domain import rides, triggers
from campaigns.models import Recipient
from members.domain import riders
from members.domain.traces import Traces
from members.event_types import EVENT_TYPES
from members.models import MembershipEvent
from members.signals import custom_event_happened, person_erased


def fire_trigger_rules(sender: Any, *, event: MembershipEvent, **_: Any) -> None:
    """Every event: let its trigger rules answer it."""
    triggers.fire(event)


def forget_recipients(sender: Any, *, traces: Traces, **_: Any) -> None:
    """An erased person stays counted in the runs they were in, without a number."""
    Recipient.objects.filter(member__in=traces.member_ids).update(
        phone=Concat(Value("erased-"), Cast(F("pk"), CharField()))
    )


def connect() -> None:
    """Connect every receiver."""
    for declared in EVENT_TYPES.values():
        declared.signal.connect(fire_trigger_rules, dispatch_uid="trigger_rules")
    custom_event_happened.connect(fire_trigger_rules, dispatch_uid="trigger_rules")
    riders.name_rider(fire_trigger_rules, rides.ride_of)
    person_erased.connect(forget_recipients, dispatch_uid="forget_recipients")
