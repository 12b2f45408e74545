"""The recorder of one gateway: takes note inside the link's callbacks, writes in batches, then releases and
acknowledges.

One task writes answers and receipts, in that order: a receipt that overtakes its answer finds it written or is parked
and matched by the next. Each has its own transaction: slots are free as soon as the answers are written, and a row moved
twice in one transaction has all its foreign keys looked up again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import psycopg
import structlog

from messaging.domain.dispatch.claims import Claimed
from messaging.domain.dispatch.database import Connection, DatabaseTrouble, Line
from messaging.domain.dispatch.lease import Lease
from messaging.domain.dispatch.pace import Pace
from messaging.domain.dispatch.records import Answer, record
from messaging.gateways.base import Deliver, GatewayLink, Outcome, ReceiptIn, SubmitResult, reasoned
from messaging.states import Reason

log = structlog.get_logger(__name__)

BATCH_MAX = 1000
GATHER_SECONDS = 0.004
PAUSE_SECONDS = 0.3
REMEMBERED_MAX = 20_000


class _Sent(NamedTuple):
    message_class: str
    number: int
    handover: int


class Recorder:
    """`on_released` is called after each commit: there may be room again."""

    def __init__(self, line: Line, lease: Lease, pace: Pace, on_released: Callable[[], None]) -> None:
        self._line, self._lease, self._pace, self._on_released = line, lease, pace, on_released
        self.link: GatewayLink | None = None
        self._sent: dict[int, _Sent] = {}
        self._unanswered: dict[int, int] = {}  # attempts of a handover without an answer
        self._answers: list[tuple[Answer, bool]] = []  # with: does it hold a slot of the link's window
        self._receipts: list[Deliver] = []
        self._something = asyncio.Event()
        self._is_writing = False

    @property
    def is_idle(self) -> bool:
        """Nothing waits to be written."""
        return not (self._answers or self._receipts or self._is_writing)

    def expect(self, claimed: list[Claimed]) -> None:
        """Remember what decides about their answers."""
        for message in claimed:
            self._sent[message.attempt_id] = _Sent(message.message_class, message.number, message.handover)
        if claimed:
            self._unanswered[claimed[0].handover] = len(claimed)

    def take_results(self, results: list[SubmitResult]) -> None:
        """The link's callback."""
        now = asyncio.get_running_loop().time()
        outcomes = {result.outcome for result in results}
        if "throttle" in outcomes:
            self._pace.throttled(now)
        elif "accepted" in outcomes:
            self._pace.accepted()
        for result in results:
            self._note(result, holds_slot=not result.is_late)

    def not_handed_over(self, message: Claimed, raw_status: str, *, reason: Reason = Reason.NONE) -> None:
        """A claimed message that the link never got; with a `reason` it never will."""
        outcome: Outcome = "permanent" if reason else "not_sent"
        result = SubmitResult(message.attempt_id, outcome, None, raw_status, ())
        self._note(reasoned(result, reason), holds_slot=False)

    def take_receipts(self, delivers: list[Deliver]) -> None:
        """The link's callback for receipts."""
        self._receipts += delivers
        self._something.set()

    async def run(self) -> None:
        """Write until cancelled. Raises LeaseLost."""
        while True:
            await self._something.wait()
            self._something.clear()
            if len(self._answers) + len(self._receipts) < BATCH_MAX:
                await asyncio.sleep(GATHER_SECONDS)
            while self._answers or self._receipts:
                await self._write_some()

    async def flush(self, timeout_seconds: float) -> None:
        """Wait until everything is written, or so long."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while not self.is_idle and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)

    def _note(self, result: SubmitResult, *, holds_slot: bool) -> None:
        sent = self._sent.get(result.attempt_id)
        if sent is None or (result.is_late and result.outcome != "accepted"):
            # A late no: the attempt stays in doubt and its class decides.
            return
        self._answers.append((Answer(result, sent.message_class, sent.number), holds_slot))
        self._something.set()

    async def _write_some(self) -> None:
        answers, self._answers = self._answers[:BATCH_MAX], self._answers[BATCH_MAX:]
        receipts, self._receipts = self._receipts[:BATCH_MAX], self._receipts[BATCH_MAX:]
        self._is_writing = True
        try:
            await self._write(answers, [])
            answers = []
            await self._write([], receipts)
        except DatabaseTrouble as trouble:
            log.warning("database_trouble", gateway=self._lease.config.name, error=str(trouble))
            self._answers = answers + self._answers
            self._refuse(receipts + self._receipts)
            self._receipts = []
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._is_writing = False

    async def _write(self, answers: list[tuple[Answer, bool]], receipts: list[Deliver]) -> None:
        """One transaction; data that the database refuses is found by halves and set aside alone."""
        try:
            await self._commit(answers, [d.receipt for d in receipts if d.receipt])
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as problem:
            if len(answers) + len(receipts) == 1:
                self._set_aside(answers, receipts, problem)
                return
            half_answers, half_receipts = (len(answers) + 1) // 2, len(receipts) // 2
            await self._write(answers[:half_answers], receipts[:half_receipts])
            await self._write(answers[half_answers:], receipts[half_receipts:])
            return
        self._finished(answers)
        if self.link is not None:
            self.link.acknowledge(*receipts)

    async def _commit(self, answers: list[tuple[Answer, bool]], receipts: list[ReceiptIn]) -> None:
        answered = self._answered_by(answers)

        async def work(connection: Connection) -> None:
            await record(connection, self._lease, [answer for answer, _ in answers], receipts, answered)

        if answers or receipts:
            await self._line.transaction(work)

    def _counts(self, answers: list[tuple[Answer, bool]]) -> Counter[int]:
        """First answers by handover; a late one was counted when its time ran out."""
        return Counter(
            sent.handover
            for answer, _ in answers
            if not answer.result.is_late
            and (sent := self._sent.get(answer.result.attempt_id))
            and sent.handover in self._unanswered
        )

    def _answered_by(self, answers: list[tuple[Answer, bool]]) -> list[int]:
        return [
            handover
            for handover, count in self._counts(answers).items()
            if self._unanswered[handover] <= count
        ]

    def _set_aside(
        self, answers: list[tuple[Answer, bool]], receipts: list[Deliver], problem: Exception
    ) -> None:
        """Its attempt stays without an answer and becomes visible as uncertain; a receipt comes again."""
        log.error("answer_not_written", gateway=self._lease.config.name, error=type(problem).__name__)
        self._finished(answers)
        self._refuse(receipts)

    def _finished(self, answers: list[tuple[Answer, bool]]) -> None:
        slots = sum(holds_slot for _, holds_slot in answers)
        if self.link is not None and slots:
            self.link.release(slots)
        for handover, count in self._counts(answers).items():
            self._unanswered[handover] -= count
            if self._unanswered[handover] <= 0:
                del self._unanswered[handover]
        for answer, _ in answers:
            if answer.result.outcome != "uncertain":
                self._sent.pop(answer.result.attempt_id, None)
        while (
            len(self._sent) > REMEMBERED_MAX
        ):  # in doubt for ever: their late answers are no longer waited for
            del self._sent[next(iter(self._sent))]
        if answers:
            self._on_released()

    def _refuse(self, receipts: list[Deliver]) -> None:
        if self.link is not None and receipts:
            self.link.refuse(*receipts)
