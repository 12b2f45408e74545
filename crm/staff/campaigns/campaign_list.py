"""The campaigns of the current store, newest first, each with its last run and its next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campaigns.domain import drafting, launching
from campaigns.enums import CampaignKind, CampaignStatus
from campaigns.models import Campaign, Run
from crm.staff.access import access_of, needs, page
from crm.staff.campaigns.run_figures import FAILED, SENT
from crm.staff.campaigns.scope import PLANNERS, READERS, campaigns_of, may_plan
from crm.staff.campaigns.words import day_words, runs_next, timing_words, zone_name
from crm.staff.paging import PAGE_ROWS, cut, whole_number, with_query
from messaging.enums import Cause, VersionStatus
from messaging.models import Message, TemplateVersion
from messaging.states import State

log = structlog.get_logger(__name__)
STATUS_TONES = {
    CampaignStatus.DRAFT: "plain",
    CampaignStatus.ACTIVE: "good",
    CampaignStatus.PAUSED: "wait",
    CampaignStatus.ENDED: "plain",
}


@dataclass(frozen=True)
class RunLine:
    """A run with how many texts left, arrived and failed."""

    run: Run
    sent: int = 0
    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True)
class CampaignLine:
    """A campaign as the list tells it."""

    campaign: Campaign
    timing: str
    tone: str
    last: RunLine | None
    next_at: datetime | None
    is_waiting: bool = False
    is_unpaid: bool = False


@require_GET
@needs(*READERS)
def campaign_list(request: HttpRequest) -> HttpResponse:
    """One page of campaigns; a fixed number of queries."""
    kind, status = request.GET.get("kind", ""), request.GET.get("status", "")
    rows = campaigns_of(request).filter(**_wanted(kind, status))
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    rows = rows.select_related("store").order_by("-pk")[: PAGE_ROWS + 1]
    shown = cut(request, list(rows), PAGE_ROWS, lambda campaign: str(campaign.pk))
    context = {
        "page": shown,
        "rows": lines_of(shown.rows, timezone.now()),
        "kinds": chips(request, "kind", kind, CampaignKind.choices),
        "statuses": chips(request, "status", status, CampaignStatus.choices),
        "is_narrowed": bool(kind or status),
        "may_plan": may_plan(request),
        "zone": zone_name(access_of(request).store),
    }
    return page(request, "staff/campaign_list.html", context)


@require_POST
@needs(*PLANNERS)
def create_campaign(request: HttpRequest) -> HttpResponse:
    """A new draft of the asked kind, opened in the composer."""
    kind = request.POST.get("kind", "")
    if kind not in CampaignKind.values:
        return HttpResponseBadRequest()
    access = access_of(request)
    named = _("Promotion, %(day)s") if kind == CampaignKind.PUSH else _("Wake-up programme, %(day)s")
    name = named % {"day": day_words(timezone.localdate())}
    draft = drafting.create_draft(kind=CampaignKind(kind), store=access.store, name=name, by=access.staff)
    log.info("campaign_created", campaign_id=draft.pk, staff_id=access.staff.pk)
    return redirect("staff:campaign_plan", draft.public_id)


def lines_of(campaigns: Sequence[Campaign], at: datetime) -> list[CampaignLine]:
    """What the list says of each; three queries for all of them."""
    runs = Run.objects.filter(campaign__in=campaigns).order_by("campaign_id", "-id").distinct("campaign_id")
    last = {line.run.campaign_id: line for line in run_lines(runs)}
    waiting = _waiting_texts(campaigns)
    return [_line(campaign, last.get(campaign.pk), waiting, at) for campaign in campaigns]


def run_lines(runs: Iterable[Run]) -> list[RunLine]:
    """Each run with its figures; one query for all of them."""
    runs = list(runs)
    figures: dict[int, dict[str, int]] = {
        row.pop("cause_id"): row for row in _figures([run.pk for run in runs])
    }
    return [RunLine(run, **figures.get(run.pk, {})) for run in runs]


def chips(request: HttpRequest, name: str, current: str, choices: Any) -> list[dict[str, Any]]:
    """Links that narrow a list by one value of the address, the current one marked."""
    everything = ("", _("All"))
    return [
        {
            "label": label,
            "url": with_query(request, **{name: value, "after": ""}),
            "is_current": value == current,
        }
        for value, label in (everything, *choices)
    ]


def _waiting_texts(campaigns: Sequence[Campaign]) -> set[tuple[int | None, str, str]]:
    """(template, language, text) of the newest wordings that wait for approval."""
    newest = TemplateVersion.objects.filter(template__in=[campaign.template_id for campaign in campaigns])
    newest = newest.order_by("template_id", "language", "-number").distinct("template_id", "language")
    return {
        (version.template_id, version.language, version.text)
        for version in newest
        if version.status == VersionStatus.DRAFT
    }


def _line(
    campaign: Campaign, last: RunLine | None, waiting: set[tuple[int | None, str, str]], at: datetime
) -> CampaignLine:
    done = frozenset({last.run.window} if last else ())
    return CampaignLine(
        campaign=campaign,
        timing=timing_words(campaign),
        tone=STATUS_TONES[CampaignStatus(campaign.status)],
        last=last,
        next_at=runs_next(campaign, at, done=done),
        is_waiting=any(
            (campaign.template_id, language, text) in waiting for language, text in campaign.wording.items()
        ),
        is_unpaid=launching.unpaid(campaign) is not None,
    )


def _figures(runs: list[int]) -> list[dict[str, Any]]:
    own = Message.objects.filter(cause=Cause.RUN, cause_id__in=runs).order_by()
    counted = own.values("cause_id").annotate(
        sent=Count("id", filter=Q(state__in=SENT)),
        delivered=Count("id", filter=Q(state=State.DELIVERED)),
        failed=Count("id", filter=Q(state__in=FAILED)),
    )
    return [dict(row) for row in counted]


def _wanted(kind: str, status: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if kind in CampaignKind.values:
        wanted["kind"] = kind
    if status in CampaignStatus.values:
        wanted["status"] = status
    return wanted
