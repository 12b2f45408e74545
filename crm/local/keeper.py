"""The background process that owns the embedded database and broker: `python -m crm.local.keeper`.

It starts them, writes their addresses to `services.json`, restarts one that dies, and stops both when it is
told to (SIGTERM), or when nobody uses them any more: users hold a shared lock on `services.users`, which the
kernel releases even when a user is killed. The file `services.stay` (written by `make services`) keeps them
up without users. One keeper at a time holds `services.lock`.
"""

import json
import os
import signal
import sys
import time
from types import FrameType

from crm.local.account import choose_account
from crm.local.children import claim
from crm.local.places import (
    FAILURE,
    LOCK,
    POLL_SECONDS,
    STATE,
    STAY,
    USERS,
    StartFailed,
    data_dir,
    log_file,
    prepared_data_dir,
    write_private,
)
from crm.local.postgres import Postgres
from crm.local.valkey import Valkey

GRACE_SECONDS = 3


class Keeper:
    """The servers of one data folder."""

    def __init__(self) -> None:
        self.folder = prepared_data_dir()
        self.account = choose_account()
        ports = self._last_ports()
        self.servers: dict[str, Postgres | Valkey] = {}
        if not os.environ.get("REGULARS_DATABASE_URL"):
            self.servers["database_url"] = Postgres(
                self.account, log_file("postgres"), ports.get("database_url", 0)
            )
        if not os.environ.get("REGULARS_BROKER_URL"):
            self.servers["broker_url"] = Valkey(self.account, log_file("valkey"), ports.get("broker_url", 0))
        self.is_told_to_stop = False

    def run(self) -> None:
        """Start, keep, stop."""
        for wanted in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(wanted, self._on_stop_signal)
        started_at = time.monotonic()
        try:
            for server in self.servers.values():
                server.start()
            self._write_state()
            while not self.is_told_to_stop and not (
                time.monotonic() - started_at > GRACE_SECONDS and self._is_unused()
            ):
                self._revive()
                time.sleep(POLL_SECONDS)
        finally:
            (self.folder / STATE).unlink(missing_ok=True)
            for server in reversed(self.servers.values()):
                server.stop()

    def _on_stop_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.is_told_to_stop = True

    def _is_unused(self) -> bool:
        """Nobody holds the users' lock. From then on it is ours: a newcomer waits until we are gone."""
        return not (self.folder / STAY).exists() and claim(self.folder / USERS) is not None

    def _revive(self) -> None:
        for name, server in self.servers.items():
            if server.child is not None and server.child.poll() is not None:
                print(f"{name}: the server ended ({server.child.returncode}), starting it again", flush=True)
                server.start()

    def _last_ports(self) -> dict[str, int]:
        try:
            return dict(json.loads((self.folder / "ports.json").read_text()))
        except (OSError, ValueError):
            return {}

    def _write_state(self) -> None:
        write_private(
            self.folder / "ports.json",
            json.dumps({name: server.port for name, server in self.servers.items()}),
        )
        state = {name: server.url for name, server in self.servers.items()}
        write_private(
            self.folder / STATE,
            json.dumps(state | {"pid": os.getpid(), "data": str(self.account.home)}, indent=1) + "\n",
        )


def main() -> int:
    """Exit code 0 when stopped as asked or when another keeper is at work; 1 when the servers could not be
    started.
    """
    folder = prepared_data_dir()
    lock = claim(folder / LOCK)
    if lock is None:
        return 0
    (folder / STATE).unlink(missing_ok=True)
    try:
        Keeper().run()
    except StartFailed as failure:
        write_private(data_dir() / FAILURE, str(failure))
        return 1
    finally:
        os.close(lock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
