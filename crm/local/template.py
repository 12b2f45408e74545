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


def make(url: str) -> None:
    """Make it anew on the server of `url`, by the migrations. Raises CalledProcessError, psycopg.Error."""
    drop(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    own = urlunsplit(urlsplit(url)._replace(path=f"/{NAME}"))
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=PROJECT,
        env=os.environ | {"REGULARS_DATABASE_URL": own},
        check=True,
    )


def drop(url: str) -> None:
    """Remove it, if it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(NAME)))


if __name__ == "__main__":
    make(os.environ["REGULARS_DATABASE_URL"])
