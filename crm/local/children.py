"""Starting child processes that cannot outlive their parent, and stopping them."""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(death_signal: int) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends `death_signal` to the child when its parent dies (Linux; None
    elsewhere).

    `subprocess` calls it after changing the user, which would clear the setting.
    """
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def spawn(
    argv: Sequence[str | Path],
    log: Path,
    *,
    death_signal: int = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    **popen: Any,
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, its output appended to `log` (0600)."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(death_signal),
            env=env,
            **popen,
        )
    finally:
        os.close(descriptor)


def stop_child(
    child: subprocess.Popen[bytes], *, first: int = signal.SIGTERM, wait_seconds: float = 10
) -> None:
    """Ask a child to stop, wait, then kill it and everything in its session."""
    if child.poll() is None:
        child.send_signal(first)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(wait_seconds)
    kill_group(child.pid)
    child.wait()


def kill_group(group: int) -> None:
    """Kill whatever is left of a process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def is_running(pid: int) -> bool:
    """Is there a process with this id (a zombie counts as gone where /proc tells)?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(") ")[2].startswith("Z"))


def wait_until(true: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Poll until `true()` or the time is up; says which."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def claim(path: Path, seconds: float = 0, *, shared: bool = False) -> int | None:
    """Lock a file for as long as the returned descriptor, or a copy inherited by a child, is open; None: not
    in time.

    The kernel lets go when the last holder dies, however it dies, so a lock never outlives a crash.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX

    def try_once() -> bool:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if wait_until(try_once, seconds):
        return descriptor
    os.close(descriptor)
    return None


def free_port(preferred: int = 0) -> int:
    """`preferred` when nobody listens there on 127.0.0.1, else a free one."""
    if preferred and _is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def next_free_port(wanted: int) -> int:
    """`wanted`, or the next free port after it."""
    for port in range(wanted, min(wanted + 100, 65536)):
        if _is_free(port):
            return port
    return free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
