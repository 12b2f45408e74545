"""`make stop`: stops what `make run` or `make services` started from this folder, from any terminal."""

import os
import signal
import sys

from crm.local.children import claim
from crm.local.places import LOCK, RUN_LOCK, STAY, data_dir
from crm.local.servers import released

STOP_SECONDS = 90


def main() -> int:
    """Exit code 0 when nothing of ours is left running."""
    folder = data_dir()
    if not folder.is_dir():
        print("Nothing is running.")
        return 0
    (folder / STAY).unlink(missing_ok=True)
    was_running = _is_held(RUN_LOCK) or _is_held(LOCK)
    if not _stop_run():
        print("`make run` does not stop; see its console.", file=sys.stderr)
        return 1
    if not released(STOP_SECONDS):
        print("The database and broker stay up: a test run still uses them. They stop when it ends.")
        return 0
    print("Stopped." if was_running else "Nothing was running.")
    return 0


def _stop_run() -> bool:
    folder = data_dir()
    lock = claim(folder / RUN_LOCK)
    if lock is None:
        os.kill(int((folder / RUN_LOCK).read_text()), signal.SIGTERM)
        lock = claim(folder / RUN_LOCK, STOP_SECONDS)
    if lock is None:
        return False
    os.close(lock)
    return True


def _is_held(name: str) -> bool:
    lock = claim(data_dir() / name)
    if lock is not None:
        os.close(lock)
    return lock is None


if __name__ == "__main__":
    sys.exit(main())
