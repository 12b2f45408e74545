"""F13: a gateway process is frozen for longer than its lease, another takes over, and the first one thaws."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from members.models import Store
from messaging.domain.dispatch.sender import GATE_SECONDS_MAX
from messaging.models import Attempt, Gateway, Message
from messaging.states import State
from tests.journeys.dispatch_stage import (
    Carrier,
    crowd,
    open_gateway,
    queue,
    states,
    wait_for,
)

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


def holder_of(gateway: Gateway, processes: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """The process whose number stands in the lease."""
    return next(process for process in processes if f":{process.pid}:" in gateway.lease_owner)


def test_a_process_that_was_frozen_changes_nothing_and_sends_nothing_stale(
    carrier, gateways, riverside: Store
):
    both = [gateways.start(), gateways.start()]
    queue(crowd(riverside, TEXTS))
    claimed = Message.objects.order_by("id")[100]

    with slow_to_commit(claimed):
        open_gateway(carrier)
        wait_for(is_committing, 10, "a claim on its way to the disk")
        epoch = Gateway.objects.get().lease_epoch
        frozen = holder_of(Gateway.objects.get(), both)
        frozen.send_signal(signal.SIGSTOP)
    thaws_at = time.monotonic() + FROZEN_SECONDS
    # frozen within a transaction it holds the row until the database ends its session, after ten seconds
    wait_for(lambda: Gateway.objects.get().lease_epoch > epoch, 15, "the other one")
    wait_for(lambda: set(states()) <= {State.ACCEPTED, State.UNCERTAIN}, 20, "the rest of the texts")
    time.sleep(max(0.0, thaws_at - time.monotonic()))
    on_the_air = {f"+{entry['to']}" for entry in carrier.accepted()}
    in_hand = Attempt.objects.filter(epoch=epoch).exclude(message__phone__in=on_the_air)
    assert in_hand.filter(message=claimed).exists(), "it was frozen with claimed texts in its hands"
    before, sent = rows(), len(carrier.accepted())

    frozen.send_signal(signal.SIGCONT)
    time.sleep(4)

    assert rows() == before, "0 rows changed"
    assert len(carrier.accepted()) == sent, "and nothing sent"
    assert frozen.poll() is None, "it goes on: it can take a gateway again"
    assert Counter(Counter(entry["to"] for entry in carrier.accepted()).values()).keys() == {1}
    gate = dict(Attempt.objects.values_list("message__phone", "started_at"))
    ages = [entry["at"] - gate[f"+{entry['to']}"].timestamp() for entry in carrier.accepted()]
    assert max(ages) <= GATE_SECONDS_MAX
    in_doubt = Message.objects.filter(state=State.UNCERTAIN)
    assert in_doubt.count() + Message.objects.filter(state=State.ACCEPTED).count() == TEXTS, "none is lost"
    assert set(Attempt.objects.filter(message__in=in_doubt).values_list("epoch", flat=True)) == {epoch}, (
        "in doubt is only what it held"
    )


def test_the_thawed_process_serves_again_when_the_other_one_goes(carrier, gateways, li_lei):
    open_gateway(carrier)
    frozen = gateways.start()
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 5, "the bind")
    epoch = Gateway.objects.get().lease_epoch
    other = gateways.start()
    frozen.send_signal(signal.SIGSTOP)
    wait_for(lambda: Gateway.objects.get().lease_epoch > epoch, 15, "the other one")
    frozen.send_signal(signal.SIGCONT)

    assert gateways.stop(other) == 0
    queue([li_lei])

    wait_for(lambda: states() == {State.ACCEPTED: 1}, 8, "the text, through the thawed one")
    assert gateways.stop(frozen) == 0
