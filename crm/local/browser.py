"""The browser of the journey tests: Debian's Chromium, installed when we are root and it is absent."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def ensure_browser() -> bool:
    """True when there is a browser now. Its absence is said loudly; under `CI` the caller fails."""
    if find_browser() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests …", flush=True)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        for command in (["apt-get", "update", "-qq"], install):
            done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
            if done.returncode:
                print(done.stderr[-2000:], file=sys.stderr)
    if find_browser() is not None:
        return True
    print(
        "!" * 100,
        "!!! NO CHROMIUM: every browser test is SKIPPED. Install the package `chromium`.",
        "!" * 100,
        sep="\n",
    )
    return False
