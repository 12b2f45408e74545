"""A bill at the till, taking it back, and value held for one to come."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from constance import config
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from crm.staff.access import IN_CHARGE, access_of, page
from crm.staff.codes import check_members_code
from crm.staff.counter import Deed
from crm.staff.coupon_offers import offers_context, typed_bill
from crm.staff.holdings import SHOWN_SPENDS, open_holds, refundable_deeds
from crm.staff.paying_forms import HoldForm, RefundForm, ReleaseForm, SpendForm
from crm.staff.telling import foretell
from crm.staff.till import visible_members
from members.domain.coupon_codes import read_code
from members.domain.deeds import Outcome
from members.domain.holds import authorise, release
from members.domain.housebook import house
from members.domain.payments import Asked, CodeRequired, Usable, check_code, lots_on, usable_for
from members.domain.refunds import refund
from members.domain.spending import spend
from members.enums import AccountKind, OperationKind
from members.models import Account, Coupon, CouponState, Hold, Operation
from members.refusals import Refused
from messaging.enums import CodePurpose

_PAID_BY = ("tenders", "rest", "points", "lines", "hold")


class Spend(Deed):
    """A bill: discounts, points, a part by outside tenders, from the card the rest."""

    form_class, template, kind = SpendForm, "staff/_deed_spend.html", OperationKind.SPEND
    forecast_template = "staff/_forecast_spend.html"

    def form_options(self) -> dict[str, Any]:
        mine = Coupon.objects.filter(member=self.member, state__in=(CouponState.ISSUED, CouponState.RESERVED))
        coupons = mine.select_related("definition").prefetch_related("definition__categories")
        return {"coupons": coupons, "holds": Hold.objects.filter(card=self.card)}

    def form(self, data: Any = None) -> Any:
        form = super().form(data)
        if not self.is_forecast:  # a code half typed is not a wrong one
            form.coupon_for = (self.member, self.access.actor.scope, self.at)
        return form

    def context(self, form: Any) -> dict[str, Any]:
        said = form.data.get("hold") or self.request.GET.get("hold", "")
        hold = next((one for one in open_holds(self.member) if str(one.public_id) == said), None)
        return {
            "usable": self.usable(),
            **offers_context(
                self.member,
                self.access.store,
                bill_minor=typed_bill(form.data.get("amount")),
                at=self.at,
                chosen=form.data.getlist("coupon") if form.is_bound else (),
            ),
            "points": Account.objects.filter(member=self.member, kind=AccountKind.POINTS).first(),
            "hold": hold,
            "code_above": self.code_above(),
        }

    def usable(self) -> Usable:
        """How much of the card may pay a bill here."""
        return usable_for(lots_on(self.card, self.at), self.access.store)

    def code_above(self) -> int:
        own = self.card.product.code_above_minor
        return int(config.SPEND_CODE_ABOVE_MINOR if own is None else own)

    def _is_same(self, form: Any, earlier: Operation) -> bool:
        """Also how it is paid."""
        form.coupon_for = None  # nor is a code looked for, and counted, once more
        form.is_valid()
        try:
            asked = self._asked(form)
        except KeyError:  # part of it cannot be read
            return False
        paid_alike = all(earlier.request.get(name) == asked.get(name) for name in _PAID_BY)
        return paid_alike and _names_coupons(form, earlier) and super()._is_same(form, earlier)

    def _asked(self, form: Any) -> dict[str, Any]:
        """The bill without its coupons, as a deed keeps it."""
        data = form.cleaned_data
        tenders, rest, points = form.tenders(), form.rest(), data["points"] or 0
        lines, hold = form.lines(), data["hold"]
        return Asked(self.card, data["amount"], tenders, lines, points=points, rest=rest, hold=hold).request()

    def do(self, form: Any, key: str) -> Outcome:
        try:
            return self.pay(form, key, is_confirmed=False)
        except CodeRequired:
            if not form.cleaned_data["code"]:
                raise
        check_members_code(self.member, CodePurpose.PAY, form.cleaned_data["code"], self.at)
        return self.pay(form, key, is_confirmed=True)

    def pay(self, form: Any, key: str, *, is_confirmed: bool) -> Outcome:
        """The one domain call."""
        data = form.cleaned_data
        return spend(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            card=self.card,
            amount_minor=data["amount"],
            tenders=form.tenders(),
            rest=form.rest(),
            lines=form.lines(),
            coupons=list(data["coupon"]),
            points=data["points"] or 0,
            hold=data["hold"],
            is_confirmed=is_confirmed,
        )

    def forecast(self, form: Any) -> HttpResponse:
        """As if the code were there, and whether it will be needed."""
        context: dict[str, Any] = {"kind": self.kind}
        if form.is_valid():
            try:
                told = foretell(lambda key: self.pay(form, key, is_confirmed=True))
                context |= {"told": told, "needs_code": self._needs_code(told.payload["stored_value"])}
            except Refused as refusal:
                context |= {"refusal": refusal.message, "facts": refusal.facts}
        return page(self.request, self.forecast_template, context)

    def _needs_code(self, stored_minor: int) -> bool:
        try:
            check_code(house(), self.card, stored_minor, is_confirmed=False)
        except CodeRequired:
            return True
        return False


def _names_coupons(form: Any, earlier: Operation) -> bool:
    """Whether the form names the coupons of this bill. They are used, so the form's own list knows none of them."""
    typed = form.data.get("coupon_code", "").strip()
    said = {*form.data.getlist("coupon"), read_code(typed) or typed} - {""}
    used = Coupon.objects.filter(pk__in=earlier.request.get("coupons", ())).values_list("pk", "code")
    names = [{str(pk), code} for pk, code in used]
    return said <= set().union(*names) and all(said & either for either in names)


