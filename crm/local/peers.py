"""`make peers`: install the programs of other hands that judge our protocols, and run the tests against them.

The Python ones (smpplib, pycmpp, smpp34) come with the development requirements. npm's `smpp` is fetched in two
seconds by whoever needs it. Wireshark's and Kannel's packages take half a minute, too long for every run of the
tests: `make test` uses them where they are and says loudly where they are not; `make peers` installs them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from crm.local.places import PROJECT, prepared_data_dir
from crm.local.servers import using_servers

NPM_PACKAGES = ("smpp@0.5.1", "iconv-lite@0.6.3", "safer-buffer@2.1.2")
DEBIAN_PACKAGES = {"tshark": "tshark", "bearerbox": "kannel", "smsbox": "kannel"}
NPM_SECONDS = 60


def node_modules() -> Path | None:
    """The folder in which node finds `smpp`, installed there the first time; None without node or a registry."""
    folder = prepared_data_dir() / "peers"
    modules = folder / "node_modules"
    if not (modules / "smpp").is_dir():
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            return None
        folder.mkdir(exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
        try:
            subprocess.run(
                [npm, "install", *quiet, "--prefix", str(folder), *NPM_PACKAGES],
                check=True,
                capture_output=True,
                timeout=NPM_SECONDS,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
    return modules


def missing_programs() -> list[str]:
    """Programs that are not here."""
    return [program for program in DEBIAN_PACKAGES if find_program(program) is None]


def find_program(name: str) -> str | None:
    """Its path; Debian keeps servers where not every PATH looks."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def install_programs() -> None:
    """From Debian, when we are root; what cannot be had is said by the tests."""
    packages = sorted({DEBIAN_PACKAGES[program] for program in missing_programs()})
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print(f"Installing {', '.join(packages)} …", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)


def main() -> int:
    """Exit code of the tests; here a missing peer is a failure."""
    install_programs()
    with using_servers() as servers:
        environment = os.environ | servers.environment() | {"REGULARS_PEERS": "all"}
        command = [sys.executable, "-m", "pytest", "tests/peers", *sys.argv[1:]]
        return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
