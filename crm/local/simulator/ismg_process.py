"""`python -m crm.local.simulator.ismg_process`: a CMPP gateway as a process of its own; prints one JSON line with
its port, and at the end (SIGTERM) one with what it counted.
"""

import argparse
import asyncio
import json
import random
import signal
from collections.abc import Callable
from pathlib import Path

from crm.local.simulator.ismg import FAULTS, Ismg
from crm.local.simulator.journal import Journal


def chances(rates: dict[str, float], seed: int) -> Callable[[int], str | None]:
    """A fault for each submit, drawn with these chances; the same seed draws the same."""
    if unknown := set(rates) - set(FAULTS):
        raise ValueError(f"no such fault: {sorted(unknown)}")
    draw = random.Random(seed)

    def fault(number: int) -> str | None:
        point = draw.random()
        for name, chance in rates.items():
            if point < chance:
                return name
            point -= chance
        return None

    return fault


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    gateway = Ismg(Journal(options.journal, options.fsync), version=int(options.version, 16))
    gateway.mood.fault = chances(json.loads(options.faults), options.seed)
    gateway.mood.answer_delay_ms, gateway.mood.receipt_delay_ms = options.answer_delay, options.receipt_delay
    port = await gateway.start(options.port)
    print(json.dumps({"port": port, "seed": options.seed}), flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await gateway.stop()
    print(json.dumps(gateway.counts), flush=True)


def arguments() -> argparse.Namespace:
    """The secret of every account is "secret"."""
    parser = argparse.ArgumentParser(prog="python -m crm.local.simulator.ismg", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--journal", type=Path, help="file of accepted submits")
    parser.add_argument("--fsync", action="store_true", help="fsync the journal before each answer")
    parser.add_argument("--version", default="30", help="the highest it speaks: 20, 21 or 30")
    parser.add_argument("--faults", default="{}", help='JSON of chances, such as {"drop": 0.01}')
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answer-delay", type=int, default=0, help="milliseconds")
    parser.add_argument("--receipt-delay", type=int, default=0, help="milliseconds")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
