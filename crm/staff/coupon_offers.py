"""The coupons in the spend form: those that fit this bill, best first, why the others do not, and a typed code."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from crm.shell.formats import money_exponent
from crm.staff.access import AT_TILL, access_of, needs, page
from crm.staff.till import card_or_404
from members.amounts import InvalidAmount, parse_minor
from members.domain.coupon_codes import find_coupon
from members.domain.coupon_words import headline
from members.domain.coupons import offered
from members.domain.tiers import privileges_of
from members.models import Member, Store
from members.refusals import Refused


class CouponFields(forms.Form):
    """A code typed or scanned, beside the coupons chosen from the list (`coupon`); cleans into that list.

    Set `coupon_for` to (member, the actor's scope, the moment). Wrong codes are counted here, before any deed, so that
    a deed taken back does not take back the count.
    """

    coupon_code = forms.CharField(
        label=_("Coupon code"),
        required=False,
        max_length=24,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    coupon_for: tuple[Member, str, datetime] | None = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        text = data.get("coupon_code")
        if text and self.coupon_for:
            member, scope, at = self.coupon_for
            try:
                found = find_coupon(text=text, member=member, scope=scope, at=at)
            except Refused as refusal:
                self.add_error("coupon_code", str(refusal.message))
            else:
                data["coupon"] = list({*(data.get("coupon") or ()), found})
        return data


def offers_context(
    member: Member, store: Store, *, bill_minor: int | None, at: datetime, chosen: Collection[str] = ()
) -> dict[str, Any]:
    """What templates/staff/_coupon_list.html shows. Without a bill the coupons stand there without amounts.

    `chosen` are the posted values of `coupon`, the ids of the coupons. The offer knows of the member's tier.
    """
    has_tier_discount = bool(privileges_of(member, at).discount_percent)
    offers = offered(member, store, bill_minor or 0, at)
    rows = [
        {
            "offer": offer,
            "headline": headline(offer.coupon.definition),
            "is_chosen": str(offer.coupon.pk) in chosen,
            "is_off": bool(bill_minor) and not offer.fits,
            "is_instead_of_tier": has_tier_discount and not offer.coupon.definition.stacks_with_tier,
        }
        for offer in offers
    ]
    return {"coupon_rows": rows, "coupon_has_bill": bool(bill_minor)}


def typed_bill(text: str | None) -> int | None:
    """The bill as it is being typed, or None while it is none."""
    try:
        return parse_minor(text, exponent=money_exponent())
    except InvalidAmount:
        return None


@require_GET
@needs(*AT_TILL)
def coupon_offers(request: HttpRequest, card: UUID) -> HttpResponse:
    """The list for the bill that is being typed (`amount`), as a fragment."""
    found = card_or_404(request, card)
    context = offers_context(
        found.member,
        access_of(request).store,
        bill_minor=typed_bill(request.GET.get("amount")),
        at=timezone.now(),
        chosen=request.GET.getlist("coupon"),
    )
    return page(request, "staff/_coupon_list.html", context)
