"""A coupon from the day it is issued to its end: used on one bill, reserved, made void, expired, given back.

Locked in the order of coupon_locks.py: all coupons of a deed, then their definitions (also by the triggers of coupons.sql).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from members.domain import audit
from members.domain.coupon_issuing import CouponNotIssued, issue, issue_to
from members.domain.coupon_locks import lock_before_rise, lock_coupons, lock_definitions
from members.domain.coupon_prices import (
    OVER_WORDS,
    CouponDoesNotFit,
    Discount,
    Offer,
    offered,
    price,
)
from members.domain.ledger import Actor
from members.models import Coupon, CouponRefundPolicy, CouponState, CouponUse, CouponUseKind, Operation
from members.refusals import Refused

__all__ = [
    "CouponDoesNotFit",
    "CouponNotIssued",
    "CouponNotOpen",
    "Discount",
    "Offer",
    "in_lock_order",
    "issue",
    "issue_to",
    "lock_for_use",
    "offered",
    "price",
    "release",
    "reserve",
    "restore",
    "use",
    "void",
]

_USE = """
WITH used AS (
  UPDATE members_coupon
  SET state = 'redeemed', round = round + 1, reserved_for = '', reserved_until = NULL
  WHERE id = %(coupon)s AND member_id = %(member)s
    AND (state = 'issued' OR state = 'reserved' AND (reserved_for = %(reserved_for)s OR reserved_until <= %(at)s))
    AND (active_from IS NULL OR active_from <= %(at)s) AND (expires_at IS NULL OR expires_at > %(at)s)
  RETURNING id, round)
