"""How long the nightly look at the whole ledger takes, beside one plain sum over the same rows."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection

from crm.bench.database import bench_database, versions
from members.domain.verify import verify

# Members and months of `manage.py seed`, about 7 thousand, 1 million and 10 million entries.
SIZES = {"small": (1_000, 6, 1), "standard": (73_000, 12, 3), "large": (730_000, 12, 1)}
MEGABYTE = 2**20


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """Seconds of `verify_ledger` over everything, beside a sequential sum of all entries; memory of both processes."""
    members, months, runs = SIZES[size]
    with bench_database("verify", members=members, months=months):
        limit = [_plain_sum() for _ in range(runs)]
        before = _own_peak()
        reports = [verify() for _ in range(runs)]
        backend = _backend_peak()
        details = versions()
    seconds = sorted(report.seconds for report in reports)
    value, plain = median(seconds), median(limit)
    return {
        "name": "verify",
        "value": round(value, 3),
        "unit": "s",
        "limit": round(plain, 3),
        "ratio": round(value / plain, 1),
        "goal": "10 M entries in <= 600 s, <= 1 GB",
        "details": details
        | reports[-1].counts
        | {
            "size": size,
            "runs": [round(second, 3) for second in seconds],
            "entries_per_second": round(reports[-1].counts["entries"] / value),
            "is_sound": all(report.is_sound for report in reports),
            "process_peak_mb": round(_own_peak() / MEGABYTE),
            "process_grew_mb": round((_own_peak() - before) / MEGABYTE),
            "backend_peak_mb": backend and round(backend / MEGABYTE),
        },
    }


def _plain_sum() -> float:
    """One reader, no index, no rule."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        started = time.perf_counter()
        cursor.execute("SELECT sum(amount), count(*) FROM members_entry")
        cursor.fetchone()
        taken = time.perf_counter() - started
        cursor.execute("RESET max_parallel_workers_per_gather")
    return taken


def _own_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _backend_peak() -> int | None:
    """The most memory the connection's server process ever held, shared buffers included; None if it is elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        status = Path(f"/proc/{cursor.fetchone()[0]}/status")
    if not status.exists() or "postgres" not in status.read_text():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
