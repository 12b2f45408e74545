"""The tiers of the house: thresholds tried before they are saved, and why one member holds theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm.shell.formats import money_amount, money_symbol
from crm.staff.access import IN_CHARGE, Access, access_of, needs, page, staff_required
from crm.staff.fields import AmountField
from crm.staff.till import member_or_404
from members.domain import tiers
from members.domain.tier_outlook import MONEY, outlook, shown
from members.domain.tier_planning import Move, Preview, preview, save_thresholds
from members.enums import Role
from members.models import Member, StaffRole, Store, Tier, TierEntry, TierScheme, TierStanding
from members.refusals import Refused
from members.tasks import fold_tiers

SHOWN_DEEDS, SHOWN_MOVES = 60, 20


class ThresholdsForm(forms.Form):
    """One field a tier, in the unit of the scheme. One left empty is answered here: the browser would only say that."""

    use_required_attribute = False

    def __init__(self, scheme: TierScheme, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.scheme, self.is_money = scheme, scheme.measure in MONEY
        for tier in scheme.tiers.all():
            name = f"threshold_{tier.pk}"
            if self.is_money:
                field: forms.Field = AmountField(label=tier.name, initial=money_amount(tier.threshold))
            else:
                field = forms.IntegerField(
                    label=tier.name, initial=tier.threshold, min_value=1, max_value=10**12
                )
            self.fields[name] = field

    def clean(self) -> None:
        for tier in self.scheme.tiers.all():
            name = f"threshold_{tier.pk}"
            if not self.data.get(name, "").strip():
                self.errors.pop(name, None)
                asks = shown(self.scheme, tier.threshold)
                said = _("%(tier)s has no threshold. Now it asks %(asks)s.") % {
                    "tier": tier.name,
                    "asks": asks,
                }
                self.add_error(name, said)

    def thresholds(self) -> dict[int, int]:
        return {
            int(name.removeprefix("threshold_")): value
            for name, value in self.cleaned_data.items()
            if value is not None
        }


class OverrideForm(forms.Form):
    """A tier by hand: which, until when, why."""

    tier = forms.ModelChoiceField(Tier.objects.none(), label=gettext_lazy("Tier"))
    until_on = forms.DateField(
        label=gettext_lazy("Last day"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)

    def __init__(self, scheme: TierScheme, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["tier"].queryset = scheme.tiers.all()  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@needs(*IN_CHARGE)
def tier_board(request: HttpRequest) -> HttpResponse:
    """Who holds what; other thresholds: first who would move, then saved by an owner."""
    scheme = tiers.active_scheme()
    if scheme is None:
        return page(request, "staff/tier_board.html", {"scheme": None})
    form = ThresholdsForm(scheme, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if "save" in request.POST:
                return _save(request, form)
            seen = preview(scheme, form.thresholds(), at=timezone.now())
            return _board(request, form, seen)
        except Refused as refusal:
            form.add_error(refusal.field, str(refusal.message))
    return _board(request, form, None, status=422 if form.errors else 200)


def _save(request: HttpRequest, form: ThresholdsForm) -> HttpResponse:
    access = access_of(request)
    if not owns_the_house(access):
        raise PermissionDenied
    thresholds = form.thresholds()
    if save_thresholds(actor=access.actor, at=timezone.now(), scheme=form.scheme, thresholds=thresholds):
        fold_tiers.delay()
        messages.success(request, _("Saved. Who moves is told in a moment."))
    return HttpResponseRedirect(reverse("staff:tier_board"))


def owns_the_house(access: Access) -> bool:
    """Tiers are the same in every store: whoever changes them owns each open one."""
    owned = StaffRole.objects.filter(staff=access.staff, role=Role.OWNER).values("store")
    return (
        access.staff.is_superuser or not Store.objects.filter(is_active=True).exclude(pk__in=owned).exists()
    )


def _board(
    request: HttpRequest, form: ThresholdsForm, seen: Preview | None, status: int = 200
) -> HttpResponse:
    access, scheme = access_of(request), form.scheme
    holding = dict(TierStanding.objects.values_list("tier").annotate(n=Count("member")))
    context = {
        "scheme": scheme,
        "form": form,
        "rows": [
            {
                "tier": tier,
                "asks": shown(scheme, tier.threshold),
                "members": holding.get(tier.pk, 0),
                "field": form[f"threshold_{tier.pk}"],
            }
            for tier in scheme.tiers.all()
        ],
        "symbol": money_symbol() if form.is_money else "",
        "preview": seen,
        "moves": _named(request, seen.moves) if seen else [],
        "may_save": owns_the_house(access),
    }
    return page(request, "staff/tier_board.html", context, status)


def _named(request: HttpRequest, moves: Iterable[Move]) -> list[dict[str, Any]]:
    """The moves with the names this person may see; one query for all."""
    moves = list(moves)
    ids = [member for move in moves for member in move.member_ids]
    visible = (
        Member.objects.visible_to(access_of(request).staff).filter(pk__in=ids).select_related("home_store")
    )
    known = {member.pk: member for member in visible}
    return [{"move": move, "members": [known[pk] for pk in move.member_ids if pk in known]} for move in moves]


@require_http_methods(["GET", "POST"])
@staff_required
def member_tier(request: HttpRequest, member: UUID) -> HttpResponse:
    """Why this member holds this tier, with the figures; a manager may set another by hand."""
    found = member_or_404(request, member)
    scheme = tiers.active_scheme()
    form = OverrideForm(scheme, request.POST or None) if scheme else None
    if request.method == "POST":
        if not access_of(request).may(*IN_CHARGE):
            raise PermissionDenied
        if form and _overridden(request, found, form):
            return HttpResponseRedirect(reverse("staff:member_tier", args=[found.public_id]))
    seen = outlook(found, timezone.now())
    moves = TierEntry.objects.filter(member=found).select_related("tier", "tier_before", "override__staff")
    context = {
        "member": found,
        "outlook": seen,
        "figure": shown(scheme, seen.figure) if scheme and seen else "",
        "counted": [(deed, shown(scheme, deed.amount)) for deed in reversed(seen.counted[-SHOWN_DEEDS:])]
        if scheme and seen
        else [],
        "moves": [(move, shown(scheme, move.figure) if scheme else "") for move in moves[:SHOWN_MOVES]],
        "tiers": [(tier, shown(scheme, tier.threshold)) for tier in scheme.tiers.all()] if scheme else [],
        "form": form,
        "may_override": access_of(request).may(*IN_CHARGE),
    }
    return page(request, "staff/member_tier.html", context, 422 if form and form.errors else 200)


def _overridden(request: HttpRequest, member: Member, form: OverrideForm) -> bool:
    actor, now = access_of(request).actor, timezone.now()
    if "end" in request.POST:
        tiers.let_figures_decide(actor=actor, at=now, member=member)
        messages.success(request, _("The figures decide again."))
        return True
    if not form.is_valid():
        return False
    try:
        tiers.set_by_hand(actor=actor, at=now, member=member, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(refusal.field or None, str(refusal.message))
        return False
    messages.success(request, _("Set."))
    return True
