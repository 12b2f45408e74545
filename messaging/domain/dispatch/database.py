"""Database connections of the gateway process: asynchronous, and back by themselves after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from django.db import connection as django_connection

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Work = Callable[[Connection], Awaitable[Any]]
T = TypeVar("T")

# The planner's picture of a queue is always out of date: an empty table a minute ago, 100,000 rows now. Every
# statement here is meant to go through an index. An attempt counts only when it is on the disk:
# synchronous_commit stays on.
_OPTIONS = (
    "-c enable_seqscan=off -c jit=off -c synchronous_commit=on -c timezone=UTC "
    "-c lock_timeout=2s -c statement_timeout=10s -c idle_in_transaction_session_timeout=10s"
)
# For statements whose every look at a message goes by its id whatever the planner believes: made anew for each claim,
# the plan cost half of the claim of one text.
PLANNED_ONCE = "-c plan_cache_mode=force_generic_plan"
# A session that idled in its transaction (we were stopped) and a server that only reads are internal errors to psycopg.
_TROUBLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
# And by their codes: a plan that fits no more, a statement prepared elsewhere, a database, a schema, a table or a right
# that is not there. So a server speaks that another one took over from, that is being restored, or that is ahead of us.
_OF_THE_SERVER = ("0A", "26", "3D", "3F", "42")
# A deadlock, a lock that did not come, a statement that took too long: the connection is as good as before.
_OF_THE_STATEMENT = ("40", "55P03", "57014")
_NOT_FOR_US = ("cursor_factory", "context", "prepare_threshold")


class DatabaseTrouble(Exception):
    """The database is away, restarting, only reads, is not the one we knew, or chose us as a deadlock's victim. The
    transaction did not happen, or nobody knows whether it did: what is tried again must be safe to say twice.
    """


def is_trouble(problem: psycopg.Error) -> bool:
    """Whether it is the server's fault and passes, not that of what we said to it."""
    return isinstance(problem, _TROUBLE) or (problem.sqlstate or "").startswith(_OF_THE_SERVER)


def connection_parameters(name: str, more: str = "") -> dict[str, Any]:
    """Django's own parameters for psycopg, with this process's session options and `more` of them."""
    parameters = django_connection.get_connection_params()
    for key in _NOT_FOR_US:
        parameters.pop(key, None)
    options = f"{parameters.get('options', '')} {_OPTIONS} {more}".strip()
    return parameters | {"options": options, "application_name": f"regulars {name}", "connect_timeout": 5}


class Line:
    """One connection that comes back. Several tasks may ask; one transaction runs at a time."""

    def __init__(self, name: str, options: str = "") -> None:
        self._name = name
        self._options = options
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in one transaction and commit it. Raises DatabaseTrouble; data errors pass through."""
        async with self._turn:
            try:
                connection = await self._ready()
                async with connection.transaction():
                    return await work(connection)
            except psycopg.Error as problem:
                if not is_trouble(problem):
                    raise
                if not (problem.sqlstate or "").startswith(_OF_THE_STATEMENT):
                    await self._drop()
                raise DatabaseTrouble(type(problem).__name__) from problem

    async def close(self) -> None:
        """Give the connection back."""
        async with self._turn:
            await self._drop()

    async def _ready(self) -> Connection:
        if self._connection is None or self._connection.closed:
            parameters = connection_parameters(self._name, self._options)
            self._connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
        return self._connection

    async def _drop(self) -> None:
        """The next one may lead to another server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
