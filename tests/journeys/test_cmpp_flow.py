"""From a queued text to a handset behind a carrier's CMPP gateway, by the gateway process itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.local.places import PROJECT
from members.models import Member
from messaging.enums import GatewayKind, MessageClass
from messaging.models import Gateway
from messaging.secrets import encrypt_secret
from messaging.states import State
from tests.journeys.dispatch_stage import GatewayProcesses, queue, states, wait_for


@pytest.fixture
def ismg(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A CMPP gateway as its own process: (port, journal). One submit in ten is throttled."""
    journal = tmp_path / "ismg.jsonl"
    command = [sys.executable, "-m", "crm.local.simulator.ismg_process", "--journal", str(journal)]
    child = subprocess.Popen(
        [*command, "--faults", '{"throttle": 0.1}', "--seed", "7"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    yield json.loads(child.stdout.readline())["port"], journal
    child.terminate()
    assert child.wait(10) == 0


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_texts_go_out_once_and_their_receipts_come_home(
    gateways: GatewayProcesses, ismg: tuple[int, Path], li_lei: Member, version: str
) -> None:
    port, journal = ismg
    Gateway.objects.create(
        name="106",
        kind=GatewayKind.CMPP,
        host="127.0.0.1",
        port=port,
        system_id="901234",
        secret=encrypt_secret("secret"),
        sender="1069012345",
        window=16,
        options={"version": version},
    )
    for run in range(1, 31):
        long = f"【蓝湾洗车】{run:02d}" + "您" * 152
        queue([li_lei], MessageClass.NOTIFICATION, run=run, text=long, encoding="UCS-2", parts=3)

    gateways.start()

    wait_for(lambda: states() == {State.DELIVERED: 30}, 40, "every text on the phone")
    entries = [json.loads(line) for line in journal.read_text().rpartition("\n")[0].splitlines()]
    assert len(entries) == 3 * 30, "no part went out twice, throttled or not"
    assert len({entry["id"] for entry in entries}) == 3 * 30
    assert {(entry["from"], entry["system_id"]) for entry in entries} == {("1069012345", "901234")}
    assert Counter(entry["part"] for entry in entries) == {1: 30, 2: 30, 3: 30}
