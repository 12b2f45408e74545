"""The short way to the tests' database ends where `manage.py migrate` ends. `REGULARS_TORTURE=1`: it takes a minute."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from crm.local.account import choose_account
from crm.local.places import PROJECT
from crm.local.programs import postgres_bin

IN_FULL = pytest.mark.skipif(os.environ.get("REGULARS_TORTURE") != "1", reason="REGULARS_TORTURE=1 runs it")
SHORT_WAY = ["-m", "crm.local.migrating"]
LONG_WAY = ["manage.py", "migrate", "--verbosity", "0"]


@contextmanager
def new_database(name: str) -> Iterator[str]:
    """The address of an empty database, dropped afterwards."""
    url, named = os.environ["REGULARS_DATABASE_URL"], sql.Identifier(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(named))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(named))
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(named))


def migrated(name: str, way: list[str]) -> list[str]:
    """All that a new database holds after this way, but for when each migration was applied."""
    with new_database(name) as url:
        environment = os.environ | {"REGULARS_DATABASE_URL": url}
        subprocess.run([sys.executable, *way], cwd=PROJECT, env=environment, check=True)
        dump = [postgres_bin(choose_account()) / "pg_dump", "--no-owner", "--inserts"]
        said = subprocess.run(
            [*dump, "--exclude-table-data=django_migrations", url],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    return [line for line in said.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


@IN_FULL
def test_the_short_way_makes_what_the_migrations_make():
    long_way = migrated("regulars_long_way", LONG_WAY)

    assert any(line.startswith("CREATE TABLE public.members_member ") for line in long_way)
    assert migrated("regulars_short_way", SHORT_WAY) == long_way
