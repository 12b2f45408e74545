"""Processes of the house that start at once: forks of one that has loaded their modules and done nothing else.

Loading is most of a start, up to two seconds of work, and a journey starts several. What is born here has its own
session, environment, words and output, opens its own connections, and is killed and waited for like any other. Starts
as from the shell are those of the web, the fault runs' gateways, the ticking beats and the clients of the killed database.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO

from crm.local.children import die_with_parent
from crm.local.places import PROJECT

LOADED = [
    *("messaging.management.commands.run_gateways", "crm.local.simulator.page", "django_celery_beat.schedulers"),
    *("campaigns.tasks", "messaging.tasks", "members.tasks", "crm.tasks", "crm.api.tasks", "kombu.transport.redis"),
    *("celery.bin.celery", "celery.apps.beat", "celery.apps.worker", "celery.concurrency.prefork"),
    "celery.worker.consumer",
]  # fmt: skip
MESSAGE_BYTES = 1 << 17


class Born:
    """A process out of the nursery, as `subprocess.Popen` would show it."""

    def __init__(self, nursery: Nursery, pid: int, stdout: BinaryIO | None) -> None:
        self.pid, self.stdout, self._nursery = pid, stdout, nursery
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""
        if self.returncode is None:
            self.returncode = self._nursery.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        """Its exit code; raises subprocess.TimeoutExpired."""
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Nursery:
    """The process that has loaded everything. Settings are read on loading: one nursery for each set of them."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.nursery", str(theirs.fileno())],
            cwd=PROJECT,
            env=os.environ | settings | {"PYTHONUNBUFFERED": "1", "CELERY_SKIP_CHECKS": "1"},
            pass_fds=[theirs.fileno()],
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        theirs.close()

    def bear(self, words: Sequence[str], env: Mapping[str, str], outputs: tuple[int, int]) -> int:
        """The process id of `python words…`, its output and errors going to these two files."""
        return self.ask({"words": [*words], "env": {**env}}, outputs)

    def ask(self, order: dict[str, Any], files: Sequence[int] = ()) -> Any:
        socket.send_fds(self._link, [json.dumps(order).encode()], [*files])
        answer = self._link.recv(MESSAGE_BYTES)
        assert answer, "the nursery has ended"
        return json.loads(answer)


@cache
def _nursery(settings: frozenset[tuple[str, str]]) -> Nursery:
    return Nursery(dict(settings))


def start(
    words: Sequence[str], *, env: Mapping[str, str] = os.environ, log: int, is_read: bool = False
) -> Born:
    """Start `python words…`; errors go into the log, output too unless it `is_read` from `stdout`."""
    settings = frozenset((name, value) for name, value in env.items() if name.startswith("REGULARS_"))
    nursery = _nursery(settings)
    if not is_read:
        return Born(nursery, nursery.bear(words, env, (log, log)), None)
    reading, writing = os.pipe()
    try:
        return Born(nursery, nursery.bear(words, env, (writing, log)), os.fdopen(reading, "rb"))
    finally:
        os.close(writing)


# --- the nursery's own side


def _serve(link: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Bear what is ordered and tell who has ended. Returns in a newborn only, with its order and its files."""
    die = die_with_parent(signal.SIGKILL)
    while True:
        raw, files, _flags, _from = socket.recv_fds(link, MESSAGE_BYTES, 2)
        if not raw:
            sys.exit()
        order = json.loads(raw)
        if "ended" in order:
            pid, status = os.waitpid(order["ended"], os.WNOHANG)
            link.send(json.dumps(os.waitstatus_to_exitcode(status) if pid else None).encode())
            continue
        standing, stands = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            if die is not None:
                die()
            for unused in (link.detach(), standing, stands):
                os.close(unused)
            return order, files
        for unused in (stands, *files):
            os.close(unused)
        os.read(standing, 1)  # until it is the head of its own session
        os.close(standing)
        link.send(json.dumps(pid).encode())


def _live(words: list[str], env: dict[str, str], files: list[int]) -> None:
    """Be `python words…`."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def main() -> None:
    import_module("django").setup()
    for name in LOADED:
        import_module(name)
    order, files = _serve(socket.socket(fileno=int(sys.argv[1])))
    _live(order["words"], order["env"], files)


if __name__ == "__main__":
    main()
