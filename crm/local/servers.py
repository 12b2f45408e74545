"""The embedded database and broker for a program that needs them. `python -m crm.local.servers` is `make
services`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crm.local.children import claim, tail
from crm.local.places import (
    FAILURE,
    LOCK,
    POLL_SECONDS,
    PROJECT,
    STATE,
    STAY,
    URL_VARIABLES,
    USERS,
    StartFailed,
    data_dir,
    log_file,
    prepared_data_dir,
)

START_SECONDS = 90


@dataclass(frozen=True)
class Servers:
    """Addresses in use. `lock` is the user's hold on the embedded servers (None: they stay up, or are not
    ours).
    """

    urls: Mapping[str, str]
    data: str | None = None
    lock: int | None = None

    def environment(self) -> dict[str, str]:
        """The environment variables that point a child process at these servers."""
        return {URL_VARIABLES[name]: url for name, url in self.urls.items()}


def given_urls() -> dict[str, str]:
    """The addresses set in the environment; for these nothing is started."""
    return {
        name: os.environ[variable] for name, variable in URL_VARIABLES.items() if os.environ.get(variable)
    }


def running_state() -> dict[str, str] | None:
    """What `services.json` says, if a keeper is alive; None otherwise (a file left by a crash does not
    count).
    """
    folder = data_dir()
    if not (folder / STATE).exists():
        return None
    lock = claim(folder / LOCK)
    if lock is not None:
        os.close(lock)
        return None
    try:
        return dict(json.loads((folder / STATE).read_text()))
    except (OSError, ValueError):
        return None


@contextmanager
def using_servers() -> Iterator[Servers]:
    """Servers for the duration of the block: those given, those already up, or newly started ones. Raises
    StartFailed.
    """
    if len(given_urls()) == len(URL_VARIABLES):
        yield Servers(given_urls())
        return
    lock = claim(prepared_data_dir() / USERS, 60, shared=True)
    if lock is None:
        raise StartFailed("The embedded servers are being stopped and do not come to an end; see the logs.")
    try:
        state = _ensure_running()
        yield Servers(_urls(state), state["data"], lock)
    finally:
        os.close(lock)


def released(seconds: float) -> bool:
    """Wait for the embedded servers to stop after the last user left. False: others still use them, or they
    stay up.
    """
    folder = data_dir()
    if not folder.is_dir() or (folder / STAY).exists():
        return False
    if _others_use(folder / USERS):
        return False
    lock = claim(folder / LOCK, seconds)
    if lock is not None:
        os.close(lock)
    return lock is not None


def _others_use(users: Path) -> bool:
    """The lock cannot be had alone, yet can be shared: by others. (The keeper, when it leaves, has it alone.)"""
    alone = claim(users, POLL_SECONDS)
    shared = claim(users, shared=True) if alone is None else None
    for lock in (alone, shared):
        if lock is not None:
            os.close(lock)
    return shared is not None


def keep_running() -> Servers:
    """Servers that stay up in the background until `make stop`. Raises StartFailed."""
    with using_servers() as servers:
        if servers.lock is not None:
            (data_dir() / STAY).touch()
        return Servers(servers.urls, servers.data)


def _urls(state: Mapping[str, str]) -> dict[str, str]:
    urls = {name: state[name] for name in URL_VARIABLES if name in state} | given_urls()
    for name, variable in URL_VARIABLES.items():
        if name not in urls:
            raise StartFailed(
                f"The running servers were started with {variable} set: `make stop`, then start again."
            )
    return urls


def _ensure_running() -> dict[str, str]:
    state = running_state()
    if state is not None:
        return state
    (data_dir() / FAILURE).unlink(missing_ok=True)
    end = time.monotonic() + START_SECONDS
    keeper = _start_keeper()
    while time.monotonic() < end:
        state = running_state()
        if state is not None:
            return state
        if keeper.poll() is not None:
            if (data_dir() / FAILURE).exists():
                raise StartFailed((data_dir() / FAILURE).read_text())
            if keeper.returncode:
                raise StartFailed(
                    f"The servers could not be started; the end of the log:\n{tail(log_file('keeper'))}"
                )
            keeper = _start_keeper()
        time.sleep(0.05)
    raise StartFailed(
        f"The servers did not start within {START_SECONDS} s; the logs are in {data_dir() / 'logs'}."
    )


def _start_keeper() -> subprocess.Popen[bytes]:
    descriptor = os.open(log_file("keeper"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "crm.local.keeper"],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def main() -> int:
    """Start (or find) the servers, print their addresses for the shell, leave them running."""
    try:
        servers = keep_running()
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    for variable, url in servers.environment().items():
        print(f"{variable}={url}")
    if servers.data:
        print(f"# data in {servers.data}; stop with: make stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
