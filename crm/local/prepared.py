"""Remembers that the database is migrated and filled, so that a second start need not find out the long way."""

import hashlib
import json

import psycopg

from crm.local.places import PROJECT, data_dir, write_private

STAMP = "prepared.json"


def is_prepared(database_url: str) -> bool:
    """The same migrations and packages as at the last preparation, and the database still has as many applied."""
    try:
        stamp = json.loads((data_dir() / STAMP).read_text())
    except (OSError, ValueError):
        return False
    return bool(stamp == {"code": _digest(), "applied": _applied(database_url)})


def note_prepared(database_url: str) -> None:
    """Write the stamp; called when the database has just been prepared."""
    write_private(data_dir() / STAMP, json.dumps({"code": _digest(), "applied": _applied(database_url)}))


def point_simulator(database_url: str, port: int) -> None:
    """Let the demo's gateway follow the simulator to the port it got this time; it alone is on this machine."""
    sql = "UPDATE messaging_gateway SET port = %s WHERE host = '127.0.0.1' AND system_id = 'regulars' AND port <> %s"
    with psycopg.connect(database_url, connect_timeout=5, autocommit=True) as connection:
        connection.execute(sql, [port, port])


def _digest() -> str:
    """Changes with any migration of ours and with any package (which bring their own)."""
    summary = hashlib.sha256((PROJECT / "requirements.txt").read_bytes())
    for path in sorted(PROJECT.glob("*/migrations/*.py")) + sorted(PROJECT.glob("crm/*/migrations/*.py")):
        summary.update(str(path.relative_to(PROJECT)).encode() + path.read_bytes())
    return summary.hexdigest()


def _applied(database_url: str) -> str | None:
    """Which database it is (its start as a cluster and its number) and how much is applied; None: not to be had."""
    sql = (
        "SELECT concat_ws(' ', (SELECT system_identifier FROM pg_control_system()), d.oid, "
        "(SELECT count(*) FROM django_migrations)) FROM pg_database d WHERE datname = current_database()"
    )
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            row = connection.execute(sql).fetchone()
    except psycopg.Error:
        return None
    return str(row[0]) if row else None
