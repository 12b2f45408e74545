"""From a draft to a run: launch, pause, tick. A run row, unique per campaign and window, decides that it happens."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from campaigns.domain.audiences import Audience
from campaigns.domain.drafting import has_own_text, is_approved, wording_of
from campaigns.domain.preflight import preflight
from campaigns.enums import CampaignStatus, RunStatus, Timing
from campaigns.models import Campaign, Run
from members.amounts import format_minor
from members.models import Staff
from members.refusals import Refused
from messaging.domain import budgets
from messaging.domain.budgets import MILLI, OverBudget
from messaging.domain.texts import approved_version
from messaging.enums import Cause, MessageClass

log = structlog.get_logger(__name__)
LATE_MAX = timedelta(hours=3)
ONCE = "once"
PRICED_SAMPLE = 20


class NotLaunchable(Refused):
    """Something is missing before this campaign may send."""

    code = "not_launchable"


@transaction.atomic
def launch(*, campaign: Campaign, by: Staff, at: datetime) -> Run | None:
    """Set a draft in motion. Starts its run at once, or leaves it to the tick. Raises NotLaunchable.

    Launching twice starts nothing twice: the status moves once, and the run is unique.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if campaign.status != CampaignStatus.DRAFT:
        return campaign.runs.order_by("id").first()
    _check_launchable(campaign, at)
    campaign.status = CampaignStatus.ACTIVE
    campaign.launched_by, campaign.launched_at = by, at
    campaign.save()
    if campaign.timing != Timing.NOW:
        return None
    run = start_run(campaign=campaign, window=ONCE, at=at)
    if run:
        put_aside(run, at=at)
    return run


def budget_subject(campaign: Campaign) -> str:
    """The name under which a campaign's own budget is kept."""
    return f"campaign:{campaign.pk}"


