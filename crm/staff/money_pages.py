"""The money pages for those in charge: what is owed, what stores owe each other, the days and the fraud board."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.reports.breakage import breakage
from crm.reports.liability import liability, members_behind
from crm.shell.formats import money_text
from crm.staff.access import AT_TILL, access_of, needs, page
from crm.staff.fields import YEARS
from crm.staff.money_files import csv_file, money_cell
from crm.staff.paging import PAGE_ROWS, cut, real_day, whole_number
from members.domain import days, fraud
from members.domain.day_figures import figures_of
from members.enums import AccountKind, OperationKind, Role, TenderType
from members.models import DayClose, FraudCase, FraudState, Operation, Shift, Store
from members.refusals import Refused

MAY_SEE = (Role.MANAGER, Role.OWNER, Role.AUDITOR)
IN_CHARGE = (Role.MANAGER, Role.OWNER)
DAYS_SHOWN = 14
JUDGEMENTS = {"confirm": FraudState.CONFIRMED, "dismiss": FraudState.DISMISSED}


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The money pages this person may see."""
    places = [("money_shifts", _("Shifts"))]
    if access_of(request).may(*MAY_SEE):
        places = [
            ("money_liability", _("What we owe")),
            ("money_settlement", _("Between stores")),
            ("money_days", _("Business days")),
            *places,
            ("money_fraud", _("Fraud board")),
            ("money_budget", _("SMS budget")),
        ]
    here = (request.resolver_match.url_name if request.resolver_match else None) or ""
    return [
        {"label": label, "url": _url(name), "is_current": here.startswith(name.rstrip("s"))}
        for name, label in places
    ]


def _url(name: str) -> str:
    return reverse(f"staff:{name}")


def stores_seen(request: HttpRequest) -> list[Store]:
    """The stores whose money this person may see: those where they hold one of the roles."""
    return access_of(request).stores_with(*MAY_SEE)


def asked_day(request: HttpRequest, name: str, usual: date) -> date:
    """A date of the address that a shop can have had, or the usual one."""
    asked = real_day(request.GET.get(name, "")) or usual
    return asked if asked.year in YEARS else usual


def midnight(store: Store, on: date) -> datetime:
    return datetime.combine(on, time.min, tzinfo=store.zone)


def today_of(request: HttpRequest) -> date:
    return days.business_day(access_of(request).store, timezone.now())


@require_GET
@needs(*AT_TILL, Role.AUDITOR)
def money(request: HttpRequest) -> HttpResponseBase:
    """The first money page for this person."""
    return redirect("staff:money_liability" if access_of(request).may(*MAY_SEE) else "staff:money_shifts")


@require_GET
@needs(*MAY_SEE)
def money_liability(request: HttpRequest) -> HttpResponseBase:
    """What is owed as of the end of a day, and how old it is."""
    stores, on = stores_seen(request), asked_day(request, "on", today_of(request))
    until = midnight(access_of(request).store, on + timedelta(days=1))
    report = liability(stores, until=until)
    if request.GET.get("format") == "csv":
        return csv_file(f"liability-{on}", *_liability_lines(report))
    context = {
        "tabs": tabs(request),
        "on": on,
        "report": report,
        "bars": [
            {"label": store.name, "value": owed.total_minor, "text": money_text(owed.total_minor)}
            for store, owed in report.by_sold.items()
        ],
        "ageing": breakage(stores, at=timezone.now()),
    }
    return page(request, "staff/money_liability.html", context)


def _liability_lines(report: Any) -> tuple[list[str], Iterable[list[str]]]:
    header = [_("by"), _("store"), _("principal"), _("bonus"), _("services"), _("points"), _("together")]
    rows = [
        [
            by,
            store.name,
            *(
                money_cell(minor)
                for minor in (
                    owed.principal,
                    owed.bonus,
                    owed.services_minor,
                    owed.points_minor,
                    owed.total_minor,
                )
            ),
        ]
        for by, table in ((_("sold"), report.by_sold), (_("home"), report.by_home))
        for store, owed in table.items()
    ]
    return header, rows


@require_GET
@needs(*MAY_SEE)
def money_liability_list(request: HttpRequest, store: UUID, kind: str) -> HttpResponse:
    """The members behind one number."""
    found = _own_store(request, store)
    if kind not in AccountKind.values:
        raise Http404
    on = asked_day(request, "on", today_of(request))
    until = midnight(access_of(request).store, on + timedelta(days=1))
    by = "home" if request.GET.get("by") == "home" else "sold"
    rows = members_behind(found, AccountKind(kind), by=by, until=until)
    context = {
        "tabs": tabs(request),
        "rows": rows,
        "of": found,
        "kind": AccountKind(kind),
        "on": on,
        "by": by,
    }
    return page(request, "staff/money_liability_list.html", context)


def _own_store(request: HttpRequest, public_id: UUID) -> Store:
    for store in stores_seen(request):
        if store.public_id == public_id:
            return store
    raise Http404


