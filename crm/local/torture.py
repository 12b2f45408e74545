"""`make torture`: the fault runs that are too long for `make test`, on the embedded servers. Words are passed on."""

import os
import subprocess
import sys

from crm.local.places import PROJECT, StartFailed
from crm.local.servers import released, using_servers


def main() -> int:
    """Exit code 0 when nothing was lost and nothing came twice."""
    try:
        with using_servers() as servers:
            command = [sys.executable, "manage.py", "torture", *sys.argv[1:]]
            code = subprocess.run(
                command, cwd=PROJECT, env=os.environ | servers.environment(), check=False
            ).returncode
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    released(60)
    return code


if __name__ == "__main__":
    sys.exit(main())
