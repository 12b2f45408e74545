"""A report as a file for spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable

from django.http import HttpResponse

from crm.shell.formats import money_exponent
from members.amounts import plain_minor
from members.domain.imports.cells import safe_for_spreadsheets

_AMOUNT = re.compile(r"-\d+(\.\d+)?")


def csv_file(name: str, header: list[str], rows: Iterable[list[str]]) -> HttpResponse:
    """The rows as CSV that opens in any spreadsheet; a cell is never a formula, an amount below zero is a number."""
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(answer)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(str(cell)) for cell in row])
    return answer


def _cell(text: str) -> str:
    return text if _AMOUNT.fullmatch(text) else safe_for_spreadsheets(text)


def money_cell(minor: int) -> str:
    """An amount as a spreadsheet reads it, with the places of the house's currency."""
    return plain_minor(minor, exponent=money_exponent())
