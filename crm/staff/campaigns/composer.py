"""The composer: one page from purpose to review. The draft saves itself; each save answers with what it means.

A save names the plan it was made from. If somebody else has saved another since, nothing is written and the page
says so; what was typed stays in the page either way.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campaigns.domain import drafting, launching
from campaigns.domain.drafting import NotADraft
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign, Run
from campaigns.tasks import freeze_run
from crm.staff.access import access_of, needs, page
from crm.staff.campaigns.composing import hours_context, known_tags, plan_context
from crm.staff.campaigns.forecasting import forecast
from crm.staff.campaigns.plan_form import PlanForm, print_of
from crm.staff.campaigns.previewing import chips_for
from crm.staff.campaigns.reviewing import refusal_to_launch, slot_of, standing
from crm.staff.campaigns.scope import PLANNERS, audit_status, campaign_or_404
from crm.staff.campaigns.words import next_run_at, timing_words
from members.models import Staff
from members.refusals import Refused

log = structlog.get_logger(__name__)


class PlanChanged(Refused):
    """Somebody else saved the plan since this page read it."""

    code = "plan_changed"


@require_GET
@needs(*PLANNERS)
def plan(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """The composer of a draft; a campaign that was launched has its own page."""
    found = campaign_or_404(request, campaign)
    if found.status != CampaignStatus.DRAFT:
        return redirect("staff:campaign_detail", campaign)
    return _whole(request, found, PlanForm(campaign=found))


@require_POST
@needs(*PLANNERS)
def save_plan(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Keep what is typed, as far as it makes sense, and show what it means."""
    found = campaign_or_404(request, campaign)
    before, form = print_of(found), PlanForm(request.POST, campaign=found)
    try:
        saved = _keep(request, found, form)
    except Refused as refusal:
        return _not_kept(request, found, form, refusal)
    if not request.htmx:  # type: ignore[attr-defined]
        wrong = not form.is_valid()
        return _whole(request, saved, form, 422) if wrong else redirect("staff:campaign_plan", campaign)
    return _live(request, saved, form, is_changed=print_of(saved) != before)


