"""Twilio's list of texts to a number. It carries no word of ours: the text itself and its minute have to tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from messaging.gateways.lookup import Doubt, Finding, Known
from messaging.gateways.twilio.answers import STATUSES
from messaging.gateways.web import WebAnswer, json_object

PAGE_SIZE = 50
# Twilio's clock beside ours, and how long a request may have been on its way.
BEFORE, AFTER = timedelta(seconds=30), timedelta(minutes=2)


def path(doubt: Doubt) -> str:
    """The newest first. Not asked by DateSent: what still waits at Twilio has none."""
    return "/Messages.json?" + urlencode({"To": doubt.phone, "PageSize": str(PAGE_SIZE)})


def read(doubt: Doubt, answer: WebAnswer, known: Known) -> Finding | None:
    """Ours is the only text to this phone in those minutes that is not another's of ours, word for word.

    Absent when there is none at all, in a list that goes back far enough.
    """
    said = json_object(answer.body)
    entries = said.get("messages")
    if answer.status != 200 or not isinstance(entries, list):
        return None
    dated = [(entry, at) for entry in entries if (at := _created_at(entry)) is not None]
    if len(dated) != len(entries):
        return None
    since = doubt.tried_at - BEFORE
    if said.get("next_page_uri") and not any(at < since for _, at in dated):
        return None
    near = [
        entry
        for entry, at in dated
        if since <= at <= doubt.tried_at + AFTER and entry.get("to") == doubt.phone and _is_from_us(entry)
    ]
    others = known([str(entry["sid"]) for entry in near])
    near = [entry for entry in near if entry["sid"] not in others]
    if not near:
        return Finding("absent", "not listed")
    (first, *more) = near
    if more or doubt.has_rivals or first.get("body") != doubt.text:
        return None
    outcome, is_final = STATUSES.get(str(first.get("status")), ("unknown", False))
    if outcome == "unknown":
        return None
    return Finding(outcome if is_final else "accepted", str(first["status"]), str(first["sid"])[:80])


def _created_at(entry: Any) -> datetime | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("sid"), str):
        return None
    try:
        at = parsedate_to_datetime(str(entry.get("date_created")))
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else None


def _is_from_us(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("direction", "")).startswith("outbound")
