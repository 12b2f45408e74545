"""What a shop would note by hand of its members' numbers: who has which, what waits, and how much may still leave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
LIMIT = 20_000


@dataclass
class Change:
    """One change of number: asked for, and then done or not yet. A stopped one is struck out."""

    number: str
    asked: datetime
    done: datetime | None = None

    @property
    def limits_until(self) -> datetime:
        """A day it waits and a day more; done, a day from then."""
        return self.done + DAY if self.done else self.asked + 2 * DAY


@dataclass
class Line:
    """One member's number, what they have on which card, and what left them when."""

    number: str
    cards: dict[int, int]
    changes: list[Change] = field(default_factory=list)
    left: list[tuple[datetime, int]] = field(default_factory=list)
    held: dict[int, tuple[datetime, int, int]] = field(
        default_factory=dict
    )  # hold → made when, of which card, how much
    is_current: bool = True

    @property
    def waiting(self) -> Change | None:
        return next((change for change in self.changes if change.done is None), None)

    def free(self, card: int) -> int:
        """What is on a card and not set aside."""
        return self.cards[card] - sum(much for _made, of, much in self.held.values() if of == card)

    def is_limited(self, now: datetime) -> bool:
        return any(now < change.limits_until for change in self.changes)

    def may_leave(self, now: datetime, *, besides: int | None = None) -> int | None:
        """What may still leave the member, `besides` a hold that is used; None when nothing limits them."""
        if not self.is_limited(now):
            return None
        since = self._limited_since(now)
        gone = sum(much for moment, much in self.left if moment >= since)
        held = sum(much for n, (made, _of, much) in self.held.items() if made >= since and n != besides)
        return LIMIT - gone - held

    def _limited_since(self, now: datetime) -> datetime:
        """The time of small spends is one as long as the next change is asked for before the last one's day is over."""
        since = now
        for change in sorted(self.changes, key=lambda change: change.asked, reverse=True):
            if change.limits_until > since:
                since = min(since, change.asked)
        return since

    def take_over(self, other: Line) -> None:
        """Two are one: value, what left either, and both their changes."""
        self.left += other.left
        self.changes += other.changes
        other.is_current, other.cards = False, {}
