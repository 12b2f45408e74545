"""The gateway process's own connections: what counts as trouble that passes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from messaging.domain.dispatch.database import Connection, DatabaseTrouble, Line, Work, connection_parameters
from messaging.domain.dispatch.process import GatewayProcess, Timing
from messaging.models import Gateway
from tests.messaging.domain.desk import main_gateway


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: the line has a connection of its own."""


async def idle_too_long(connection: Connection) -> None:
    """As a process does that was stopped in the middle."""
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
    await asyncio.sleep(0.3)
    await connection.execute("SELECT 1")


async def write_where_none_may(connection: Connection) -> None:
    """As on a server that another one has taken over from."""
    await connection.execute("SET TRANSACTION READ ONLY")
    await connection.execute("UPDATE messaging_gateway SET name = name")


async def ask_for_what_is_not_there(connection: Connection) -> None:
    """As of a server that is being restored."""
    await connection.execute("SELECT FROM messaging_not_restored_yet")


async def ask_by_a_plan_that_fits_no_more(connection: Connection) -> None:
    """As after a migration."""
    await connection.execute("CREATE TEMPORARY TABLE plan (a int)")
    await connection.execute("PREPARE asked AS SELECT * FROM plan")
    await connection.execute("ALTER TABLE plan ADD b int")
    await connection.execute("EXECUTE asked")


async def wait_for_a_lock(connection: Connection) -> None:
    """As while another process is at the row."""
    await connection.execute("SET LOCAL statement_timeout = '20ms'")
    await connection.execute("SELECT pg_sleep(1)")


async def say_what_is_no_number(connection: Connection) -> None:
    await connection.execute("SELECT 'eight'::int")


async def server_process(connection: Connection) -> int:
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    assert row is not None
    return int(row[0])


def processes_around(work: Work, problem: type[Exception]) -> tuple[int, int]:
    """The server's process that a line speaks with before and after a piece of work that fails."""

    async def asked() -> tuple[int, int]:
        line = Line("test")
        try:
            before = await line.transaction(server_process)
            with pytest.raises(problem):
                await line.transaction(work)
            return before, await line.transaction(server_process)
        finally:
            await line.close()

    return asyncio.run(asked())


@pytest.mark.parametrize(
    "work",
    [idle_too_long, write_where_none_may, ask_for_what_is_not_there, ask_by_a_plan_that_fits_no_more],
)
def test_a_line_connects_anew_after(db, work):
    before, after = processes_around(work, DatabaseTrouble)

    assert before != after, "the next one may lead to the server that took over"


@pytest.mark.parametrize(
    ("work", "problem"), [(wait_for_a_lock, DatabaseTrouble), (say_what_is_no_number, psycopg.DataError)]
)
def test_a_line_stays_as_it_is_after(db, work, problem):
    before, after = processes_around(work, problem)

    assert before == after


def test_a_gateway_process_outlives_a_database_that_is_not_whole_and_asks_it_seldom(db):
    """Without its table of gateways for two seconds: as while a server is restored."""
    gateway, ready = main_gateway(), asyncio.Event()
    process = GatewayProcess(Timing(lease_seconds=1.5), ready.set)

    async def live() -> list[MutableMapping[str, Any]]:
        with capture_logs() as said:
            living = asyncio.create_task(process.run())
            await asyncio.wait_for(ready.wait(), 10)
            async with missing("messaging_gateway"):
                await asyncio.sleep(2)
                assert not living.done(), "it lives"
            said_meanwhile = [entry for entry in said if entry["event"] == "database_trouble"]
            await held(gateway)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(living, 20)
            return said_meanwhile

    said = asyncio.run(live())

    assert "UndefinedTable" in {entry["error"] for entry in said}
    assert len(said) < 30, "it does not spin"


@asynccontextmanager
async def missing(table: str) -> AsyncIterator[None]:
    line = await psycopg.AsyncConnection.connect(**connection_parameters("test"), autocommit=True)
    async with line:
        await line.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield
        finally:
            await line.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


async def held(gateway: Gateway) -> None:
    """Wait until a process holds it."""
    for _ in range(100):
        if await Gateway.objects.filter(pk=gateway.pk).exclude(lease_owner="").aexists():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("nobody took the gateway")
