"""What a recharge gave besides its bonus, taken back with it: the coupon of its plan, and its points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from members.domain import coupons
from members.domain.allocation import OpenLot, share, take_in_order
from members.domain.coupon_issuing import key_of_gift
from members.domain.coupon_locks import lock_before_rise, lock_coupons
from members.domain.ledger import Actor, Deed, Leg
from members.domain.lot_parts import open_lot
from members.enums import AccountKind
from members.models import Coupon, CouponState, Lot, Operation
from members.refusals import Refused


class GiftUsed(Refused):
    """The coupon of a recharge paid part of a bill: that bill is taken back first."""

    code = "gift_used"


def take_coupon_back(recharge: Operation, actor: Actor, at: datetime) -> None:
    """Make the coupon void that came with a recharge; one that is over already stays so. Raises GiftUsed."""
    of_recharge = Coupon.objects.filter(scope=recharge.scope, key=key_of_gift(recharge))
    given = lock_coupons(of_recharge)
    lock_before_rise(coupon.definition_id for coupon in given)
    for coupon in given:
        if coupon.state == CouponState.REDEEMED:
            said = _("The coupon this recharge gave has been used. Take back the bill it was used on first.")
            raise GiftUsed(said)
        if coupon.state in (CouponState.ISSUED, CouponState.RESERVED):
            coupons.void(coupon=coupon, actor=actor, reason="recharge refunded", at=at)


def points_back(deed: Deed, recharge: Operation, left_minor: int) -> list[Leg]:
    """The points a recharge gave, out of its own lots, also those that wait still.

    What is gone of them is taken from the member's others, in the proportion of the recharge that is left; what the
    member does not have is forgiven.
    """
    account = deed.accounts[AccountKind.POINTS]
    given = Lot.objects.filter(account=account, operation=recharge)
    rows = Lot.objects.filter(account=account, source=recharge, remaining__gt=F("held"))
    own = [open_lot(lot, AccountKind.POINTS) for lot in rows.select_related("source").order_by("id")]
    brought = given.aggregate(total=Sum("original"))["total"] or 0
    due = share(brought, left_minor, recharge.amount_minor)
    uses = take_in_order(own, sum(lot.remaining for lot in own))
    uses += take_in_order(_others(deed, own), max(due + sum(use.amount for use in uses), 0))
    total = sum(use.amount for use in uses)
    if not total:
        return []
    return [
        Leg(total, account=account, uses=tuple(uses)),
        Leg(-total, store=deed.operation.store_id, kind=AccountKind.POINTS_COST),
    ]


def _others(deed: Deed, own: Sequence[OpenLot]) -> list[OpenLot]:
    known = {lot.id for lot in own}
    return [lot for lot in deed.lots_of(AccountKind.POINTS) if lot.id not in known]
