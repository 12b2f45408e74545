"""How money, phones and times are written for a reader. Pure: no database, no request."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_timezone_location
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, to_locale

DOT = "•"


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))


def reader_locale() -> Locale:
    """The reader's active language as Babel knows it; English when none is active."""
    return _locale(get_language() or "en")


def money_exponent() -> int:
    """Decimal places of the deployment's one currency: 2 for CNY, 0 for JPY, 3 for KWD."""
    return get_currency_precision(settings.REGULARS_CURRENCY)


def money_symbol() -> str:
    """The currency's sign without a country prefix (¥, not CN¥): with one currency none is confused."""
    return re.sub(r"^[A-Z]{1,2}(?=\W)", "", get_currency_symbol(settings.REGULARS_CURRENCY, reader_locale()))


def money_amount(minor: int) -> Decimal:
    """Minor units as an exact decimal of whole units: 123450 is 1234.50 in CNY."""
    return Decimal(minor).scaleb(-money_exponent())


def money_text(minor: int, *, is_signed: bool = False) -> str:
    """`¥1,234.50` in the reader's language; a true minus; with a plus too when `is_signed`."""
    places = money_exponent()
    pattern = "#,##0." + "0" * places if places else "#,##0"
    digits = format_decimal(money_amount(abs(minor)), pattern, locale=reader_locale())
    sign = "−" if minor < 0 else "+" if is_signed and minor > 0 else ""
    symbol = money_symbol()
    gap = "\u00a0" if symbol[-1:].isalpha() else ""
    return f"{sign}{symbol}{gap}{digits}"


def number_text(value: int | float) -> str:
    """A plain number with the reader's grouping."""
    return format_decimal(value, locale=reader_locale())


def phone_masked(e164: str) -> str:
    """`+86 138 •••• 5678`: country code and last four stay, the rest hides; no phone is all dots."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return DOT * 4
    national = phonenumbers.national_significant_number(number)
    head = national[: max(0, min(3, len(national) - 8))]
    tail = national[-4:] if len(national) >= 8 else ""
    return " ".join(part for part in (f"+{number.country_code}", head, DOT * 4, tail) if part)


@dataclass(frozen=True)
class StoreTime:
    """A moment written in a store's zone. `zone` is empty when the reader's clock shows the same."""

    text: str
    zone: str
    iso: str


def store_time(moment: datetime, zone: str | tzinfo | None = None, shape: str = "datetime") -> StoreTime:
    """Writes `moment` (aware) in `zone`, or in the reader's. `shape`: datetime, date, time or ago."""
    reader = timezone.get_current_timezone()
    place = ZoneInfo(zone) if isinstance(zone, str) and zone else zone or reader
    local = moment.astimezone(place)
    iso = local.isoformat(timespec="seconds")
    if shape == "ago":
        text = format_timedelta(moment - timezone.now(), add_direction=True, locale=reader_locale())
        return StoreTime(text, "", iso)
    is_same_clock = local.utcoffset() == moment.astimezone(reader).utcoffset()
    return StoreTime(_written(local, shape), "" if is_same_clock else _zone_name(place), iso)


def _written(local: datetime, shape: str) -> str:
    locale = reader_locale()
    if shape == "datetime":
        # Babel's medium form carries seconds, its short form a two-digit year; a shop wants neither.
        return f"{format_date(local, 'medium', locale=locale)} {format_time(local, 'HH:mm', locale=locale)}"
    if shape == "time":
        return format_time(local, "HH:mm", locale=locale)
    return format_date(local, "medium", locale=locale)


def _zone_name(place: tzinfo) -> str:
    return get_timezone_location(place, locale=reader_locale(), return_city=True)
