"""A run while it happens and afterwards: progress, who was left out and why, receipts, what came back, the cost."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from campaigns.domain import runs
from campaigns.enums import CampaignKind, CampaignStatus, RunStatus
from campaigns.models import Run
from crm.shell.tones import STATE_FACES
from crm.staff.access import access_of, needs, page
from crm.staff.campaigns.plan_form import RECURRING
from crm.staff.campaigns.run_figures import Figures, figures_of, reasons
from crm.staff.campaigns.scope import PLANNERS, READERS, audit_status, may_plan, run_or_404
from crm.staff.campaigns.words import zone_name
from messaging.states import State

log = structlog.get_logger(__name__)


@require_GET
@needs(*READERS)
def run_detail(request: HttpRequest, run: UUID) -> HttpResponse:
    """The run's page; its live part refreshes itself until nothing moves any more."""
    found = run_or_404(request, run)
    context = _context(request, found) | {
        "campaign": found.campaign,
        "is_wakeup": found.campaign.kind == CampaignKind.WAKEUP,
    }
    return page(request, "staff/run_detail.html", context)


@require_GET
@needs(*READERS)
def run_progress(request: HttpRequest, run: UUID) -> HttpResponse:
    """The live part alone; 204 while it would show the same."""
    context = _context(request, run_or_404(request, run))
    if request.GET.get("was") == context["print"]:
        return HttpResponse(status=204)
    return page(request, "staff/_run_live.html", context)


@require_GET
@needs(*PLANNERS)
def ask_stop(request: HttpRequest, run: UUID) -> HttpResponse:
    """What stopping would do now, in numbers."""
    found = run_or_404(request, run)
    context = {
        "run": found,
        "figures": figures_of(found, at=timezone.now()),
        "goes_on": found.campaign.timing in RECURRING and found.campaign.status == CampaignStatus.ACTIVE,
    }
    return page(request, "staff/_run_stop.html", context)


@require_POST
@needs(*PLANNERS)
def stop_run(request: HttpRequest, run: UUID) -> HttpResponse:
    """Stop the run; the second click finds nothing left to cancel."""
    found, staff, at = run_or_404(request, run), access_of(request).staff, timezone.now()
    before = found.status
    with transaction.atomic():
        cancelled = runs.stop(run=found, by=staff, at=at)
        found.refresh_from_db(fields=["status"])
        if found.status != before:
            audit_status(found, before=before, by=staff, at=at)
    log.info("run_stopped", run_id=found.pk, staff_id=staff.pk, cancelled=cancelled)
    told = ngettext(
        "Stopped: %(n)s queued text was cancelled.", "Stopped: %(n)s queued texts were cancelled.", cancelled
    )
    messages.success(request, told % {"n": cancelled})
    return redirect("staff:run_detail", run)


def _context(request: HttpRequest, run: Run) -> dict[str, Any]:
    at = timezone.now()
    figures = figures_of(run, at=at)
    people = reverse("staff:run_recipients", args=[run.public_id])
    context = {
        "run": run,
        "figures": figures,
        "bar": _bar(figures),
        "people": people,
        "left_out": [
            {"label": reason.label, "value": total, "url": f"{people}?reason={reason.value}"}
            for reason, total in reasons(figures)
        ],
        "start": {"label": _("Recipients"), "value": figures.progress.recipients, "url": people},
        "end": {"label": _("Texts"), "value": figures.planned, "url": f"{people}?show=texts"},
        "receipts": _receipts(figures, people),
        "status": _status(figures),
        "zone": zone_name(run.campaign.store),
        "may_plan": may_plan(request),
        "refresh": figures.refresh_seconds(at),
    }
    return context | {"print": _print(context, at)}


def _status(figures: Figures) -> dict[str, Any]:
    """Where the run is for a reader: it is done when its last text is settled, not when that was queued."""
    run = figures.run
    if run.status == RunStatus.FREEZING:
        return {"label": RunStatus.FREEZING.label, "tone": "move", "icon": "users", "is_live": True}
    if run.status == RunStatus.STOPPED:
        return {"label": RunStatus.STOPPED.label, "tone": "bad", "icon": "octagon-x"}
    if run.status == RunStatus.SENDING or figures.leaving > figures.resting:
        return {"label": RunStatus.SENDING.label, "tone": "move", "icon": "send", "is_live": True}
    if figures.capped and not figures.for_hours:
        return {"label": _("Waits for room under the limit"), "tone": "wait", "icon": "moon"}
    if figures.resting:
        return {"label": _("Waits for permitted hours"), "tone": "wait", "icon": "moon"}
    if figures.awaited:
        return {"label": _("Sent"), "tone": "move", "icon": "check", "is_live": True}
    return {"label": RunStatus.DONE.label, "tone": "good", "icon": "check-check"}


def _bar(figures: Figures) -> list[dict[str, Any]]:
    """Delivered, underway and failed as shares of all texts; the rest of the bar has not left yet."""
    whole, left = max(figures.planned, 1), 0.0
    segments = []
    underway = figures.sent - figures.delivered - (figures.failed - _unsent_failures(figures))
    for name, value in (("delivered", figures.delivered), ("sent", underway), ("failed", figures.failed)):
        width = min(100 * value / whole, 100 - left)
        segments.append({"name": name, "x": f"{left:.2f}%", "width": f"{width:.2f}%"})
        left += width
    return segments


def _unsent_failures(figures: Figures) -> int:
    states = figures.progress.by_state
    return states.get(State.REJECTED, 0) + states.get(State.QUARANTINED, 0)


def _receipts(figures: Figures, people: str) -> list[dict[str, Any]]:
    """What the carriers have said, by state, in the order of a text's life."""
    asked = (
        State.ACCEPTED,
        State.DELIVERED,
        State.UNDELIVERED,
        State.NO_RECEIPT,
        State.UNCERTAIN,
        State.UNKNOWN,
        State.REJECTED,
        State.QUARANTINED,
    )
    return [
        {
            "label": _("Sent, receipt awaited") if state == State.ACCEPTED else state.label,
            "value": figures.progress.by_state[state],
            "tone": STATE_FACES[state].tone,
            "url": f"{people}?state={state.value}",
        }
        for state in asked
        if figures.progress.by_state.get(state)
    ]


def _print(context: dict[str, Any], at: datetime) -> str:
    """A short print of what is shown, so that an unchanged page is not sent again."""
    figures: Figures = context["figures"]
    said = [
        context["run"].status,
        figures.progress.by_state,
        figures.progress.left_out,
        figures.progress.recipients,
        figures.pace,
        figures.parts,
        figures.replies,
        figures.opt_outs,
        context["refresh"],
        str(figures.rests_until),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
