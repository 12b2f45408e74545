"""Brings the database to where `make run` can start: `python -m crm.local.prepare`. Safe to run again."""

import os
import sys

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate() -> bool:
    """Apply what is missing; says whether anything was."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", interactive=False, verbosity=1)
    return True


def seed() -> bool:
    """Fill an empty database with the demo; says whether it was empty. One with a store is left alone."""
    if apps.get_model("members", "Store").objects.exists():
        return False
    call_command("seed", demo=True)
    return True


def main() -> None:
    """Migrate, then seed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    django.setup()
    migrate()
    if os.environ.get("REGULARS_DEMO", "1") != "0":
        seed()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
