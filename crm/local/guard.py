"""The last one to leave: `python -m crm.local.guard SECONDS`, a child of `make run` that outlives it by a few
seconds.

It reads process groups from its input (`+123`, `-123` when that one ended). When the input closes, because
the parent ended in whatever way, it stops the groups still listed, newest first, and kills what does not
stop within the seconds given. It also holds the parent's lock on the embedded servers, so these stop last.
"""

import os
import signal
import sys

from crm.local.children import kill_group, wait_until


def main() -> None:
    """Listen until the parent is gone, then clear up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        if line.startswith("+"):
            groups.append(int(line))
        elif -int(line) in groups:
            groups.remove(-int(line))
    end(list(reversed(groups)), float(sys.argv[1]))


def end(groups: list[int], grace_seconds: float) -> None:
    """Stop the groups: a request, a grace, then force."""
    for group in groups:
        try:
            os.killpg(group, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            continue
    wait_until(lambda: not any(_is_alive(group) for group in groups), grace_seconds)
    for group in groups:
        kill_group(group)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main()
