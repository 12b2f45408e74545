"""Keyset pages: the address names the row a page continues after, so no page costs more than the first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_aware

from crm.logs import mask_text

Row = TypeVar("Row")
PAGE_ROWS = 50
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s-]+(?=\d)")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, the address of the next, and of the first when this is a later one."""

    rows: Sequence[Row]
    older_url: str
    newer_url: str


def cut(request: HttpRequest, rows: Sequence[Row], size: int, cursor_of: Any) -> Page[Row]:
    """One page of `rows`, which hold one more than `size` if there is more. `cursor_of(row)` continues after it."""
    shown = list(rows[:size])
    older = with_query(request, after=cursor_of(shown[-1])) if len(rows) > size else ""
    newer = with_query(request, after="") if request.GET.get("after") else ""
    return Page(shown, older, newer)


def with_query(request: HttpRequest, **changes: str) -> str:
    """This address with some of its query changed; an empty value leaves it out."""
    query = request.GET.copy()
    for name, value in changes.items():
        query[name] = value
        if value == "":
            del query[name]
    text = query.urlencode()
    return f"{request.path}?{text}" if text else request.path


def asked_of(filters: forms.Form) -> dict[str, str]:
    """What a list was narrowed to, for the audit log: the filters it knows, phones masked. Whatever else stood in the
    address is left out."""
    return {name: _masked(filters.data[name]) for name in filters.fields if filters.data.get(name)}


def _masked(said: str) -> str:
    """A phone is masked however it was typed; anything else stays as it is."""
    joined = _BETWEEN_DIGITS.sub("", said)
    return mask_text(joined) if mask_text(joined) != joined else said


def whole_number(text: str, largest: int = 2**62) -> int | None:
    """A number from an address, or None when it is none."""
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and int(text) <= largest else None


def aware_moment(text: str) -> datetime | None:
    """A moment with its offset from an address, or None when it is none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and is_aware(moment) else None


def real_day(text: str) -> date | None:
    """A day from an address, or None when it is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def is_uuid(text: str) -> bool:
    """Whether a text from an address is a public id."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
