"""The processes a bench of the wire needs: a carrier and the gateway process, on the bench's own database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from messaging.models import Gateway
from messaging.secrets import encrypt_secret


class Sink:
    """The carrier's process, asked over its standard input."""

    def __init__(self, *, keep: bool = False) -> None:
        command = [sys.executable, "-m", "crm.bench.sink", *(["--keep"] if keep else [])]
        self._process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._read())

    def counts(self) -> tuple[int, int, int]:
        """Submits taken, receipts acknowledged, time of the last submit (monotonic nanoseconds)."""
        submits, acknowledged, last = self._ask("counts").split()
        return int(submits), int(acknowledged), int(last)

    def arrivals(self) -> dict[str, int]:
        """When each destination's last submit came, since the last question."""
        return {phone: int(at) for phone, at in (pair.split(":") for pair in self._ask("arrivals").split())}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, question: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@contextmanager
def running_wire(*, window: int = 1000, keep: bool = False, gateways: int = 1) -> Iterator[Sink]:
    """A carrier and gateway processes bound to it, ready to send."""
    sink = Sink(keep=keep)
    Gateway.objects.all().delete()
    Gateway.objects.create(
        name="Bench",
        host="127.0.0.1",
        port=sink.port,
        system_id="bench",
        secret=encrypt_secret("bench"),
        window=window,
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", "run_gateways"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"REGULARS_LOG_LEVEL": "ERROR"},
            stdout=subprocess.DEVNULL,
        )
        for _ in range(gateways)
    ]
    try:
        _wait_until_bound()
        yield sink
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)
        sink.stop()


def _wait_until_bound(seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not Gateway.objects.filter(bind_state="bound").exists():
        if time.monotonic() > end:
            raise TimeoutError("the gateway process did not bind to the bench's carrier")
        time.sleep(0.1)
