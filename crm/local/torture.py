"""`make torture`: the fault runs that are too long for `make test`, on the embedded servers.

F1, F3, the journeys' controls and outages in full, and the tests' database made by both ways. Words are passed on to
the one run they choose.
"""

import os
import subprocess
import sys

from crm.local.places import PROJECT, StartFailed
from crm.local.servers import released, using_servers

WITHOUT_RECEIPTS = ["--no-receipts", "--texts", "20000", "--kills", "50", "--resets", "25", "--dropped", "25"]
JOURNEYS = [
    "test_fault_controls.py",
    "test_line_cut.py",
    "test_outages.py",
    "test_outages_elsewhere.py",
    "test_rolling_restart.py",
    "test_stopped_gateway.py",
]
SHORT_WAY = "tests/local/test_migrating.py"


def main() -> int:
    """Exit code 0 when nothing was lost and nothing came twice."""
    try:
        with using_servers() as servers:
            environment = os.environ | servers.environment() | {"REGULARS_TORTURE": "1"}
            failed = [
                command
                for command in _commands()
                if subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode
            ]
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    released(60)
    for command in failed:
        print("FAILED:", *command[1:], file=sys.stderr)
    return bool(failed)


def _commands() -> list[list[str]]:
    run = [sys.executable, "manage.py", "torture"]
    if sys.argv[1:]:
        return [[*run, *sys.argv[1:]]]
    journeys = [f"tests/journeys/{name}" for name in JOURNEYS]
    return [run, [*run, *WITHOUT_RECEIPTS], [sys.executable, "-m", "pytest", SHORT_WAY, *journeys]]


if __name__ == "__main__":
    sys.exit(main())
