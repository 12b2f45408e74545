"""`make test`: the gate, then all tests, on the embedded servers. Further words go to pytest."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from crm.local.browser import ensure_browser
from crm.local.children import die_with_parent
from crm.local.gate import run_gate
from crm.local.messages import compile_stale
from crm.local.places import PROJECT, StartFailed
from crm.local.servers import Servers, released, using_servers
from crm.local.template import NAME, VARIABLE, drop

WORKERS = "3"  # for two cores: one of the three has the journeys, which mostly wait


def main() -> int:
    """Exit code 0 when the gate and the tests passed, and in CI only with a browser."""
    began_at = time.monotonic()
    has_browser = ensure_browser()
    compile_stale()
    try:
        with using_servers() as servers:
            failed = _gate_and_tests(servers)
            drop(servers.urls["database_url"])
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    released(60)
    if not has_browser and os.environ.get("CI"):
        failed.append("no browser in CI")
    print(
        f"{'FAILED: ' + ', '.join(failed) if failed else 'All green'} in {time.monotonic() - began_at:.0f} s"
    )
    return bool(failed)


def _gate_and_tests(servers: Servers) -> list[str]:
    """What failed. The journeys wait half of their time: the gate runs then, beside all tests."""
    making = _start_template(servers)
    with ThreadPoolExecutor(max_workers=1) as beside:
        gate = beside.submit(run_gate, servers.environment(), without="house", beside=True)  # house is a test
        failed = []
        if making.wait():
            failed.append("the database to copy test databases from")
        elif _run_tests(servers):
            failed.append("tests")
        return gate.result() + failed


def _start_template(servers: Servers) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "crm.local.template"],
        cwd=PROJECT,
        env=os.environ | servers.environment(),
        preexec_fn=die_with_parent(signal.SIGTERM),
    )


def _run_tests(servers: Servers) -> int:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        WORKERS,
        "--dist",
        "loadgroup",
        "--durations=10",
        *sys.argv[1:],
    ]
    environment = os.environ | servers.environment() | {VARIABLE: NAME}
    child = subprocess.Popen(
        command, cwd=PROJECT, env=environment, preexec_fn=die_with_parent(signal.SIGTERM)
    )
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # pytest got it too and reports
            continue


if __name__ == "__main__":
    sys.exit(main())
