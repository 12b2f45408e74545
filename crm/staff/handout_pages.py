"""Coupons for many: an audience by a few criteria, tried first, handed out in the background, taken back by a button."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns.domain import handouts
from campaigns.domain.audiences import DAYS_MAX, Audience
from campaigns.tasks import hand_out_coupons
from crm.shell.formats import money_text
from crm.staff.access import access_of, needs, page
from crm.staff.campaigns.plan_form import CRITERIA, DaysField
from crm.staff.counter import once_key
from crm.staff.coupon_pages import WRITERS, definition_or_404, may_change
from crm.staff.fields import AmountField, TagsField
from crm.staff.forms import DeedForm
from crm.staff.paging import whole_number
from members.domain.coupon_issuing import budget_room, most_off
from members.domain.coupon_words import headline
from members.models import CouponDefinition, CouponHandout
from members.refusals import Refused

SHOWN_NAMES = 5


class HandoutForm(DeedForm):
    """Who, by the criteria of a campaign's audience; and why."""

    not_seen_days = DaysField(largest=DAYS_MAX, label=gettext_lazy("Not seen for"))
    seen_days = DaysField(smallest=1, largest=DAYS_MAX, label=gettext_lazy("Seen in the last"))
    visits_min = DaysField(largest=10**6, label=gettext_lazy("Came at least"))
    spend_min_minor = AmountField(required=False, label=gettext_lazy("Spent at least"))
    balance_min_minor = AmountField(required=False, label=gettext_lazy("On the card at least"))
    tags = TagsField(
        required=False, label=gettext_lazy("Tagged"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    birthday_month = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("Any month")), *MONTHS.items()],
        label=gettext_lazy("Birthday in"),
    )
    language = forms.ChoiceField(required=False, label=gettext_lazy("Reads"))
    only_consenting = forms.BooleanField(
        required=False, label=gettext_lazy("Only members who agreed to marketing texts")
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = [("", gettext_lazy("Any language"))]
        self.fields["language"].choices = [*everybody, *settings.LANGUAGES]  # type: ignore[attr-defined]

    def audience(self) -> Audience:
        """Of the criteria that make sense."""
        said = {name: self.cleaned_data.get(name) for name in CRITERIA}
        return Audience.from_json(
            {name: value for name, value in said.items() if value not in (None, "", [], False)}
        )


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def hand_out(request: HttpRequest, definition: UUID) -> HttpResponse:
    """First who would get one; then how many and for how much; then, once per form, written down and begun."""
    found, access = definition_or_404(request, definition), access_of(request)
    if not may_change(request, found):
        raise PermissionDenied
    form = HandoutForm(request.POST or None)
    if "go" not in request.POST or not form.is_valid():
        return _show(request, found, form, 422 if "go" in request.POST else 200)
    once, seen = once_key(request), whole_number(request.POST.get("seen", ""))
    try:
        if not once:
            raise handouts.HandoutRefused(_("This form is incomplete. Open it again and repeat your entry."))
        if seen is None:
            return _confirm(request, found, form)
        handout = handouts.begin(
            actor=access.actor,
            key=once,
            at=timezone.now(),
            store=access.store,
            definition=found,
            audience=form.audience(),
            reason=form.cleaned_data["reason"],
            expected=seen,
        )
    except handouts.AudienceChanged as refusal:
        return _confirm(request, found, form, str(refusal.message), 422)
    except Refused as refusal:
        form.refuse(refusal.message, refusal.field)
        return _show(request, found, form, 422)
    _work(handout)
    return HttpResponseRedirect(reverse("staff:handout", args=[handout.public_id]))


@require_GET
@needs(*WRITERS)
def handout(request: HttpRequest, handout: UUID) -> HttpResponse:
    """How far it is; asks again by itself while it goes on."""
    found = _handout_or_404(request, handout)
    template = "staff/_handout_live.html" if request.htmx else "staff/handout.html"  # type: ignore[attr-defined]
    context = {
        "handout": found,
        "headline": headline(found.definition),
        "words": Audience.from_json(found.audience).in_words(money_text),
        "is_taking_back": found.state in ("undoing", "undone"),
    }
    return page(request, template, context)


@require_POST
@needs(*WRITERS)
def undo_handout(request: HttpRequest, handout: UUID) -> HttpResponse:
    """Make void what nobody has used yet."""
    found = _handout_or_404(request, handout)
    if not may_change(request, found.definition):
        raise PermissionDenied
    _work(handouts.undo(actor=access_of(request).actor, at=timezone.now(), handout=found))
    return HttpResponseRedirect(reverse("staff:handout", args=[found.public_id]))


def _show(request: HttpRequest, definition: CouponDefinition, form: HandoutForm, status: int) -> HttpResponse:
    context = {
        "definition": definition,
        "headline": headline(definition),
        "form": form,
        "once": once_key(request),
    }
    context |= _foreseen(request, definition, form)
    template = "staff/_handout_who.html" if request.htmx else "staff/handout_form.html"  # type: ignore[attr-defined]
    return page(request, template, context, status)


def _confirm(
    request: HttpRequest,
    definition: CouponDefinition,
    form: HandoutForm,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """What it will do, in numbers; the form goes along unseen."""
    foreseen, most = _foreseen(request, definition, form), most_off(definition)
    if not foreseen["total"]:
        form.refuse(_("Nobody meets these criteria."), "")
        return _show(request, definition, form, 422)
    coupons = foreseen["total"] if foreseen["room"] is None else foreseen["room"]
    context = {
        "definition": definition,
        "headline": headline(definition),
        "form": form,
        "once": once_key(request),
        "problem": problem,
        "coupons": coupons,
        "cost_minor": None if most is None else coupons * most,
        **foreseen,
    }
    return page(request, "staff/handout_confirm.html", context, status)


def _foreseen(request: HttpRequest, definition: CouponDefinition, form: HandoutForm) -> dict[str, Any]:
    """Who meets the criteria as they stand, and how many coupons there are for them."""
    if form.is_bound:
        form.is_valid()
    audience = form.audience() if form.is_bound else Audience()
    members = audience.members(access_of(request).store, at=timezone.now())
    total = members.count()
    quota = None if definition.quota is None else max(definition.quota - definition.issued, 0)
    rooms = [room for room in (quota, budget_room(definition)) if room is not None]
    return {
        "total": total,
        "words": audience.in_words(money_text),
        "names": [str(member) for member in members.order_by("-pk")[:SHOWN_NAMES]],
        "room": min(rooms) if rooms and min(rooms) < total else None,
    }


def _handout_or_404(request: HttpRequest, handout: UUID) -> CouponHandout:
    """Those of the store one works in."""
    rows = CouponHandout.objects.filter(store=access_of(request).store)
    return get_object_or_404(rows.select_related("definition", "store", "staff"), public_id=handout)


def _work(handout: CouponHandout) -> None:
    transaction.on_commit(lambda: hand_out_coupons.delay(handout.pk))
