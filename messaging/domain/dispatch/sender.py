"""The sender of one gateway: claims what the window has room for and hands it to the link.

Codes never wait behind a campaign: what is claimed is ordered by priority, marketing never takes the last
tenth of the window or of the rate, and claims stay small.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from messaging.domain.dispatch.claims import (
    ALL,
    URGENT,
    Batch,
    Claimed,
    NoProviderTemplate,
    claim,
    outbound,
)
from messaging.domain.dispatch.database import DatabaseTrouble, Line
from messaging.domain.dispatch.lease import Lease
from messaging.domain.dispatch.pace import Pace
from messaging.domain.dispatch.recorder import Recorder
from messaging.domain.outbox import PermittedHours
from messaging.encoding import UnsendableText
from messaging.enums import MessageClass
from messaging.gateways.base import GatewayError, GatewayLink, OutboundSms
from messaging.states import Reason

log = structlog.get_logger(__name__)

CLAIM_MAX = 1000
GATE_SECONDS_MAX = 5.0  # shorter than any lease: whoever rescues our attempts never races a legal write


class Sender:
    """`hours` is asked at each claim, so that a changed setting is obeyed within a minute."""

    def __init__(
        self,
        link: GatewayLink,
        line: Line,
        lease: Lease,
        recorder: Recorder,
        pace: Pace,
        hours: Callable[[], PermittedHours],
    ) -> None:
        self._link, self._line, self._lease = link, line, lease
        self._recorder, self._pace, self._hours = recorder, pace, hours
        self._window = lease.config.window
        # The answers of one half are written while the other is claimed.
        self._half = max(1, self._window // 2)
        self._wish = asyncio.Event()
        self._may_have_urgent = self._may_have_any = True
        self._is_stopping = False

    def nudge(self) -> None:
        """There may be new messages."""
        self._may_have_urgent = self._may_have_any = True
        self._wish.set()

    def released(self) -> None:
        """There may be room again."""
        if self._may_have_any or self._may_have_urgent:
            self._wish.set()

    def stop(self) -> None:
        """Claim nothing more."""
        self._is_stopping = True
        self._wish.set()

    async def run(self) -> None:
        """Claim and hand over until told to stop."""
        loop = asyncio.get_running_loop()
        while not self._is_stopping:
            try:
                await asyncio.wait_for(self._wish.wait(), self._pace.wait_seconds(loop.time()))
            except TimeoutError:
                self.nudge()  # a notification may have been lost with its connection
            self._wish.clear()
            try:
                while not self._is_stopping and await self._round():
                    pass
            except DatabaseTrouble as trouble:
                log.warning("database_trouble", gateway=self._lease.config.name, error=str(trouble))
                await asyncio.sleep(0.5)

    async def _round(self) -> bool:
        """One claim, if there is room and may be something to claim. True: look again at once."""
        free = self._link.free
        room = min(CLAIM_MAX, self._room(free))
        reserve, plenty = self._pace.reserve, min(CLAIM_MAX, self._pace.plenty)
        if self._may_have_any and (room - reserve >= plenty or (room > 0 and free == self._window)):
            self._may_have_any = self._may_have_urgent = False  # before the claim: a nudge during it counts
            limit = max(1, min(room - reserve, self._half))
            batch = await self._claim(limit, ALL)
            if batch.taken == limit:
                self._may_have_any = True
                # The most urgent came first: where there is marketing, nothing else was left.
                self._may_have_urgent |= not batch.holds(MessageClass.MARKETING)
            return self._may_have_any
        if self._may_have_urgent and room > 0:
            self._may_have_urgent = False
            if (await self._claim(room, URGENT)).taken == room:
                self._may_have_urgent = True
            return self._may_have_urgent
        return False

    def _room(self, free: int) -> int:
        return min(free, self._pace.room(asyncio.get_running_loop().time(), self._window - free))

    async def _claim(self, limit: int, priorities: Sequence[int]) -> Batch:
        """Claim and hand over. Fewer taken than asked for: the queue has no more."""
        began = _boot_time()
        batch = await claim(self._line, self._lease, self._hours(), limit, priorities)
        self._recorder.expect(batch.claimed)
        ready = [(message, sms) for message in batch.claimed if (sms := self._ready(message))]
        if self._pace.rate:
            await self._hand_over_slowly(ready, began)
        else:
            self._hand_over(ready, began)
        return batch

    def _ready(self, message: Claimed) -> OutboundSms | None:
        try:
            return outbound(message, self._lease.config.sender)
        except NoProviderTemplate as problem:
            self._recorder.not_handed_over(message, str(problem), reason=Reason.NO_TEMPLATE)
            return None
        except UnsendableText as problem:
            self._recorder.not_handed_over(message, f"unsendable: {problem}", reason=Reason.UNSENDABLE)
            return None

    def _hand_over(self, ready: Sequence[tuple[Claimed, OutboundSms]], began: float) -> None:
        """To the link, if the gate is fresh: a process that was stopped meanwhile hands over nothing."""
        if not ready:
            return
        problem = "gate too old" if _boot_time() - began > GATE_SECONDS_MAX else ""
        if not problem:
            try:
                self._link.submit_batch([sms for _, sms in ready])
            except GatewayError as error:
                problem = str(error)
        if problem:
            for message, _ in ready:
                self._recorder.not_handed_over(message, problem)

    async def _hand_over_slowly(self, ready: Sequence[tuple[Claimed, OutboundSms]], began: float) -> None:
        """One by one as the sliding second allows."""
        loop = asyncio.get_running_loop()
        for message, sms in ready:
            parts = len(sms.parts)
            while not self._pace.may_send(loop.time(), parts) and _boot_time() - began < GATE_SECONDS_MAX:
                await asyncio.sleep(0.005)
            self._pace.sent(loop.time(), parts)
            self._hand_over([(message, sms)], began)


def _boot_time() -> float:
    """Seconds since boot, those asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
