"""The SMS budget among the money pages: what is used, put aside and left, where it leads, and setting the caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, prefetch_related_objects
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
from members.models import Store
from members.refusals import Refused
from messaging.domain import budgets
from messaging.domain.budgets import Standing
from messaging.models import Budget, BudgetPeriod, BudgetScope

CAMPAIGNS_OFFERED = 100


@dataclass(frozen=True)
class Subject:
    """What a budget may be for besides a store or the house: its name, how the form calls it, of which stores it is."""

    name: str
    choice: str
    scope: BudgetScope
    stores: frozenset[int]


Subjects = Mapping[str, Subject]


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
    """The caps this person may set: of stores they own, of their campaigns and keys; of the house for who owns it all."""
    owned = access.stores_with(Role.OWNER)
    house = [("house", BudgetScope.HOUSE.label)] if may_run_house(access) else []
    return [
        *house,
        *((f"store:{store.public_id}", store.name) for store in owned),
        *((subject.choice, subject.name) for subject in _subjects(owned).values()),
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
    subjects = _subjects(access.stores_with(*MAY_SEE))
    found = get_object_or_404(_seen(access, subjects), public_id=budget)
    if not _may_end(found, access, subjects):
        raise PermissionDenied
    budgets.end_budget(budget=found, by=access.staff, at=timezone.now())
    messages.success(request, _("The budget is gone."))
    return redirect("staff:money_budget")


def _meant(scope: str, access: Access) -> dict[str, Any]:
    """What the form chose, of what is this person's now. Raises WrongBudget when it is theirs no more."""
    if scope == BudgetScope.HOUSE:
        return {"scope": scope}
    kind, _colon, name = scope.partition(":")
    owned = access.stores_with(Role.OWNER)
    if kind == "store":
        return {"scope": kind, "store": next(s for s in owned if str(s.public_id) == name)}
    for named, subject in _subjects(owned).items():
        if subject.choice == scope:
            return {"scope": subject.scope, "subject": named}
    raise budgets.WrongBudget(_("Choose what the budget is for."), field="scope")


def _subjects(stores: Sequence[Store]) -> dict[str, Subject]:
    """The newest campaigns of these stores and the API keys bound to no others, by the name their budgets go by."""
    campaigns = Campaign.objects.filter(store__in=stores).order_by("-pk")[:CAMPAIGNS_OFFERED]
    found = {
        budget_subject(one): Subject(
            one.name, f"campaign:{one.public_id}", BudgetScope.CAMPAIGN, frozenset({one.store_id})
        )
        for one in campaigns
    }
    return found | _keys(stores)


def _keys(stores: Sequence[Store]) -> dict[str, Subject]:
    prefetch_related_objects(stores, "api_keys__stores")
    all_of_them = {store.pk for store in stores}
    found = {}
    for key in (key for store in stores for key in store.api_keys.all() if not key.revoked):
        of = frozenset(store.pk for store in key.stores.all())
        if of <= all_of_them:
            name = _("API key “%(name)s”") % {"name": key.name}
            found[key.source] = Subject(name, f"api_key:{key.prefix}", BudgetScope.API_KEY, of)
    return found


def _seen(access: Access, subjects: Subjects) -> QuerySet[Budget]:
    """The budgets in force of the house, of the stores whose money this person sees and of these subjects."""
    stores = access.stores_with(*MAY_SEE)
    wanted = Q(scope=BudgetScope.HOUSE) | Q(store__in=stores) | Q(subject__in=list(subjects))
    return Budget.objects.filter(wanted, until_at=None).select_related("store")


def _may_end(budget: Budget, access: Access, subjects: Subjects) -> bool:
    """An owner of its store, or of all its subject's; the house's own by who owns every store."""
    if budget.scope == BudgetScope.HOUSE:
        return may_run_house(access)
    subject = subjects.get(budget.subject)
    of = subject.stores if subject else {budget.store_id}
    return of <= {store.pk for store in access.stores_with(Role.OWNER)}


def _show(request: HttpRequest, form: BudgetForm, status: int = 200) -> HttpResponse:
    access, now = access_of(request), timezone.now()
    subjects = _subjects(access.stores_with(*MAY_SEE))
    found = budgets.standings(_seen(access, subjects), at=now)
    rows = [
        _row(standing, subjects) | {"may_end": _may_end(standing.budget, access, subjects)}
        for standing in found
    ]
    may_set = bool(form.fields["scope"].choices)  # type: ignore[attr-defined]
    context = {"tabs": tabs(request), "rows": rows, "form": form, "may_set": may_set}
    return page(request, "staff/money_budget.html", context, status)


def _row(standing: Standing, subjects: Subjects) -> dict[str, Any]:
    """A budget in minor units, rounded so that what is left is never shown too large."""
    budget = standing.budget
    charged, aside = standing.charged_milli, standing.open_milli
    return {
        "budget": budget,
        "name": _name(budget, subjects),
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


def _name(budget: Budget, subjects: Subjects) -> str:
    if budget.store:
        return budget.store.name
    if budget.subject in subjects:
        return subjects[budget.subject].name
    return budget.subject or str(BudgetScope.HOUSE.label)
