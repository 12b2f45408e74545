"""What waits for a second person, what was decided, and saying yes or no with one's own password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import authenticate
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from crm.shell.formats import money_text, number_text
from crm.staff.access import AT_TILL, IN_CHARGE, Access, access_of, needs, page
from crm.staff.paging import PAGE_ROWS, cut, whole_number
from members.domain import approvals
from members.enums import Role
from members.models import Approval, ApprovalStatus, Card, LimitedDeed, Member, Operation, RechargePlan
from members.models.control import COUNTED_WHOLE
from members.refusals import Refused

MAY_LOOK = (*AT_TILL, Role.AUDITOR)


def visible_approvals(access: Access) -> QuerySet[Approval]:
    """Those of the stores this person is in charge of or audits, and what they asked for themselves."""
    seen = Approval.objects.visible_to(access.staff)
    return seen.select_related("store", "member", "maker", "checker", "operation")


@never_cache
@require_GET
@needs(*MAY_LOOK)
def approval_list(request: HttpRequest) -> HttpResponse:
    """What waits first, then what was decided, newest first; a fixed number of queries."""
    return _show(request)


@require_GET
@needs(*MAY_LOOK)
def approval_state(request: HttpRequest, approval: UUID) -> HttpResponse:
    """Where a request stands; the till asks again until it is decided."""
    found = get_object_or_404(visible_approvals(access_of(request)), public_id=approval)
    response = page(request, "staff/_approval_state.html", {"approval": found})
    if found.status != ApprovalStatus.PENDING:
        response["HX-Trigger"] = "approval-decided"  # the till foretells the deed anew
    return response


@sensitive_post_parameters("password")
@require_POST
@needs(*MAY_LOOK)
def decide(request: HttpRequest, approval: UUID) -> HttpResponse:
    """Yes or no. Whoever decides types their own password again; failures count as failed log-ins (axes)."""
    access = access_of(request)
    found = get_object_or_404(visible_approvals(access), public_id=approval)
    password, decision = request.POST.get("password", ""), request.POST.get("decision", "")
    if decision not in ("approve", "refuse"):
        raise Http404
    who = authenticate(request, username=access.staff.get_username(), password=password) if password else None
    if who is None or who.pk != access.staff.pk:
        return _show(request, wrong=found, problem=_("This is not your password."), status=422)
    is_approved = decision == "approve"
    try:
        approvals.decide(approval=found, checker=access.staff, is_approved=is_approved, at=timezone.now())
    except Refused as refusal:
        return _show(request, wrong=found, problem=str(refusal.message), status=422)
    messages.success(request, _("Approved.") if is_approved else _("Refused."))
    return HttpResponseRedirect(reverse("staff:approval_list"))


def _show(
    request: HttpRequest, *, wrong: Approval | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    access, now = access_of(request), timezone.now()
    rows = visible_approvals(access)
    is_waiting = Q(status=ApprovalStatus.PENDING, expires_at__gt=now)
    waiting = list(rows.filter(is_waiting).order_by("pk")[:PAGE_ROWS])
    past = rows.exclude(is_waiting)
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        past = past.filter(pk__lt=after)
    shown = cut(request, list(past.order_by("-pk")[: PAGE_ROWS + 1]), PAGE_ROWS, lambda row: str(row.pk))
    in_words = _in_words([*waiting, *shown.rows])
    context = {
        "waiting": [in_words[row.pk] for row in waiting],
        "past": [in_words[row.pk] for row in shown.rows],
        "page": shown,
        "in_charge_of": {store.pk for store in access.stores_with(*IN_CHARGE)},
        "is_owner": access.may(Role.OWNER),
        "me": access.staff,
        "wrong": wrong,
        "problem": problem,
        "now": now,
    }
    return page(request, "staff/approval_list.html", context, status)


def _moved(whole: dict[str, int]) -> str:
    """What goes along in a merge, of what there is: money, services, points."""
    money, services, points = (whole[name] for name in ("transfer", "transfer_services", "transfer_points"))
    said = [
        money and money_text(money),
        services and ngettext("%(n)s service", "%(n)s services", services) % {"n": number_text(services)},
        points and ngettext("%(n)s point", "%(n)s points", points) % {"n": number_text(points)},
    ]
    return pgettext("between names", ", ").join(str(part) for part in said if part)


def _in_words(rows: Sequence[Approval]) -> dict[int, dict[str, Any]]:
    """Each request with what it would do: the card, the plan, the deed it takes back, who becomes one. Four queries."""

    def named(name: str, model: Any, *related: str) -> dict[int, Any]:
        ids = {row.payload[name] for row in rows if isinstance(row.payload.get(name), int)}
        return {found.pk: found for found in model.objects.filter(pk__in=ids).select_related(*related)}

    cards = named("card", Card, "product")
    kept = {row.payload["merge"][0] for row in rows if "merge" in row.payload}
    members = Member.objects.in_bulk(kept)
    plans, deeds = named("plan", RechargePlan, "store"), named("operation", Operation, "card")
    return {
        row.pk: {
            "approval": row,
            "is_points": row.deed in COUNTED_WHOLE,
            "is_export": row.deed == LimitedDeed.EXPORT,
            "is_services": row.deed in (LimitedDeed.RETURN_SERVICES, LimitedDeed.TRANSFER_SERVICES),
            "is_taking": isinstance(row.payload.get("amount"), int) and row.payload["amount"] < 0,
            "card": cards.get(row.payload.get("card") or 0),
            "plan": plans.get(row.payload.get("plan") or 0),
            "takes_back": deeds.get(row.payload.get("operation") or 0),
            "kept": members.get(row.payload["merge"][0]) if "merge" in row.payload else None,
            "moved": _moved(row.payload["whole"]) if "whole" in row.payload else "",
            "is_opening": row.deed == LimitedDeed.OPENING,
        }
        for row in rows
    }
