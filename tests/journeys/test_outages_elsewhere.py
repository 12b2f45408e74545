"""F9 by CMPP and by HTTP: the carrier stalls, cuts the line with a text on it, goes silent, or is away for a day.

The judge is what the carrier took: its journal, not our table. The gateway processes are forks, so that they start at once.
`REGULARS_TORTURE=1` (and `make torture`) does each five times with five times as many texts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from crm.local.children import free_port
from crm.local.places import PROJECT
from crm.local.simulator.ismg_process import chances
from members.models import Store
from messaging.domain.dispatch.process import Timing
from messaging.domain.sweeps import sweep_messages
from messaging.enums import GatewayKind, MessageClass
from messaging.models import Attempt, Gateway, Message
from messaging.secrets import encrypt_secret, encrypt_secrets
from messaging.states import Reason, State
from tests.journeys import unguarded
from tests.journeys.dispatch_stage import crowd, queue, states, wait_for
from tests.messaging.gateways.fakes import FakeHttp

CODE, NOTIFICATION = MessageClass.VERIFICATION, MessageClass.NOTIFICATION
DAY = timedelta(hours=24)
RATE, WINDOW = 40, 10
CUT_EACH = 40  # of so many texts one
ROUNDS = 5 if os.environ.get("REGULARS_TORTURE") == "1" else 1
MANY = 120 * ROUNDS
SEED = 1


class CmppCarrier:
    """A CMPP gateway as a process of its own; `freeze` is a carrier that stalls, or half a connection."""

    kind, taken_state = GatewayKind.CMPP, State.DELIVERED

    def __init__(self, folder: Path) -> None:
        self.port, self._journal = free_port(), folder / "ismg.jsonl"
        self._child: subprocess.Popen[str] | None = None

    def open(self, *, cuts: bool = False) -> None:
        """`cuts`: now and then the line is gone after a text was taken, in place of its answer."""
        command = [sys.executable, "-m", "crm.local.simulator.ismg_process", "--journal", str(self._journal)]
        self._faults = {"reset_after": 1 / CUT_EACH if cuts else 0}
        told = ["--faults", json.dumps(self._faults), "--seed", str(SEED)]
        self._child = subprocess.Popen(
            [*command, "--port", str(self.port), "--answer-delay", "20", *told],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdout is not None
        assert json.loads(self._child.stdout.readline())["port"] == self.port

    def freeze(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait(10)

    def journal(self) -> list[tuple[str, float]]:
        """(phone, when) of everything it took."""
        if not self._journal.exists():
            return []
        whole = self._journal.read_text().rpartition("\n")[0]
        entries = [json.loads(line) for line in whole.splitlines()]
        return [(f"+86{entry['to'][-11:]}", entry["at"]) for entry in entries]

    def cuts_made(self) -> int:
        """Drawn as its process draws them, one for each text it took."""
        fault = chances(self._faults, SEED)
        return sum(fault(number) is not None for number in range(len(self.journal())))

    def settings(self) -> dict[str, Any]:
        tests = {"active_test_seconds": 0.5, "active_test_timeout_seconds": 0.5, "bind_timeout_seconds": 1}
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "system_id": "901234",
            "secret": encrypt_secret("secret"),
            "options": {"version": "3.0"} | tests,
        }


class _Provider(FakeHttp):
    """Takes a text at once; its answer waits while it is frozen."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.is_frozen = self.cuts = False
        self.times: list[tuple[str, float]] = []

    def take(self, numbers: list[str], content: str) -> str:
        self.times += [(number, time.time()) for number in numbers]
        return super().take(numbers, content)

    async def serve(self, request: Any) -> Any:
        answer = await super().serve(request)
        while self.is_frozen:
            await asyncio.sleep(0.02)
        if self.cuts and self.times and len(self.times) % CUT_EACH == 0:
            request.transport.abort()
        await asyncio.sleep(0.02)
        return answer


