"""What needs a person now, with what to do; and what was lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.staff.access import Access, access_of, needs
from crm.staff.message_tabs import MAY_WATCH, texts_page
from messaging.domain.alerts import TO_DO, sentence
from messaging.models import Alert, AlertKind

LATELY = timedelta(days=30)
SHOWN = 100
_PLACES = {
    AlertKind.BUDGET_NEAR: "money_budget",
    AlertKind.BUDGET_FULL: "money_budget",
    AlertKind.RESTORED: "after_restore",
}


@require_GET
@needs(*MAY_WATCH)
def alert_list(request: HttpRequest) -> HttpResponse:
    """Open ones first, then those of the last thirty days; of the house and of the stores the person watches over."""
    access, now = access_of(request), timezone.now()
    mine = visible_alerts(access)
    context = {
        "open": [row_of(alert) for alert in open_alerts(access).order_by("-pk")[:SHOWN]],
        "over": [row_of(alert) for alert in mine.filter(closed_at__gt=now - LATELY).order_by("-pk")[:SHOWN]],
    }
    return texts_page(request, "staff/alert_list.html", context)


def visible_alerts(access: Access) -> QuerySet[Alert]:
    """Those of the house and of the stores the person watches over."""
    mine = Q(store=None) | Q(store__in=access.stores_with(*MAY_WATCH))
    return Alert.objects.filter(mine).select_related("store")


def open_alerts(access: Access) -> QuerySet[Alert]:
    """Those of them that are not over."""
    return visible_alerts(access).filter(closed_at=None)


def row_of(alert: Alert) -> dict[str, Any]:
    place = reverse(f"staff:{_PLACES.get(AlertKind(alert.kind), 'gateway_board')}")
    return {"alert": alert, "says": sentence(alert), "todo": TO_DO[alert.kind], "url": place}
