"""Request fields that take exactly the JSON type they document: no "500" for 500, no 1 for true."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

AMOUNT_MAX = 10**9
ID_MAX = 2**31 - 1
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def is_integer(value: object) -> bool:
    """A JSON integer: `500`, not `500.0`, `"500"` or `true`."""
    return isinstance(value, int) and not isinstance(value, bool)


def read_date(value: object) -> date | None:
    """The date of `2026-11-25`; None for anything else."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def read_instant(value: object) -> datetime | None:
    """The UTC time of an RFC 3339 text with its offset; None for anything else."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class WholeNumber(serializers.IntegerField):
    """A JSON integer within its bounds."""

    default_error_messages = {"invalid": _("Send a whole number, without quotes or a decimal point.")}

    def to_internal_value(self, data: Any) -> int:
        if not is_integer(data):
            self.fail("invalid")
        return data


class Minor(WholeNumber):
    """Money in minor units: 1 to 10⁹."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=AMOUNT_MAX, **options)


class RowId(WholeNumber):
    """The number of a plan, reward or product, as its list shows it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=ID_MAX, **options)


class Text(serializers.CharField):
    """A text without control or direction characters."""

    default_error_messages = {
        "not_text": _("Send a text."),
        "unseen_character": _("Leave control and direction characters out."),
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        if _UNSEEN.search(data):
            self.fail("unseen_character")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.BOOL)
class Flag(serializers.Field):
    """true or false."""

    default_error_messages = {"invalid": _("Send true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: bool) -> bool:
        return value


@extend_schema_field(OpenApiTypes.UUID)
class PublicId(serializers.Field):
    """A public id in its usual spelling."""

    default_error_messages = {"invalid": _("This is not an id.")}

    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid")
        return uuid.UUID(data)

    def to_representation(self, value: uuid.UUID) -> str:
        return str(value)


@extend_schema_field(OpenApiTypes.DATE)
class Day(serializers.Field):
    """A calendar date, `2026-11-25`."""

    default_error_messages = {"invalid": _("Send a date such as 2026-11-25.")}

    def to_internal_value(self, data: Any) -> date:
        day = read_date(data)
        if day is None:
            self.fail("invalid")
        assert day is not None
        return day

    def to_representation(self, value: date) -> str:
        return value.isoformat()


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(serializers.Field):
    """A time with its offset, `2026-11-25T14:30:00+08:00`."""

    default_error_messages = {"invalid": _("Send a time with its offset, such as 2026-11-25T14:30:00+08:00.")}

    def to_internal_value(self, data: Any) -> datetime:
        at = read_instant(data)
        if at is None:
            self.fail("invalid")
        assert at is not None
        return at

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class Strict(serializers.Serializer):
    """A request body or query that refuses what it does not document."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = (
            {name: _unknown() for name in data if name not in self.fields} if isinstance(data, dict) else {}
        )
        try:
            given = super().to_internal_value(data)
        except serializers.ValidationError as failure:
            raise serializers.ValidationError(_merged(failure.detail, unknown)) from failure
        if unknown:
            raise serializers.ValidationError(unknown)
        return given


def _merged(detail: Any, unknown: dict[str, list[ErrorDetail]]) -> dict[str, Any]:
    return {**detail, **unknown}


def _unknown() -> list[ErrorDetail]:
    return [ErrorDetail(str(_("There is no such field.")), code="unknown_field")]
