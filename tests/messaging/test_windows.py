"""No marketing text leaves at night: every zone of the world, around every change of its clocks.

The oracle is another reckoning in Python (zoneinfo, tzdata); the judge is the function the policy and the gate ask.
A sample by default; REGULARS_WIDE_TESTS=1 takes every zone and every transition of 2024–2030.
"""

from __future__ import annotations

import os
import random
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from messaging.domain import rules
from messaging.models import ClosedDay, SendingWindow
from messaging.rules import countries, country

IS_WIDE = os.environ.get("REGULARS_WIDE_TESTS") == "1"
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
ANY_TIME = (time(0), time(23, 59))
PHONES = {
    "CN": "+8613800138000",
    "US": "+12025550123",
    "GB": "+447700900123",
    "FR": "+33612345678",
    "SG": "+6591234567",
    "EU": "+4915112345678",
    "ZZ": "+819012345678",
}


def _asked(questions: list[tuple[datetime, str, str]], opens: time, closes: time) -> list[datetime]:
    """What the database answers to (moment, zones, phone), in one statement."""
    moments, zones, phones = zip(*questions, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nullif(sms_next_opening(q.moment, q.zones, q.phone, %s, %s), 'infinity') "
            "FROM unnest(%s::timestamptz[], %s::text[], %s::text[]) WITH ORDINALITY AS q (moment, zones, phone, n) "
            "ORDER BY q.n",
            [opens, closes, list(moments), list(zones), list(phones)],
        )
        return [row[0] for row in cursor.fetchall()]


def _told_alike(moments: list[datetime], zones: list[str]) -> list[bool]:
    """Whether both zone tables read the same clock: they are released on different days and may differ."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.moment AT TIME ZONE q.zone FROM unnest(%s::timestamptz[], %s::text[]) "
            "WITH ORDINALITY AS q (moment, zone, n) ORDER BY q.n",
            [moments, zones],
        )
        walls = [row[0] for row in cursor.fetchall()]
    return [
        moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall
        for moment, zone, wall in zip(moments, zones, walls, strict=True)
    ]


def _may_leave(moment: datetime, zones: str, region: str, opens: time, closes: time) -> bool:
    """The oracle: read the clock on the wall of each zone and compare it with the pack's file."""
    window = country(region).window
    if region == "CN":  # at home in the tests: what is allowed; elsewhere the default
        first, last = max(opens, window.earliest), min(closes, window.latest)
    else:
        first, last = max(opens, window.opens), min(closes, window.closes)
    for name in zones.split(","):
        here = moment.astimezone(ZoneInfo(name))
        minutes, end = here.hour * 60 + here.minute, last.hour * 60 + last.minute - 15
        if not first.hour * 60 + first.minute <= minutes < end:
            return False
        if here.isoweekday() in window.closed_weekdays or here.date() in window.closed_days(here.year):
            return False
    return True


def _transitions(zone: ZoneInfo) -> list[datetime]:
    """The moments at which a zone's offset changes, to the minute."""
    found, day = [], FIRST
    while day < LAST:
        following = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            low, high = day, following
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                is_same = middle.astimezone(zone).utcoffset() == day.astimezone(zone).utcoffset()
                low, high = (middle, high) if is_same else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
        day = following
    return found


def _zones() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {row[0] for row in cursor.fetchall()}
    names = sorted(zoneinfo.available_timezones() & known)
    if IS_WIDE:
        return names
    special = ["Asia/Shanghai", "America/New_York", "Europe/Paris", "Australia/Lord_Howe"]
    return special + random.Random(4).sample(names, 36)


def _moments(zone: ZoneInfo, opens: time, closes: time, chance: random.Random) -> list[datetime]:
    """Minutes around both edges of the window on days with and without a change of the clocks, and around the change."""
    changes = _transitions(zone)
    if not IS_WIDE:
        changes = chance.sample(changes, min(2, len(changes)))
    days = [change.astimezone(zone).date() for change in changes] + [date(2026, 11, 20)]
    around = [
        datetime.combine(day + timedelta(days=shift), edge, zone).astimezone(UTC) + timedelta(minutes=minute)
        for day in days
        for shift in (0, 1)
        for edge in (opens, closes)
        for minute in (-61, -16, -15, -14, -1, 0, 1, 14, 61)
    ]
    return around + [
        change + timedelta(minutes=minute) for change in changes for minute in (-61, -1, 0, 1, 61)
    ]


