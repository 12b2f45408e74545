"""A payload's values as the recipient of a text writes them: money, dates and times in their language and zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime

from members.amounts import format_minor
from members.event_types import Placeholder

_BABEL = {"en": "en", "zh-hans": "zh_Hans_CN"}


def formatted(
    payload: Mapping[str, object],
    placeholders: Mapping[str, Placeholder],
    *,
    language: str,
    timezone: str,
) -> dict[str, str]:
    """A payload's values as a reader of this language in this zone writes them."""
    return {
        name: _shown(payload[name], placeholders[name].kind, language, timezone)
        for name in placeholders
        if payload.get(name) not in (None, "")
    }


def _shown(value: object, kind: str, language: str, timezone: str) -> str:
    locale = _BABEL.get(language, "en")
    if kind == "money":
        return format_minor(int(str(value)), settings.REGULARS_CURRENCY, locale)
    if kind == "datetime":
        moment = value if isinstance(value, datetime) else parse_datetime(str(value))
        return (
            format_datetime(moment.astimezone(ZoneInfo(timezone)), _datetime_pattern(language), locale=locale)
            if moment
            else str(value)
        )
    if kind == "date":
        day = parse_date(str(value)[:10])
        return format_date(day, "medium", locale=locale) if day else str(value)
    return str(value)


def _datetime_pattern(language: str) -> str:
    return "M月d日 HH:mm" if language == "zh-hans" else "d MMM HH:mm"
