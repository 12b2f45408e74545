"""Gateway processes with one guard taken away each: what the judge of the fault run has to notice.

A process is a fork of the test's own, so that it starts at once; the guard is taken away in the fork, before the
process begins its work. Product code knows nothing of this.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, BinaryIO

from constance import config
from django.db import connection, connections, transaction

from crm.local.children import die_with_parent
from crm.local.faults.processes import Start
from messaging.domain import sweeps
from messaging.domain.dispatch import claims, records, runner, sender
from messaging.domain.dispatch.process import GatewayProcess, Timing
from messaging.domain.dispatch.recorder import Recorder
from messaging.models import Attempt
from messaging.states import Reason, State
from tests.conftest import empty_tables

Sabotage = Callable[[], None]
LATE_SECONDS = 0.4


class Forked:
    """A forked gateway process, as the fault run wants it."""

    def __init__(self, sabotage: Sabotage, timing: Timing, log: BinaryIO) -> None:
        die = die_with_parent(signal.SIGKILL)
        self.pid = os.fork()
        if self.pid == 0:
            if die is not None:
                die()
            _run(sabotage, timing, log)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """How it would stop is not what a control is about."""
        self.kill()

    def wait(self, _timeout: float) -> int:
        """Its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _run(sabotage: Sabotage, timing: Timing, log: BinaryIO) -> None:
    """The life of the fork: nothing of the test's own is touched, and it never comes back."""
    code = 1
    try:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for one in connections.all():
            one.connection = None  # psycopg leaves alone what another process opened
        sabotage()
        asyncio.run(GatewayProcess(timing, lambda: None).run())
        code = 0
    finally:
        os._exit(code)


def forked(*sabotages: Sabotage, lease_seconds: float = 1.0) -> Start:
    """Start processes with these guards away, one for each process; the last for all further ones."""

    def start(number: int, log: BinaryIO) -> Forked:
        timing = Timing(lease_seconds=lease_seconds, answer_seconds=2.0)
        return Forked(sabotages[min(number, len(sabotages) - 1)], timing, log)

    return start


def nothing() -> None:
    """Every guard stands."""


def attempts_are_committed_late() -> None:
    """M3: the texts leave inside the claim's transaction, some time before it commits."""

    async def run(self: Any, limit: int, priorities: Any) -> bool:
        async def transaction(work: Any) -> Any:
            async def and_send(link: Any) -> Any:
                batch = await work(link)
                self._recorder.expect(batch.claimed)
                ready = [(message, sms) for message in batch.claimed if (sms := self._ready(message))]
                self._hand_over(ready, sender._boot_time())
                await asyncio.sleep(LATE_SECONDS)
                return batch

            return await self._line.transaction(and_send)

        line = SimpleNamespace(transaction=transaction)
        batch = await claims.claim(line, self._lease, self._hours(), limit, priorities)
        return batch.taken == limit

    sender.Sender._claim = run


def receipts_are_acknowledged_at_once() -> None:
    """M7: the carrier hears that a receipt is stored before it is."""

    class Hasty(Recorder):
        def take_receipts(self, delivers: Any) -> None:
            assert self.link is not None
            self.link.acknowledge(*delivers)
            asyncio.get_running_loop().call_later(LATE_SECONDS, super().take_receipts, delivers)

    runner.Recorder = Hasty


def slots_are_freed_at_once() -> None:
    """A slot of the window is free when the answer is here, not when it is written."""

    class Hasty(Recorder):
        def take_results(self, results: Any) -> None:
            assert self.link is not None
            self.link.release(sum(not result.is_late for result in results))
            self._on_released()
            asyncio.get_running_loop().call_later(LATE_SECONDS, super().take_results, results)

        def _note(self, result: Any, *, holds_slot: bool) -> None:
            super()._note(result, holds_slot=False)

    runner.Recorder = Hasty


def silence_is_taken_for_a_no() -> None:
    """M5: what was not answered is sent again."""
    judged = records.settle

    def settle(result: Any, message_class: str, number: int) -> records.Settled:
        settled = judged(result, message_class, number)
        if settled.state == State.UNCERTAIN:
            return records.Settled(State.QUEUED, Reason.NO_ANSWER, 0.0)
        return settled

    records.settle = settle


def lost_tries_are_sent_again() -> None:
    """M6: what a dead process had in its hands goes back into the queue."""
    sweeps._RULES["lost"] = _replaced(
        sweeps._RULES["lost"], "SET state = 'uncertain'", "SET state = 'queued'"
    )


def it_keeps_its_gateway_and_hears_nothing() -> None:
    """A fault, not a missing guard: its lease is never renewed, and it never learns that another has it."""

    async def hold(self: Any) -> None:
        while not self._runners:
            await self._take_one()
            await asyncio.sleep(0.05)
        await asyncio.Event().wait()

    GatewayProcess._hold_leases = hold


def it_claims_without_its_lease() -> None:
    """M14: and its claims do not name the lease under which it holds the gateway."""
    it_keeps_its_gateway_and_hears_nothing()
    claims._GATE = _replaced(
        claims._GATE, "lease_epoch = %(epoch)s::bigint\n", "%(epoch)s::bigint IS NOT NULL\n"
    )


def it_comes_second() -> None:
    """A sound process that leaves the gateway to the other one until that has sent something."""
    begin = GatewayProcess._hold_leases

    async def hold(self: Any) -> None:
        while not await self._in_django(Attempt.objects.exists):
            await asyncio.sleep(0.05)
        await begin(self)

    GatewayProcess._hold_leases = hold


def it_hands_over_however_old_its_gate_is() -> None:
    """The five seconds: what was claimed leaves, though another process may have rescued it long ago."""
    sender.GATE_SECONDS_MAX = math.inf


@contextmanager
def function_without(name: str, words: str) -> Iterator[None]:
    """One of the database's functions without these words, for as long as this lasts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [name])
        whole = cursor.fetchone()[0]
        cursor.execute(_replaced(whole, words, "").replace("%", "%%"), [])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(whole.replace("%", "%%"), [])


@contextmanager
def one_text_may_come_twice() -> Iterator[None]:
    """M20: no unique key for a text per cause and phone, and no cap that would hold the second one back.

    Empties the tables before it brings the key back.
    """
    key, cap = "message_once", config.MARKETING_PER_DAY
    config.MARKETING_PER_DAY = 2
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE messaging_message DROP CONSTRAINT {key}")
    try:
        with function_without("sms_enqueue", "ON CONFLICT (cause, cause_id, phone) DO NOTHING"):
            yield
    finally:
        config.MARKETING_PER_DAY = cap
        empty_tables()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE messaging_message ADD CONSTRAINT {key} UNIQUE (cause, cause_id, phone)"
            )


def _replaced(whole: str, words: str, by: str) -> str:
    assert whole.count(words) == 1, f"{words!r} stands there once"
    return whole.replace(words, by)
