"""The processes a bench of the wire needs: a carrier and the gateway process, on the bench's own database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.timezone import now

from messaging.models import Gateway
from messaging.secrets import encrypt_secret


class Sink:
    """The carrier's process, asked over its standard input."""

    def __init__(self, *, keep: bool = False, receipts: bool = True) -> None:
        words = [*(["--keep"] if keep else []), *([] if receipts else ["--no-receipts"])]
        command = [sys.executable, "-m", "crm.bench.sink", *words]
        self._process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._read())
        self.gateways: list[subprocess.Popen[bytes]] = []

    def counts(self) -> tuple[int, int, int]:
        """Submits taken, receipts acknowledged, time of the last submit (monotonic nanoseconds)."""
        submits, acknowledged, last = self._ask("counts").split()
        return int(submits), int(acknowledged), int(last)

    def arrivals(self) -> dict[str, int]:
        """When each destination's last submit came, since the last question."""
        return {phone: int(at) for phone, at in (pair.split(":") for pair in self._ask("arrivals").split())}

    def flood(self, total: int) -> None:
        """Let it send so many receipts to whoever bound last."""
        self._ask(f"flood {total}")

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
    """A carrier, and so many gateways with a process each bound to it, ready to send."""
    sink = Sink(keep=keep)
    Gateway.objects.update(is_active=False)
    rows = [
        Gateway(
            name=f"Bench {sink.port} {number}",
            host="127.0.0.1",
            port=sink.port,
            system_id="bench",
            secret=encrypt_secret("bench"),
            window=window,
        )
        for number in range(gateways)
    ]
    Gateway.objects.bulk_create(rows)
    processes = sink.gateways = [
        subprocess.Popen(
            [sys.executable, "manage.py", "run_gateways"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"REGULARS_LOG_LEVEL": "ERROR"},
            stdout=subprocess.DEVNULL,
        )
        for _ in range(gateways)
    ]
    try:
        _wait_until_bound(gateways)
        yield sink
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)
        sink.stop()


def zone_where_it_is_noon() -> str:
    """A time zone whose hour permits marketing now, whatever country's rules apply."""
    east = (12 - now().hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"


def peak_memory_mb(sink: Sink) -> int:
    """The most a gateway process bound to it has held so far."""
    peaks = [
        int(line.split()[1])
        for process in sink.gateways
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max(peaks) // 1024


def _wait_until_bound(gateways: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while Gateway.objects.filter(is_active=True, bind_state="bound").count() < gateways:
        if time.monotonic() > end:
            raise TimeoutError("the gateway process did not bind to the bench's carrier")
        time.sleep(0.1)
