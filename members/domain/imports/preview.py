"""What an import found and what it did: every row of the file ends in exactly one bucket."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from members.domain.imports.cells import safe_for_spreadsheets
from members.domain.imports.reading import Table
from members.models import Store

Kind = Literal["members", "purchases"]
BUCKETS = ("new", "updated", "unchanged", "duplicate", "error")
LABELS = {
    "new": _("New"),
    "updated": _("Updated"),
    "unchanged": _("Already there"),
    "duplicate": _("Duplicate of row %(row)s"),
    "error": _("Not imported: %(reason)s"),
}


@dataclass
class Checked:
    """The rows that can be read, as COPY lines, and what is wrong with the others. Row numbers as in the file."""

    lines: list[str] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    duplicates: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportPreview:
    """A triaged file. `counts` are of the rows fit to go in; nothing is stored yet.

    `stage` names the temporary table of this triage, there as long as its transaction lasts.
    """

    kind: Kind
    store: Store
    table: Table
    checked: Checked
    faults: Mapping[int, str]
    counts: Mapping[str, int]
    wording_version: str = ""
    notes: tuple[str, ...] = ()
    stage: str = ""

    @property
    def duplicates(self) -> Mapping[int, int]:
        return self.checked.duplicates

    @property
    def buckets(self) -> dict[str, int]:
        """How many rows are in each bucket; they add up to the rows of the file."""
        return {
            **{bucket: self.counts.get(bucket, 0) for bucket in BUCKETS[:3]},
            "duplicate": len(self.duplicates),
            "error": len(self.faults),
        }

    def rejects(self) -> str:
        """The rows that do not go in as a CSV to correct and import again: row, reason, the original cells."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["row", "reason", *map(safe_for_spreadsheets, self.table.header)])
        for number, row in zip(self.table.numbers, self.table.rows, strict=True):
            if number in self.faults:
                writer.writerow([number, self.faults[number], *map(safe_for_spreadsheets, row)])
        return out.getvalue()


@dataclass(frozen=True)
class Change:
    """One value of a member before and after; `was` is None for somebody new."""

    field: str
    was: Any
    becomes: Any


@dataclass(frozen=True)
class RowPreview:
    """What one row of the file would do."""

    row: int
    bucket: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class ImportResult:
    """What was stored. `buckets` add up to the rows of the file."""

    buckets: Mapping[str, int]
    preview: ImportPreview


def new_stage() -> str:
    """A name for a temporary table."""
    return f"import_{uuid.uuid4().hex[:16]}"
