"""What a text costs when there are ten and a hundred times as many: `send` at growing sizes beside itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm.bench import send
from crm.bench.database import bench_database, versions
from crm.bench.wire import peak_memory_mb, running_wire

SIZES = {"small": (1_000, 4_000), "standard": (10_000, 100_000), "large": (10_000, 100_000, 1_000_000)}


def measure(*, size: str, data_dir: Path | None = None) -> dict[str, Any]:
    """The cost of a text in the largest campaign, as a multiple of its cost in the smallest. Limit: 1."""
    stages = {}
    for texts in SIZES[size]:
        with bench_database("growth", members=texts, months=1):
            send.open_all_doors()
            with running_wire() as sink:
                send.campaign(0, sink)  # caches and plans are warm, as they are in a house at work
                stages[texts] = send.campaign(1, sink)
                stages[texts]["gateway_memory_mb"] = peak_memory_mb(sink)
            details = versions()
    smallest, largest = min(stages), max(stages)
    value = stages[smallest]["per_second"] / stages[largest]["per_second"]
    return {
        "name": "growth",
        "value": round(value, 3),
        "unit": "× cost",
        "limit": 1.0,
        "ratio": round(value, 3),
        "goal": "cost at 1M <= 1.2 x at 10k; <= 400 MB",
        "details": details | {"size": size, "stages": stages},
    }