class HttpCarrier:
    """A gateway of one's own over HTTP. It reports by callbacks, which no web is here to hear."""

    kind, taken_state = GatewayKind.HTTP, State.ACCEPTED

    def __init__(self, folder: Path) -> None:
        self._provider = _Provider(free_port())
        self._is_open = False

    def open(self, *, cuts: bool = False) -> None:
        """`cuts`: now and then the line is gone after a text was taken, in place of its answer."""
        self._provider.cuts = cuts
        self._provider.__enter__()
        self._is_open = True

    def freeze(self) -> None:
        self._provider.is_frozen = True

    def thaw(self) -> None:
        self._provider.is_frozen = False

    def close(self) -> None:
        self.thaw()
        if self._is_open:
            self._provider.__exit__()

    def journal(self) -> list[tuple[str, float]]:
        return list(self._provider.times)

    def cuts_made(self) -> int:
        return len(self.journal()) // CUT_EACH

    def settings(self) -> dict[str, Any]:
        return {
            "options": {"url": f"http://127.0.0.1:{self._provider.port}", "key_id": self._provider.key_id},
            "secret": encrypt_secrets({"secret": self._provider.secret}),
        }


Elsewhere = CmppCarrier | HttpCarrier


@pytest.fixture(autouse=True, params=range(ROUNDS))
def turn(request: pytest.FixtureRequest) -> int:
    """Once, or five times."""
    return int(request.param)


@pytest.fixture(params=[CmppCarrier, HttpCarrier], ids=["cmpp", "http"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Elsewhere]:
    """The carrier; it is not there before it opens."""
    carrier = request.param(tmp_path)
    yield carrier
    carrier.close()


Start = Callable[..., None]


@pytest.fixture
def start(db: None, tmp_path: Path) -> Iterator[Start]:
    """Start a gateway process, if so told with a guard away."""
    running = []
    with (tmp_path / "gateways.log").open("ab") as log:

        def start(sabotage: unguarded.Sabotage = unguarded.nothing, *, answer_seconds: float = 30.0) -> None:
            running.append(unguarded.Forked(sabotage, Timing(2.0, answer_seconds), log))

        yield start
        for process in running:
            process.kill()
            process.wait(5)


def open_line(carrier: Elsewhere, **changes: Any) -> None:
    more = carrier.settings() | changes
    Gateway.objects.create(name="106", kind=carrier.kind, sender="1069012345", window=WINDOW, **more)


def times_on_the_air(carrier: Elsewhere) -> Counter[int]:
    """How many phones were texted so often."""
    return Counter(Counter(phone for phone, _at in carrier.journal()).values())


def in_doubt() -> set[str]:
    return set(Message.objects.filter(state=State.UNCERTAIN).values_list("phone", flat=True))


def are_settled(carrier: Elsewhere, count: int) -> bool:
    """Whether every text is with the carrier or in doubt, and none is waiting."""
    found = states()
    return found.get(carrier.taken_state, 0) + found.get(State.UNCERTAIN, 0) == count


@pytest.mark.parametrize("fault", ["stalls", "cuts"])
def test_a_carrier_that_stalls_or_cuts_gets_no_text_twice(
    elsewhere: Elsewhere, start: Start, riverside: Store, fault: str
):
    elsewhere.open(cuts=fault == "cuts")
    open_line(elsewhere)
    queue(crowd(riverside, MANY))
    start(answer_seconds=0.5)
    wait_for(lambda: len(elsewhere.journal()) > 20, 10, "some texts")

    if fault == "stalls":
        elsewhere.freeze()
        wait_for(in_doubt, 10, "doubts")
        elsewhere.thaw()

    wait_for(lambda: are_settled(elsewhere, MANY), 20 * ROUNDS, "every text taken or in doubt")
    taken = {phone for phone, _at in elsewhere.journal()}
    assert set(times_on_the_air(elsewhere)) == {1}
    sure = set(Message.objects.exclude(state=State.UNCERTAIN).values_list("phone", flat=True))
    assert sure <= taken, "none is called sent that the carrier did not take"
    doubts = Attempt.objects.filter(outcome="uncertain").count()
    print(f"F9 {fault}: {MANY} texts, {len(elsewhere.journal())} taken, {doubts} answers that never came")
    losses = elsewhere.cuts_made() if fault == "cuts" else 5
    assert doubts <= losses * WINDOW, "no more than was on the wire"

    sweep_messages(at=now() + timedelta(hours=73))

    assert in_doubt() == set(), "after three days nobody waits for an answer"
    time.sleep(0.3)
    assert set(times_on_the_air(elsewhere)) == {1}, "marketing is never sent again"


def test_a_silence_taken_for_a_no_is_seen(elsewhere: Elsewhere, start: Start, riverside: Store):
    """The control: without that guard a stall brings phones the same text again."""
    elsewhere.open()
    open_line(elsewhere)
    queue(crowd(riverside, 60))
    start(unguarded.silence_is_taken_for_a_no, answer_seconds=0.5)
    wait_for(lambda: len(elsewhere.journal()) > 10, 10, "some texts")

    elsewhere.freeze()
    wait_for(lambda: Gateway.objects.get().bind_state != "bound", 10, "the silence noticed")
    elsewhere.thaw()

    wait_for(lambda: max(times_on_the_air(elsewhere)) > 1, 10, "a phone texted twice")


def test_a_silent_carrier_is_noticed_and_found_again(elsewhere: Elsewhere, start: Start, riverside: Store):
    elsewhere.open()
    open_line(elsewhere)
    start(answer_seconds=0.5)
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 10, "the bind")
    members = crowd(riverside, 40)

    elsewhere.freeze()
    queue(members[:20], NOTIFICATION, run=1)
    began = time.monotonic()
    wait_for(lambda: Gateway.objects.get().bind_state != "bound", 10, "the silence noticed")
    noticed = time.monotonic() - began
    elsewhere.thaw()
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 10, "another connection")
    queue(members[20:], NOTIFICATION, run=2)

    wait_for(lambda: are_settled(elsewhere, 40), 20, "every text")
    assert noticed < 4.5, "45 seconds with the waits of a house"
    assert {member.phone for member in members[20:]} <= {phone for phone, _at in elsewhere.journal()}
    assert set(times_on_the_air(elsewhere)) == {1}


