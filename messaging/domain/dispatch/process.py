"""`manage.py run_gateways`: any number of these processes may run; each gateway is held by one of them at a
time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils.timezone import now

from messaging.domain.dispatch import lease as leases
from messaging.domain.dispatch.connector import SECRET_LOST, UNUSABLE
from messaging.domain.dispatch.database import DatabaseTrouble, Line, connection_parameters
from messaging.domain.dispatch.lease import Lease, LeaseLost
from messaging.domain.dispatch.runner import Runner
from messaging.domain.inbound import Received, receive
from messaging.domain.outbox import CHANNEL, PermittedHours, permitted_hours
from messaging.domain.sweeps import sweep_messages
from messaging.enums import BindState
from messaging.gateways.ending import end
from messaging.secrets import SecretUnreadable

log = structlog.get_logger(__name__)
T = TypeVar("T")

TICK_SECONDS = 1.0
SWEEP_SECONDS = 5.0
HOURS_SECONDS = 60.0


@dataclass(frozen=True)
class Timing:
    """Waits in seconds. The lease is renewed each sixth of its length."""

    lease_seconds: float = 30.0
    answer_seconds: float = 30.0

    @property
    def renew_seconds(self) -> float:
        return self.lease_seconds / 6

    @property
    def sweep_seconds(self) -> float:
        return min(SWEEP_SECONDS, self.lease_seconds / 6)


class GatewayProcess:
    """Holds leases, runs a `Runner` for each, listens to the outbox and sweeps. `on_ready` is called once."""

    def __init__(self, timing: Timing, on_ready: Callable[[], None]) -> None:
        self._timing, self._on_ready = timing, on_ready
        self._owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._line = Line("leases")
        self._runners: dict[int, Runner] = {}
        self._broken: set[int] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._hours: PermittedHours | None = None
        self._stop = asyncio.Event()
        # Django's own connections belong to one thread.
        self._django = ThreadPoolExecutor(max_workers=1, thread_name_prefix="django")

    async def run(self) -> None:
        """Until SIGTERM or SIGINT; then drain: nothing is left in doubt that got an answer."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        tasks = [
            asyncio.create_task(work)
            for work in (self._listen(), self._keep_hours(), self._hold_leases(), self._sweep())
        ]
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await end([stopping, *tasks])
        for runner in list(self._runners.values()):
            self._let_go(runner)
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self._line.close()
        self._django.shutdown(wait=False)
        for task in tasks:
            if not task.cancelled() and (problem := task.exception()):
                raise problem

    # ── the outbox ──────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        """Nudge the senders on every notification; they look once a second anyway."""
        while True:
            try:
                parameters = connection_parameters("listen")
                async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as line:
                    await line.execute(f"LISTEN {CHANNEL}")
                    self._ready()
                    async for _ in line.notifies():
                        for runner in self._runners.values():
                            runner.nudge()
            except psycopg.Error as problem:
                log.warning("database_trouble", error=type(problem).__name__)
            await asyncio.sleep(0.5)

    def _ready(self) -> None:
        self._on_ready()
        self._on_ready = lambda: None

    # ── leases ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _hold_leases(self) -> None:
        """Renew what we hold, obey what was edited, take what is free."""
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        while True:
            try:
                await self._drop_broken()
                if loop.time() - renewed_at >= self._timing.renew_seconds:
                    renewed_at = loop.time()
                    await self._renew_all()
                await self._take_one()
            except DatabaseTrouble as trouble:
                log.warning("database_trouble", error=str(trouble))
            except psycopg.Error as problem:  # whatever the database says of one gateway, the others go on
                log.error("fell_over", work="leases", error=type(problem).__name__, exc_info=problem)
            await asyncio.sleep(min(TICK_SECONDS, self._timing.renew_seconds))

    async def _renew_all(self) -> None:
        for runner in list(self._runners.values()):
            try:
                lease = await leases.renew(self._line, runner.lease, self._timing.lease_seconds)
            except LeaseLost:
                log.warning("lease_lost", gateway=runner.lease.config.name)
                del self._runners[runner.lease.gateway]
                await runner.abandon()
                continue
            if lease.config != runner.lease.config:
                self._let_go(runner)

    async def _take_one(self) -> None:
        if self._hours is None:
            return
        lease = await leases.take(self._line, self._owner, self._timing.lease_seconds, list(self._runners))
        if lease is None:
            return
        try:
            runner = Runner(lease, self._line, self._hours_now, self._receive, self._timing.answer_seconds)
        except SecretUnreadable:
            await leases.say(self._line, lease, BindState.REFUSED, SECRET_LOST)
            return
        except Exception as problem:  # whatever its settings are, the other gateways go on
            log.error("gateway_unusable", gateway=lease.config.name, error=type(problem).__name__)
            await leases.say(self._line, lease, BindState.REFUSED, UNUSABLE)
            return
        self._runners[lease.gateway] = runner
        log.info("gateway_taken", gateway=lease.config.name, epoch=lease.epoch)
        runner.start(self._failed)

    def _let_go(self, runner: Runner) -> None:
        """Drain it beside the other work, then let anybody take it, ourselves included: with its new
        settings.
        """
        self._runners.pop(runner.lease.gateway, None)
        leaving = asyncio.create_task(self._leave(runner))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _leave(self, runner: Runner) -> None:
        holding = asyncio.create_task(self._hold_while_draining(runner.lease))
        await runner.stop()
        holding.cancel()
        try:
            await leases.give_up(self._line, runner.lease)
        except (DatabaseTrouble, psycopg.Error) as problem:  # then its lease runs out
            log.warning("database_trouble", error=str(problem) or type(problem).__name__)
            return
        log.info("gateway_given_up", gateway=runner.lease.config.name)

    async def _hold_while_draining(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._timing.renew_seconds)
            try:
                await leases.renew(self._line, lease, self._timing.lease_seconds)
            except (DatabaseTrouble, psycopg.Error, LeaseLost):
                return

    def _failed(self, runner: Runner) -> None:
        self._broken.add(runner.lease.gateway)

    async def _drop_broken(self) -> None:
        """A runner that fell over is taken down; its lease runs out and somebody starts anew."""
        while self._broken:
            runner = self._runners.pop(self._broken.pop(), None)
            if runner is not None:
                await runner.abandon()

    # ── Django's part ───────────────────────────────────────────────────────────────────────────────────────

    def _hours_now(self) -> PermittedHours:
        assert self._hours is not None, "no lease is taken before the hours are known"
        return self._hours

    async def _keep_hours(self) -> None:
        """The hours that were read last stay in force while they cannot be read."""
        while True:
            rules = await self._tried("hours", permitted_hours)
            if rules is not None:
                self._hours = rules
            await asyncio.sleep(HOURS_SECONDS if self._hours else 1.0)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._timing.sweep_seconds)
            counts = await self._tried("sweep", sweep_messages)
            if counts and any(counts.values()):
                log.info("swept", **{name: count for name, count in counts.items() if count})

    async def _receive(self, texts: list[Received]) -> list[bool]:
        stored = await self._tried("inbound", lambda: receive(texts, at=now()))
        return stored or [False] * len(texts)

    async def _tried(self, name: str, work: Callable[[], T]) -> T | None:
        """None when it falls over: the texts go on, and it is tried again."""
        try:
            return await self._in_django(work)
        except DatabaseError as problem:
            log.warning("database_trouble", error=type(problem).__name__)
        except Exception as problem:
            log.error("fell_over", work=name, error=type(problem).__name__, exc_info=problem)
        return None

    async def _in_django(self, work: Callable[[], T]) -> T:
        def in_thread() -> Any:
            close_old_connections()
            try:
                return work()
            except DatabaseError:
                connection.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._django, in_thread)
