"""JSON in, strictly: what two programs could read differently is refused, and nothing can be a bomb."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from django.http import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import JSONParser

from crm.api.problems import Problem

BODY_MAX_BYTES = 65_536
DEPTH_MAX = 8
_DIGITS_MAX = 20


class StrictJsonParser(JSONParser):
    """A JSON body of at most 64 KiB. 413 when larger, 400 when it cannot be read in exactly one way."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            raw = stream.read(BODY_MAX_BYTES + 1)
        except UnreadablePostError as broken:
            raise malformed("body_incomplete", _("The body ended early.")) from broken
        if len(raw) > BODY_MAX_BYTES:
            raise Problem(413, "body_too_large", _("The body is larger than 64 KiB."))
        return read_json(raw)


def read_json(raw: bytes) -> Any:
    """The value of a JSON text. Raises Problem 400: bad UTF-8 or syntax, a key twice, a number that is not
    finite or has more than 20 digits, NUL or half a character in a string, more than 8 levels."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_once_each,
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_short_enough,
        )
    except UnicodeDecodeError as broken:
        raise malformed("bad_utf8", _("The body is not UTF-8.")) from broken
    except RecursionError as bomb:
        raise _too_deep() from bomb
    except ValueError as broken:
        raise malformed("malformed_json", _("The body is not JSON.")) from broken
    _check(value, DEPTH_MAX)
    return value


def malformed(code: str, detail: str | Promise) -> Problem:
    return Problem(400, code, detail)


def _too_deep() -> Problem:
    return malformed("too_deep", _("The body has too many levels."))


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise malformed("duplicate_key", _("An object names the same member twice."))
    return found


def _not_finite(_word: str) -> NoReturn:
    raise malformed("number_not_finite", _("NaN and Infinity are not JSON numbers."))


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _not_finite(digits)
    return number


def _short_enough(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        raise malformed("number_too_large", _("A number has more than 20 digits."))
    return int(digits)


def _check(value: Any, levels: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if not levels:
            raise _too_deep()
        if isinstance(value, dict):
            for name in value:
                _check_text(name)
        for inner in value.values() if isinstance(value, dict) else value:
            _check(inner, levels - 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise malformed("nul_character", _("A text contains a NUL character."))
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise malformed("half_character", _("A text contains half of a surrogate pair."))