@pytest.mark.parametrize(("opens", "closes"), [(time(9), time(21)), ANY_TIME])
def test_no_zone_and_no_change_of_clocks_lets_a_text_leave_at_night(db, opens: time, closes: time) -> None:
    chance = random.Random(15)
    questions = [
        (moment, name, phone)
        for name in _zones()
        for moment in _moments(ZoneInfo(name), max(opens, time(8)), min(closes, time(22)), chance)
        for phone in [chance.choice(list(PHONES.values()))]
    ]
    regions = {phone: region for region, phone in PHONES.items()}
    answers = _asked(questions, opens, closes)
    assert None not in answers
    zones = [zone for _, zone, _ in questions]
    asked_alike = _told_alike([moment for moment, _, _ in questions], zones)
    told_alike = _told_alike(answers, zones)

    judged = 0
    for (moment, zone, phone), answer, *alike in zip(
        questions, answers, asked_alike, told_alike, strict=True
    ):
        if not all(alike):
            continue
        judged += 1
        said = (moment, zone, phone, answer)
        assert answer >= moment, said
        assert _may_leave(answer, zone, regions[phone], opens, closes), said
        if _may_leave(moment, zone, regions[phone], opens, closes):
            assert answer == moment, said
    assert judged > 0.9 * len(questions)
    assert judged > (100_000 if IS_WIDE else 2_000)


@pytest.mark.parametrize("region", ["CN", "US", "FR"])
def test_nothing_could_have_left_earlier(db, region: str) -> None:
    chance = random.Random(7)
    zone = {"CN": "Asia/Shanghai", "US": "America/New_York", "FR": "Europe/Paris"}[region]
    moments = [FIRST + timedelta(minutes=chance.randrange(7 * 365 * 1440)) for _ in range(40)]

    answers = _asked([(moment, zone, PHONES[region]) for moment in moments], time(9), time(21))

    for moment, answer in zip(moments, answers, strict=True):
        between = (
            moment + timedelta(minutes=n) for n in range(0, int((answer - moment).total_seconds() // 60), 7)
        )
        assert not any(_may_leave(one, zone, region, time(9), time(21)) for one in between), (moment, answer)


@pytest.mark.parametrize(
    ("phone", "zone", "local", "leaves"),
    [
        ("+8613800138000", "Asia/Shanghai", "2026-11-20 07:30", "2026-11-20 09:00"),
        ("+8613800138000", "Asia/Shanghai", "2026-11-20 20:45", "2026-11-21 09:00"),
        ("+12025550123", "America/New_York", "2026-11-20 19:45", "2026-11-21 09:00"),  # the pack closes at 20
        ("+33612345678", "Europe/Paris", "2026-11-21 19:50", "2026-11-23 09:00"),  # over Sunday
        ("+33612345678", "Europe/Paris", "2026-12-25 10:00", "2026-12-26 09:00"),
        ("+33612345678", "Europe/Paris", "2027-03-27 19:50", "2027-03-30 09:00"),  # Easter Sunday and Monday
        ("+819012345678", "Asia/Tokyo", "2026-11-20 20:10", "2026-11-21 09:00"),  # no pack: the strictest
    ],
)
def test_the_country_of_the_number_decides(db, phone: str, zone: str, local: str, leaves: str) -> None:
    here = ZoneInfo(zone)
    at = datetime.fromisoformat(local).replace(tzinfo=here)

    answer = rules.next_opening(phone=phone, zones=zone, opens=time(9), closes=time(21), at=at)

    assert answer == datetime.fromisoformat(leaves).replace(tzinfo=here)


def test_an_unknown_zone_is_every_zone_it_may_be(db) -> None:
    zones = "Pacific/Honolulu,America/New_York"
    at = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 10:00 in New York, 5:00 in Honolulu

    answer = rules.next_opening(phone="+12025550123", zones=zones, opens=time(9), closes=time(21), at=at)

    assert answer == datetime(2026, 11, 20, 19, 0, tzinfo=UTC)  # 9:00 in Honolulu, 14:00 in New York


def test_zones_that_share_no_hour_are_told_and_nothing_leaves(db) -> None:
    zones = "Pacific/Kiritimati,Pacific/Honolulu,Asia/Kolkata,Europe/London"
    assert (
        rules.next_opening(phone="+819012345678", zones=zones, opens=time(9), closes=time(12), at=FIRST)
        is None
    )


@pytest.mark.parametrize(
    ("opens", "closes", "hours"),
    [
        (time(9), time(21), (time(9), time(21))),
        (time(6), time(23, 59), (time(8), time(22))),  # settings do not widen what is allowed
        (time(10), time(12), (time(10), time(12))),
        (time(23), time(23, 30), (time(8), time(22))),  # nothing left of it: as if not given
    ],
)
def test_the_houses_hours_narrow_and_never_widen(
    db, opens: time, closes: time, hours: tuple[time, time]
) -> None:
    assert rules.narrowed(country("CN"), opens, closes)[:2] == hours
    with connection.cursor() as cursor:
        cursor.execute("SELECT opens, closes FROM sms_window('+8613800138000', %s, %s)", [opens, closes])
        assert cursor.fetchone() == hours


def test_the_database_holds_what_the_packs_say(db) -> None:
    stored = dict(SendingWindow.objects.values_list("calling_code", "region"))
    assert stored == {code: pack.code for pack in countries().values() for code in pack.calling_codes}
    assert ClosedDay.objects.filter(region="FR", day=date(2026, 7, 14)).exists()


def test_without_packs_nothing_is_permitted(db) -> None:
    SendingWindow.objects.all().delete()
    assert (
        rules.next_opening(phone="+8613800138000", zones="UTC", opens=time(9), closes=time(21), at=FIRST)
        is None
    )
