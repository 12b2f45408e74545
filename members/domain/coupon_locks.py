"""The one order in which coupons and their definitions are locked: coupons by id, then definitions by id.

After the accounts of a deed, or the members of an issue. A definition counts in its own row, by trigger too, and a deed
that touches some may end in a tier that gives the coupon of another: what it could lock below its own it locks first.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from members.domain import housebook
from members.models import Coupon, CouponDefinition


def lock_coupons(coupons: QuerySet[Coupon]) -> list[Coupon]:
    """These, by id."""
    return list(coupons.select_for_update(of=("self",), no_key=True).order_by("id"))


def lock_definitions(definitions: Iterable[int]) -> None:
    """These, by id."""
    rows = CouponDefinition.objects.select_for_update(no_key=True).filter(pk__in=set(definitions))
    list(rows.order_by("id").values_list("id"))


def lock_before_rise(definitions: Iterable[int]) -> None:
    """The definitions a deed touches, and those below them that a tier may give at its end. None without such tiers.

    One that a tier gives above them all is locked when it comes to that: in order as well.
    """
    own = set(definitions)
    given = {tier.coupon_id for tier in housebook.kept().tiers.values() if tier.coupon_id}
    if own and given:
        lock_definitions(own | {one for one in given if one < max(own)})
