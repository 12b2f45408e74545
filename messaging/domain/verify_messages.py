"""Do the promises of the messages hold? Asked of the rows themselves (reliability M1, M4–M6, M13, M14, M18, M20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from messaging.domain.budgets import unbalanced
from messaging.sql import statement

_RULES = statement("verify_messages")
PROMISES = {
    "M1": "each message is in one state, and settled exactly when that state is final",
    "M4": "tries are numbered without gaps and make no more copies than the class allows",
    "M5": "a part of a marketing text was accepted at most once",
    "M6": "no answer is visible as uncertain within 45 seconds and never a refusal",
    "M13": "nothing was tried after it was worthless",
    "M14": "an open try is the latest of a message on its way",
    "M18": "what was put aside is charged, free or still aside",
    "M20": "one text for a cause and a phone",
}


@dataclass(frozen=True)
class Report:
    """How many messages were looked at, and for each promise how often it is broken and the first one."""

    messages: int
    broken: dict[str, tuple[int, str]]

    @property
    def is_sound(self) -> bool:
        return not self.broken

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_sound,
            "messages": self.messages,
            "checked": sorted(PROMISES),
            "broken": [
                {"promise": name, "says": PROMISES[name], "count": total, "first": first}
                for name, (total, first) in self.broken.items()
            ],
        }


def verify(*, at: datetime) -> Report:
    """Check every promise on every message, in one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM messaging_message")
        messages = cursor.fetchone()[0]
        cursor.execute(_RULES, {"at": at})
        broken = {name: (total, f"message {first}") for name, total, first in cursor.fetchall() if total}
    if rows := unbalanced():
        broken["M18"] = (len(rows), "budget {budget} of {period_on}".format_map(rows[0]))
    return Report(messages, broken)
