"""The SMS budget among the money pages: what is used, put aside and left, where it leads, and setting the caps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.domain.launching import budget_subject
from campaigns.models import Campaign
from crm.shell.charts import share
from crm.staff.access import Access, access_of, needs, page
from crm.staff.fields import AmountField
from crm.staff.gateway_pages import may_run_house
from crm.staff.money_pages import MAY_SEE, tabs
from members.enums import Role
from members.refusals import Refused
from messaging.domain import budgets
from messaging.domain.budgets import Standing
from messaging.models import Budget, BudgetPeriod, BudgetScope

CAMPAIGNS_OFFERED = 100


class BudgetForm(forms.Form):
    """A cap: for what, each day, month or altogether, how much, and how much of it is kept for codes."""

    scope = forms.ChoiceField(label=gettext_lazy("For"))
    period = forms.ChoiceField(label=gettext_lazy("Each"), choices=BudgetPeriod, initial=BudgetPeriod.MONTH)
    amount = AmountField(label=gettext_lazy("Amount"))
    protected_percent = forms.IntegerField(
        label=gettext_lazy("Kept for codes and debit notices (%)"), initial=20, min_value=0, max_value=100
    )

    def __init__(self, asked: Any, *, access: Access) -> None:
        super().__init__(asked, auto_id="budget_%s")
        self.fields["scope"].choices = _choices(access)  # type: ignore[attr-defined]


def _choices(access: Access) -> list[tuple[str, Any]]:
    """The caps this person may set: of stores they own and of their campaigns; of the house for who owns it all."""
    owned = access.stores_with(Role.OWNER)
    house = [("house", BudgetScope.HOUSE.label)] if may_run_house(access) else []
    campaigns = Campaign.objects.filter(store__in=owned).order_by("-pk")[:CAMPAIGNS_OFFERED]
    return [
        *house,
        *((f"store:{store.public_id}", store.name) for store in owned),
        *((f"campaign:{campaign.public_id}", campaign.name) for campaign in campaigns),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*MAY_SEE)
def money_budget(request: HttpRequest) -> HttpResponse:
    """Every budget this person's stores count under; for an owner also the form that sets one."""
    access = access_of(request)
    if request.method != "POST":
        return _show(request, BudgetForm(None, access=access))
    form = BudgetForm(request.POST, access=access)
    if not form.fields["scope"].choices:  # type: ignore[attr-defined]
        raise PermissionDenied
    if not form.is_valid():
        return _show(request, form, 422)
    given = form.cleaned_data
    try:
        budgets.set_budget(
            period=given["period"],
            amount_minor=given["amount"],
            protected_percent=given["protected_percent"],
            by=access.staff,
            at=timezone.now(),
            **_meant(given["scope"], access),
        )
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal.message))
        return _show(request, form, 422)
    messages.success(request, _("The budget holds from now on."))
    return redirect("staff:money_budget")


@require_POST
@needs(Role.OWNER)
def end_budget(request: HttpRequest, budget: UUID) -> HttpResponse:
    """Take a cap away. Texts that were refused under it stay refused."""
    access = access_of(request)
    campaigns = _campaigns(access)
    found = get_object_or_404(_seen(access, campaigns), public_id=budget)
    if not _may_end(found, access, campaigns):
        raise PermissionDenied
    budgets.end_budget(budget=found, by=access.staff, at=timezone.now())
    messages.success(request, _("The budget is gone."))
    return redirect("staff:money_budget")


def _meant(scope: str, access: Access) -> dict[str, Any]:
    kind, _colon, name = scope.partition(":")
    owned = access.stores_with(Role.OWNER)
    if kind == "store":
        return {"scope": kind, "store": next(s for s in owned if str(s.public_id) == name)}
    if kind == "campaign":
        campaign = Campaign.objects.get(public_id=name, store__in=owned)
        return {"scope": kind, "subject": budget_subject(campaign)}
    return {"scope": "house"}


def _campaigns(access: Access) -> dict[str, Campaign]:
    """The newest campaigns of the stores whose money this person sees, by the name their budgets go by."""
    own = Campaign.objects.filter(store__in=access.stores_with(*MAY_SEE)).order_by("-pk")
    return {budget_subject(campaign): campaign for campaign in own[:CAMPAIGNS_OFFERED]}


def _seen(access: Access, campaigns: Mapping[str, Campaign]) -> QuerySet[Budget]:
    """The budgets in force of the house, of the stores whose money this person sees and of these campaigns."""
    stores = access.stores_with(*MAY_SEE)
    wanted = Q(scope=BudgetScope.HOUSE) | Q(store__in=stores) | Q(subject__in=list(campaigns))
    return Budget.objects.filter(wanted, until_at=None).select_related("store")


def _may_end(budget: Budget, access: Access, campaigns: Mapping[str, Campaign]) -> bool:
    """An owner of its store, or of its campaign's; the house's own by who owns every store."""
    if budget.scope == BudgetScope.HOUSE:
        return may_run_house(access)
    campaign = campaigns.get(budget.subject)
    store_id = campaign.store_id if campaign else budget.store_id
    return store_id in {store.pk for store in access.stores_with(Role.OWNER)}


def _show(request: HttpRequest, form: BudgetForm, status: int = 200) -> HttpResponse:
    access, now = access_of(request), timezone.now()
    campaigns = _campaigns(access)
    found = budgets.standings(_seen(access, campaigns), at=now)
    rows = [
        _row(standing, campaigns) | {"may_end": _may_end(standing.budget, access, campaigns)}
        for standing in found
    ]
    may_set = bool(form.fields["scope"].choices)  # type: ignore[attr-defined]
    context = {"tabs": tabs(request), "rows": rows, "form": form, "may_set": may_set}
    return page(request, "staff/money_budget.html", context, status)


def _row(standing: Standing, campaigns: Mapping[str, Campaign]) -> dict[str, Any]:
    """A budget in minor units, rounded so that what is left is never shown too large."""
    budget = standing.budget
    charged, aside = standing.charged_milli, standing.open_milli
    return {
        "budget": budget,
        "name": _name(budget, campaigns),
        "cap_minor": budget.amount_minor,
        "charged_minor": -(-charged // 1000),
        "aside_minor": -(-aside // 1000),
        "left_minor": standing.left_milli // 1000,
        "other_left_minor": max(0, standing.other_left_milli // 1000),
        "share_minor": standing.share_milli // 1000,
        "forecast_minor": None if standing.forecast_milli is None else -(-standing.forecast_milli // 1000),
        "percent": standing.percent,
        "tone": "bad" if standing.percent >= 100 else "wait" if standing.percent >= 80 else "good",
        "charged_width": share(charged, standing.cap_milli),
        "used_width": share(standing.used_milli, standing.cap_milli),
        "begins_on": standing.begins_on,
    }


def _name(budget: Budget, campaigns: Mapping[str, Campaign]) -> str:
    if budget.store:
        return budget.store.name
    if budget.subject in campaigns:
        return campaigns[budget.subject].name
    return budget.subject or str(BudgetScope.HOUSE.label)
