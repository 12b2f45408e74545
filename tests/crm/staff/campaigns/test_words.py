"""When a campaign is sent, in words, and its next run."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from campaigns.enums import Timing
from campaigns.models import Campaign
from crm.staff.campaigns.words import next_run_at, timing_words
from members.models import Store

SHANGHAI = ZoneInfo("Asia/Shanghai")
STORE = Store(name="Riverside", timezone="Asia/Shanghai")


def campaign(timing: Timing, start_on: date | None = None, end_on: date | None = None) -> Campaign:
    return Campaign(store=STORE, timing=timing, at_time=time(10), start_on=start_on, end_on=end_on)


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        (campaign(Timing.NOW), "As soon as it is launched"),
        (campaign(Timing.ONCE, date(2026, 11, 27)), "Once, on Nov 27, 2026 at 10:00"),
        (campaign(Timing.DAILY), "Every day at 10:00"),
        (campaign(Timing.WEEKLY, date(2026, 11, 27)), "Every week on Friday at 10:00, from Nov 27, 2026"),
        (campaign(Timing.MONTHLY, date(2026, 1, 31)), "Every month on day 31 at 10:00, from Jan 31, 2026"),
        (Campaign(store=STORE, timing=Timing.DAILY), "Every day at …"),
    ],
)
def test_times_in_words(planned, said):
    assert timing_words(planned) == said


@pytest.mark.parametrize(
    ("planned", "local", "expected"),
    [
        (campaign(Timing.NOW), "2026-11-20 12:00", None),
        (campaign(Timing.DAILY), "2026-11-20 09:00", "2026-11-20 10:00"),
        (campaign(Timing.DAILY), "2026-11-20 11:00", "2026-11-20 11:00"),  # due now: the tick takes it
        (campaign(Timing.DAILY), "2026-11-20 13:00", "2026-11-21 10:00"),
        (campaign(Timing.ONCE, date(2027, 3, 1)), "2026-11-20 13:00", "2027-03-01 10:00"),
        (campaign(Timing.ONCE, date(2026, 11, 19)), "2026-11-20 13:00", None),
        (campaign(Timing.WEEKLY, date(2026, 11, 6)), "2026-11-20 13:00", "2026-11-27 10:00"),
        (campaign(Timing.MONTHLY, date(2026, 1, 31)), "2026-02-01 00:00", "2026-02-28 10:00"),
        (campaign(Timing.DAILY, None, date(2026, 11, 20)), "2026-11-20 13:00", None),
        (campaign(Timing.WEEKLY), "2026-11-20 13:00", None),  # no day is chosen yet
    ],
)
def test_the_next_run(planned, local, expected):
    at = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)

    found = next_run_at(planned, at)

    assert found == (expected and datetime.fromisoformat(expected).replace(tzinfo=SHANGHAI))


def test_a_window_that_had_its_run_is_not_the_next():
    at = datetime(2026, 11, 20, 11, tzinfo=SHANGHAI)

    found = next_run_at(campaign(Timing.DAILY), at, done=frozenset({"2026-11-20"}))

    assert found == datetime(2026, 11, 21, 10, tzinfo=SHANGHAI)
