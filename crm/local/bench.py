"""`make bench`: every measured goal at its standard size, on the embedded servers. Names given run only
those.
"""

import os
import subprocess
import sys

from crm.local.places import PROJECT, StartFailed
from crm.local.servers import released, using_servers


def main() -> int:
    """Exit code 0 when every measurement ran."""
    names = sys.argv[1:]
    try:
        with using_servers() as servers:
            command = [sys.executable, "manage.py", "bench", *names]
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