@require_POST
@needs(*PLANNERS)
def submit_text(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Hand the wording over for somebody else's approval."""
    found, at = campaign_or_404(request, campaign), timezone.now()
    form = PlanForm(request.POST, campaign=found)
    try:
        saved = _keep(request, found, form)
        drafting.submit(campaign=saved, by=access_of(request).staff, at=at)
    except (PlanChanged, NotADraft) as refusal:
        return _not_kept(request, found, form, refusal)
    except Refused as refusal:
        return _live(request, saved, form, refusal=refusal)
    log.info("campaign_text_submitted", campaign_id=found.pk, staff_id=access_of(request).staff.pk)
    return _live(request, saved, form)


@require_POST
@needs(*PLANNERS)
def approve_text(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Approve exactly the wordings that were shown. One's own is refused."""
    found, at = campaign_or_404(request, campaign), timezone.now()
    staff = access_of(request).staff
    try:
        with transaction.atomic():
            locked = drafting.locked_draft(found)
            if standing(locked, staff).version_ids != request.POST.get("versions", ""):
                raise PlanChanged(
                    _("The text has been changed meanwhile. Read it again before you approve it.")
                )
            drafting.approve(campaign=locked, by=staff, at=at)
    except Refused as refusal:
        return _live(request, found, PlanForm(campaign=found), refusal=refusal)
    log.info("campaign_text_approved", campaign_id=found.pk, staff_id=staff.pk)
    return _live(request, locked, PlanForm(campaign=locked))


@require_GET
@needs(*PLANNERS)
def preflight(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """The waterfall from the audience to the texts, their parts and price; loaded after the page."""
    found, at = campaign_or_404(request, campaign), timezone.now()
    context = {"campaign": found, "forecast": forecast(found, at=at), **hours_context(found, at)}
    return page(request, "staff/_campaign_preflight.html", context)


@require_POST
@needs(*PLANNERS)
def ask_launch(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Keep the plan and say in numbers what launching it would do; or why it cannot be launched."""
    found, at = campaign_or_404(request, campaign), timezone.now()
    form = PlanForm(request.POST, campaign=found)
    try:
        saved = _keep(request, found, form)
    except Refused as refusal:
        return _not_kept(request, found, form, refusal)
    missing = refusal_to_launch(saved, access_of(request).staff, at)
    if not missing and not form.is_valid():
        missing = Refused(_("Put the marked fields right first."))
    if missing:
        return _live(request, saved, form, refusal=missing)
    context = {
        "campaign": saved,
        "seen": print_of(saved),
        "forecast": forecast(saved, at=at),
        "next_at": next_run_at(saved, at),
        "timing": timing_words(saved),
        **hours_context(saved, at),
    }
    return page(request, "staff/_campaign_launch.html", context)


@require_POST
@needs(*PLANNERS)
def launch(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Set the plan in motion, exactly as it was shown. The second click finds the first one's run."""
    found, at, staff = campaign_or_404(request, campaign), timezone.now(), access_of(request).staff
    try:
        run = _launch_seen(found, request.POST.get("seen", ""), staff, at)
    except Refused as refusal:
        form = PlanForm(campaign=found)
        return _whole(request, found, form, 422, refusal=refusal)
    log.info("campaign_launched", campaign_id=found.pk, staff_id=staff.pk)
    if run is not None:
        return redirect("staff:run_detail", run.public_id)
    messages.success(request, _("“%(name)s” is active.") % {"name": found.name})
    return redirect("staff:campaign_detail", campaign)


@transaction.atomic
def _launch_seen(campaign: Campaign, seen: str, by: Staff, at: datetime) -> Run | None:
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    is_draft = locked.status == CampaignStatus.DRAFT
    if is_draft and print_of(locked) != seen:
        raise PlanChanged(_("The plan has been changed meanwhile. Look at it again before you launch it."))
    run = launching.launch(campaign=locked, by=by, at=at)
    if is_draft:
        locked.refresh_from_db(fields=["status"])
        audit_status(locked, before=CampaignStatus.DRAFT, by=by, at=at)
    if is_draft and run:
        transaction.on_commit(partial(freeze_run.delay, run.pk), robust=True)
    return run


@transaction.atomic
def _keep(request: HttpRequest, campaign: Campaign, form: PlanForm) -> Campaign:
    """Save the typed plan over the one it was made from. Raises NotADraft, PlanChanged."""
    typed = form.plan()
    locked = drafting.locked_draft(campaign)
    seen = request.POST.get("seen", "")
    if print_of(locked) != seen and "overwrite" not in request.POST:
        raise PlanChanged(_("Somebody else has saved this plan since you opened it."))
    return drafting.save_plan(
        campaign=locked, audience=typed.audience, wording=typed.wording, changes=typed.changes
    )


def _not_kept(request: HttpRequest, campaign: Campaign, form: PlanForm, refusal: Refused) -> HttpResponse:
    """Say that the typed plan was not saved; the page keeps it."""
    if not request.htmx:  # type: ignore[attr-defined]
        return _whole(request, campaign, form, 409, refusal=refusal)
    context = {"campaign": campaign, "refusal": refusal, "is_stale": isinstance(refusal, PlanChanged)}
    response = page(request, "staff/_campaign_not_kept.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#save-state", "outerHTML"
    return response


def _whole(
    request: HttpRequest,
    campaign: Campaign,
    form: PlanForm,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    context = plan_context(request, campaign, form, refusal) | {"is_oob": False}
    context |= {
        "chips_en": chips_for("en"),
        "chips_zh": chips_for("zh-hans"),
        "known_tags": known_tags(campaign),
    }
    return page(request, "staff/campaign_plan.html", context, status)


def _live(
    request: HttpRequest,
    campaign: Campaign,
    form: PlanForm,
    *,
    refusal: Refused | None = None,
    is_changed: bool = True,
) -> HttpResponse:
    """What a save means: the side panel, and every part of the page that speaks of it, out of band."""
    context = plan_context(request, campaign, form, refusal) | {"is_oob": True, "saved_at": timezone.now()}
    response = page(request, "staff/_campaign_live.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#plan-live", "outerHTML"
    if is_changed:
        response["HX-Trigger"] = "plan-saved"
    if refusal:
        response["HX-Trigger-After-Settle"] = json.dumps({"plan-refused": {"slot": slot_of(refusal)}})
    return response
