"""The texts of the current store: the list, and one text's whole story."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from campaigns.models import RuleFiring, Run
from crm.staff.access import access_of, page, staff_required
from crm.staff.paging import PAGE_ROWS, cut, whole_number, with_query
from crm.staff.telling import shown_text
from messaging.enums import Cause, MessageClass
from messaging.models import Attempt, Message, Receipt, SubmittedPart
from messaging.states import FINAL, OPEN, Reason, State

_CONTENT = re.compile(r"\s*\btext:.*", re.IGNORECASE | re.DOTALL)  # a receipt repeats the start of the text
GROUPS = {
    "moving": (_("On the way"), OPEN),
    "delivered": (_("Delivered"), frozenset({State.DELIVERED})),
    "failed": (_("Failed"), frozenset({State.UNDELIVERED, State.REJECTED, State.NO_RECEIPT, State.UNKNOWN})),
    "unsent": (
        _("Not sent"),
        frozenset({State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.QUARANTINED}),
    ),
}


@require_GET
@staff_required
def message_list(request: HttpRequest) -> HttpResponse:
    """One page of texts, newest first; a fixed number of queries."""
    state, message_class = request.GET.get("state", ""), request.GET.get("class", "")
    rows = Message.objects.filter(store=access_of(request).store, **_wanted(state, message_class))
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    rows = rows.select_related("member", "template_version__template").order_by("-pk")[: PAGE_ROWS + 1]
    shown = cut(request, list(rows), PAGE_ROWS, lambda message: str(message.pk))
    context = {
        "page": shown,
        "rows": [{"message": message, "text": shown_text(message)} for message in shown.rows],
        "states": _chips(
            request, "state", state, [(name, label) for name, (label, _states) in GROUPS.items()]
        ),
        "classes": _chips(request, "class", message_class, MessageClass.choices),
        "is_narrowed": bool(state or message_class),
    }
    return page(request, "staff/message_list.html", context)


@require_GET
@staff_required
def message_detail(request: HttpRequest, message: UUID) -> HttpResponse:
    """Why this text exists, what was decided about it, each try, each receipt, in the provider's own words."""
    found = get_object_or_404(
        Message.objects.select_related(
            "member",
            "store",
            "template_version__template",
            "template_version__approved_by",
            "gateway",
            "event",
        ),
        public_id=message,
        store_id__in=access_of(request).store_ids,
    )
    parts = list(SubmittedPart.objects.filter(message=found).select_related("gateway").order_by("pk"))
    context = {
        "message": found,
        "text": shown_text(found),
        "reason": Reason(found.reason).label if found.reason else "",
        "cause": cause_of(found),
        "attempts": Attempt.objects.filter(message=found).select_related("gateway").order_by("number"),
        "parts": parts,
        "receipts": [(receipt, _CONTENT.sub("", receipt.raw)) for receipt in receipts_of(parts)],
        "is_final": found.state in FINAL,
        "is_marketing": found.message_class == MessageClass.MARKETING,
    }
    return page(request, "staff/message_detail.html", context)


def cause_of(message: Message) -> Any:
    """The firing of a rule or the run behind a text; None for the rest."""
    if message.cause == Cause.RULE:
        return RuleFiring.objects.filter(pk=message.cause_id).select_related("rule").first()
    if message.cause == Cause.RUN:
        return Run.objects.filter(pk=message.cause_id).select_related("campaign").first()
    return None


def receipts_of(parts: list[SubmittedPart]) -> list[Receipt]:
    """The delivery reports of these parts, as they came; one query."""
    if not parts:
        return []
    wanted = Q()
    for part in parts:
        wanted |= Q(gateway_id=part.gateway_id, provider_id=part.provider_id)
    return list(Receipt.objects.filter(wanted).order_by("pk"))


def _wanted(state: str, message_class: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if state in GROUPS:
        wanted["state__in"] = GROUPS[state][1]
    if message_class in MessageClass.values:
        wanted["message_class"] = message_class
    return wanted


def _chips(request: HttpRequest, name: str, current: str, choices: Any) -> list[dict[str, Any]]:
    everything = {
        "label": _("All"),
        "url": with_query(request, **{name: "", "after": ""}),
        "is_current": not current,
    }
    return [
        everything,
        *(
            {
                "label": label,
                "url": with_query(request, **{name: value, "after": ""}),
                "is_current": value == current,
            }
            for value, label in choices
        ),
    ]
