"""Where things live on this machine: the project folder, the data folder and the files in it."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

# The files by which the keeper of the embedded servers and their users find each other (see keeper.py).
STATE = "services.json"
LOCK = "services.lock"
USERS = "services.users"
STAY = "services.stay"
FAILURE = "services.failure"
RUN_LOCK = "run.lock"
URL_VARIABLES = {"database_url": "REGULARS_DATABASE_URL", "broker_url": "REGULARS_BROKER_URL"}
POLL_SECONDS = 0.3


class StartFailed(Exception):
    """Something could not be started; the message says what and what to do, for a person at a terminal."""


def data_dir() -> Path:
    """The data folder (`REGULARS_DATA_DIR`, default `.data` in the project). A relative path counts from the
    project.
    """
    return PROJECT / (os.environ.get("REGULARS_DATA_DIR") or ".data")


def prepared_data_dir() -> Path:
    """The data folder, made if absent. Others may pass through it (0711) but not look into it."""
    folder = data_dir()
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711)
        (folder / "logs").mkdir(mode=0o700, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise StartFailed(
            f"The data folder {folder} cannot be written ({error.strerror}). It may belong to another user: "
            "use that user, or name another folder in REGULARS_DATA_DIR."
        ) from error
    return folder


def log_file(name: str) -> Path:
    """The log of one process, e.g. `web`."""
    return data_dir() / "logs" / f"{name}.log"


def write_private(path: Path, text: str) -> None:
    """Replace a file's text in one step; only its owner may read it (it holds passwords)."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
