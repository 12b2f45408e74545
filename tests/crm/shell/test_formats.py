"""What a reader sees of money, phones and times."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation
from django.utils.formats import date_format

from crm.shell.formats import money_text, phone_masked, store_time

NOON_IN_SHANGHAI = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("currency", "minor", "is_signed", "told"),
    [
        ("CNY", 123450, False, "¥1,234.50"),
        ("CNY", 5, False, "¥0.05"),
        ("CNY", 0, True, "¥0.00"),
        ("CNY", 58000, True, "+¥580.00"),
        ("CNY", -12800, False, "−¥128.00"),
        ("USD", 100_000_000_000, False, "$1,000,000,000.00"),
        ("JPY", 1500, False, "¥1,500"),
        ("KWD", 1500, False, "KWD\u00a01.500"),
    ],
)
def test_money_is_told_in_whole_units_of_the_one_currency(settings, currency, minor, is_signed, told):
    settings.REGULARS_CURRENCY = currency

    assert money_text(minor, is_signed=is_signed) == told


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_money_in_yuan_looks_the_same_in_both_languages(settings, language):
    settings.REGULARS_CURRENCY = "CNY"

    with translation.override(language):
        assert money_text(91250) == "¥912.50"


@pytest.mark.parametrize(
    ("phone", "told"),
    [
        ("+8613812345678", "+86 138 •••• 5678"),
        ("+14155552671", "+1 41 •••• 2671"),
        ("+6591234567", "+65 •••• 4567"),
        ("+290", "••••"),
        ("Ana", "••••"),
        ("", "••••"),
    ],
)
def test_a_masked_phone_keeps_the_last_four_and_hides_at_least_four(phone, told):
    assert phone_masked(phone) == told


@pytest.mark.parametrize(
    ("reader", "text", "zone"),
    [
        ("Asia/Shanghai", "Nov 20, 2026 12:00", ""),
        ("Asia/Singapore", "Nov 20, 2026 12:00", ""),  # another name, the same clock
        ("Europe/Madrid", "Nov 20, 2026 12:00", "Shanghai"),
    ],
)
def test_store_time_names_the_zone_only_when_the_readers_clock_differs(reader, text, zone):
    with timezone.override(reader), translation.override("en"):
        told = store_time(NOON_IN_SHANGHAI, "Asia/Shanghai")

    assert (told.text, told.zone) == (text, zone)
    assert told.iso == "2026-11-20T12:00:00+08:00"


@pytest.mark.parametrize(("language", "told"), [("en", "Sep 5, 2026"), ("zh-hans", "2026年9月5日")])
def test_a_day_reads_the_same_whoever_writes_it(language, told):
    moment = datetime(2026, 9, 5, 4, 0, tzinfo=UTC)

    with translation.override(language):
        assert date_format(moment, "DATE_FORMAT") == store_time(moment, "UTC", "date").text == told
