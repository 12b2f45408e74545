"""Ending tasks and connections for certain."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
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


def drop(transport: asyncio.Transport) -> None:
    """Close at once, also what is closing already.

    The Python 3.11.2 of Debian 12 raises for a TLS transport that was closed before; later ones do nothing then.
    """
    with suppress(AttributeError):
        transport.abort()
