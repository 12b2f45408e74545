"""What providers tell by calling us: the words their readers share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from messaging.gateways.base import InboundSms

Acknowledgement = tuple[int, str, str]  # status, content type, body: what the provider takes for "stored"


class CallbackUnreadable(ValueError):
    """The body is not what this provider sends; nothing of it is taken."""


class InboundCall(NamedTuple):
    """An inbound text with the provider's own key for it: taken in once, however often it is delivered.

    `is_stop`: the provider has understood an opt-out itself, whatever the words were.
    """

    key: str
    sms: InboundSms
    is_stop: bool = False


def words(item: Mapping[str, Any], name: str) -> str:
    """A value as text; missing, null and nested ones are empty."""
    value = item.get(name)
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    return storable(str(value))


def storable(text: str) -> str:
    """Text the database can hold: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def raw_of(item: object) -> str:
    """What was said, as it is kept."""
    return storable(json.dumps(item, ensure_ascii=False, sort_keys=True))


def read_json(body: bytes) -> Any:
    """A body as JSON. Raises `CallbackUnreadable`, for one nested too deeply as well."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise CallbackUnreadable("not JSON") from problem
