"""A second pair of hands for what is to happen while something else is not committed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from members.domain.ledger import Actor
from members.refusals import Refused
from tests.conftest import NOON

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
Act = Callable[[], Any]


@pytest.fixture
def beside() -> Iterator[Callable[[Act], Future[Any]]]:
    """Begins an act on a connection of its own: it is over, or it waits for a lock, when this returns."""

    def run(act: Act) -> Any:
        try:
            return act()
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:

        def begin(act: Act) -> Future[Any]:
            waited, begun = waiting(), threads.submit(run, act)
            for _turn in range(300):
                if begun.done() or waiting() > waited:
                    break
                time.sleep(0.01)
            return begun

        yield begin


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return int(cursor.fetchone()[0])


@pytest.fixture
def here(at_till, riverside) -> dict[str, Any]:
    """A deed of the till at Riverside."""
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def mei_here(mei, riverside) -> dict[str, Any]:
    """A deed of Mei's, the manager, on two people who are one."""
    return {"actor": Actor(f"staff:{mei.pk}", mei.pk), "at": NOON, "store": riverside, "reason": "Same ID"}
