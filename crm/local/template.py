"""The database that test databases are copied from: `python -m crm.local.template`, while the gate runs.

Migrating takes longer than any test, and each test process would do it again for itself.
"""

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from crm.local.places import PROJECT

VARIABLE = "REGULARS_TEST_TEMPLATE"
NAME = "regulars_test_template"
# Tests roll back: a vacuum finds their tables empty and says so to the planner, whose plans for the next test's rows
# have then been seen to take minutes. Without one it assumes a few pages, as for any new table.
_NO_VACUUM = """
DO $$ DECLARE name regclass; BEGIN
  FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', name);
  END LOOP;
END $$
"""


def make(url: str) -> None:
    """Make it anew on the server of `url`, by the migrations; copies that a broken run left behind go.

    Raises CalledProcessError, psycopg.Error.
    """
    drop(url)
    with psycopg.connect(url, autocommit=True) as connection:
        left = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^test_regulars_gw[0-9]+$'"
        )
        for (name,) in left.fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    own = urlunsplit(urlsplit(url)._replace(path=f"/{NAME}"))
    subprocess.run(
        [sys.executable, "-m", "crm.local.migrating"],
        cwd=PROJECT,
        env=os.environ | {"REGULARS_DATABASE_URL": own},
        check=True,
    )
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(_NO_VACUUM)


def drop(url: str) -> None:
    """Remove it, if it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(NAME)))


if __name__ == "__main__":
    make(os.environ["REGULARS_DATABASE_URL"])
