"""Which recharge plans a member may take here and now, why not the others, and what their bonus is good for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.domain.deeds import NotOffered
from members.domain.local_days import day_of
from members.enums import OperationKind
from members.models import Card, Member, Operation, RechargePlan, Store


@dataclass(frozen=True)
class PlanOffer:
    """A plan of this store and, if the member may not take it, why."""

    plan: RechargePlan
    refusal: str | Promise = ""


@dataclass(frozen=True)
class _Past:
    """How often a member recharged, whole and by plan."""

    recharges: int
    by_plan: dict[int, int]


def plans_for(card: Card, store: Store, *, at: datetime) -> Sequence[PlanOffer]:
    """The plans on sale at this store today, each with the reason why this member may not take it. Two queries."""
    today = day_of(store, at)
    plans = RechargePlan.objects.offered(store.pk).filter(Q(ends_on=None) | Q(ends_on__gte=today))
    past = _past_of(card.member_id)
    return [
        PlanOffer(plan, _why_not(plan, card, store, today, past))
        for plan in plans.order_by("pay_minor", "id")
    ]


def check_plan(plan: RechargePlan, card: Card, store: Store, *, at: datetime, deed: Operation) -> None:
    """Refuse a plan this member may not take. Under the member's locks, so that nobody takes the last one twice.

    Raises NotOffered.
    """
    past = _past_of(card.member_id, but=deed.pk)
    if said := _why_not(plan, card, store, day_of(store, at), past):
        raise NotOffered(said, field="plan")


def terms_of(plan: RechargePlan) -> dict[str, Any] | None:
    """What a plan's bonus may pay for, as it is frozen into the lot: `Lot.terms`."""
    terms: dict[str, Any] = {}
    if stores := sorted(plan.bonus_stores.values_list("pk", flat=True)):
        terms["stores"] = stores
    if categories := sorted(plan.bonus_categories.values_list("pk", flat=True)):
        terms["categories"] = categories
    if plan.bonus_share_max_percent:
        terms["share_max_percent"] = plan.bonus_share_max_percent
    return terms or None


def why_not_now(plan: RechargePlan, card: Card, store: Store, at: datetime) -> str | Promise:
    """Why this plan is not for this card here and now, whatever the member took before; nothing when it is."""
    return _why_not(plan, card, store, day_of(store, at), _Past(0, {}))


def _why_not(plan: RechargePlan, card: Card, store: Store, today: date, past: _Past) -> str | Promise:
    if not plan.is_active or plan.store_id not in (None, store.pk):
        return _("This recharge plan is not on sale at this store.")
    if plan.starts_on and today < plan.starts_on:
        return _("This recharge plan is not on sale yet.")
    if plan.ends_on and today > plan.ends_on:
        return _("This recharge plan is no longer on sale.")
    if plan.product_id not in (None, card.product_id):
        return _("This recharge plan is for another card product.")
    if plan.is_first_only and past.recharges:
        return _("This recharge plan is for the first recharge only.")
    if plan.per_member_max is not None and past.by_plan.get(plan.pk, 0) >= plan.per_member_max:
        return _("The member has taken this recharge plan as often as allowed.")
    return ""


def _past_of(member_id: int, but: int | None = None) -> _Past:
    """What the member took, and whoever was merged into them."""
    people = Member.objects.filter(Q(pk=member_id) | Q(merged_into=member_id))
    deeds = Operation.objects.filter(member__in=people, kind=OperationKind.RECHARGE)
    if but is not None:
        deeds = deeds.exclude(pk=but)
    taken = list(deeds.values_list("request__plan", flat=True))
    by_plan: dict[int, int] = {}
    for plan in taken:
        if plan is not None:
            by_plan[plan] = by_plan.get(plan, 0) + 1
    return _Past(len(taken), by_plan)
