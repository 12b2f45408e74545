"""Keeps the processes of `make run` alive: starts them together, restarts the fallen, stops in order."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from crm.local.children import kill_group, spawn, tail, wait_until
from crm.local.places import PROJECT, log_file

BACK_OFF_SECONDS_MAX = 30
STEADY_SECONDS = 30
STOP_SECONDS = 15
GRACE_SECONDS = 8


@dataclass
class Program:
    """One process: its command, how to see that it is ready, and its place in the order of stopping (low
    first).
    """

    name: str
    argv: list[str]
    is_ready: Callable[["Program"], bool]
    stop_rank: int = 0
    child: subprocess.Popen[bytes] | None = None
    log_offset: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0
    falls: int = 0
    was_ready: bool = field(default=False)

    def new_log(self) -> bytes:
        """What it wrote since its last start."""
        with log_file(self.name).open("rb") as log:
            log.seek(self.log_offset)
            return log.read()


class Supervisor:
    """Owns the children. `lock` (the hold on the servers) is shared with the guard, which outlives a killed
    parent: it gives the children `grace_seconds` to stop.
    """

    def __init__(
        self, environment: Mapping[str, str], lock: int | None = None, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self.environment = dict(environment)
        self.programs: list[Program] = []
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "crm.local.guard", str(grace_seconds)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[lock] if lock is not None else [],
        )

    def start(self, programs: Iterable[Program]) -> None:
        """Start them, all at once."""
        for program in programs:
            self.programs.append(program)
            self._launch(program)

    def run_once(self, name: str, argv: list[str], is_cancelled: Callable[[], bool]) -> bool:
        """Run a command to its end; True when it succeeded. Its output goes to the log `name`."""
        program = Program(name, argv, lambda _: True)
        self._launch(program)
        child = program.child
        assert child is not None
        wait_until(lambda: child.poll() is not None or is_cancelled(), 3600)
        if child.poll() is None:
            self._signal(program, signal.SIGTERM)
        self._reap(program, 10)
        return child.returncode == 0

    def waiting_for(self) -> list[Program]:
        """The programs that were not seen ready yet."""
        for program in self.programs:
            if not program.was_ready and program.child is not None and program.child.poll() is None:
                program.was_ready = program.is_ready(program)
        return [program for program in self.programs if not program.was_ready]

    def revive(self) -> None:
        """Restart what has ended, each fall waiting twice as long; says so on the console."""
        for program in self.programs:
            if program.child is not None and program.child.poll() is not None:
                self._note_fall(program)
            elif program.child is None and time.monotonic() >= program.restart_at:
                self._launch(program)

    def stop(self) -> None:
        """Stop everything, lowest rank first, and let the guard go."""
        for rank in sorted({program.stop_rank for program in self.programs}):
            of_rank = [program for program in self.programs if program.stop_rank == rank]
            for program in of_rank:
                self._signal(program, signal.SIGTERM)
            end = time.monotonic() + STOP_SECONDS
            for program in of_rank:
                self._reap(program, max(0.1, end - time.monotonic()))
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()

    def _launch(self, program: Program) -> None:
        log = log_file(program.name)
        program.log_offset = log.stat().st_size if log.exists() else 0
        program.child = spawn(program.argv, log, env=self.environment, cwd=PROJECT)
        program.started_at = time.monotonic()
        self._tell_guard(program.child.pid)

    def _note_fall(self, program: Program) -> None:
        assert program.child is not None
        code = program.child.returncode
        self._reap(program, 0)
        is_steady = time.monotonic() - program.started_at > STEADY_SECONDS
        program.falls = 1 if is_steady else program.falls + 1
        pause = min(BACK_OFF_SECONDS_MAX, 2 ** (program.falls - 1))
        program.restart_at = time.monotonic() + pause
        print(
            f"  {program.name} ended (code {code}), starting it again in {pause} s. {log_file(program.name)}"
        )
        if program.falls in (1, 4):
            print(
                "\n".join(f"    {line}" for line in tail(log_file(program.name), 6).splitlines()), flush=True
            )

    def _signal(self, program: Program, number: int) -> None:
        if program.child is not None and program.child.poll() is None:
            os.kill(program.child.pid, number)

    def _reap(self, program: Program, seconds: float) -> None:
        """Wait for the child, then kill whatever is left of its group."""
        if program.child is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.child.wait(seconds)
        kill_group(program.child.pid)
        program.child.wait()
        self._tell_guard(-program.child.pid)
        program.child = None

    def _tell_guard(self, group: int) -> None:
        assert self._guard.stdin is not None
        try:
            self._guard.stdin.write(f"{group:+d}\n".encode())
            self._guard.stdin.flush()
        except BrokenPipeError:
            print(
                "  the guard process has gone: a kill -9 of this process would leave others behind",
                file=sys.stderr,
            )
