"""The fault run can see: with one guard taken away its judge, who reads the carrier's journal, turns red.

Each control is the smallest send in which the missing guard must show, beside a run of the same kind with every guard
in its place. `REGULARS_TORTURE=1` (and `make torture`) runs all of them, `make test` those that tell the most.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from crm.local.faults.carrier import Carrier
from crm.local.faults.judge import Figures
from crm.local.faults.send import Plan, send_under_faults
from members.models import Store
from messaging.enums import MessageClass
from messaging.models import Attempt
from tests.journeys import unguarded
from tests.journeys.unguarded import forked

IN_FULL = pytest.mark.skipif(os.environ.get("REGULARS_TORTURE") != "1", reason="REGULARS_TORTURE=1 runs it")
MARKETING = (MessageClass.MARKETING,)
ONE_KILL = Plan(
    texts=40,
    kills=1,
    resets=0,
    dropped=0,
    processes=1,
    gateways=1,
    mix=MARKETING,
    settle_seconds=0.5,
    drain_seconds=3,
    receipt_delay_ms=50,
)
LOST_ANSWERS = Plan(**vars(ONE_KILL) | {"kills": 0, "dropped": 3})
TWO_HOLDERS = Plan(
    **vars(ONE_KILL)
    | {"texts": 120, "kills": 0, "takeovers": 1, "processes": 2, "window": 100, "rate": 25}
    | {"mix": (MessageClass.NOTIFICATION,), "has_receipts": False, "drain_seconds": 20}
)
SLOW_ANSWERS = {"texts": 25, "answer_delay_ms": 800}  # later than what is committed late


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    with Carrier(tmp_path_factory.mktemp("carrier")) as carrier:
        yield carrier


@pytest.fixture
def send(db: None, riverside: Store, carrier: Carrier, tmp_path: Path):
    """Run a plan; a failure shows what the processes said."""

    def run(plan: Plan, *sabotages: unguarded.Sabotage, **more: float) -> Figures:
        figures = send_under_faults(plan, tmp_path, carrier=carrier, start=forked(*sabotages, **more))
        print(figures, (tmp_path / "gateways.log").read_text()[-2000:], sep="\n")
        return figures

    return run


@IN_FULL
def test_with_every_guard_in_its_place_a_kill_and_a_lost_answer_break_nothing(send):
    plan = Plan(**vars(ONE_KILL) | {"dropped": 1, "queued_times": 2, "drain_seconds": 20})

    figures = send(plan, unguarded.nothing, lease_seconds=2.0)

    assert figures.broken == [], figures
    assert figures.doubts > 0, "the fault was real"


@IN_FULL
def test_with_every_guard_in_its_place_two_holders_of_a_gateway_break_nothing(send):
    figures = send(TWO_HOLDERS, unguarded.it_keeps_its_gateway_and_hears_nothing, unguarded.it_comes_second)

    assert figures.broken == [], figures
    assert Attempt.objects.values("epoch").distinct().count() == 2, "both have sent"


@pytest.mark.parametrize(
    ("plan", "sabotage", "seen_by"),
    [
        (
            Plan(**vars(ONE_KILL) | SLOW_ANSWERS),
            unguarded.attempts_are_committed_late,
            "marketing_twice",
        ),
        pytest.param(
            Plan(**vars(ONE_KILL) | {"rate": 60}),
            unguarded.receipts_are_acknowledged_at_once,
            "receipts_missing",
            marks=IN_FULL,
        ),
        pytest.param(
            Plan(**vars(ONE_KILL) | {"texts": 100}),
            unguarded.slots_are_freed_at_once,
            "doubts",
            marks=IN_FULL,
        ),
        pytest.param(LOST_ANSWERS, unguarded.silence_is_taken_for_a_no, "marketing_twice", marks=IN_FULL),
        pytest.param(
            Plan(**vars(ONE_KILL) | {"answer_delay_ms": 200}),
            unguarded.lost_tries_are_sent_again,
            "marketing_twice",
            marks=IN_FULL,
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_missing_guard_of_the_process_is_seen(send, plan, sabotage, seen_by):
    figures = send(plan, sabotage)

    assert seen_by in figures.broken, figures


def test_a_claim_that_does_not_name_its_lease_is_seen(send):
    with unguarded.function_without("sms_take", " AND lease_epoch = in_epoch"):
        figures = send(TWO_HOLDERS, unguarded.it_claims_without_its_lease, unguarded.it_comes_second)

    assert "sent_without_lease" in figures.broken, figures


@pytest.mark.parametrize(
    ("guard", "broken"),
    [
        pytest.param(nullcontext, [], marks=IN_FULL),
        (unguarded.one_text_may_come_twice, ["marketing_twice"]),
    ],
    ids=["there", "away"],
)
def test_a_text_made_twice_is_seen_where_no_key_forbids_it(
    send, guard: type[AbstractContextManager[None]], broken
):
    plan = Plan(**vars(ONE_KILL) | {"kills": 0, "queued_times": 2})

    with guard():
        assert send(plan, unguarded.nothing).broken == broken
