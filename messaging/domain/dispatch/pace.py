"""How fast a gateway may be fed: its rate cap over a sliding second, and holding back when it asks to slow
down.
"""

from __future__ import annotations

import random
from collections import deque

PAUSE_SECONDS = 1.0
# What leaves us within a second may reach the carrier closer together: its second is a little longer on our clock.
SPAN_SECONDS = 1.05
LEARNED = 0.2  # how much each text counts in the usual number of parts


class Pace:
    """`rate` counts parts a second, 0 is no cap. `now` is the event loop's time.

    Claims count texts: under a cap it learns how many parts they have of late, so that a claim is what a second can
    carry. What is claimed has to leave before the next claim, a code's too.
    """

    def __init__(self, rate: int, window: int) -> None:
        self.rate, self._window = rate, window
        self._limit = window
        self._share = min(window, rate) if rate else window
        self._usual_parts = 1.0
        self._paused_until = 0.0
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_parts = 0

    @property
    def reserve(self) -> int:
        """What marketing leaves free for codes: of the window, or of a second's worth where that is less."""
        share = int(self._share / self._usual_parts)
        return share // 10 or (1 if share > 1 else 0)

    @property
    def plenty(self) -> int:
        """How much room marketing waits for, so that claims are few."""
        return max(1, int(self._share / self._usual_parts) // 4)

    def room(self, now: float, in_flight: int) -> int:
        """How many messages may be claimed now."""
        if now < self._paused_until:
            return 0
        room = self._limit - in_flight
        if not self.rate:
            return room
        tokens = self._tokens(now)
        return min(room, max(1, round(tokens / self._usual_parts)) if tokens else 0)

    def wait_seconds(self, now: float) -> float:
        """How long nothing can change by itself; at most a second."""
        if now < self._paused_until:
            return min(1.0, self._paused_until - now)
        if self.rate and self._recent and not self._tokens(now):
            return max(0.001, self._recent[0][0] + SPAN_SECONDS - now)
        return 1.0

    def may_send(self, now: float, parts: int) -> bool:
        """Whether a message of so many parts fits the sliding second; one longer than the cap waits for an
        empty one.
        """
        return not self.rate or self._tokens(now) >= min(parts, self.rate)

    def sent(self, now: float, parts: int) -> None:
        """Note what was written."""
        if self.rate:
            self._recent.append((now, parts))
            self._recent_parts += parts
            self._usual_parts += (parts - self._usual_parts) * LEARNED

    def throttled(self, now: float) -> None:
        """The gateway asked to slow down: nothing for about a second, then one message, then twice as many
        each time.
        """
        if now >= self._paused_until:
            self._paused_until = now + PAUSE_SECONDS * random.uniform(0.9, 1.3)
        self._limit = 1

    def accepted(self) -> None:
        """A batch of answers held at least one yes."""
        self._limit = min(self._window, self._limit * 2)

    def _tokens(self, now: float) -> int:
        while self._recent and now - self._recent[0][0] >= SPAN_SECONDS:
            self._recent_parts -= self._recent.popleft()[1]
        return max(0, self.rate - self._recent_parts)