def put_aside(run: Run, *, at: datetime) -> None:
    """Put the whole run's price aside under the budgets it counts under. Raises NotLaunchable with the amounts.

    Without a budget in force nothing is asked and nothing is measured.
    """
    campaign, subject = run.campaign, budget_subject(run.campaign)
    if not budgets.budgets_for(campaign.store, subject):
        return
    milli = price_milli(campaign, at=at)
    try:
        budgets.open_purse(
            cause=Cause.RUN, cause_id=run.pk, store=campaign.store, milli=milli, subject=subject, at=at
        )
    except OverBudget as short:
        needed, left = short.facts["needed_milli"], max(0, short.facts["left_milli"])
        raise NotLaunchable(
            _("This run would cost %(needed)s; the budget has %(left)s left for it.")
            % {"needed": _money(-(-needed // MILLI)), "left": _money(left // MILLI)},
            field="budget",
        ) from short


def price_milli(campaign: Campaign, *, at: datetime) -> int:
    """What a launch now would cost, in thousandths of a minor unit: its parts at the dearest price of its recipients."""
    members = Audience.from_json(campaign.audience).members(campaign.store, at=at)
    campaign.wording = wording_of(campaign)
    parts = preflight(campaign, members, at=at).parts_total
    some = members.order_by("id").values_list("phone", flat=True)[:PRICED_SAMPLE]
    return parts * max((budgets.part_price_milli(phone, at=at) for phone in some), default=0)


def _money(minor: int) -> str:
    return format_minor(minor, settings.REGULARS_CURRENCY, get_language() or "en")


def _check_launchable(campaign: Campaign, at: datetime) -> None:
    Audience.from_json(campaign.audience)
    if campaign.template is None:
        raise NotLaunchable(_("Choose a text first."), field="template")
    if campaign.template.message_class != MessageClass.MARKETING:
        raise NotLaunchable(_("A campaign sends a marketing text."), field="template")
    if approved_version(campaign.template_id or 0, campaign.store.language) is None:
        raise NotLaunchable(_("The text has not been approved yet."), field="template")
    if (campaign.wording or has_own_text(campaign)) and not is_approved(campaign):
        raise NotLaunchable(_("The text was changed after it was approved."), field="template")
    if campaign.timing != Timing.NOW and campaign.at_time is None:
        raise NotLaunchable(_("Choose a time of day."), field="at_time")
    if campaign.timing in (Timing.ONCE, Timing.WEEKLY, Timing.MONTHLY) and campaign.start_on is None:
        raise NotLaunchable(_("Choose a day."), field="start_on")
    _check_not_over(campaign, at)


def _check_not_over(campaign: Campaign, at: datetime) -> None:
    """Refuse what no tick could start any more: it would stand as active for ever and text nobody."""
    field = "start_on" if campaign.timing == Timing.ONCE else "end_on"
    last = getattr(campaign, field)
    if campaign.at_time is None or last is None or at < _opens(campaign, last) + LATE_MAX:
        return
    if last < at.astimezone(campaign.store.zone).date():
        raise NotLaunchable(_("That day is over."), field=field)
    raise NotLaunchable(_("That time is over."), field="at_time")


@transaction.atomic
def pause(*, campaign: Campaign, is_paused: bool) -> None:
    """Keep a recurring campaign from starting new runs, or let it again. A run under way goes on."""
    old, new = CampaignStatus.ACTIVE, CampaignStatus.PAUSED
    if not is_paused:
        old, new = new, old
    Campaign.objects.filter(pk=campaign.pk, status=old).update(status=new)


def start_run(*, campaign: Campaign, window: str, at: datetime, as_of: datetime | None = None) -> Run | None:
    """Write the run row. None if this window had its run already: two beats may try, one succeeds."""
    created = Run.objects.bulk_create(
        [
            Run(
                campaign=campaign,
                window=window,
                status=RunStatus.FREEZING,
                as_of=as_of or at,
                started_at=at,
            )
        ],
        ignore_conflicts=True,
    )
    return Run.objects.filter(campaign=campaign, window=window, public_id=created[0].public_id).first()


def due_window(campaign: Campaign, at: datetime) -> str:
    """The window that is due now, or nothing. A tick up to three hours late still counts; a later one does not.

    Days and times are the store's; of a late evening the tick may come after midnight. A time that a clock change
    skips is read by the clock before it; one that comes twice counts once, because the window is the date.
    """
    today = at.astimezone(campaign.store.zone).date()
    for day in (today, today - timedelta(days=1)):
        if _is_day(campaign, day) and _opens(campaign, day) <= at < _opens(campaign, day) + LATE_MAX:
            return ONCE if campaign.timing == Timing.ONCE else day.isoformat()
    return ""


def _opens(campaign: Campaign, day: date) -> datetime:
    assert campaign.at_time is not None
    return datetime.combine(day, campaign.at_time, campaign.store.zone).astimezone(UTC)


def _is_day(campaign: Campaign, today: date) -> bool:
    if campaign.at_time is None or (campaign.end_on and today > campaign.end_on):
        return False
    first = campaign.start_on or today
    if today < first:
        return False
    if campaign.timing == Timing.ONCE:
        return today == first
    if campaign.timing == Timing.WEEKLY:
        return today.weekday() == first.weekday()
    if campaign.timing == Timing.MONTHLY:
        return today.day == min(first.day, calendar.monthrange(today.year, today.month)[1])
    return campaign.timing == Timing.DAILY


@transaction.atomic
def start_by_itself(
    *, campaign: Campaign, window: str, at: datetime, as_of: datetime | None = None
) -> Run | None:
    """`start_run` where nobody looks on: nothing is put aside, each text asks the budgets for itself.

    Raises OverBudget, and starts nothing, while a budget is used beyond its amount already.
    """
    run = start_run(campaign=campaign, window=window, at=at, as_of=as_of)
    if run:
        subject = budget_subject(campaign)
        budgets.open_purse(
            cause=Cause.RUN, cause_id=run.pk, store=campaign.store, milli=0, subject=subject, at=at
        )
        Campaign.objects.filter(pk=campaign.pk).exclude(unpaid_window="").update(unpaid_window="")
    return run


def tick(*, at: datetime) -> list[int]:
    """Start every run that is due; gives the ids of those started now. Safe to run from several beats at once.

    One that cannot start holds up no other; the next tick tries it again.
    """
    started = []
    campaigns = Campaign.objects.filter(status=CampaignStatus.ACTIVE).exclude(timing=Timing.NOW)
    for campaign in campaigns.select_related("store"):
        try:
            window = due_window(campaign, at)
            run = start_by_itself(campaign=campaign, window=window, at=at) if window else None
        except OverBudget:
            _note_unpaid(campaign, window)
            continue
        except Exception as failure:
            log.exception("campaign_not_started", campaign_id=campaign.pk, error=type(failure).__name__)
            continue
        if run:
            started.append(run.pk)
    return started


def _note_unpaid(campaign: Campaign, window: str) -> None:
    """Said once for each window; the ticks go on trying."""
    noted = Campaign.objects.filter(pk=campaign.pk).exclude(unpaid_window=window).update(unpaid_window=window)
    if noted:
        log.warning("campaign_over_budget", campaign_id=campaign.pk, window=window)


@dataclass(frozen=True)
class Unpaid:
    """A run that no budget reached for: when it was due, and until when it still starts by itself."""

    due_at: datetime
    until: datetime


def unpaid(campaign: Campaign) -> Unpaid | None:
    """The run of an active campaign that waits for money, or waited in vain."""
    day = campaign.start_on
    if campaign.status != CampaignStatus.ACTIVE or not campaign.unpaid_window or campaign.at_time is None:
        return None
    if campaign.unpaid_window != ONCE:
        day = date.fromisoformat(campaign.unpaid_window)
    assert day is not None
    due_at = _opens(campaign, day)
    return Unpaid(due_at, due_at + LATE_MAX)
