"""A second pair of hands for what is to happen while something else is not committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from crm.local.children import wait_until
from members.domain.ledger import Actor
from members.refusals import Refused
from tests.conftest import NOON
from tests.members.hands import HANDS

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
Act = Callable[[], Any]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Crowds open 64 connections: those of two or three test processes at once are more than the database takes."""
    if hasattr(getattr(item, "module", None), "at_once"):
        item.add_marker(pytest.mark.xdist_group("crowds"))


@pytest.fixture(scope="module", autouse=True)
def hands_let_go() -> Iterator[None]:
    """The connections of a module's crowds do not outlive it: elsewhere it is counted how many there are."""
    yield
    HANDS.let_go()


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
            over_or_waits = wait_until(lambda: begun.done() or waiting() > waited, 60, every=0.01)
            assert over_or_waits, "it is not over, and waits for no lock"
            return begun

        yield begin


def waiting() -> int:
    """How many wait for a lock now: within a transaction the database would tell again what it told first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
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
