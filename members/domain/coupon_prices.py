"""What a coupon takes off a bill, and why it does not: the same answer at the till, in the offer and in the deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.conf import settings
from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from members.amounts import format_minor
from members.domain.allocation import share
from members.domain.bills import Line
from members.models import Coupon, CouponDefinition, CouponKind, CouponState, Member, Store
from members.refusals import Refused

OFFERED_MAX = 20
OVER_WORDS = {
    CouponState.REDEEMED: gettext_lazy("This coupon has been used."),
    CouponState.VOID: gettext_lazy("This coupon is void."),
    CouponState.EXPIRED: gettext_lazy("This coupon’s time is over."),
}


class CouponDoesNotFit(Refused):
    """The coupon cannot be used on this bill, here and now; the message says why."""

    code = "coupon_does_not_fit"
    field = "coupon"


@dataclass(frozen=True)
class Discount:
    """What a coupon takes off a bill, in minor units, and the words for the bill."""

    amount_minor: int
    words: str


@dataclass(frozen=True)
class Offer:
    """A coupon of the member against this bill: what it takes off, or why it does not fit."""

    coupon: Coupon
    amount_minor: int
    reason: str = ""

    @property
    def fits(self) -> bool:
        return not self.reason


def price(
    coupon: Coupon,
    lines: Sequence[Line],
    *,
    store: Store,
    member: Member,
    at: datetime,
    has_tier_discount: bool = False,
    others: Sequence[Coupon] = (),
    reserved_for: str = "",
) -> Discount:
    """What the coupon takes off these lines now. Raises CouponDoesNotFit. Nothing is locked or changed.

    `others` are the coupons already on the bill. A reserved coupon fits only what it is reserved for.
    """
    definition = coupon.definition
    _check_coupon(coupon, member, at, reserved_for)
    _check_place(definition, store, at)
    _check_company(definition, has_tier_discount, others, coupon)
    off = off_minor(definition, lines)
    left = _budget_left(definition)
    if left is not None and off > left:
        raise CouponDoesNotFit(_("The budget of these coupons is used up."))
    return Discount(off, definition.name)


def off_minor(definition: CouponDefinition, lines: Sequence[Line]) -> int:
    """What the definition takes off these lines, wherever and whenever. Raises CouponDoesNotFit."""
    wanted = {category.pk for category in definition.categories.all()}
    amounts = [line.amount_minor for line in lines if not wanted or line.category in wanted]
    return worth_minor(definition, amounts)


def worth_minor(definition: CouponDefinition, amounts: Sequence[int]) -> int:
    """What the definition takes off goods of these prices, all of them what it is for. Raises CouponDoesNotFit."""
    whole = sum(amounts)
    if not whole:
        raise CouponDoesNotFit(_("Nothing on this bill is what the coupon is for."))
    if whole < definition.min_spend_minor:
        raise CouponDoesNotFit(_("From %(amount)s.") % {"amount": money(definition.min_spend_minor)})
    off = _worth(definition, amounts)
    if off <= 0:
        raise CouponDoesNotFit(_("The bill is too small for this coupon."))
    return off


def offered(
    member: Member,
    store: Store,
    bill_minor: int,
    at: datetime,
    *,
    lines: Sequence[Line] = (),
    has_tier_discount: bool = False,
) -> list[Offer]:
    """The member's coupons against this bill: those that fit, best first, then the others with the reason.

    At most twenty, those that end soonest. A fixed number of queries.
    """
    bill = lines or [Line(bill_minor)]
    open_ones = Coupon.objects.filter(member=member, state__in=(CouponState.ISSUED, CouponState.RESERVED))
    found = (
        open_ones.filter(Q(expires_at=None) | Q(expires_at__gt=at))
        .select_related("definition", "store")
        .prefetch_related("definition__stores", "definition__categories")
        .order_by("expires_at", "id")[:OFFERED_MAX]
    )
    offers = [_offer(coupon, bill, store, member, at, has_tier_discount) for coupon in found]
    return sorted(offers, key=lambda offer: (not offer.fits, -offer.amount_minor))


def _offer(
    coupon: Coupon, lines: Sequence[Line], store: Store, member: Member, at: datetime, has_tier_discount: bool
) -> Offer:
    try:
        discount = price(
            coupon, lines, store=store, member=member, at=at, has_tier_discount=has_tier_discount
        )
    except CouponDoesNotFit as refusal:
        return Offer(coupon, 0, str(refusal.message))
    return Offer(coupon, discount.amount_minor)


def money(minor: int) -> str:
    """An amount for a sentence, in the reader's language."""
    return format_minor(minor, settings.REGULARS_CURRENCY, get_language() or "en")


def _check_coupon(coupon: Coupon, member: Member, at: datetime, reserved_for: str) -> None:
    if coupon.member_id != member.pk:
        raise CouponDoesNotFit(_("This coupon is somebody else’s."))
    if words := OVER_WORDS.get(CouponState(coupon.state)):
        raise CouponDoesNotFit(words)
    if coupon.expires_at and coupon.expires_at <= at:
        raise CouponDoesNotFit(_("This coupon’s time is over."))
    if coupon.active_from and coupon.active_from > at:
        raise CouponDoesNotFit(_("This coupon’s time has not come yet."))
    is_free = coupon.state == CouponState.ISSUED or (coupon.reserved_until and coupon.reserved_until <= at)
    if not is_free and coupon.reserved_for != reserved_for:
        raise CouponDoesNotFit(_("This coupon is reserved for a booking."))


def _check_place(definition: CouponDefinition, store: Store, at: datetime) -> None:
    stores = {one.pk for one in definition.stores.all()}
    if stores and store.pk not in stores:
        raise CouponDoesNotFit(_("Not at this store."))
    local = at.astimezone(store.zone)
    if definition.weekdays and local.isoweekday() not in definition.weekdays:
        raise CouponDoesNotFit(_("Not on %(day)s.") % {"day": WEEKDAYS[local.weekday()]})
    if not _is_within(local.time(), definition.hours_from, definition.hours_till):
        hours = {"from": f"{definition.hours_from:%H:%M}", "till": f"{definition.hours_till:%H:%M}"}
        raise CouponDoesNotFit(_("Only from %(from)s to %(till)s.") % hours)


def _is_within(now: time, start: time | None, end: time | None) -> bool:
    if start is None or end is None:
        return True
    return start <= now < end if start <= end else now >= start or now < end


def _check_company(
    definition: CouponDefinition, has_tier_discount: bool, others: Sequence[Coupon], coupon: Coupon
) -> None:
    if any(other.pk == coupon.pk for other in others):
        raise CouponDoesNotFit(_("This coupon is on the bill already."))
    if others and not (
        definition.stacks_with_coupons and all(other.definition.stacks_with_coupons for other in others)
    ):
        raise CouponDoesNotFit(_("Not together with another coupon."))
    if has_tier_discount and not definition.stacks_with_tier:
        raise CouponDoesNotFit(_("Not together with a tier discount."))


def _worth(definition: CouponDefinition, amounts: Sequence[int]) -> int:
    whole = sum(amounts)
    if definition.kind == CouponKind.PERCENT:
        off = share(whole, definition.percent or 0, 100)
    elif definition.kind == CouponKind.ITEM:
        off = min(definition.off_minor or 0, max(amounts))
    else:
        off = min(definition.off_minor or 0, whole)
    return min(off, definition.off_max_minor) if definition.off_max_minor else off


def _budget_left(definition: CouponDefinition) -> int | None:
    return None if definition.budget_minor is None else definition.budget_minor - definition.taken_minor
