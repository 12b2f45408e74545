"""The gateway board: what each gateway is doing now, what waits, what it cost; and letting texts wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from crm.reports import gateways as report
from crm.shell.formats import number_text
from crm.staff.access import Access, access_of, needs
from crm.staff.gateway_words import in_words
from crm.staff.message_tabs import MAY_WATCH, texts_page
from members.enums import Role
from members.models import StaffRole, Store
from messaging.domain import alerts, pauses
from messaging.enums import PRIORITY, BindState, MessageClass
from messaging.models import Gateway, Pause, PauseReason

_CLASSES = {PRIORITY[name]: name for name in MessageClass}
_TONES = {
    BindState.BOUND: "good",
    BindState.CONNECTING: "move",
    BindState.WAITING: "wait",
    BindState.REFUSED: "bad",
}


def may_run_house(access: Access) -> bool:
    """Gateways serve every store: only who owns all of them, or a superuser, lets texts wait or go."""
    if access.staff.is_superuser:
        return True
    owned = StaffRole.objects.filter(staff=access.staff, role=Role.OWNER, store__is_active=True).values(
        "store"
    )
    return not Store.objects.filter(is_active=True).exclude(pk__in=owned).exists()


@require_GET
@needs(*MAY_WATCH)
def gateway_board(request: HttpRequest) -> HttpResponse:
    """The board; its live part is asked for each five seconds."""
    return texts_page(request, "staff/gateway_board.html", _board(request))


@require_GET
@needs(*MAY_WATCH)
def gateway_live(request: HttpRequest) -> HttpResponse:
    """The live part alone."""
    return texts_page(request, "staff/_gateway_live.html", _board(request))


def _board(request: HttpRequest) -> dict[str, Any]:
    access, now = access_of(request), timezone.now()
    local = now.astimezone(access.store.zone)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    watched = {store.pk for store in access.stores_with(*MAY_WATCH)}
    stopped = list(Pause.objects.select_related("by", "gateway"))
    rows = report.gateways(at=now, today=today, month=today.replace(day=1))
    said, lags, hours = (
        _errors(now),
        {row["gateway_id"]: row for row in report.receipt_lags(at=now)},
        report.hours(at=now),
    )
    for row in rows:
        _complete(row, said.get(row["id"], []), lags.get(row["id"]), hours.get(row["id"], []), stopped)
    return {
        "at": now,
        "rows": rows,
        "queue": _queue(now, stopped),
        "alerts": [
            {"alert": row, "says": alerts.sentence(row), "todo": alerts.TO_DO[row.kind]}
            for row in alerts.open_alerts()
            if row.store_id is None or row.store_id in watched
        ],
        "may_run": may_run_house(access),
        "is_restored": any(row.reason == PauseReason.RESTORE for row in stopped),
    }


def _errors(now: datetime) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in report.errors(at=now):
        row["words"] = in_words(row["outcome"], row["raw_status"])
        found.setdefault(row["gateway_id"], []).append(row)
    return found


def _complete(
    row: dict[str, Any],
    said: list[dict[str, Any]],
    lag: dict[str, Any] | None,
    hours: list[int],
    stopped: list[Pause],
) -> None:
    row["state"] = {
        "label": BindState(row["bind_state"]).label,
        "tone": _TONES.get(row["bind_state"], "plain"),
    }
    error = row["last_error"]
    row["error"] = _(error) if error else ""
    row["errors"], row["lag"], row["hours"] = said, lag, hours
    row["per_second"] = row["minute"] / 60
    row["cost_today_minor"], row["cost_month_minor"] = (
        -(-row["cost_today"] // 1000),
        -(-row["cost_month"] // 1000),
    )
    row["pause"] = next((p for p in stopped if p.gateway_id == row["id"] and not p.message_class), None)
    row["holder"] = row["lease_owner"].rsplit(":", 1)[0]


def _queue(now: datetime, stopped: list[Pause]) -> list[dict[str, Any]]:
    counted = {row["priority"]: row for row in report.queue(at=now)}
    everywhere = {p.message_class: p for p in stopped if p.gateway_id is None}
    return [
        {
            "class": name.value,
            "label": name.label,
            "number": counted.get(priority, {}).get("number", 0),
            "later": counted.get(priority, {}).get("later", 0),
            "oldest": counted.get(priority, {}).get("oldest"),
            "is_due": bool(counted.get(priority)) and counted[priority]["oldest"] <= now,
            "pause": everywhere.get(name.value),
        }
        for priority, name in sorted(_CLASSES.items())
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*MAY_WATCH)
def pause_texts(request: HttpRequest, what: str) -> HttpResponse:
    """Asks in numbers, then lets texts of a gateway (its number) or of a class wait."""
    return _wait_or_go(request, what, is_pause=True)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*MAY_WATCH)
def resume_texts(request: HttpRequest, what: str) -> HttpResponse:
    """Asks in numbers, then lets them go again."""
    return _wait_or_go(request, what, is_pause=False)


def _wait_or_go(request: HttpRequest, what: str, *, is_pause: bool) -> HttpResponse:
    access = access_of(request)
    if not may_run_house(access):
        raise PermissionDenied
    gateway, message_class = _meant(what)
    if request.method == "POST":
        deed = pauses.pause if is_pause else pauses.resume
        number = deed(gateway=gateway, message_class=message_class, by=access.staff, at=timezone.now())
        messages.success(request, _said(number, is_pause))
        return redirect("staff:gateway_board")
    name = gateway.name if gateway else MessageClass(message_class).label
    context = {
        "name": name,
        "waiting": pauses.queued(message_class),
        "is_pause": is_pause,
        "is_gateway": gateway is not None,
    }
    return texts_page(request, "staff/gateway_pause.html", context)


def _meant(what: str) -> tuple[Gateway | None, str]:
    if what in MessageClass.values:
        return None, what
    if not (what.isascii() and what.isdigit() and len(what) < 10):
        raise Http404
    return get_object_or_404(Gateway, pk=int(what)), ""


def _said(number: int, is_pause: bool) -> str:
    if is_pause:
        said = ngettext("%(n)s queued text waits.", "%(n)s queued texts wait.", number)
    else:
        said = ngettext("%(n)s queued text may leave.", "%(n)s queued texts may leave.", number)
    return said % {"n": number_text(number)}
