"""Who runs the embedded database and broker.

An ordinary user runs them as themselves. PostgreSQL refuses root, so root lends them to an existing account
without rights (`nobody`): no user is added and no directory is opened. Where that account cannot reach the
data folder (say, a project under /root), its files go to a private folder under /var/tmp.
"""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm.local.places import StartFailed, data_dir

CANDIDATES = ("nobody", "daemon", "www-data")


@dataclass(frozen=True)
class Account:
    """The account the servers run as, and the folder (0700) it keeps them in."""

    uid: int
    gid: int
    home: Path

    @property
    def is_lent(self) -> bool:
        """True when root starts the servers as somebody else."""
        return self.uid != os.geteuid()

    def popen(self) -> dict[str, Any]:
        """The arguments that make `subprocess` start a program as this account."""
        if not self.is_lent:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.is_lent:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def private_folder(self, name: str) -> Path:
        """A folder 0700 of the account inside its home."""
        folder = self.home / name
        folder.mkdir(mode=0o700, exist_ok=True)
        self.own(folder)
        return folder

    def reaches(self, path: Path) -> bool:
        """May this account pass through every folder down to `path`?"""
        if not self.is_lent:
            return True
        return all(self._may_pass(folder) for folder in [path, *path.parents])

    def _may_pass(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def choose_account() -> Account:
    """The account for this data folder, its home made and checked."""
    beside = data_dir().resolve() / "servers"
    is_root = os.geteuid() == 0
    account = _lent_account(beside) if is_root else Account(os.geteuid(), os.getegid(), beside)
    _prepare_home(account)
    return account


def _lent_account(beside: Path) -> Account:
    uid, gid = _unprivileged_ids(beside)
    account = Account(uid, gid, beside)
    if account.reaches(beside.parent):
        return account
    name = hashlib.sha256(str(beside).encode()).hexdigest()[:12]
    return Account(uid, gid, Path("/var/tmp") / f"regulars-{name}")  # nosec B108  checked in _prepare_home


def _unprivileged_ids(beside: Path) -> tuple[int, int]:
    if beside.exists() and beside.stat().st_uid != 0:
        return beside.stat().st_uid, beside.stat().st_gid
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise StartFailed(
        f"PostgreSQL does not run as root and none of the accounts {', '.join(CANDIDATES)} exists. "
        "Start as an ordinary user, or set REGULARS_DATABASE_URL and REGULARS_BROKER_URL."
    )


def _prepare_home(account: Account) -> None:
    """Make the home, or check that the one there is ours: a real folder of the account, closed to others."""
    try:
        account.home.mkdir(mode=0o700)
        account.own(account.home)
    except FileExistsError:
        found = account.home.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
            raise StartFailed(
                f"{account.home} belongs to another user: name another folder in REGULARS_DATA_DIR."
            ) from None
        if account.is_lent or found.st_uid == os.geteuid():
            account.home.chmod(0o700)
