"""The judge: an append-only file of every accepted submit, written before the answer leaves. One JSON object
a line.
"""

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """`is_durable`: also fsync before the answer (survives a power cut, not only a kill)."""

    def __init__(self, path: Path | None, is_durable: bool = False) -> None:
        self.is_durable = is_durable
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else None

    def write(self, entries: list[dict[str, Any]]) -> None:
        """Append the entries in one write."""
        if self._file is None or not entries:
            return
        lines = "".join(
            json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries
        )
        os.write(self._file, lines.encode())
        if self.is_durable:
            os.fsync(self._file)
