"""Aliyun's list of what was sent to a number on a day (QuerySendDetails). `OutId` is our try: see link.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any

from messaging.gateways.lookup import Doubt, Fate, Finding, only
from messaging.gateways.web import WebAnswer, json_object

PAGE_SIZE = 50
BEIJING = timezone(timedelta(hours=8))
_NEAR_MIDNIGHT = timedelta(minutes=10)
_STATUSES: Mapping[str, Fate] = {"1": "accepted", "2": "undelivered", "3": "delivered"}


def query(doubt: Doubt, number: str) -> Mapping[str, str]:
    """Days are Beijing's."""
    day = doubt.tried_at.astimezone(BEIJING).strftime("%Y%m%d")
    return {"PhoneNumber": number, "SendDate": day, "PageSize": str(PAGE_SIZE), "CurrentPage": "1"}


def read(doubt: Doubt, answer: WebAnswer, *, is_alone: bool) -> Finding | None:
    """`is_alone`: each text had a request of its own, and so an `OutId` of its own.

    Absent only from a list that is whole, of which each entry says whose it is, and on a day that cannot be the next.
    """
    said = json_object(answer.body)
    listed = said.get("SmsSendDetailDTOs")
    entries = listed.get("SmsSendDetailDTO") if isinstance(listed, dict) else None
    if answer.status != 200 or said.get("Code") != "OK" or not isinstance(entries, list):
        return None
    if not all(isinstance(entry, dict) for entry in entries):
        return None
    ours = [entry for entry in entries if entry.get("OutId") == str(doubt.attempt_id)]
    if ours:
        entry = only(ours)
        return _found(entry) if entry is not None else None
    is_whole = str(said.get("TotalCount")) == str(len(entries)) and len(entries) < PAGE_SIZE
    if is_alone and is_whole and all(entry.get("OutId") for entry in entries) and not _may_be_tomorrow(doubt):
        return Finding("absent", "not listed")
    return None


def _found(entry: Mapping[str, Any]) -> Finding | None:
    """It does not tell its BizId: a report that comes later stays without its text."""
    status = str(entry.get("SendStatus"))
    outcome = _STATUSES.get(status)
    if outcome is None:
        return None
    return Finding(outcome, str(entry.get("ErrCode") or f"SendStatus {status}"))


def _may_be_tomorrow(doubt: Doubt) -> bool:
    local = doubt.tried_at.astimezone(BEIJING)
    return (local + _NEAR_MIDNIGHT).date() != local.date()
