"""The statements of messaging, one file each; the first lines of a file say what it decides."""

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def statement(name: str) -> str:
    """The text of `<name>.sql`, with psycopg's named parameters."""
    return (_FOLDER / f"{name}.sql").read_text()
