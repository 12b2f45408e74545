"""A carrier of one's own: the simulator as its own process, on free ports."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crm.local.children import wait_until
from crm.local.places import PROJECT


@dataclass
class Simulator:
    smsc_port: int
    http_port: int
    journal_path: Path

    def call(self, path: str, body: Any = None) -> Any:
        """GET, or POST when there is a body; the JSON answer."""
        status, answer = self.answer(path, body)
        assert status < 300, answer
        return answer

    def answer(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | (headers or {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith("{") else text

    def thread(self, phone: str) -> list[dict[str, Any]]:
        return self.call(f"/api/handsets/{phone}/messages")

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal_path.read_text().rpartition("\n")[0].splitlines()]

    def waits_for(self, **counters: int) -> bool:
        """Until the counters are reached, at most twenty seconds."""

        def reached() -> bool:
            stats = self.call("/api/stats")
            return all(stats[name] >= count for name, count in counters.items())

        return wait_until(reached, 20)


@pytest.fixture(scope="module")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    journal = tmp_path_factory.mktemp("carrier") / "journal.jsonl"
    command = [sys.executable, "-m", "crm.local.simulator", "--smsc-port", "0", "--http-port", "0"]
    child = subprocess.Popen(
        [*command, "--journal", str(journal)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    ports = json.loads(child.stdout.readline())
    yield Simulator(ports["smsc_port"], ports["http_port"], journal)
    child.terminate()
    assert child.wait(10) == 0


@pytest.fixture
def simulator(simulator_process: Simulator) -> Simulator:
    """Tidied before each test; receipts come at once."""
    simulator_process.call("/api/reset", {})
    simulator_process.call("/api/carrier", {"receipt_delay_ms": 0})
    return simulator_process
