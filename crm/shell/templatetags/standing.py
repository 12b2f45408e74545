"""How a member stands: `{% load standing %}`, for the till, the member page and the portal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils import timezone

from members.domain.earning_words import reasons_of
from members.domain.points_held import points_held
from members.domain.tier_outlook import outlook
from members.models import Entry, Member

register = template.Library()


@register.inclusion_tag("staff/_tier.html")
def member_tier(member: Member) -> dict[str, Any]:
    """Tier, progress and points of a member, for staff."""
    return _standing(member)


@register.inclusion_tag("portal/_tier.html")
def my_tier(member: Member) -> dict[str, Any]:
    """The same in the words of the portal."""
    return _standing(member)


@register.simple_tag
def earning_reasons(entries: Iterable[Entry]) -> dict[int, list[dict[str, Any]]]:
    """Why the deeds of these entries earned points, by deed; one query for a whole page."""
    return reasons_of({entry.operation_id for entry in entries})


@register.simple_tag
def why_earned(operation_id: int) -> list[dict[str, Any]]:
    """Why one deed earned points."""
    return reasons_of([operation_id]).get(operation_id, [])


@register.filter
def of_deed(reasons: dict[int, list[dict[str, Any]]], operation_id: int) -> list[dict[str, Any]]:
    """The reasons of one deed among those of a page."""
    return reasons.get(operation_id, [])


def _standing(member: Member) -> dict[str, Any]:
    now = timezone.now()
    return {"member": member, "outlook": outlook(member, now), "points": points_held(member, now)}
