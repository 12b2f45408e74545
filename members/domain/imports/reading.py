"""A file from another system as a table of text cells: which encoding, which separator, which rows.

Nothing is understood here and nothing is lost: a file that cannot be read whole is refused whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.domain.imports.spreadsheet import read_spreadsheet
from members.refusals import Refused


class FileUnreadable(Refused):
    """The file cannot be taken at all; the message says what to do about it."""

    code = "file_unreadable"
    field = "file"


@dataclass(frozen=True)
class Limits:
    """How much is taken at once."""

    bytes_max: int
    rows_max: int
    columns_max: int = 64


BY_WEB = Limits(bytes_max=10 * 2**20, rows_max=100_000)
BY_COMMAND = Limits(bytes_max=2**30, rows_max=5_000_000)


@dataclass(frozen=True)
class Table:
    """The header and the rows that hold something, each with its row number in the file (the header is row 1)."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)


def read_file(path: Path, limits: Limits = BY_COMMAND) -> Table:
    """The table in a CSV or XLSX file. Raises FileUnreadable."""
    try:
        size = path.stat().st_size
        if size > limits.bytes_max:
            raise FileUnreadable(_("The file is larger than allowed. Split it."), bytes_max=limits.bytes_max)
        content = path.read_bytes()
    except OSError as problem:
        raise FileUnreadable(_("The file cannot be opened.")) from problem
    return read_bytes(content, limits)


def read_bytes(content: bytes, limits: Limits = BY_WEB) -> Table:
    """The table in the content of a CSV or XLSX file. Raises FileUnreadable."""
    if len(content) > limits.bytes_max:
        raise FileUnreadable(_("The file is larger than allowed. Split it."), bytes_max=limits.bytes_max)
    if content[:4] == b"PK\x03\x04":
        rows = read_spreadsheet(content, rows_max=limits.rows_max, columns_max=limits.columns_max)
        if isinstance(rows, str):
            raise FileUnreadable(_("The spreadsheet cannot be read. Save it as CSV (UTF-8)."), detail=rows)
        return table_of(_squared(rows), limits)
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise FileUnreadable(_("This is an old Excel file. Save it as XLSX or CSV (UTF-8)."))
    return table_of(_csv_rows(decode(content), limits), limits)


def decode(content: bytes) -> str:
    """The text: by its byte order mark, else UTF-8, else GB18030. Raises FileUnreadable."""
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise FileUnreadable(_("This is not a text file we can read. Save it as CSV (UTF-8)."))


def _csv_rows(text: str, limits: Limits) -> list[list[str]]:
    first, _newline, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return _parsed(rest, first[4], limits)
    delimiter = max(",;\t|", key=first.count)
    return _parsed(text, delimiter, limits)


def _parsed(text: str, delimiter: str, limits: Limits) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(islice(reader, limits.rows_max + 2))
        return rows + list(islice(filter(_holds_something, reader), 1))
    except csv.Error as problem:
        message = _("Line %(line)s cannot be read: a quotation mark is not closed, or a cell is too long.")
        raise FileUnreadable(str(message) % {"line": reader.line_num}, line=reader.line_num) from problem


def _squared(rows: Sequence[list[str]]) -> list[list[str]]:
    """A sheet's rows as wide as its header: an empty cell at the end of a row is none in the file."""
    width = len(next(filter(_holds_something, rows), []))
    return [row + [""] * (width - len(row)) if row else row for row in rows]


def table_of(rows: Sequence[Sequence[str]], limits: Limits = BY_WEB) -> Table:
    """A table from rows of cells, the first with something in it being the header. Raises FileUnreadable.

    Empty rows count towards the most a file may have: what lies beyond was not read, and is not left out in silence.
    """
    start = next((place for place, row in enumerate(rows) if _holds_something(row)), None)
    if start is None:
        raise FileUnreadable(_("The file is empty."))
    header = tuple(cell.strip() for cell in rows[start])
    if len(header) > limits.columns_max:
        raise FileUnreadable(_("The file has too many columns."), columns_max=limits.columns_max)
    body: Sequence[Sequence[str]] = rows[start + 1 :]
    numbers: Sequence[int] = range(start + 2, start + 2 + len(body))
    if not all(map(_holds_something, body)):
        kept = [(number, row) for number, row in zip(numbers, body, strict=True) if _holds_something(row)]
        numbers, body = [number for number, _row in kept], [row for _number, row in kept]
    if len(body) > limits.rows_max or len(rows) > limits.rows_max + 2:
        raise FileUnreadable(_("The file has more rows than allowed. Split it."), rows_max=limits.rows_max)
    return Table(header, body, numbers)


def misfit_of(row: Sequence[str], width: int) -> Promise | None:
    """Why a row does not fit under its header: cells would be read as what they are not."""
    if len(row) < width:
        return _("This row has fewer cells than there are columns.")
    if any(row[width:]):
        return _("This row has more cells than there are columns. Is a comma not in quotation marks?")
    return None


def _holds_something(row: Sequence[str]) -> bool:
    return any(row) and any(cell.strip() for cell in row)
