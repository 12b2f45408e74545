"""A campaign's times in plain words, and when it runs next. Times are the store's."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from babel.dates import format_date, get_timezone_location
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from campaigns.domain.launching import due_window
from campaigns.enums import CampaignStatus, Timing
from campaigns.models import Campaign
from crm.shell.formats import reader_locale
from members.models import Store

DAYS_AHEAD = 62  # a monthly campaign comes round sooner


def zone_name(store: Store) -> str:
    """The city whose clock the store keeps, in the reader's language."""
    return get_timezone_location(store.zone, locale=reader_locale(), return_city=True)


def day_words(day: date) -> str:
    """A day as the reader's language writes it."""
    return format_date(day, "medium", locale=reader_locale())


def timing_words(campaign: Campaign) -> str:
    """When a campaign is sent: "Every week on Friday at 10:00, from 21 Nov 2026"."""
    if campaign.timing == Timing.NOW:
        return str(Timing.NOW.label)
    said = _said(campaign.timing, campaign.start_on) % {
        "time": f"{campaign.at_time:%H:%M}" if campaign.at_time else "…",
        "day": _day_of(campaign.timing, campaign.start_on),
    }
    return said + _limits(campaign)


def _said(timing: str, start_on: date | None) -> str:
    return {
        Timing.ONCE: _("Once, on %(day)s at %(time)s"),
        Timing.DAILY: _("Every day at %(time)s"),
        Timing.WEEKLY: _("Every week on %(day)s at %(time)s"),
        Timing.MONTHLY: _("Every month on day %(day)s at %(time)s"),
    }[Timing(timing)]


def _day_of(timing: str, start_on: date | None) -> str:
    if start_on is None:
        return "…"
    if timing == Timing.WEEKLY:
        return str(WEEKDAYS[start_on.weekday()])
    return str(start_on.day) if timing == Timing.MONTHLY else day_words(start_on)


def _limits(campaign: Campaign) -> str:
    said = ""
    if campaign.start_on and campaign.timing != Timing.ONCE:
        said += _(", from %(day)s") % {"day": day_words(campaign.start_on)}
    if campaign.end_on and campaign.timing != Timing.ONCE:
        said += _(", until %(day)s") % {"day": day_words(campaign.end_on)}
    return said


def next_run_at(campaign: Campaign, at: datetime, *, done: frozenset[str] = frozenset()) -> datetime | None:
    """When the tick starts this plan's next run, `at` itself if one is due now; None if there is none to come.

    `done` are the windows that have had their run. Whether the campaign is active is for the caller to ask.
    """
    if campaign.timing == Timing.NOW or campaign.at_time is None or _lacks_day(campaign):
        return None
    if (window := due_window(campaign, at)) and window not in done:
        return at
    first = at.astimezone(campaign.store.zone).date()
    if campaign.start_on and campaign.start_on > first:
        first = campaign.start_on
    for days in range(DAYS_AHEAD):
        day = first + timedelta(days=days)
        opens = datetime.combine(day, campaign.at_time, campaign.store.zone)
        if opens > at and (window := due_window(campaign, opens)) and window not in done:
            return opens
    return None


def _lacks_day(campaign: Campaign) -> bool:
    return campaign.timing != Timing.DAILY and campaign.start_on is None


def runs_next(campaign: Campaign, at: datetime, *, done: frozenset[str] = frozenset()) -> datetime | None:
    """The next run of a campaign in motion; None for one that is planned, paused or over."""
    return next_run_at(campaign, at, done=done) if campaign.status == CampaignStatus.ACTIVE else None
