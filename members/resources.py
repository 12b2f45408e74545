"""Imports in the back office: import-export's pages over our own triage, so both doors judge a row alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from import_export.resources import ModelResource
from import_export.results import InvalidRow, Result, RowResult
from tablib import Dataset

from members.domain import imports
from members.domain.imports.spreadsheet_reader import as_text
from members.domain.ledger import Actor
from members.models import Member, Purchase, Store

ROWS_SHOWN = 200
_TYPES = {
    "new": RowResult.IMPORT_TYPE_NEW,
    "updated": RowResult.IMPORT_TYPE_UPDATE,
    "unchanged": RowResult.IMPORT_TYPE_SKIP,
    "duplicate": RowResult.IMPORT_TYPE_SKIP,
    "error": RowResult.IMPORT_TYPE_INVALID,
}


class TriageResult(Result):
    """Rows with faults are told in the preview and left out; they do not hold back the others."""

    buckets: dict[str, int]
    preview: imports.ImportPreview

    def has_validation_errors(self) -> bool:
        return False


class _TriagedResource(ModelResource):
    """Takes the store and the actor; a dry run is the triage, the real run also applies it, in one transaction."""

    def __init__(
        self, *, store: Store | None = None, actor: Actor | None = None, at: datetime | None = None
    ) -> None:
        super().__init__()
        self.store, self.actor, self.at = store, actor, at

    def triage(self, table: imports.Table, store: Store, at: datetime) -> imports.ImportPreview:
        raise NotImplementedError

    @transaction.atomic
    def import_data(
        self, dataset: Dataset | imports.Table, dry_run: bool = False, **kwargs: Any
    ) -> TriageResult:
        """Raises nothing for a file that cannot be taken: the reason is the result's base error.

        A Table keeps the row numbers of the file; a Dataset is counted from its header.
        """
        assert self.store and self.actor and self.at, "an import knows its store, its actor and the time"
        result = TriageResult()
        try:
            table = dataset if isinstance(dataset, imports.Table) else _table_of(dataset)
            preview = self.triage(table, self.store, self.at)
        except imports.FileUnreadable as problem:
            result.append_base_error(self.get_error_result_class()(problem))
            return result
        result.preview, result.buckets = preview, preview.buckets
        if not dry_run:
            result.buckets = dict(imports.apply(preview, actor=self.actor, at=self.at).buckets)
        result.total_rows = len(table)
        for bucket, count in result.buckets.items():
            result.totals[_TYPES[bucket]] += count
        if dry_run:
            result.diff_headers = [_("Row"), _("What happens"), *table.header]
            result.rows = list(_shown(preview))
        result.invalid_rows = list(_invalid(preview))
        return result


def _table_of(dataset: Dataset) -> imports.Table:
    return imports.table_of([_texts(dataset.headers or []), *map(_texts, dataset)], imports.BY_WEB)


def _texts(cells: Any) -> list[str]:
    return [as_text(cell) for cell in cells]


def _shown(preview: imports.ImportPreview) -> Iterator[RowResult]:
    """The rows to look at: first those that need somebody, then the others, at most ROWS_SHOWN."""
    rows = dict(zip(preview.table.numbers, preview.table.rows, strict=True))
    told = [*sorted(preview.faults), *sorted(preview.duplicates)]
    others = [number for number in rows if number not in preview.faults and number not in preview.duplicates]
    for number in [*told, *others][:ROWS_SHOWN]:
        row = RowResult()
        if number in preview.faults:
            words = imports.LABELS["error"] % {"reason": preview.faults[number]}
        elif number in preview.duplicates:
            words = imports.LABELS["duplicate"] % {"row": preview.duplicates[number]}
        else:
            words = _("Goes in")
        is_left_out = number in preview.faults or number in preview.duplicates
        row.import_type = RowResult.IMPORT_TYPE_SKIP if is_left_out else RowResult.IMPORT_TYPE_NEW
        row.diff = [number, words, *rows[number]]
        yield row


def _invalid(preview: imports.ImportPreview) -> Iterator[InvalidRow]:
    rows = dict(zip(preview.table.numbers, preview.table.rows, strict=True))
    for number in sorted(preview.faults)[:1000]:
        yield InvalidRow(number, ValidationError(preview.faults[number]), rows[number])


class MemberResource(_TriagedResource):
    """Members; `wording_version` attests the wording behind the file's consent columns."""

    def __init__(self, *, wording_version: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wording_version = wording_version

    def triage(self, table: imports.Table, store: Store, at: datetime) -> imports.ImportPreview:
        return imports.triage_members(table, store=store, at=at, wording_version=self.wording_version)

    class Meta:
        model = Member
        fields = ("member_no", "phone", "name", "language", "birthday", "gender", "tags")
        export_order = fields


class PurchaseResource(_TriagedResource):
    """Purchases of the past."""

    def triage(self, table: imports.Table, store: Store, at: datetime) -> imports.ImportPreview:
        return imports.triage_purchases(table, store=store, at=at)

    class Meta:
        model = Purchase
        fields = ("member__member_no", "at", "items", "amount_minor", "external_ref")
        export_order = fields
