"""The drawer: one's own shift for whoever stands at the till, every shift of the store for those in charge."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.staff.access import AT_TILL, Access, access_of, needs, page
from crm.staff.fields import AmountField
from crm.staff.money_pages import MAY_SEE, tabs
from crm.staff.paging import PAGE_ROWS, Page, cut, real_day, whole_number
from members.domain import days
from members.models import Shift
from members.refusals import Refused


class CashField(AmountField):
    """Counted cash, which may be nothing at all."""

    def clean(self, value: Any) -> int | None:
        if str(value or "").strip() in ("0", "0.0", "0.00"):
            return 0
        return super().clean(value)  # type: ignore[no-any-return]


class OpenShiftForm(forms.Form):
    use_required_attribute = False
    opening = CashField(label=_("Counted into the drawer"))


class CloseShiftForm(forms.Form):
    use_required_attribute = False
    opening = CashField(label=_("Counted at the start"))
    counted = CashField(label=_("Counted now"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, shift: Shift, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if shift.opening_minor is not None:
            del self.fields["opening"]


class MoveForm(forms.Form):
    use_required_attribute = False
    amount = AmountField(label=_("Amount"))
    way = forms.ChoiceField(
        label=_("Which way"), choices=(("out", _("out of the drawer")), ("in", _("into it")))
    )
    reason = forms.CharField(label=_("What for"), max_length=120)


def _shown(access: Access) -> Any:
    """One's own shifts; all of the current store for those in charge."""
    rows = Shift.objects.filter(store=access.store).select_related("staff", "store", "accepted_by")
    rows = rows.order_by("-on", "-pk")
    return rows if access.may(*MAY_SEE) else rows.filter(staff=access.staff)


def _page_of(request: HttpRequest) -> Page[Shift]:
    """The newest business days first."""
    rows = _shown(access_of(request))
    day, _gap, last = request.GET.get("after", "").partition("_")
    after, number = real_day(day), whole_number(last)
    if after is not None and number is not None:
        rows = rows.filter(Q(on__lt=after) | Q(on=after, pk__lt=number))
    return cut(
        request, list(rows[: PAGE_ROWS + 1]), PAGE_ROWS, lambda shift: f"{shift.on.isoformat()}_{shift.pk}"
    )


@require_http_methods(["GET", "POST"])
@needs(*AT_TILL, *MAY_SEE)
def money_shifts(request: HttpRequest) -> HttpResponseBase:
    """The shifts this person may see; opening one's own."""
    access, moment = access_of(request), timezone.now()
    form = OpenShiftForm(request.POST or None)
    if request.method == "POST" and not access.may(*AT_TILL):
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        try:
            shift = days.open_shift(
                store=access.store, staff=access.staff, opening_minor=form.cleaned_data["opening"], at=moment
            )
            return redirect("staff:money_shift", shift=shift.public_id)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal.message))
    shown = _page_of(request)
    own = days.open_shift_of(store=access.store, staff=access.staff, at=moment)
    context = {
        "tabs": tabs(request),
        "shifts": shown.rows,
        "page": shown,
        "own": own,
        "form": form,
        "may_open": access.may(*AT_TILL) and own is None,
    }
    return page(request, "staff/money_shifts.html", context, status=422 if form.errors else 200)


@require_GET
@needs(*AT_TILL, *MAY_SEE)
def money_shift(request: HttpRequest, shift: UUID) -> HttpResponse:
    """One shift with its cash."""
    return _show(request, _found(request, shift))


@require_POST
@needs(*AT_TILL)
def close_shift(request: HttpRequest, shift: UUID) -> HttpResponseBase:
    """Count the drawer and close the shift."""
    found = _found(request, shift)
    form = CloseShiftForm(request.POST, shift=found)
    if not form.is_valid():
        return _show(request, found, closing=form)
    given = form.cleaned_data
    try:
        days.close_shift(
            shift=found,
            count=days.Count(total_minor=given["counted"]),
            opening_minor=given.get("opening"),
            note=given["note"],
            by=access_of(request).staff,
            at=timezone.now(),
        )
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal.message))
        return _show(request, found, closing=form)
    return redirect("staff:money_shift", shift=found.public_id)


@require_POST
@needs(*AT_TILL)
def move_cash(request: HttpRequest, shift: UUID) -> HttpResponseBase:
    """Cash in or out that is no deed."""
    found, form = _found(request, shift), MoveForm(request.POST)
    if not form.is_valid():
        return _show(request, found, moving=form)
    given, key = form.cleaned_data, request.POST.get("idempotency_key", "")[:128]
    if not key:
        form.add_error(None, _("This form is incomplete. Open it again and repeat your entry."))
        return _show(request, found, moving=form)
    try:
        days.move_cash(
            shift=found,
            amount_minor=given["amount"] if given["way"] == "in" else -given["amount"],
            reason=given["reason"],
            by=access_of(request).staff,
            key=key,
            at=timezone.now(),
        )
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("staff:money_shift", shift=found.public_id)


def _found(request: HttpRequest, public_id: UUID) -> Shift:
    return get_object_or_404(_shown(access_of(request)), public_id=public_id)


def _show(
    request: HttpRequest, shift: Shift, closing: forms.Form | None = None, moving: forms.Form | None = None
) -> HttpResponse:
    bad = bool((closing and closing.errors) or (moving and moving.errors))
    context = {
        "tabs": tabs(request),
        "shift": shift,
        "expected": shift.expected_minor if not shift.is_open else days.expected_minor(shift),
        "moves": shift.moves.select_related("staff").order_by("pk"),
        "tenders": shift.tenders.select_related("operation__member").order_by("-pk")[:200],
        "closing": closing or CloseShiftForm(shift=shift),
        "moving": moving or MoveForm(),
        "may_count": access_of(request).may(*AT_TILL) and shift.is_open,
    }
    return page(request, "staff/money_shift.html", context, status=422 if bad else 200)
