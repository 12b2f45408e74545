"""The rule packs in force: the windows the database keeps, and the house's own hours narrowed into them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from members.phones import region_of
from messaging.models import ClosedDay, Gateway, SendingWindow
from messaging.rules import CountryPack, ProviderPack, countries, country, provider

FIRST_YEAR, LAST_YEAR = 2024, 2040  # closed days known to the database


class Hours(NamedTuple):
    """From and until when in a day; the last text leaves `cutoff_minutes` before `closes`."""

    opens: time
    closes: time
    cutoff_minutes: int = 15


def home_pack() -> CountryPack:
    """The pack of the country the house is in."""
    return country(settings.REGULARS_REGION)


def pack_for(phone: str) -> CountryPack:
    """The pack of a recipient's country."""
    return country(region_of(phone))


def provider_packs() -> list[ProviderPack]:
    """The packs of the providers in use."""
    kinds = Gateway.objects.filter(is_active=True).values_list("kind", flat=True).distinct()
    return [pack for kind in sorted(kinds) if (pack := provider(kind))]


def bounds_of(pack: CountryPack) -> Hours:
    """Into what the house's hours are narrowed: at home what is allowed, elsewhere the pack's default."""
    window = pack.window
    if pack.code == home_pack().code:
        return Hours(window.earliest, window.latest, window.last_submit_minutes)
    return Hours(window.opens, window.closes, window.last_submit_minutes)


def narrowed(pack: CountryPack, opens: time, closes: time) -> Hours:
    """The hours in force for a country; the same answer as `sms_window` in the database.

    Hours that leave nothing of the pack's count as not given.
    """
    bounds = bounds_of(pack)
    first, last = max(opens, bounds.opens), min(closes, bounds.closes)
    return bounds._replace(opens=first, closes=last) if first < last else bounds


@transaction.atomic
def store_windows() -> int:
    """Write the packs' windows and closed days where the policy reads them; whole, safe to run again."""
    SendingWindow.objects.all().delete()
    ClosedDay.objects.all().delete()
    windows = [_window(pack, code) for pack in countries().values() for code in pack.calling_codes]
    SendingWindow.objects.bulk_create(windows)
    ClosedDay.objects.bulk_create(
        ClosedDay(region=pack.code, day=day) for pack in countries().values() for day in _closed_days(pack)
    )
    return len(windows)


def _window(pack: CountryPack, code: str) -> SendingWindow:
    bounds = bounds_of(pack)
    return SendingWindow(
        calling_code=code,
        region=pack.code,
        opens=bounds.opens,
        closes=bounds.closes,
        cutoff_minutes=bounds.cutoff_minutes,
        closed_weekdays=list(pack.window.closed_weekdays) or [0] * bool(_closed_days(pack)),
    )


def _closed_days(pack: CountryPack) -> list[date]:
    return [day for year in range(FIRST_YEAR, LAST_YEAR + 1) for day in pack.window.closed_days(year)]


def next_opening(*, phone: str, zones: str, opens: time, closes: time, at: datetime) -> datetime | None:
    """When a marketing text to this phone may next leave, as the policy itself reckons it; None if never."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nullif(sms_next_opening(%s, %s, %s, %s::time, %s::time), 'infinity')",
            [at, zones, phone, opens.isoformat(), closes.isoformat()],
        )
        found: Any = cursor.fetchone()
    return found[0] if found else None