INSERT INTO members_couponuse (coupon_id, operation_id, kind, round, amount_minor, at)
SELECT id, %(operation)s, 'used', round, %(amount)s, %(at)s FROM used
"""


class CouponNotOpen(Refused):
    """Only an issued coupon can be reserved or made void."""

    code = "coupon_not_open"
    field = "coupon"


def in_lock_order(coupons: Iterable[Coupon]) -> list[Coupon]:
    """The order in which one deed uses or gives back several, whose definitions are locked as they are counted."""
    return sorted(coupons, key=lambda coupon: (coupon.definition_id, coupon.pk))


def lock_for_use(coupons: Collection[Coupon]) -> None:
    """What a deed will use, and what a tier may give at its end: locked before the first is used."""
    if coupons:
        lock_coupons(Coupon.objects.filter(pk__in=[coupon.pk for coupon in coupons]))
        lock_before_rise(coupon.definition_id for coupon in coupons)


def use(
    coupon: Coupon, operation: Operation, at: datetime, *, amount_minor: int, reserved_for: str = ""
) -> None:
    """Use the coupon on this spend, inside its transaction: once, whoever else tries at the same moment.

    `amount_minor` is what it took off, by `price`. Raises CouponDoesNotFit when it is no longer open or when the
    budget does not hold that much; the whole deed is to be taken back then.
    """
    asked: dict[str, Any] = {
        "coupon": coupon.pk,
        "member": operation.member_id,
        "operation": operation.pk,
        "amount": amount_minor,
        "reserved_for": reserved_for,
        "at": at,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_USE, asked)
            is_used = cursor.rowcount == 1
    except IntegrityError as broken:
        if "coupon_within_budget" in str(broken):
            raise CouponDoesNotFit(_("The budget of these coupons is used up.")) from broken
        raise
    if not is_used:
        raise CouponDoesNotFit(_why_closed(coupon))


def _why_closed(coupon: Coupon) -> str:
    now = Coupon.objects.values_list("state", flat=True).get(pk=coupon.pk)
    return str(OVER_WORDS.get(CouponState(now)) or _("This coupon cannot be used now."))


def restore(operation: Operation, at: datetime) -> list[Coupon]:
    """Give the coupons of a spend back, once, when `operation` refunded the whole of it, as each one's policy says.

    The budget gets its money back in every case. A coupon whose time is over meanwhile is expired, unless its policy
    gives more days. Call it inside the refund's transaction; a part refund gives nothing back.
    """
    uses = CouponUse.objects.filter(operation=operation.reverses_id, kind=CouponUseKind.USED)
    by_coupon = {use.coupon_id: use for use in uses}
    used_up = Coupon.objects.filter(pk__in=by_coupon, state=CouponState.REDEEMED)
    locked = lock_coupons(used_up.select_related("definition"))
    lock_before_rise(coupon.definition_id for coupon in locked)
    given_back = []
    for coupon in in_lock_order(locked):
        used = by_coupon[coupon.pk]
        if used.round == coupon.round:
            _give_back(coupon, used, operation, at)
            given_back.append(coupon)
    return given_back


def _give_back(coupon: Coupon, used: CouponUse, refund: Operation, at: datetime) -> None:
    CouponUse.objects.create(
        coupon=coupon,
        operation=refund,
        kind=CouponUseKind.RETURNED,
        round=used.round,
        amount_minor=-used.amount_minor,
        at=at,
    )
    definition = coupon.definition
    if definition.refund_policy == CouponRefundPolicy.VOID:
        coupon.state, coupon.voided_at, coupon.void_reason = CouponState.VOID, at, "refunded"
    else:
        if definition.refund_policy == CouponRefundPolicy.REISSUE and coupon.expires_at:
            coupon.expires_at = max(coupon.expires_at, at + timedelta(days=definition.refund_days or 0))
        is_over = coupon.expires_at is not None and coupon.expires_at <= at
        coupon.state = CouponState.EXPIRED if is_over else CouponState.ISSUED
    coupon.warned_at = None
    coupon.save(update_fields=["state", "voided_at", "void_reason", "expires_at", "warned_at"])


def reserve(*, coupon: Coupon, reference: str, until: datetime, at: datetime) -> None:
    """Keep an issued coupon for one booking (`reference`) until then. Raises CouponNotOpen. Again is no error."""
    free = Coupon.objects.filter_free(reference, at).filter(pk=coupon.pk)
    if until <= at or not free.update(
        state=CouponState.RESERVED, reserved_for=reference, reserved_until=until
    ):
        raise CouponNotOpen(_("This coupon cannot be reserved now."))


def release(*, coupon: Coupon, reference: str) -> bool:
    """Free a coupon that was reserved for `reference`; False when it was not."""
    held = Coupon.objects.filter(pk=coupon.pk, state=CouponState.RESERVED, reserved_for=reference)
    return bool(held.update(state=CouponState.ISSUED, reserved_for="", reserved_until=None))


def void(*, coupon: Coupon, actor: Actor, reason: str, at: datetime) -> None:
    """Make an unused coupon worthless, for a reason. Written down in the audit log. Raises CouponNotOpen."""
    if not reason.strip():
        raise CouponNotOpen(_("Say why."), field="reason")
    with transaction.atomic():
        if not void_unused([coupon], staff_id=actor.staff_id, reason=reason, at=at):
            raise CouponNotOpen(_why_closed(coupon))
        audit.write(
            actor=actor,
            verb="coupon_voided",
            subject=coupon,
            store=coupon.store,
            before={"state": coupon.state},
            after={"state": CouponState.VOID, "reason": reason.strip()},
            at=at,
        )


def void_unused(given: Sequence[Coupon], *, staff_id: int | None, reason: str, at: datetime) -> int:
    """Make those of them worthless that are not used yet; how many. In a transaction; nothing is audited here."""
    still_open = Coupon.objects.filter(
        pk__in=[coupon.pk for coupon in given], state__in=(CouponState.ISSUED, CouponState.RESERVED)
    )
    locked = lock_coupons(still_open)
    lock_definitions(coupon.definition_id for coupon in locked)
    return Coupon.objects.filter(pk__in=[coupon.pk for coupon in locked]).update(
        state=CouponState.VOID,
        voided_at=at,
        voided_by_id=staff_id,
        void_reason=reason.strip()[:200],
        reserved_for="",
        reserved_until=None,
    )
