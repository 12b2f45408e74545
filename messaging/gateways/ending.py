"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

ASK_AGAIN_SECONDS = 2.0


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and wait until they are over, whatever they raise.

    They are asked again after a moment: before Python 3.12 `asyncio.wait_for` keeps a cancellation to itself when what
    it waits for comes in the same instant, and psycopg waits by it for each answer of the database.
    """
    going_on = {task for task in tasks if not task.done()}
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=ASK_AGAIN_SECONDS)
