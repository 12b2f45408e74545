"""`python -m crm.local.migrating`: what `manage.py migrate` does, in half the time, for the tests' database.

Nearly all of that time goes into Django's models of the past, made anew after each operation: those around the one
that changed are, here, to the second neighbour, not all that can be reached; and a field is copied, not made again
from its arguments. What comes out is the same to the letter: tests/local/test_migrating.py. Who has data migrates with
`manage.py`.
"""

import copy
import os
from typing import Any

import django
from django.core.management import call_command
from django.db.migrations.state import ProjectState
from django.db.models import Field

_neighbours = ProjectState._find_reload_model  # type: ignore[attr-defined]


def _near_neighbours(state: Any, app_label: str, model_name: str, delay: bool = False) -> Any:
    return _neighbours(state, app_label, model_name, delay=True)


def _copied(field: Any) -> Any:
    """The field as no model has it yet, in its place after those made before it."""
    new = copy.copy(field)
    if field.remote_field is not None:
        new.remote_field = copy.copy(field.remote_field)
        new.remote_field.field = new
    new.creation_counter = Field.creation_counter  # type: ignore[attr-defined]
    Field.creation_counter += 1  # type: ignore[attr-defined]
    return new


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    django.setup()
    ProjectState._find_reload_model = _near_neighbours  # type: ignore[attr-defined]
    Field.clone = _copied  # type: ignore[assignment,method-assign]
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main()
