"""One gateway held by this process: its link, and the tasks around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from messaging.domain.dispatch.connector import Connector
from messaging.domain.dispatch.database import PLANNED_ONCE, Line
from messaging.domain.dispatch.lease import Lease
from messaging.domain.dispatch.links import link_for
from messaging.domain.dispatch.pace import Pace
from messaging.domain.dispatch.recorder import Recorder
from messaging.domain.dispatch.sender import Sender
from messaging.domain.inbound import Received
from messaging.domain.outbox import PermittedHours
from messaging.gateways.base import Deliver
from messaging.gateways.ending import end

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 10.0
WRITE_BACK_SECONDS = 5.0

Receive = Callable[[list[Received]], Awaitable[list[bool]]]


class Runner:
    """Sends and receives for one gateway until stopped. `receive` stores inbound texts and says which it
    could.
    """

    def __init__(
        self,
        lease: Lease,
        line: Line,
        hours: Callable[[], PermittedHours],
        receive: Receive,
        answer_seconds: float,
    ) -> None:
        """`line` is the process's own, for words to the owner. Raises SecretUnreadable, and TypeError or
        ValueError for settings its kind cannot use.
        """
        self.lease = lease
        self._receive = receive
        self._lines = [Line("claim", PLANNED_ONCE), Line("record")]
        pace = Pace(lease.config.rate, lease.config.window)
        self._recorder = Recorder(self._lines[1], lease, pace, self._released)
        self._link = link_for(lease.config, answer_seconds, self._recorder.take_results, self._take_delivers)
        self._recorder.link = self._link
        self._sender = Sender(self._link, self._lines[0], lease, self._recorder, pace, hours)
        self._connector = Connector(self._link, line, lease)
        self._link.on_closed = self._closed
        self._texts: asyncio.Queue[list[Deliver]] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, on_failure: Callable[[Runner], None]) -> None:
        """Start the tasks; `on_failure` when one of them ends by itself (the lease is lost, or a fault)."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                problem = type(task.exception()).__name__
                log.error(
                    "gateway_stopped",
                    gateway=self.lease.config.name,
                    error=problem,
                    exc_info=task.exception(),
                )
                on_failure(self)

        works = {
            "sender": self._sender.run(),
            "recorder": self._recorder.run(),
            "connector": self._connector.run(),
            "texts": self._receive_texts(),
        }
        for name, work in works.items():
            task = self._tasks[name] = asyncio.create_task(work)
            task.add_done_callback(ended)

    def nudge(self) -> None:
        """There may be new messages."""
        self._sender.nudge()

    async def stop(self) -> None:
        """Claim nothing more, wait for the open answers, write them, log out; what is still open is in doubt."""
        self._sender.stop()
        await asyncio.wait([self._tasks["sender"]], timeout=WRITE_BACK_SECONDS)
        await self._link.drain(DRAIN_SECONDS)
        await self._recorder.flush(WRITE_BACK_SECONDS)
        self._tasks["connector"].cancel()
        await self._link.close()
        await self._recorder.flush(WRITE_BACK_SECONDS)
        await self.abandon()

    async def abandon(self) -> None:
        """Stop at once; what is open is found by the sweep."""
        await end(self._tasks.values())
        await self._link.close()
        for line in self._lines:
            await line.close()

    def _released(self) -> None:
        self._sender.released()

    def _closed(self, reason: str) -> None:
        self._connector.closed(reason)

    def _take_delivers(self, delivers: list[Deliver]) -> None:
        receipts = [deliver for deliver in delivers if deliver.receipt is not None]
        texts = [deliver for deliver in delivers if deliver.inbound is not None]
        if receipts:
            self._recorder.take_receipts(receipts)
        if texts:
            self._texts.put_nowait(texts)

    async def _receive_texts(self) -> None:
        """Store inbound texts in the order they came, then answer each of them."""
        while True:
            delivers = await self._texts.get()
            texts = [Received(self.lease.gateway, deliver.inbound) for deliver in delivers if deliver.inbound]
            stored = await self._receive(texts)
            self._link.acknowledge(*(d for d, is_stored in zip(delivers, stored, strict=True) if is_stored))
            self._link.refuse(*(d for d, is_stored in zip(delivers, stored, strict=True) if not is_stored))
