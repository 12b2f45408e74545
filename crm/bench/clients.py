"""Several clients at once, each a process with its own connection, for a fixed time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized

from django.db import connections

Deed = Callable[[int, int], None]


def rate(deed: Deed, *, clients: int, seconds: float) -> float:
    """Deeds per second: each client calls `deed(client, number)` until the time is over.

    The clients are forked with closed connections and start together; a deed that raises ends the bench.
    """
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(clients + 1)
    done: Synchronized[int] = context.Value("q", 0)  # type: ignore[assignment]
    workers = [
        context.Process(target=_work, args=(deed, client, seconds, barrier, done))
        for client in range(clients)
    ]
    for worker in workers:
        worker.start()
    barrier.wait(timeout=60)
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    elapsed = time.perf_counter() - started
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a client of the bench failed")
    return done.value / elapsed


def _work(deed: Deed, client: int, seconds: float, barrier: object, done: Synchronized[int]) -> None:
    deed(client, 0)  # connect and warm up
    barrier.wait(timeout=60)  # type: ignore[attr-defined]
    end = time.perf_counter() + seconds
    number = 1
    while time.perf_counter() < end:
        deed(client, number)
        number += 1
    with done.get_lock():
        done.value += number - 1
    connections.close_all()
