"""Writing down what a gateway said: answers and receipts, set-based, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from messaging.domain.dispatch.answers import Settled, settle
from messaging.domain.dispatch.database import Connection
from messaging.domain.dispatch.lease import Lease, LeaseLost
from messaging.gateways.base import ReceiptIn, SubmitResult
from messaging.gateways.refused_numbers import REFUSED_BY_THE_NUMBER, refused_by_the_number
from messaging.literals import numbers, words
from messaging.sql import statement
from messaging.states import Reason, State

_RESULTS = statement("record_results")
_RECEIPTS = statement("record_receipts")
_MATCH_PARKED = statement("match_parked")
_FOLD = statement("fold")
_OPT_OUTS = statement("provider_opt_outs")
_RECEIPT_OPT_OUTS = statement("receipt_opt_outs")
_RAW_MAX = 64
_REFUSALS = sorted(REFUSED_BY_THE_NUMBER)


_YES = Settled(State.ACCEPTED, Reason.NONE)


class Answer(NamedTuple):
    """A gateway's answer with what decides about it. `number` is the attempt's."""

    result: SubmitResult
    message_class: str
    number: int


async def record(
    connection: Connection,
    lease: Lease,
    answers: Sequence[Answer],
    receipts: Sequence[ReceiptIn],
    answered: Sequence[int] = (),
) -> None:
    """Write both inside the caller's transaction. Safe to repeat. Raises LeaseLost when our epoch is dead.

    `answered` are the handovers whose last answer is among these.
    """
    touched: set[int] = set()
    if answers:
        touched |= await _record_answers(connection, lease, answers, answered)
    if receipts:
        touched |= await _record_receipts(connection, lease, receipts)
    if touched:
        await connection.execute(_FOLD, {"ids": sorted(touched), "at": None})


async def _record_answers(
    connection: Connection, lease: Lease, answers: Sequence[Answer], answered: Sequence[int]
) -> set[int]:
    values = _answer_columns(answers) | {"handovers": numbers(answered)}
    alive, again, may_be_early = await _one(connection, _RESULTS, lease.key | values)
    if not alive:
        raise LeaseLost
    refused = [answer.result.attempt_id for answer in answers if answer.result.reason == Reason.OPTED_OUT]
    if refused:
        await connection.execute(_OPT_OUTS, {"attempts": refused})
    touched = set(again)
    if may_be_early:
        early = {"gateway": lease.gateway, "ids": values["part_ids"], "at": None, "refusals": _REFUSALS}
        matched, refused_parts = await _one(connection, _MATCH_PARKED, early)
        touched |= set(matched)
        if refused_parts:
            opted_out = {"gateway": lease.gateway, "ids": [], "parts": refused_parts}
            await connection.execute(_RECEIPT_OPT_OUTS, opted_out)
    return touched


def _answer_columns(answers: Sequence[Answer]) -> dict[str, str]:
    results = [answer.result for answer in answers]
    settled = [
        _YES
        if answer.result.outcome == "accepted"
        else settle(answer.result, answer.message_class, answer.number)
        for answer in answers
    ]
    parts = [
        (result.attempt_id, number, part_id)
        for result in results
        for number, part_id in enumerate(result.part_ids, 1)
        if part_id
    ]
    return {
        "attempts": numbers([result.attempt_id for result in results]),
        "outcomes": words([result.outcome for result in results]),
        "raws": words([result.raw_status[:_RAW_MAX] for result in results]),
        "states": words([decided.state for decided in settled]),
        "reasons": words([decided.reason for decided in settled]),
        "waits": words([str(decided.wait_seconds or "") for decided in settled]),
        "part_attempts": numbers([part[0] for part in parts]),
        "part_numbers": numbers([part[1] for part in parts]),
        "part_ids": words([part[2] for part in parts]),
    }


async def _record_receipts(connection: Connection, lease: Lease, receipts: Sequence[ReceiptIn]) -> set[int]:
    values = {
        "ids": words([receipt.provider_id or "" for receipt in receipts]),
        "stats": words([receipt.stat for receipt in receipts]),
        "errs": words([receipt.err for receipt in receipts]),
        "outcomes": words([receipt.outcome for receipt in receipts]),
        "finals": words(["t" if receipt.is_final else "f" for receipt in receipts]),
        "raws": words([receipt.raw for receipt in receipts]),
        "phones": words([receipt.phone for receipt in receipts]),
    }
    alive, touched = await _one(connection, _RECEIPTS, lease.key | values)
    if not alive:
        raise LeaseLost
    if refused := refused_by_the_number(receipts):
        await connection.execute(_RECEIPT_OPT_OUTS, {"gateway": lease.gateway, "ids": refused, "parts": []})
    return set(touched)


async def _one(connection: Connection, query: str, values: dict[str, Any]) -> tuple[Any, ...]:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    assert row is not None, "an aggregate always gives a row"
    return row
