"""What a card is besides its balance: `{% load cards %}`, for the till."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from members.domain.card_facts import card_facts, open_transfers
from members.models import Card, Member, Store

register = template.Library()


@register.inclusion_tag("staff/_card_facts.html")
def card_standing(card: Card | None, member: Member, store: Store, may_deal: bool) -> dict[str, Any]:
    """Services left, a rest, who shares it, and the transfers that wait for a word."""
    return {
        "card": card,
        "member": member,
        "facts": card_facts(card) if card else None,
        "transfers": list(open_transfers(member, at=timezone.now())),
        "current_store": store,
        "may_deal": may_deal,
    }
