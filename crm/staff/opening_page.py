"""Opening balances of an old system: handed in with a control total, approved by a second person, posted whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm.shell.formats import money_exponent
from crm.staff.access import Access, access_of, needs, page
from crm.staff.forms import DeedForm
from crm.staff.paging import PAGE_ROWS
from members.amounts import InvalidAmount, parse_minor
from members.domain.imports import opening
from members.domain.imports.reading import BY_WEB, read_bytes
from members.enums import Role
from members.models import CardProduct, OpeningBatch
from members.refusals import Refused


class SumField(forms.CharField):
    """A sum as typed, nothing included; cleans to minor units, or to a whole number."""

    def __init__(self, *, is_money: bool, **kwargs: Any) -> None:
        self.is_money = is_money
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> int:  # type: ignore[override]
        exponent = money_exponent() if self.is_money else 0
        try:
            return parse_minor(super().clean(value), exponent=exponent, maximum=10**12)
        except InvalidAmount as problem:
            if problem.reason == "zero":
                return 0
            raise forms.ValidationError(str(problem.message), code=problem.reason) from problem


class OpeningForm(DeedForm):
    """The file, and what it has to add up to."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX with columns: member_no or phone, principal, bonus, points."),
    )
    product = forms.ModelChoiceField(
        CardProduct.objects.filter(is_active=True), label=gettext_lazy("Card for members without one")
    )
    control = SumField(is_money=True, label=gettext_lazy("All principal and bonus together"))
    control_points = SumField(is_money=False, label=gettext_lazy("All points together"))
    note = forms.CharField(label=gettext_lazy("Why, for whoever approves it"), max_length=200)

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > BY_WEB.bytes_max:
            raise forms.ValidationError(_("The file is larger than allowed. Split it."))
        return upload


def _batches(access: Access) -> QuerySet[OpeningBatch]:
    return OpeningBatch.objects.filter(store=access.store).select_related(
        "maker", "approval__checker", "product"
    )


@require_http_methods(["GET", "POST"])
@needs(Role.OWNER)
def opening_balances(request: HttpRequest) -> HttpResponse:
    """What was handed in, and handing in another file."""
    if request.method != "POST":
        return _show(request, OpeningForm(initial={"control_points": "0"}))
    form = OpeningForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, 422)
    access, data = access_of(request), form.cleaned_data
    try:
        opening.hand_in(
            table=read_bytes(data["file"].read()),
            file_name=data["file"].name,
            store=access.store,
            product=data["product"],
            control_minor=data["control"],
            control_points=data["control_points"],
            by=access.staff,
            note=data["note"],
            at=timezone.now(),
        )
    except Refused as refusal:
        form.refuse(refusal.message, refusal.field)
        return _show(request, form, 422)
    messages.success(request, _("Handed in. A second person has to approve it; then post it here."))
    return HttpResponseRedirect(reverse("staff:opening_balances"))


@require_POST
@needs(Role.OWNER)
def post_opening(request: HttpRequest, batch: UUID) -> HttpResponse:
    """Put an approved batch into the ledger, whole."""
    access = access_of(request)
    found = get_object_or_404(_batches(access), public_id=batch)
    try:
        opening.post(batch=found, by=access.staff, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("Posted: the balances are on the cards."))
    return HttpResponseRedirect(reverse("staff:opening_balances"))


def _show(request: HttpRequest, form: OpeningForm, status: int = 200) -> HttpResponse:
    access = access_of(request)
    rows = [
        {"batch": batch, "rows": len(batch.rows), "is_mine": batch.maker_id == access.staff.pk}
        for batch in _batches(access).order_by("-pk")[:PAGE_ROWS]
    ]
    return page(request, "staff/opening_balances.html", {"form": form, "batches": rows}, status)
