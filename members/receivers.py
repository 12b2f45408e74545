"""What members do when something happened to one. Connected in `MembersConfig.ready`; listed in docs/events.md."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from members import signals
from members.domain import housebook, points, riders, tiers
from members.domain.riders import STAYS, Coming, Ride
from members.event_types import EVENT_TYPES
from members.models import MembershipEvent

# A deed after which the figure of a tier may be another.
_MEASURED = (
    signals.card_spent,
    signals.card_recharged,
    signals.card_refunded,
    signals.recharge_refunded,
    signals.services_sold,
    signals.service_returned,
    signals.points_earned,
)


def earn_points_by_event(sender: Any, *, event: MembershipEvent, **_: Any) -> None:
    """Enrolment, another system's events and a shop's own: points by the rules that name them."""
    with transaction.atomic():
        points.earn_by_event(event)


def judge_tier(sender: Any, *, event: MembershipEvent, **_: Any) -> None:
    """A deed that counts: judge the member's tier anew, in the deed's transaction. Nothing without a scheme."""
    if housebook.kept().tiers:
        with transaction.atomic():
            tiers.rejudge(event.member, at=event.at)


def _tier_stays(coming: Coming) -> Ride | None:
    """Nothing to judge without a scheme: the deed opened under the housebook that says so. A deed that moves the member
    takes the general road, which tells the move."""
    if not housebook.kept().tiers:
        return STAYS
    return Ride("tier_stays(%s, %s)", (coming.at, coming.member.pk), lambda _: None)


def connect() -> None:
    """Connect every receiver."""
    for signal in _MEASURED:
        signal.connect(judge_tier, dispatch_uid="tier_judged")
    riders.name_rider(judge_tier, _tier_stays)
    for declared in EVENT_TYPES.values():
        if declared.is_external or declared.signal is signals.member_enrolled:
            declared.signal.connect(earn_points_by_event, dispatch_uid="points_by_event")
    signals.custom_event_happened.connect(earn_points_by_event, dispatch_uid="points_by_event")
