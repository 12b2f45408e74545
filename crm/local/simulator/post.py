"""What the carrier sends back: receipts and replies, each repeated until the other side acknowledges it."""

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import smpp34

RETRY_SECONDS = (0.5, 2.0, 5.0, 15.0, 30.0)
IN_FLIGHT_MAX = 64
ANSWER_SECONDS = 10


@dataclass
class Letter:
    """One deliver_sm for one customer (`system_id`; "" is any). `on_acknowledged` is called once."""

    system_id: str
    fields: dict[str, Any]
    on_acknowledged: Callable[[], None]
    tries: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Post:
    """Holds the bound sessions and the letters on their way; letters without a session wait for the next
    bind.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, smpp34.Esme] = {}
        self._due: list[tuple[float, int, Letter]] = []
        self._waiting: dict[str, list[Letter]] = defaultdict(list)
        self._order = itertools.count()
        self._turns = itertools.count()
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def bound(self, session: smpp34.Esme) -> None:
        """A session joined: what waited for it goes out."""
        self.sessions[session.session_id] = session
        for system_id in (session.system_id, ""):
            for letter in self._waiting.pop(system_id, []):
                self.send(letter, 0)

    def unbound(self, session_id: str) -> None:
        """A session left."""
        self.sessions.pop(session_id, None)

    def send(self, letter: Letter, after_seconds: float) -> None:
        """Put a letter on its way."""
        due_at = asyncio.get_running_loop().time() + after_seconds
        heapq.heappush(self._due, (due_at, next(self._order), letter))
        self._wake.set()

    def pending(self) -> int:
        """Letters not acknowledged yet."""
        return len(self._due) + len(self._tasks) + sum(map(len, self._waiting.values()))

    def clear(self) -> None:
        """Forget what is not on the wire."""
        self._due.clear()
        self._waiting.clear()

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            while self._due and self._due[0][0] <= loop.time():
                await self._slots.acquire()
                if not self._due:
                    self._slots.release()
                    break
                self._hand_over(heapq.heappop(self._due)[2])
            pause = self._due[0][0] - loop.time() if self._due else None
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    def _hand_over(self, letter: Letter) -> None:
        task = asyncio.create_task(self._deliver(letter))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()

    async def _deliver(self, letter: Letter) -> None:
        session = self._session_for(letter.system_id)
        if session is None:
            self._waiting[letter.system_id].append(letter)
            return
        try:
            answer = await asyncio.wait_for(session.deliver_sm(**letter.fields), ANSWER_SECONDS)
            is_acknowledged = answer.is_success
        except (smpp34.SmppError, TimeoutError, OSError, RuntimeError):
            is_acknowledged = False
        if is_acknowledged:
            letter.on_acknowledged()
            letter.done.set()
        else:
            self.send(letter, RETRY_SECONDS[min(letter.tries, len(RETRY_SECONDS) - 1)])
            letter.tries += 1

    def _session_for(self, system_id: str) -> smpp34.Esme | None:
        """The receiving sessions of a customer take turns."""
        able = [s for s in self.sessions.values() if s.can_receive and system_id in ("", s.system_id)]
        return able[next(self._turns) % len(able)] if able else None
