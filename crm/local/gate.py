"""The steps of `make check`: each a command that must succeed."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crm.local.places import PROJECT

PRODUCTION = {
    "REGULARS_DEBUG": "0",
    "REGULARS_HTTPS": "1",
    "REGULARS_SECRET_KEY": "only-for-the-deployment-check-0123456789-abcdefghijklmnop",
    "REGULARS_ALLOWED_HOSTS": "regulars.example",
}


def steps() -> list[tuple[str, list[str], dict[str, str]]]:
    """Name, command and extra environment of each step."""
    tool = [sys.executable, "-m"]
    manage = [sys.executable, "manage.py"]
    packages = ["members", "messaging", "campaigns", "crm"]
    templates = sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "templates").rglob("*.html"))
    return [
        ("format", [*tool, "ruff", "format", "--check", "."], {}),
        ("lint", [*tool, "ruff", "check", "."], {}),
        ("types", [*tool, "mypy"], {}),
        ("imports", [_beside_python("lint-imports")], {}),
        ("templates", [_beside_python("djade"), "--target-version", "5.2", "--check", *templates], {}),
        # B608, SQL put together from strings, is off as in ruff: ours joins constants of the same module.
        # B308 and B703 (mark_safe) are ruff's S308, where each use says why it is safe.
        (
            "security",
            [*tool, "bandit", "-q", "-ll", "-s", "B608,B308,B703", "-r", *packages, "-x", "crm/bench"],
            {},
        ),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], {}),
        ("deployment", [*manage, "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
        ("house", [*tool, "pytest", "tests/house", "-q", "-p", "no:cacheprovider"], {}),
    ]


def run_gate(environment: Mapping[str, str], *, without: str = "", beside: bool = False) -> list[str]:
    """Run every step but the one left out, show what fails, and return the names of the failed ones.

    Two at a time; beside other work one, which gives way to it.
    """
    wanted = [step for step in steps() if step[0] != without]
    before = ["nice"] if beside else []
    with ThreadPoolExecutor(max_workers=1 if beside else 2) as pool:
        passed = list(
            pool.map(lambda step: _run(step[0], before + step[1], step[2], environment=environment), wanted)
        )
    return [name for (name, _command, _extra), is_passed in zip(wanted, passed, strict=True) if not is_passed]


def _run(name: str, command: list[str], extra: Mapping[str, str], *, environment: Mapping[str, str]) -> bool:
    began_at = time.monotonic()
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=os.environ | dict(environment) | dict(extra),
        capture_output=True,
        text=True,
        check=False,
    )
    told = f"  {'FAIL' if done.returncode else 'ok  '}  {name} ({time.monotonic() - began_at:.1f} s)"
    print(told if not done.returncode else f"{told}\n{done.stdout}{done.stderr}", flush=True)
    return done.returncode == 0


def _beside_python(program: str) -> str:
    return str(Path(sys.executable).with_name(program))
