"""`make run` keeps its processes alive, and leaves none behind however it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crm.local.children import is_running, next_free_port, wait_until
from crm.local.places import PROJECT

pytestmark = pytest.mark.torture
STORY = """
import os, sys, time
from crm.local.places import prepared_data_dir
from crm.local.supervisor import Program, Supervisor

prepared_data_dir()
supervisor = Supervisor(os.environ, grace_seconds=1)
polite = "import time; print('up', flush=True); time.sleep(600)"
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + polite
for name, source in {"polite": polite, "deaf": deaf}.items():
    command = [sys.executable, "-c", source]
    supervisor.start([Program(name, command, lambda program: b"up" in program.new_log())])
while supervisor.waiting_for():
    time.sleep(0.05)
while True:
    print(*(program.child.pid if program.child else 0 for program in supervisor.programs), flush=True)
    if not sys.stdin.readline().strip():
        break
    for _ in range(30):
        supervisor.revive()
        time.sleep(0.05)
supervisor.stop()
"""


class Story:
    """A parent with two children, one of which does not listen to requests to stop."""

    def __init__(self, folder: Path) -> None:
        self.parent = subprocess.Popen(
            [sys.executable, "-c", STORY],
            cwd=PROJECT,
            env=os.environ | {"REGULARS_DATA_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.seen: list[str] = []

    def say(self, line: str) -> None:
        assert self.parent.stdin
        self.parent.stdin.write(line + "\n")
        self.parent.stdin.flush()

    def pids(self) -> list[int]:
        """The next line of process ids; lines for people in between are kept in `seen`."""
        assert self.parent.stdout
        while not (line := self.parent.stdout.readline()).replace(" ", "").strip().isdigit():
            assert line, "the parent ended"
            self.seen.append(line)
        return [int(word) for word in line.split()]


def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    story = Story(tmp_path / "data")
    pids = story.pids()
    assert all(is_running(pid) for pid in pids)

    story.parent.kill()
    story.parent.wait()

    assert wait_until(lambda: not any(is_running(pid) for pid in pids), 15)


def test_a_killed_child_is_started_again_and_said(tmp_path: Path) -> None:
    story = Story(tmp_path / "data")
    polite, deaf = story.pids()

    os.kill(polite, signal.SIGKILL)
    story.say("on")
    again, same = story.pids()

    assert (again != polite, is_running(again), same) == (True, True, deaf)
    assert any("polite ended (code -9)" in line for line in story.seen)
    story.parent.kill()
    story.parent.wait()
    assert wait_until(lambda: not any(is_running(pid) for pid in (again, deaf)), 15)


def test_a_taken_port_is_stepped_around() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert next_free_port(port) > port
