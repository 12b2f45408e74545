"""Many hands at the same moment: threads with a connection each.

A module's tests share them: to open 64 connections, and to have each learn the tables, takes longer than most crowds.
What an act sets in its session it therefore sets LOCAL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from threading import Barrier
from typing import Any

from django.db import connection

from members.refusals import Refused

Act = Callable[[], Any]


class Hands:
    """As many as the largest crowd so far had."""

    def __init__(self) -> None:
        self._hands: list[ThreadPoolExecutor] = []

    def do(self, acts: Sequence[Act]) -> list[Any]:
        """Do all of them at once, each by a hand of its own: nobody begins before everybody is there."""
        self._hands += [ThreadPoolExecutor(1) for _ in range(len(self._hands), len(acts))]
        start = Barrier(len(acts))

        def run(act: Act) -> Any:
            start.wait(60)
            return act()

        doing = [hand.submit(run, act) for hand, act in zip(self._hands, acts, strict=False)]
        wait(doing)
        return [done.result() for done in doing]

    def let_go(self) -> None:
        """Close the connections."""
        for hand in self._hands:
            hand.submit(_close).result()


HANDS = Hands()


def at_once(acts: Sequence[Act]) -> list[Any]:
    """Do all of them at the same moment, each on its own connection; results, or what refused them.

    Anything but a refusal (a deadlock, say) fails the test here.
    """
    HANDS.do([_open] * len(acts))
    return HANDS.do([partial(_done, act) for act in acts])


def _open() -> None:
    connection.ensure_connection()  # of its own: `connection` is another one in each thread


def _close() -> None:
    connection.close()


def _done(act: Act) -> Any:
    try:
        return act()
    except Refused as refusal:
        return refusal
    finally:
        with connection.cursor() as cursor:  # the deadlocks it has seen are counted now, not when it closes
            cursor.execute("SELECT pg_stat_force_next_flush()")
