"""What a process loads when it starts: only what it will use. A start pays for every module, in time and memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.core.checks import run_checks

from members.admin import StoreAdmin

WORKER = """
from crm.celery import app
app.loader.import_default_modules()
"""
GATEWAY = """
import django
django.setup()
from django.core.management import load_command_class
load_command_class("messaging", "run_gateways")
"""
WEB = """
import crm.wsgi
"""
SCORE = ("numpy", "scipy", "campaigns.cadence.fitting")
BACK_OFFICE = ("unfold.admin", "import_export.admin", "openpyxl", "members.admin")


def loaded(start: str) -> set[str]:
    """The names of the modules after a start, in a process of its own without the checks (as `make run` starts)."""
    script = f"import json, os, sys\nos.environ['CELERY_SKIP_CHECKS'] = '1'\n{start}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("start", "own"), [(WORKER, "campaigns.tasks"), (GATEWAY, "messaging.domain.dispatch.process")]
)
def test_the_worker_and_the_gateways_load_neither_the_score_nor_the_back_office(start, own):
    modules = loaded(start)

    assert own in modules
    assert not modules & {*SCORE, *BACK_OFFICE}


def test_the_web_loads_every_page_before_the_first_request_but_not_the_score():
    modules = loaded(WEB)

    assert {"crm.urls", "crm.staff.campaigns.composer", "members.admin"} <= modules
    assert not modules & {"scipy", "campaigns.cadence.fitting"}


def test_the_checks_see_the_pages_of_the_back_office(monkeypatch):
    monkeypatch.setattr(StoreAdmin, "list_display", ("no_such_field",))

    assert "admin.E108" in {found.id for found in run_checks(tags=["admin"])}
