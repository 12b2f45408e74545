"""The gateway process's own connections: what counts as trouble that passes."""

from __future__ import annotations

import asyncio

import pytest

from messaging.domain.dispatch.database import Connection, DatabaseTrouble, Line


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


async def one(connection: Connection) -> int:
    row = await (await connection.execute("SELECT 1")).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("work", [idle_too_long, write_where_none_may])
def test_a_line_comes_back_after(db, work):
    async def both() -> int:
        line = Line("test")
        try:
            with pytest.raises(DatabaseTrouble):
                await line.transaction(work)
            return await line.transaction(one)
        finally:
            await line.close()

    assert asyncio.run(both()) == 1
