"""One campaign: its plan in words, its text, its runs; paused, resumed, copied."""

from __future__ import annotations

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
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind, CampaignStatus, Timing
from campaigns.models import Campaign
from crm.shell.formats import money_text
from crm.staff.access import access_of, needs, page
from crm.staff.campaigns.campaign_list import STATUS_TONES, run_lines
from crm.staff.campaigns.composing import hours_context
from crm.staff.campaigns.plan_form import RECURRING
from crm.staff.campaigns.previewing import Preview, made_up, preview
from crm.staff.campaigns.scope import PLANNERS, READERS, audit_status, campaign_or_404, may_plan
from crm.staff.campaigns.words import runs_next, timing_words
from crm.staff.paging import cut, whole_number
from members.models import Member, Staff

log = structlog.get_logger(__name__)
RUNS_SHOWN = 20


@require_GET
@needs(*READERS)
def campaign_detail(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """The plan in words, both wordings in a hand, and a page of runs."""
    found, at = campaign_or_404(request, campaign), timezone.now()
    rows = found.runs.select_related("stopped_by").order_by("-pk")
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    shown = cut(request, list(rows[: RUNS_SHOWN + 1]), RUNS_SHOWN, lambda run: str(run.pk))
    done = frozenset(found.runs.order_by("-pk").values_list("window", flat=True)[:1])
    context = {
        "campaign": found,
        "tone": STATUS_TONES[CampaignStatus(found.status)],
        "audience": Audience.from_json(found.audience).in_words(money_text),
        "timing": timing_words(found),
        "next_at": runs_next(found, at, done=done),
        "unpaid": launching.unpaid(found),
        "previews": _previews(found),
        "page": shown,
        "runs": run_lines(shown.rows),
        "is_draft": found.status == CampaignStatus.DRAFT,
        "is_recurring": found.timing in RECURRING,
        "is_coming": found.timing == Timing.ONCE and found.status == CampaignStatus.ACTIVE,
        "may_plan": may_plan(request),
        **hours_context(found, at),
    }
    return page(request, "staff/campaign_detail.html", context)


@require_POST
@needs(*PLANNERS)
def pause_campaign(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Start no new runs; one that is under way goes on."""
    return _set_paused(request, campaign, is_paused=True)


@require_POST
@needs(*PLANNERS)
def resume_campaign(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """Start runs again, from the next due time."""
    return _set_paused(request, campaign, is_paused=False)


@require_POST
@needs(*PLANNERS)
def copy_campaign(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """The same plan as a new draft, to be approved and launched anew."""
    found, access = campaign_or_404(request, campaign), access_of(request)
    draft = _copy(found, access.staff)
    log.info("campaign_copied", campaign_id=found.pk, copy_id=draft.pk, staff_id=access.staff.pk)
    return redirect("staff:campaign_plan", draft.public_id)


@transaction.atomic
def _copy(campaign: Campaign, by: Staff) -> Campaign:
    name = (_("Copy of %(name)s") % {"name": campaign.name})[:80]
    draft = drafting.create_draft(
        kind=CampaignKind(campaign.kind),
        store=campaign.store,
        name=name,
        by=by,
    )
    times = {"timing": campaign.timing, "at_time": campaign.at_time}
    return drafting.save_plan(
        campaign=draft,
        audience=Audience.from_json(campaign.audience),
        wording=drafting.wording_of(campaign),
        changes=times,
    )


def _set_paused(request: HttpRequest, campaign: UUID, *, is_paused: bool) -> HttpResponse:
    found, staff = campaign_or_404(request, campaign), access_of(request).staff
    before = found.status
    with transaction.atomic():
        launching.pause(campaign=found, is_paused=is_paused)
        found.refresh_from_db(fields=["status"])
        if found.status != before:
            audit_status(found, before=before, by=staff, at=timezone.now())
    log.info("campaign_paused", campaign_id=found.pk, is_paused=is_paused, staff_id=staff.pk)
    if found.status == (CampaignStatus.PAUSED if is_paused else CampaignStatus.ACTIVE):
        told = _("Paused: no new run starts until you resume it.") if is_paused else _("It runs again.")
        messages.success(request, told)
    else:
        messages.warning(request, _("Nothing was changed."))
    return redirect("staff:campaign_detail", campaign)


def _previews(campaign: Campaign) -> list[Preview]:
    """Each wording as somebody would read it."""
    campaign.wording = drafting.wording_of(campaign)  # for looking at only; nothing saves this object
    at, model = timezone.now(), made_up(campaign)
    return [
        preview(campaign, Member(name=model.name, phone=model.phone, language=language), at)
        for language in campaign.wording
    ]
