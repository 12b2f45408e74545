"""What would become of a text of each class to one member now; the page and exports show the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from members.models import Member, Store
from messaging.domain.explaining import Explanation, explain
from messaging.enums import MessageClass


@dataclass(frozen=True)
class TodayRow:
    """One class: whether it would leave, when, and every gate that says no."""

    message_class: MessageClass
    leaves_at: datetime | None
    noes: tuple[str, ...]
    explanation: Explanation


def today(*, member: Member, store: Store, at: datetime) -> list[TodayRow]:
    """Each class of text asked about once. Nothing is sent and nothing is kept."""
    found = (
        explain(member=member, store=store, at=at, message_class=message_class)
        for message_class in MessageClass
    )
    return [
        TodayRow(one.message_class, one.leaves_at, tuple(str(gate.why) for gate in one.noes), one)
        for one in found
    ]