def test_a_day_without_a_carrier(elsewhere: Elsewhere, start: Start, riverside: Store):
    open_line(elsewhere, rate=RATE)
    members = crowd(riverside, 100)
    queue(members[:10], CODE, run=1)
    queue(members[10:40], NOTIFICATION, run=2, expires_at=now() + timedelta(hours=6))
    queue(members[40:], NOTIFICATION, run=3)
    start()
    wait_for(lambda: Gateway.objects.get().bind_state == "waiting", 10, "the refusal")

    sweep_messages(at=now() + DAY)

    late = Message.objects.filter(state=State.EXPIRED)
    assert Counter(late.values_list("cause_id", "reason")) == {
        (1, Reason.TOO_LATE): 10,
        (2, Reason.TOO_LATE): 30,
    }
    assert states() == {State.EXPIRED: 40, State.QUEUED: 60}

    elsewhere.open()

    wait_for(lambda: states() == {State.EXPIRED: 40, elsewhere.taken_state: 60}, 30, "the rest")
    journal = elsewhere.journal()
    assert {phone for phone, _at in journal} == {member.phone for member in members[40:]}
    assert times_on_the_air(elsewhere) == {1: 60}
    at = sorted(moment for _phone, moment in journal)
    busiest = max(sum(1 for t in at if start <= t < start + 0.98) for start in at)
    bunched = (
        RATE // 10 if ROUNDS > 1 else 0
    )  # on a machine at its limit what left in time may arrive together
    assert busiest <= RATE + 1 + bunched
    assert Attempt.objects.count() == 60, "what could not be sent was not tried"
