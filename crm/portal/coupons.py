"""The member's coupons: the open ones with code and QR, what each is for and when it ends; then the used and ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from crm.portal.access import PortalRequest, member_required, page
from crm.portal.holdings import qr_of
from members.domain.coupon_words import conditions, headline
from members.models import Coupon, CouponState, CouponUse, CouponUseKind, Member

SOON = timedelta(days=7)
OPEN_MAX, PAST_MAX = 50, 30
_OPEN = (CouponState.ISSUED, CouponState.RESERVED)


@dataclass(frozen=True)
class HeldCoupon:
    """One coupon as its owner sees it."""

    coupon: Coupon
    is_soon: bool = False
    used: CouponUse | None = None

    @property
    def headline(self) -> str:
        return headline(self.coupon.definition)

    @property
    def conditions(self) -> list[str]:
        definition = self.coupon.definition
        return conditions(definition, definition.stores.all(), definition.categories.all())

    @property
    def is_over(self) -> bool:
        """Ended, though the clock's job has not come by yet."""
        return self.coupon.state == CouponState.EXPIRED or self.coupon.state in _OPEN

    @property
    def qr_svg(self) -> SafeString:
        return qr_of(self.coupon.code)


def open_coupons(member: Member, *, at: datetime) -> list[HeldCoupon]:
    """What can be used now or later, the soonest end first; three queries."""
    own = Coupon.objects.filter(member=member, state__in=_OPEN).filter(
        Q(expires_at=None) | Q(expires_at__gt=at)
    )
    wanted = own.select_related("definition", "store").prefetch_related(
        "definition__stores", "definition__categories"
    )
    return [
        HeldCoupon(coupon, is_soon=coupon.expires_at is not None and coupon.expires_at <= at + SOON)
        for coupon in wanted.order_by("expires_at", "id")[:OPEN_MAX]
    ]


def past_coupons(member: Member, *, at: datetime) -> list[HeldCoupon]:
    """The last ones that were used or ended, newest first, with the bill each was used on; two queries."""
    past = Coupon.objects.filter(member=member).filter(~Q(state__in=_OPEN) | Q(expires_at__lte=at))
    found = list(past.select_related("definition", "store").order_by("-id")[:PAST_MAX])
    uses = CouponUse.objects.filter(coupon__in=found, kind=CouponUseKind.USED).select_related(
        "operation__store"
    )
    by_coupon = {(use.coupon_id, use.round): use for use in uses}
    return [
        HeldCoupon(
            coupon,
            used=by_coupon.get((coupon.pk, coupon.round)) if coupon.state == CouponState.REDEEMED else None,
        )
        for coupon in found
    ]


@require_GET
@member_required
def coupon_list(request: PortalRequest) -> HttpResponse:
    """My coupons."""
    at = timezone.now()
    context = {
        "coupons": open_coupons(request.member, at=at),
        "past": past_coupons(request.member, at=at),
    }
    return page(request, "coupons", context)
