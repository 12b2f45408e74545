"""The carrier of a fault run: the phone simulator in its own process, and its book of what it said yes to."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

from crm.local.faults.processes import environment
from crm.local.places import PROJECT


class Journal:
    """Read on from where it was read to; what stood in it before is another run's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = path.stat().st_size if path.exists() else 0
        self._copies: Counter[tuple[str, int]] = Counter()

    def copies(self) -> Counter[tuple[str, int]]:
        """How often it took each (phone, part)."""
        if self._path.exists():
            with self._path.open("rb") as book:
                book.seek(self._read_to)
                whole = book.read().rpartition(b"\n")[0]
            self._read_to += len(whole) + bool(whole)
            entries = [json.loads(line) for line in whole.splitlines()]
            self._copies.update((f"+{entry['to']}", entry["part"]) for entry in entries)
        return self._copies


class Carrier:
    """A context: its process is killed at the end. Several runs may use it, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "carrier.jsonl"
        words = ["--smsc-port", "0", "--http-port", "0", "--fsync", "--journal", str(self._path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crm.local.simulator", *words],
            cwd=PROJECT,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self.port, self._page = said["smsc_port"], f"http://127.0.0.1:{said['http_port']}/api"

    def __enter__(self) -> Carrier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def begin(self, **mood: Any) -> Journal:
        """Forget what was before and behave like this from now on."""
        self._post("/reset", {})
        self._post("/carrier", mood)
        return Journal(self._path)

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self._page + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()  # nosec B310: our own simulator on this machine
