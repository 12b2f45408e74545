"""The gateway processes of a fault run: killed as the kernel kills, and started again at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from crm.bench.database import database_url
from crm.local.places import PROJECT


class Process(Protocol):
    """What `subprocess.Popen` can do, as far as it is needed here."""

    def kill(self) -> None: ...
    def terminate(self) -> None: ...
    def wait(self, timeout: float) -> int: ...


# Starts the process with this number; what it has to say goes to the file.
Start = Callable[[int, BinaryIO], Process]


def environment() -> dict[str, str]:
    """What a process of the run is told."""
    return os.environ | {
        "REGULARS_DATABASE_URL": database_url(),
        "REGULARS_LOG_LEVEL": "ERROR",
    }


def run_gateways(folder: Path) -> Start:
    """`manage.py run_gateways` with its waits at a tenth of a house's."""

    def start(_number: int, log: BinaryIO) -> subprocess.Popen[bytes]:
        words = ["run_gateways", "--lease-seconds", "2", "--answer-seconds", "3"]
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=log,
        )

    return start


class Gateways:
    """So many processes."""

    def __init__(self, count: int, start: Start, log: Path) -> None:
        self._start, self._log = start, log.open("ab")
        self._running = [start(number, self._log) for number in range(count)]

    def kill(self, number: int) -> None:
        """No last word."""
        self._running[number].kill()
        self._running[number].wait(10)
        self._running[number] = self._start(number, self._log)

    def stop(self) -> None:
        """All of them, politely."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(30)
        self._log.close()
