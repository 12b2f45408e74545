"""F9: the line to the carrier stalls, dies without a word, or is away for a day.

What is late is not sent late, and says why; the rest goes out within the gateway's rate when the carrier is back.
`REGULARS_TORTURE=1` (and `make torture`) runs the lines that stall too.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.local.children import free_port
from crm.local.faults.link import FaultyLink
from members.models import Store
from messaging.domain.alerts import open_alerts, watch
from messaging.domain.sweeps import sweep_messages
from messaging.enums import LIFETIME_SECONDS, MessageClass
from messaging.models import AlertKind, Attempt, Gateway, Message
from messaging.states import Reason, State
from tests.journeys.dispatch_stage import (
    Carrier,
    crowd,
    open_gateway,
    queue,
    states,
    wait_for,
)

IN_FULL = pytest.mark.skipif(os.environ.get("REGULARS_TORTURE") != "1", reason="REGULARS_TORTURE=1 runs it")
CODE, NOTIFICATION = MessageClass.VERIFICATION, MessageClass.NOTIFICATION
DAY = timedelta(hours=24)
RATE = 40


@pytest.fixture
def link(carrier: Carrier) -> Iterator[FaultyLink]:
    link = FaultyLink(carrier.smsc_port)
    yield link
    link.close()


def open_line(carrier: Carrier, port: int, **changes) -> Gateway:
    """A gateway to the carrier by way of this port."""
    gateway = open_gateway(carrier)
    Gateway.objects.filter(pk=gateway.pk).update(port=port, **changes)
    return gateway


def times_on_the_air(carrier: Carrier) -> Counter:
    """How many phones were texted so often."""
    return Counter(Counter(entry["to"] for entry in carrier.accepted()).values())


@IN_FULL
def test_answers_that_come_too_late_are_taken_all_the_same(carrier, link, gateways, riverside: Store):
    carrier.post("/api/carrier", answer_delay_ms=20)
    open_line(carrier, link.port, window=10)
    queue(crowd(riverside, 200))
    gateways.start("--answer-seconds", "0.5")
    wait_for(lambda: len(carrier.accepted()) > 30, 10, "some texts")

    link.silence()
    wait_for(lambda: states().get(State.UNCERTAIN, 0) > 0, 10, "doubts")
    link.resume()

    wait_for(lambda: states() == {State.DELIVERED: 200}, 20, "every text on its phone")
    assert times_on_the_air(carrier) == {1: 200}


@IN_FULL
def test_half_a_connection_is_noticed_and_another_one_made(carrier, link, gateways, riverside: Store):
    open_line(
        carrier,
        link.port,
        options={"enquire_seconds": 0.5, "enquire_timeout_seconds": 0.5, "bind_timeout_seconds": 1},
    )
    gateways.start("--answer-seconds", "1")
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 10, "the bind")

    link.silence()
    began = time.monotonic()
    wait_for(lambda: Gateway.objects.get().bind_state != "bound", 10, "the silence noticed")
    noticed = time.monotonic() - began
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 10, "another connection")
    queue(crowd(riverside, 20))
    wait_for(lambda: len(carrier.accepted()) == 20, 10, "the texts, by the new connection")
    link.resume()  # the carrier learns of it too: it had sent half of its receipts there

    wait_for(lambda: states() == {State.DELIVERED: 20}, 20, "every receipt")
    assert noticed < 4.5, "45 seconds with the waits of a house"
    assert times_on_the_air(carrier) == {1: 20}


def test_a_day_without_a_carrier_expires_what_is_late_and_drains_the_rest_within_the_rate(
    carrier, gateways, riverside: Store
):
    port = free_port()  # where nobody listens
    open_line(carrier, port, rate=RATE)
    members = crowd(riverside, 100)
    queue(members[:10], CODE, run=1)
    queue(members[10:40], NOTIFICATION, run=2, expires_at=now() + timedelta(hours=6))
    queue(members[40:], NOTIFICATION, run=3)
    gateways.start()
    wait_for(lambda: Gateway.objects.get().bind_state == "waiting", 10, "the refusal")

    later = now() + DAY
    watch(at=later)
    sweep_messages(at=later)

    assert {alert.kind for alert in open_alerts()} >= {AlertKind.GATEWAY_DOWN, AlertKind.QUEUE_STUCK}
    late = Message.objects.filter(state=State.EXPIRED)
    assert Counter(late.values_list("cause_id", "reason")) == {
        (1, Reason.TOO_LATE): 10,
        (2, Reason.TOO_LATE): 30,
    }
    assert states() == {State.EXPIRED: 40, State.QUEUED: 60}
    assert carrier.accepted() == []

    carrier_is_back = FaultyLink(carrier.smsc_port, port)
    try:
        wait_for(lambda: states() == {State.EXPIRED: 40, State.DELIVERED: 60}, 60, "the rest")
    finally:
        carrier_is_back.close()

    heard = {f"+{entry['to']}" for entry in carrier.accepted()}
    assert heard == {member.phone for member in members[40:]}, "no code, nothing that is late"
    assert times_on_the_air(carrier) == {1: 60}
    at = sorted(entry["at"] for entry in carrier.accepted())
    assert max(sum(1 for t in at if start <= t < start + 0.98) for start in at) <= RATE + 1
    assert Attempt.objects.count() == 60, "what could not be sent was not tried"
    watch(at=now())
    assert not {alert.kind for alert in open_alerts()} & {AlertKind.GATEWAY_DOWN, AlertKind.QUEUE_STUCK}


def test_a_code_is_worth_minutes_and_never_comes_late(carrier, gateways, riverside: Store):
    port = free_port()
    open_line(carrier, port)
    queue(crowd(riverside, 3), CODE, expires_at=now() + timedelta(seconds=2))
    gateways.start()
    wait_for(lambda: Gateway.objects.get().bind_state == "waiting", 10, "the refusal")

    wait_for(lambda: states() == {State.EXPIRED: 3}, 10, "the process's own sweep")
    carrier_is_back = FaultyLink(carrier.smsc_port, port)
    try:
        wait_for(lambda: Gateway.objects.get().bind_state == "bound", 30, "the bind")
        time.sleep(0.5)
    finally:
        carrier_is_back.close()

    assert carrier.accepted() == []
    assert LIFETIME_SECONDS[CODE] <= 300
