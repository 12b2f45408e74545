"""The `REGULARS_*` environment: where every outside value is read, once. Listed in docs/settings.md."""

import json
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

PROJECT = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    """The setting `REGULARS_<name>`, or its default."""
    return os.environ.get(f"REGULARS_{name}", default)


def flag(name: str, default: bool = False) -> bool:
    return text(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    return int(text(name, str(default)))


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def data_dir() -> Path:
    """Where everything that is not in the database lives; made private on first use."""
    folder = Path(text("DATA_DIR", str(PROJECT / ".data"))).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def embedded_services() -> dict[str, str]:
    """The addresses of the embedded database and broker, if `make services` or `make run` started them."""
    try:
        return json.loads((data_dir() / "services.json").read_text())
    except (OSError, ValueError):
        return {}


def database_url() -> str:
    return text("DATABASE_URL") or embedded_services().get("database_url", "postgresql:///regulars")


def broker_url() -> str:
    return text("BROKER_URL") or embedded_services().get("broker_url", "redis://127.0.0.1:6379/0")


def secret_key() -> str:
    """`REGULARS_SECRET_KEY`, or one made on first start and kept private in the data folder."""
    if given := text("SECRET_KEY"):
        return given
    path = data_dir() / "secret_key"
    if not path.exists():
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix="secret_key.")  # private to its owner
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(made, path)  # whole or not at all; of two processes the first one's stands
        Path(made).unlink()
    return path.read_text()


def django_database() -> dict[str, Any]:
    """Django's DATABASES entry for the URL; libpq's own parser reads it, so every libpq option works."""
    parts = conninfo_to_dict(database_url())
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    entry: dict[str, Any] = {django: parts.pop(libpq, "") for libpq, django in known.items()}
    entry |= {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": parts,
        "TEST": {"NAME": f"test_regulars{text('TEST_SUFFIX')}"},
    }
    return entry
