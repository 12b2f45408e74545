"""`make check`: the gate, on the embedded database (`makemigrations --check` and the house tests read it)."""

import sys
import time

from crm.local.gate import run_gate
from crm.local.places import StartFailed
from crm.local.servers import released, using_servers


def main() -> int:
    """Exit code 0 when every step passed."""
    began_at = time.monotonic()
    try:
        with using_servers() as servers:
            failed = run_gate(servers.environment())
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    released(60)
    verdict = "FAILED: " + ", ".join(failed) if failed else "The gate is green"
    print(f"{verdict} ({time.monotonic() - began_at:.0f} s)")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
