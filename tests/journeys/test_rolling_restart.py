"""F16: every process of the house is stopped politely and started again while another system reports facts.

It asks again by the same key until it has an answer: none of its reports fails, each text goes out once, none is left in
doubt. Only with `REGULARS_TORTURE=1` and in `make torture`: starting a whole house again and again takes minutes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from crm.local.children import free_port
from crm.seeding import setting_up
from members.models import MembershipEvent
from messaging.models import Attempt, Gateway, Message
from messaging.states import State
from tests.journeys.dispatch_stage import open_gateway, states, wait_for
from tests.journeys.house import House, Partner, Shop, ask

IN_FULL = pytest.mark.skipif(os.environ.get("REGULARS_TORTURE") != "1", reason="REGULARS_TORTURE=1 runs it")
ROUNDS, CLIENTS, PHONES = int(os.environ.get("REGULARS_RESTARTS", "20")), 3, 400
FIRST_BOOKING = datetime(2026, 12, 25, 6, 30, tzinfo=UTC)
PATIENCE_SECONDS = 120  # a house that starts on a busy machine
BUSY = {0, 429, 502, 503}


class Reporter(threading.Thread):
    """A booking system: one report after the other, each until it has an answer, as long as it is let."""

    def __init__(
        self, partner: Partner, phones: list[str], numbers: Iterator[int], stopping: threading.Event
    ) -> None:
        super().__init__()
        self._partner, self._phones, self._numbers, self._stopping = partner, phones, numbers, stopping
        self.answers: list[int] = []
        self.asked_again = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            self.answers.append(self._report(next(self._numbers)))
            time.sleep(0.05)

    def _report(self, number: int) -> int:
        phone = self._phones[number % len(self._phones)]
        starts_at = FIRST_BOOKING + timedelta(minutes=number)  # no two texts to a phone are alike
        end = time.monotonic() + PATIENCE_SECONDS
        said = {"service": "Haircut", "starts_at": starts_at.isoformat()}
        while True:
            answer = self._partner.post(
                "events", f"booking-{number}", type="booking_made", phone=phone, data=said
            )
            if answer.status not in BUSY or time.monotonic() > end:
                return answer.status
            self.asked_again += 1
            time.sleep(0.1)


class Web:
    """A web of the test's own, always at the same address."""

    def __init__(self, house: House) -> None:
        self._house, self._port = house, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._child = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        where = ["--bind", f"127.0.0.1:{self._port}", "--worker-class", "gthread", "--threads", "4"]
        words = ["gunicorn", "crm.wsgi:application", *where, "--no-control-socket"]
        child = self._house.start("web", "-m", *words)
        wait_for(lambda: ask(f"{self.url}/health/").status == 200, 60, "the web")
        return child

    def restart(self) -> None:
        self._child.send_signal(signal.SIGTERM)
        assert self._child.wait(40) == 0
        self._child = self._start()


@IN_FULL
def test_polite_restarts_of_everything_fail_nothing_and_leave_nothing_in_doubt(house: House, shop: Shop):
    phones = [f"861380013{number:04d}" for number in range(PHONES)]
    for number, phone in enumerate(phones):
        shop.enrol(phone, f"Member {number}")
    open_gateway(house.carrier)
    web, gateways = Web(house), [house.gateways.start(), house.gateways.start()]
    worker = house.start_worker()
    house.expect_in_log("worker", " ready.")
    partner = Partner(web.url, setting_up.give_key([shop.riverside]))
    numbers, stopping = count(), threading.Event()
    reporters = [Reporter(partner, phones, numbers, stopping) for _ in range(CLIENTS)]
    for reporter in reporters:
        reporter.start()
    try:
        for _ in range(ROUNDS):
            assert house.gateways.stop(gateways.pop(0)) == 0
            gateways.append(house.gateways.start())
            web.restart()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(40) == 0
            worker = house.start_worker()
    finally:
        stopping.set()
        for reporter in reporters:
            reporter.join(PATIENCE_SECONDS)

    reported = sum((reporter.answers for reporter in reporters), [])
    print(f"{len(reported)} reports, asked again {sum(reporter.asked_again for reporter in reporters)} times")
    wait_for(lambda: states() == {State.DELIVERED: len(reported)}, 60, "every text on its phone")
    assert Counter(reported).keys() == {201}
    assert MembershipEvent.objects.filter(type="booking_made").count() == len(reported)
    arrived, written = Counter(f"+{entry['to']}" for entry in house.carrier.accepted()), Counter()
    for phone, parts in Message.objects.values_list("phone", "parts"):
        written[phone] += parts
    assert arrived == written, "no part went out twice"
    assert not Attempt.objects.filter(outcome__in=["uncertain", ""]).exists()
    assert Gateway.objects.get().bind_state == "bound"
