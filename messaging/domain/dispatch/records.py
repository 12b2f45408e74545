"""Writing down what a gateway said: answers and receipts, set-based, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from messaging.domain.dispatch.answers import settle
from messaging.domain.dispatch.database import Connection
from messaging.domain.dispatch.lease import Lease, LeaseLost
from messaging.gateways.base import ReceiptIn, SubmitResult
from messaging.sql import statement
from messaging.states import Reason

_RESULTS = statement("record_results")
_RECEIPTS = statement("record_receipts")
_MATCH_PARKED = statement("match_parked")
_FOLD = statement("fold")
_OPT_OUTS = statement("provider_opt_outs")
_RAW_MAX = 64


class Answer(NamedTuple):
    """A gateway's answer with what decides about it. `number` is the attempt's."""

    result: SubmitResult
    message_class: str
    number: int


async def record(
    connection: Connection, lease: Lease, answers: Sequence[Answer], receipts: Sequence[ReceiptIn]
) -> None:
    """Write both inside the caller's transaction. Safe to repeat. Raises LeaseLost when our epoch is dead."""
    touched: set[int] = set()
    if answers:
        touched |= await _record_answers(connection, lease, answers)
    if receipts:
        touched |= await _record_receipts(connection, lease, receipts)
    if touched:
        await connection.execute(_FOLD, {"ids": sorted(touched), "at": None})


async def _record_answers(connection: Connection, lease: Lease, answers: Sequence[Answer]) -> set[int]:
    values = _answer_columns(answers)
    alive, again = await _one(connection, _RESULTS, lease.key | values)
    if not alive:
        raise LeaseLost
    refused = [answer.result.attempt_id for answer in answers if answer.result.reason == Reason.OPTED_OUT]
    if refused:
        await connection.execute(_OPT_OUTS, {"attempts": refused})
    touched = set(again)
    if values["part_ids"]:
        (early,) = await _one(
            connection, _MATCH_PARKED, {"gateway": lease.gateway, "ids": values["part_ids"], "at": None}
        )
        touched |= set(early)
    return touched


def _answer_columns(answers: Sequence[Answer]) -> dict[str, list[Any]]:
    settled = [settle(answer.result, answer.message_class, answer.number) for answer in answers]
    parts = [
        (answer.result.attempt_id, number, part_id)
        for answer in answers
        for number, part_id in enumerate(answer.result.part_ids, 1)
        if part_id
    ]
    return {
        "attempts": [answer.result.attempt_id for answer in answers],
        "outcomes": [answer.result.outcome for answer in answers],
        "raws": [answer.result.raw_status[:_RAW_MAX] for answer in answers],
        "states": [decided.state.value for decided in settled],
        "reasons": [decided.reason.value for decided in settled],
        "waits": [decided.wait_seconds for decided in settled],
        "part_attempts": [part[0] for part in parts],
        "part_numbers": [part[1] for part in parts],
        "part_ids": [part[2] for part in parts],
    }


async def _record_receipts(connection: Connection, lease: Lease, receipts: Sequence[ReceiptIn]) -> set[int]:
    values = {
        "ids": [receipt.provider_id or "" for receipt in receipts],
        "stats": [receipt.stat for receipt in receipts],
        "errs": [receipt.err for receipt in receipts],
        "outcomes": [receipt.outcome for receipt in receipts],
        "finals": [receipt.is_final for receipt in receipts],
        "raws": [receipt.raw for receipt in receipts],
    }
    alive, touched = await _one(connection, _RECEIPTS, lease.key | values)
    if not alive:
        raise LeaseLost
    return set(touched)


async def _one(connection: Connection, query: str, values: dict[str, Any]) -> tuple[Any, ...]:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    assert row is not None, "an aggregate always gives a row"
    return row