@require_GET
@needs(*MAY_SEE)
def money_days(request: HttpRequest) -> HttpResponse:
    """The last fortnight of the current store: signed, open, or not looked at."""
    store, today = access_of(request).store, today_of(request)
    since = today - timedelta(days=DAYS_SHOWN - 1)
    closes = {
        close.on: close
        for close in DayClose.objects.filter(store=store, on__gte=since, reopened_at=None).select_related(
            "signed_by"
        )
    }
    waiting: dict[date, int] = {}
    for on in Shift.objects.filter(store=store, on__gte=since, closed_at=None).values_list("on", flat=True):
        waiting[on] = waiting.get(on, 0) + 1
    dates = [today - timedelta(days=back) for back in range(DAYS_SHOWN)]
    rows = [{"on": on, "close": closes.get(on), "open_shifts": waiting.get(on, 0)} for on in dates]
    return page(request, "staff/money_days.html", {"tabs": tabs(request), "rows": rows})


@require_http_methods(["GET", "POST"])
@needs(*MAY_SEE)
def money_day(request: HttpRequest, on: str) -> HttpResponseBase:
    """One business day of the current store: its figures, signed or as they stand; signing and opening again."""
    store, moment = access_of(request).store, timezone.now()
    try:
        day = date.fromisoformat(on)
    except ValueError as broken:
        raise Http404 from broken
    if day.year not in YEARS:
        raise Http404
    closes = list(
        DayClose.objects.filter(store=store, on=day)
        .select_related("store", "signed_by", "reopened_by")
        .order_by("-id")
    )
    standing = next((close for close in closes if close.reopened_at is None), None)
    if request.method == "POST":
        return _decide_day(request, store, day, standing, moment)
    figures = standing.figures if standing else figures_of(store, day)
    context = {
        "tabs": tabs(request),
        "on": day,
        "close": standing,
        "is_intact": days.is_intact(standing) if standing else True,
        "reopened": [close for close in closes if close.reopened_at],
        "figures": figures,
        "takings": [line | {"label": TenderType(line["tender"]).label} for line in figures["takings"]],
        "deeds": [
            line | {"label": OperationKind(kind).label} for kind, line in sorted(figures["deeds"].items())
        ],
        "may_sign": access_of(request).may(*IN_CHARGE),
        "may_reopen": access_of(request).may(Role.OWNER),
    }
    return page(request, "staff/money_day.html", context)


def _decide_day(
    request: HttpRequest, store: Store, on: date, standing: DayClose | None, at: datetime
) -> HttpResponseBase:
    by, words = access_of(request).staff, request.POST.get("note", "")
    deed = request.POST.get("deed")
    try:
        if deed == "reopen" and standing is not None:
            days.reopen_day(closed=standing, by=by, reason=words, at=at)
        elif deed == "close":
            days.close_day(store=store, on=on, by=by, at=at, note=words)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("staff:money_day", on=on.isoformat())


@require_GET
@needs(*MAY_SEE)
def money_fraud(request: HttpRequest) -> HttpResponse:
    """The cases of the stores this person looks after, newest first."""
    state = request.GET.get("state", FraudState.OPEN)
    if state not in FraudState.values:
        state = FraudState.OPEN
    cases = FraudCase.objects.filter(store__in=stores_seen(request), state=state).select_related(
        "store", "staff", "member", "assigned_to"
    )
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        cases = cases.filter(pk__lt=after)
    shown = cut(request, list(cases.order_by("-pk")[: PAGE_ROWS + 1]), PAGE_ROWS, lambda case: str(case.pk))
    chips = [
        {"label": label, "url": f"?state={value}", "is_current": value == state}
        for value, label in FraudState.choices
    ]
    context = {"tabs": tabs(request), "cases": shown.rows, "page": shown, "chips": chips}
    return page(request, "staff/money_fraud.html", context)


@require_GET
@needs(*MAY_SEE)
def money_fraud_case(request: HttpRequest, case: UUID) -> HttpResponse:
    """One case with the deeds behind it."""
    found = _case(request, case)
    is_cash = found.pattern == "cash_differences"
    context = {
        "tabs": tabs(request),
        "case": found,
        "shifts": Shift.objects.filter(pk__in=found.evidence).select_related("staff", "store")
        if is_cash
        else [],
        "deeds": []
        if is_cash
        else Operation.objects.filter(pk__in=found.evidence)
        .select_related("member", "store", "staff")
        .order_by("-at", "-pk"),
        "may_judge": access_of(request).may(*IN_CHARGE) and found.state == FraudState.OPEN,
    }
    return page(request, "staff/money_fraud_case.html", context)


@require_POST
@needs(*IN_CHARGE)
def judge_case(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Take a case on, dismiss it or confirm it."""
    found, by, deed = _case(request, case), access_of(request).staff, request.POST.get("deed", "")
    try:
        if deed == "take":
            fraud.assign(case=found, to=by, by=by)
        elif deed in JUDGEMENTS:
            note = request.POST.get("note", "")
            fraud.judge(case=found, state=JUDGEMENTS[deed], note=note, by=by, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("staff:money_fraud_case", case=found.public_id)


def _case(request: HttpRequest, public_id: UUID) -> FraudCase:
    return get_object_or_404(
        FraudCase.objects.select_related("store", "staff", "member", "assigned_to", "decided_by"),
        public_id=public_id,
        store__in=stores_seen(request),
    )
