"""Why a member holds a tier, what keeps it, what the next one asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from members.amounts import format_minor
from members.domain.local_days import day_of, months_later
from members.domain.tiers import active_scheme, privileges_of
from members.models import Member, Tier, TierOverride, TierScheme
from members.models.tier import DowngradePolicy, TierMeasure

MONEY = (TierMeasure.SPEND, TierMeasure.RECHARGE)


@dataclass(frozen=True)
class Counted:
    """A deed that counts: its day in the home store, how much, and the last day it does."""

    on: date
    amount: int
    until: date


@dataclass(frozen=True)
class Outlook:
    """A member's standing on a day. `lacking` more by `by_on` keeps the tier; None when nothing can take it."""

    scheme: TierScheme
    tier: Tier | None
    next_tier: Tier | None
    figure: int
    counted: tuple[Counted, ...]
    lacking: int | None
    by_on: date | None
    override: TierOverride | None

    @property
    def to_next(self) -> int:
        return max(self.next_tier.threshold - self.figure, 0) if self.next_tier else 0

    @property
    def progress_percent(self) -> int:
        """How far to the next tier; whole at the top."""
        return min(self.figure * 100 // self.next_tier.threshold, 100) if self.next_tier else 100

    @property
    def words(self) -> str:
        """The standing in one sentence, in the language that is active."""
        if self.override:
            said = gettext("%(tier)s, set by hand until %(day)s.")
            return said % {"tier": self.tier, "day": _day(self.override.until_on)}
        figure = shown(self.scheme, self.figure)
        if self.tier is None:
            return gettext("No tier: %(figure)s in %(months)s.") % {"figure": figure, "months": self.months}
        said = gettext("%(tier)s: %(figure)s in %(months)s.")
        return said % {"tier": self.tier, "figure": figure, "months": self.months}

    @property
    def keeps_words(self) -> str:
        """What keeps the tier; empty when there is nothing to keep."""
        if not self.tier or self.override or self.by_on is None or not self.lacking:
            return ""
        figures = {"more": shown(self.scheme, self.lacking), "day": _day(self.by_on), "tier": self.tier}
        return gettext("%(more)s more by %(day)s keeps %(tier)s.") % figures

    @property
    def next_words(self) -> str:
        """What the next tier asks; empty at the top."""
        if not self.next_tier:
            return ""
        figures = {"more": shown(self.scheme, self.to_next), "tier": self.next_tier}
        return gettext("%(more)s more for %(tier)s.") % figures

    @property
    def months(self) -> str:
        count = self.scheme.window_months
        return ngettext("%(count)s month", "%(count)s months", count) % {"count": count}


def outlook(member: Member, at: datetime) -> Outlook | None:
    """How a member stands in the scheme in use; None when there is none. Reads only this member's deeds."""
    scheme = active_scheme()
    if scheme is None:
        return None
    today = day_of(member.home_store, at)
    tiers = list(scheme.tiers.all())
    held = privileges_of(member, at).tier
    deeds = _deeds(scheme, member, at)
    figure = _figure(deeds, scheme, today)
    lacking, by_on = _what_keeps(scheme, held, deeds, today)
    window = tuple(
        Counted(on, amount, months_later(on, scheme.window_months))
        for on, amount in deeds
        if amount and on >= months_later(today, -scheme.window_months)
    )
    override = TierOverride.objects.filter(member=member, ended_at=None, until_on__gte=today)
    above = [tier for tier in tiers if tier.threshold > (held.threshold if held else 0)]
    return Outlook(
        scheme,
        held,
        above[0] if above else None,
        figure,
        window,
        lacking,
        by_on,
        override.select_related("staff").first(),
    )


def shown(scheme: TierScheme, figure: int) -> str:
    """A figure of a scheme's measure, in words: money, visits or points."""
    if scheme.measure in MONEY:
        return format_minor(figure, settings.REGULARS_CURRENCY, get_language() or settings.LANGUAGE_CODE)
    if scheme.measure == TierMeasure.VISITS:
        return ngettext("%(count)s visit", "%(count)s visits", figure) % {"count": figure}
    return ngettext("%(count)s point", "%(count)s points", figure) % {"count": figure}


def _deeds(scheme: TierScheme, member: Member, at: datetime) -> list[tuple[date, int]]:
    since = at - timedelta(days=31 * (scheme.window_months + scheme.period_months) + scheme.grace_days + 2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, amount FROM tier_deeds(%s, %s, %s) WHERE at <= %s ORDER BY at",
            [scheme.measure, since, member.pk, at],
        )
        return [(day_of(member.home_store, when), amount) for when, amount in cursor.fetchall()]


def _figure(deeds: Sequence[tuple[date, int]], scheme: TierScheme, day: date) -> int:
    since = months_later(day, -scheme.window_months)
    return sum(amount for on, amount in deeds if since <= on <= day)


def _what_keeps(
    scheme: TierScheme, held: Tier | None, deeds: Sequence[tuple[date, int]], today: date
) -> tuple[int | None, date | None]:
    """What is lacking at the first day to come on which the tier would fall, and the last day to bring it."""
    if held is None:
        return None, None
    for day in _days_of_judgement(scheme, deeds, today):
        lacking = held.threshold - _figure(deeds, scheme, day)
        if lacking > 0:
            last = day + timedelta(days=scheme.grace_days - 1)
            return lacking, max(last, today)
    return None, None


def _days_of_judgement(scheme: TierScheme, deeds: Sequence[tuple[date, int]], today: date) -> Iterator[date]:
    """When a figure that fell takes effect, grace aside: as deeds leave the window, or as periods begin."""
    grace = timedelta(days=scheme.grace_days)
    if scheme.policy == DowngradePolicy.AT_ONCE:
        yield from sorted(
            {
                leaves
                for on, amount in deeds
                if amount
                and (leaves := months_later(on, scheme.window_months) + timedelta(days=1)) > today - grace
            }
        )
        return
    start = period_start(today - grace, scheme.period_months)
    for number in range(1, scheme.window_months // scheme.period_months + 3):
        yield months_later(start, number * scheme.period_months)


def period_start(day: date, months: int) -> date:
    """The first day of the period a day is in; periods start in January."""
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