class Refund(Deed):
    """A spend taken back, whole or in part, or a reward. A manager's or an owner's word."""

    form_class, template, kind = RefundForm, "staff/_deed_refund.html", OperationKind.REFUND
    roles = IN_CHARGE

    def form_options(self) -> dict[str, Any]:
        return {"spends": refundable_deeds(self.card)}

    def context(self, form: Any) -> dict[str, Any]:
        chosen = form.data.get("operation") or self.request.GET.get("operation", "")
        listed = form.fields["operation"].queryset
        rows = list(listed[:SHOWN_SPENDS])
        if chosen and chosen not in {str(row.public_id) for row in rows}:
            rows += [row for row in listed if str(row.public_id) == chosen]
        return {"spends": rows, "chosen": chosen or (str(rows[0].public_id) if len(rows) == 1 else "")}

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        return refund(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            operation=data["operation"],
            amount_minor=data["amount"],
            note=data["note"],
        )


class HoldValue(Deed):
    """Value set aside for a booking or a deposit."""

    form_class, template, kind = HoldForm, "staff/_deed_hold.html", OperationKind.HOLD
    asked = ("reason",)

    def context(self, form: Any) -> dict[str, Any]:
        return {"usable": usable_for(lots_on(self.card, self.at), self.access.store)}

    def _is_same(self, form: Any, earlier: Operation) -> bool:
        """Also until when, by the day it was done: the same form sent again after midnight is the same."""
        form.is_valid()
        if "days" not in form.cleaned_data or not super()._is_same(form, earlier):
            return False
        return form.until(earlier.store, earlier.at).isoformat() == earlier.request["until"]

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        return authorise(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            card=self.card,
            amount_minor=data["amount"],
            until=form.until(self.access.store, self.at),
            reason=data["reason"],
        )


class ReleaseHold(Deed):
    """A hold ended without a bill."""

    form_class, template, kind = ReleaseForm, "staff/_deed_hold_release.html", OperationKind.RELEASE

    def find(self, request: HttpRequest, hold: UUID) -> None:  # type: ignore[override]
        holds = Hold.objects.select_related(
            "card__member__home_store", "card__member__facts", "card__product"
        )
        seen = Q(card__member__in=visible_members(access_of(request)))
        self.hold = get_object_or_404(holds.select_related("store").filter(seen), public_id=hold)
        self.card, self.member = self.hold.card, self.hold.card.member

    def context(self, form: Any) -> dict[str, Any]:
        return {"hold": self.hold}

    def do(self, form: Any, key: str) -> Outcome:
        return release(actor=self.access.actor, key=key, at=self.at, store=self.access.store, hold=self.hold)
