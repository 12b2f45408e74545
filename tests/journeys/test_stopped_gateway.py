"""F13: a gateway process is frozen for longer than its lease, another takes over, and the first one thaws.

`REGULARS_TORTURE=1` (and `make torture`) runs the control too: without the five seconds, what it held goes out stale.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from members.models import Store
from messaging.domain.dispatch.sender import GATE_SECONDS_MAX
from messaging.models import Attempt, Gateway, Message
from messaging.states import State
from tests.journeys import unguarded
from tests.journeys.dispatch_stage import (
    Carrier,
    crowd,
    open_gateway,
    queue,
    states,
    wait_for,
)
from tests.journeys.unguarded import forked

IN_FULL = pytest.mark.skipif(os.environ.get("REGULARS_TORTURE") != "1", reason="REGULARS_TORTURE=1 runs it")
TEXTS = 240
FROZEN_SECONDS = GATE_SECONDS_MAX + 3  # and four leases of two seconds


@pytest.fixture
def carrier(carrier: Carrier) -> Carrier:
    carrier.post("/api/carrier", lose_receipts=True, answer_delay_ms=50)  # what moves rows is a gateway's own
    return carrier


@contextmanager
def slow_to_commit(message: Message) -> Iterator[None]:
    """The claim that takes this text needs a second to commit: time to freeze its process just there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END'"
        )
        cursor.execute(
            "CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON messaging_attempt DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN (NEW.message_id = {message.pk}) EXECUTE FUNCTION slow_commit()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION slow_commit CASCADE")


def is_committing() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'regulars claim' AND query ILIKE 'COMMIT%' AND wait_event = 'PgSleep'"
        )
        return bool(cursor.fetchone()[0])


def rows() -> dict[str, list]:
    """Everything a gateway process writes, but for the end of the lease, which its holder moves all the time."""
    asked = {
        "message": "SELECT * FROM messaging_message ORDER BY id",
        "attempt": "SELECT * FROM messaging_attempt ORDER BY id",
        "part": "SELECT * FROM messaging_submittedpart ORDER BY id",
        "receipt": "SELECT * FROM messaging_receipt ORDER BY id",
        "gateway": "SELECT lease_owner, lease_epoch, bind_state, bound_at, last_error FROM messaging_gateway",
    }
    with connection.cursor() as cursor:
        return {name: cursor.execute(sql).fetchall() for name, sql in asked.items()}


@dataclass(frozen=True)
class Frozen:
    """A process that stands still with claimed texts in its hands; another one has its gateway."""

    pid: int
    epoch: int


def freeze_in_its_claim(carrier: Carrier, pids: list[int], riverside: Store) -> Frozen:
    """Freeze whichever of the two holds the gateway while a claim of its commits, until the rest has gone out."""
    queue(crowd(riverside, TEXTS))
    claimed = Message.objects.order_by("id")[100]
    with slow_to_commit(claimed):
        open_gateway(carrier)
        wait_for(is_committing, 10, "a claim on its way to the disk")
        held = Gateway.objects.get()
        frozen = Frozen(next(pid for pid in pids if f":{pid}:" in held.lease_owner), held.lease_epoch)
        os.kill(frozen.pid, signal.SIGSTOP)
    thaws_at = time.monotonic() + FROZEN_SECONDS
    # frozen within a transaction it holds the row until the database ends its session, after ten seconds
    wait_for(lambda: Gateway.objects.get().lease_epoch > frozen.epoch, 15, "the other one")
    wait_for(lambda: set(states()) <= {State.ACCEPTED, State.UNCERTAIN}, 20, "the rest of the texts")
    time.sleep(max(0.0, thaws_at - time.monotonic()))
    on_the_air = {f"+{entry['to']}" for entry in carrier.accepted()}
    in_hand = Attempt.objects.filter(epoch=frozen.epoch).exclude(message__phone__in=on_the_air)
    assert in_hand.filter(message=claimed).exists(), "it was frozen with claimed texts in its hands"
    return frozen


def oldest_gate(carrier: Carrier) -> float:
    """Between its claim and the air, the most that any text needed, in seconds."""
    gate = dict(Attempt.objects.values_list("message__phone", "started_at"))
    return max(entry["at"] - gate[f"+{entry['to']}"].timestamp() for entry in carrier.accepted())


def test_a_process_that_was_frozen_changes_nothing_and_sends_nothing_stale(
    carrier, gateways, riverside: Store
):
    both = {process.pid: process for process in (gateways.start(), gateways.start())}
    frozen = freeze_in_its_claim(carrier, list(both), riverside)
    before, sent = rows(), len(carrier.accepted())

    os.kill(frozen.pid, signal.SIGCONT)
    time.sleep(4)

    assert rows() == before, "0 rows changed"
    assert len(carrier.accepted()) == sent, "and nothing sent"
    assert both[frozen.pid].poll() is None, "it goes on: it can take a gateway again"
    assert Counter(Counter(entry["to"] for entry in carrier.accepted()).values()).keys() == {1}
    assert oldest_gate(carrier) <= GATE_SECONDS_MAX
    in_doubt = Message.objects.filter(state=State.UNCERTAIN)
    assert in_doubt.count() + Message.objects.filter(state=State.ACCEPTED).count() == TEXTS, "none is lost"
    assert set(Attempt.objects.filter(message__in=in_doubt).values_list("epoch", flat=True)) == {
        frozen.epoch
    }, "in doubt is only what it held"


@IN_FULL
def test_without_the_five_seconds_what_it_held_goes_out_stale(carrier, riverside: Store, tmp_path: Path):
    start = forked(unguarded.it_hands_over_however_old_its_gate_is, lease_seconds=2.0)
    with (tmp_path / "gateways.log").open("ab") as log:
        both = [start(number, log) for number in range(2)]
        try:
            frozen = freeze_in_its_claim(carrier, [process.pid for process in both], riverside)
            sent = len(carrier.accepted())

            os.kill(frozen.pid, signal.SIGCONT)

            wait_for(lambda: len(carrier.accepted()) > sent, 4, "a text that nobody should send any more")
        finally:
            for process in both:
                process.kill()
                process.wait(10)
    assert oldest_gate(carrier) > GATE_SECONDS_MAX


def test_the_thawed_process_serves_again_when_the_other_one_goes(carrier, gateways, li_lei):
    open_gateway(carrier)
    frozen = gateways.start()
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 20, "the bind")
    epoch = Gateway.objects.get().lease_epoch
    other = gateways.start()
    frozen.send_signal(signal.SIGSTOP)
    wait_for(lambda: Gateway.objects.get().lease_epoch > epoch, 15, "the other one")
    frozen.send_signal(signal.SIGCONT)

    assert gateways.stop(other) == 0
    queue([li_lei])

    wait_for(lambda: states() == {State.ACCEPTED: 1}, 8, "the text, through the thawed one")
    assert gateways.stop(frozen) == 0
