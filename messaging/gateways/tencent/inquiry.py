"""Tencent Cloud's list of what carriers reported on a number (PullSmsSendStatusByPhoneNumber).

`SessionContext` is our try: see link.py; an account has to ask for it to be echoed. What no carrier has reported on is
not in the list, so that nothing is ever absent from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from messaging.gateways.lookup import Doubt, Fate, Finding, only
from messaging.gateways.tencent.answers import response_of
from messaging.gateways.web import WebAnswer

LIMIT = 100
BEFORE_SECONDS, AFTER_SECONDS = 60, 24 * 3600
_STATUSES: Mapping[str, Fate] = {"SUCCESS": "delivered", "FAIL": "undelivered"}


def asked(doubt: Doubt, sdk_app_id: str, now: float) -> Mapping[str, Any]:
    """From a minute before the try to a day after."""
    tried = int(doubt.tried_at.timestamp())
    return {
        "BeginTime": tried - BEFORE_SECONDS,
        "EndTime": min(int(now), tried + AFTER_SECONDS),
        "Offset": 0,
        "Limit": LIMIT,
        "PhoneNumber": doubt.phone,
        "SmsSdkAppId": sdk_app_id,
    }


def read(doubt: Doubt, answer: WebAnswer) -> Finding | None:
    """Only the entry that carries our try back. Of a batch it is the first one's: the others stay in doubt."""
    entries = response_of(answer.body).get("PullSmsSendStatusSet")
    if answer.status != 200 or not isinstance(entries, list):
        return None
    ours = [
        entry
        for entry in entries
        if isinstance(entry, dict)
        and entry.get("SessionContext") == str(doubt.attempt_id)
        and entry.get("PhoneNumber") == doubt.phone
    ]
    entry = only(ours)
    if entry is None:
        return None
    status = str(entry.get("ReportStatus"))
    outcome = _STATUSES.get(status)
    if outcome is None:
        return None
    serial = str(entry.get("SerialNo") or "")[:80]
    return Finding(outcome, str(entry.get("Description") or status), serial or None)
