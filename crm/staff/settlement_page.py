"""What stores owe each other and what each took: sums by store first, then what is behind one of them, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm.reports.settlement import Debt, Net, deeds_between, nets, settlement
from crm.reports.takings import takings, takings_by_store
from crm.staff.access import access_of, needs, page
from crm.staff.money_files import csv_file, money_cell
from crm.staff.money_pages import MAY_SEE, asked_day, midnight, stores_seen, tabs, today_of
from crm.staff.paging import PAGE_ROWS, Page, aware_moment, cut, real_day, whole_number
from members.enums import OperationKind, TenderType
from members.models import Store


@dataclass(frozen=True)
class _Span:
    """The days asked for, as moments of the store the person stands in."""

    first: date
    last: date
    begins: datetime
    ends: datetime

    @property
    def moments(self) -> dict[str, datetime]:
        return {"begins": self.begins, "ends": self.ends}

    @property
    def query(self) -> str:
        return urlencode({"from": self.first, "until": self.last})


@require_GET
@needs(*MAY_SEE)
def money_settlement(request: HttpRequest) -> HttpResponseBase:
    """The net of each store, who owes whom, takings; `pair` opens the deeds behind a debt, `takings` a store's days."""
    stores, span = stores_seen(request), _span(request)
    if store := _chosen(request, "takings", stores):
        return _days(request, span, store)
    debts = settlement(stores, **span.moments)
    for debt in debts:
        if request.GET.get("pair") == f"{debt.debtor.pk}-{debt.creditor.pk}":
            return _deeds(request, span, debt)
    return _sums(request, span, stores, debts)


def _span(request: HttpRequest) -> _Span:
    today, here = today_of(request), access_of(request).store
    first, last = asked_day(request, "from", today.replace(day=1)), asked_day(request, "until", today)
    return _Span(first, last, midnight(here, first), midnight(here, last + timedelta(days=1)))


def _chosen(request: HttpRequest, name: str, stores: Sequence[Store]) -> Store | None:
    return next((store for store in stores if str(store.pk) == request.GET.get(name)), None)


def _is_file(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def _shown(request: HttpRequest, span: _Span, template: str, **context: Any) -> HttpResponseBase:
    return page(request, template, {"tabs": tabs(request), "span": span, **context})


def _sums(request: HttpRequest, span: _Span, stores: list[Store], debts: list[Debt]) -> HttpResponseBase:
    """Each store's own sums, and who owes whom: of all stores, or of the one asked for."""
    wanted = request.GET.get("file") if _is_file(request) else None
    if wanted == "takings":
        return _takings_file(span, "takings", stores)
    if wanted == "nets":
        return _nets_file(span, nets(stores, debts))
    store = _chosen(request, "store", stores)
    between = [debt for debt in debts if store in (None, debt.debtor, debt.creditor)]
    if _is_file(request):
        return _debts_file(span, between)
    return _shown(
        request,
        span,
        "staff/money_settlement.html",
        nets=nets(stores, debts),
        store=store,
        page=_page_of_debts(request, between),
        takings=takings_by_store(stores, **span.moments),
    )


def _page_of_debts(request: HttpRequest, debts: list[Debt]) -> Page[Debt]:
    """From the largest on; the address names the net and the two stores of the last one shown."""
    after = [whole_number(part) for part in request.GET.get("after", "").split("_")]
    if len(after) == 3 and None not in after:
        net, debtor, creditor = (part or 0 for part in after)
        debts = [debt for debt in debts if _place(debt) > (-net, debtor, creditor)]
    return cut(
        request,
        debts[: PAGE_ROWS + 1],
        PAGE_ROWS,
        lambda debt: f"{debt.net_minor}_{debt.debtor.pk}_{debt.creditor.pk}",
    )


def _place(debt: Debt) -> tuple[int, int, int]:
    return -debt.net_minor, debt.debtor.pk, debt.creditor.pk


def _deeds(request: HttpRequest, span: _Span, debt: Debt) -> HttpResponseBase:
    """What is behind a debt, the newest first."""
    between: dict[str, Any] = {"one": debt.debtor, "other": debt.creditor, **span.moments}
    if _is_file(request):
        return _deeds_file(span, _labelled(deeds_between(**between)))
    moment, _sep, number = request.GET.get("after", "").partition("_")
    after_at, after_id = aware_moment(moment), whole_number(number)
    after = (after_at, after_id) if after_at is not None and after_id is not None else None
    rows = _labelled(deeds_between(**between, after=after, limit=PAGE_ROWS + 1))
    shown = cut(request, rows, PAGE_ROWS, lambda row: f"{row['at'].isoformat()}_{row['id']}")
    return _shown(request, span, "staff/money_settlement_deeds.html", debt=debt, page=shown)


def _labelled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"label": OperationKind(row["kind"]).label} for row in rows]


def _days(request: HttpRequest, span: _Span, store: Store) -> HttpResponseBase:
    """What one store took, by day and tender, the newest day first."""
    if _is_file(request):
        return _takings_file(span, f"takings-{store.pk}", [store])
    rows = [row | {"label": TenderType(row["tender"]).label} for row in takings([store], **span.moments)]
    day, _sep, tender = request.GET.get("after", "").partition("_")
    if after := real_day(day):
        rows = [row for row in rows if row["on"] < after or (row["on"] == after and row["tender"] > tender)]
    shown = cut(request, rows[: PAGE_ROWS + 1], PAGE_ROWS, lambda row: f"{row['on']}_{row['tender']}")
    return _shown(request, span, "staff/money_takings.html", store=store, page=shown)


def _nets_file(span: _Span, rows: Sequence[Net]) -> HttpResponseBase:
    lines = [
        [net.store.name, *map(money_cell, (net.owes_minor, net.owed_minor, net.net_minor))] for net in rows
    ]
    header = [_("store"), _("owes"), _("is owed"), _("net")]
    return csv_file(f"nets-{span.first}-{span.last}", header, lines)


def _debts_file(span: _Span, debts: Sequence[Debt]) -> HttpResponseBase:
    header = [_("owes"), _("is owed"), _("for use elsewhere"), _("the other way"), _("net")]
    lines = [
        [debt.debtor.name, debt.creditor.name]
        + [money_cell(minor) for minor in (debt.owed_minor, debt.returned_minor, debt.net_minor)]
        for debt in debts
    ]
    return csv_file(f"settlement-{span.first}-{span.last}", header, lines)


def _deeds_file(span: _Span, rows: Sequence[dict[str, Any]]) -> HttpResponseBase:
    header = [_("when"), _("what"), _("member"), _("amount"), _("owed for it")]
    lines = [
        [row["at"].isoformat(), row["label"], row["member_no"]]
        + [money_cell(row["amount_minor"]), money_cell(row["amount"])]
        for row in rows
    ]
    return csv_file(f"settlement-deeds-{span.first}-{span.last}", header, lines)


def _takings_file(span: _Span, name: str, stores: Sequence[Store]) -> HttpResponseBase:
    names = {store.pk: store.name for store in stores}
    header = [_("day"), _("store"), _("tender"), _("taken"), _("given back"), _("together"), _("number")]
    lines = [
        [str(row["on"]), names[row["store"]], str(TenderType(row["tender"]).label)]
        + [money_cell(row[name]) for name in ("taken", "given_back", "together")]
        + [str(row["number"])]
        for row in takings(stores, **span.moments)
    ]
    return csv_file(f"{name}-{span.first}-{span.last}", header, lines)
