"""Run as a program by `spreadsheet.py`: an XLSX on standard input, one JSON list of text cells per row out.

Sees no settings and no database. Refuses macros, links to other files and archives that unpack to far more than
they are; the sizes are counted while unpacking, not believed.
"""

import io
import json
import resource
import sys
import zipfile
from datetime import date, datetime, time
from typing import Any

import openpyxl

MEMORY_MAX = 512 * 2**20
SECONDS_MAX = 30
ENTRIES_MAX = 1000
UNPACKED_MAX = 100 * 2**20
RATIO_MAX = 100
CELL_MAX = 4096
FORBIDDEN = ("vbaproject", "externallinks/", "activex/")


class Refused(Exception):
    """The archive is not one we open."""


def check_archive(content: bytes) -> None:
    """Refuse what is dangerous before the spreadsheet library sees it."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    entries = archive.infolist()
    if len(entries) > ENTRIES_MAX:
        raise Refused("it has too many parts")
    total = 0
    for entry in entries:
        if any(word in entry.filename.lower() for word in FORBIDDEN):
            raise Refused("it holds macros or links to other files")
        total += unpacked_size(archive, entry, UNPACKED_MAX - total)
    if total > RATIO_MAX * max(len(content), 4096):
        raise Refused("it unpacks to far more than it is")


def unpacked_size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, allowed: int) -> int:
    """Count by unpacking; the declared size may lie. XML with a document type is refused."""
    size = 0
    with archive.open(entry) as part:
        while chunk := part.read(65536):
            if size == 0 and b"<!DOCTYPE" in chunk[:2048]:
                raise Refused("it declares a document type")
            size += len(chunk)
            if size > allowed:
                raise Refused("it unpacks to more than allowed")
    return size


def as_text(value: Any) -> str:
    """A cell as a person would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)[:CELL_MAX]


def main() -> None:
    """Print the first sheet."""
    content = sys.stdin.buffer.read()
    check_archive(content)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # what the file says of its size is not believed
    rows_max, columns_max = int(sys.argv[1]) + 2, int(sys.argv[2]) + 1
    out = sys.stdout
    for number, row in enumerate(sheet.iter_rows(max_col=columns_max, values_only=True)):
        cells = [as_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        is_beyond = number >= rows_max
        if not is_beyond or cells or number > 2 * rows_max:
            out.write(json.dumps(cells) + "\n")
            if is_beyond:
                break  # something beyond the most, or emptiness without end: enough to refuse the file


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    try:
        main()
    except Exception as problem:  # whatever a stranger's file provokes, the answer is one line
        sys.stderr.write(f"{problem}"[:200] + "\n")
        sys.exit(1)
