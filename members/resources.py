"""Imports in the back office: import-export's pages over our own triage, so both doors judge a row alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from import_export.resources import ModelResource
from import_export.results import InvalidRow, Result, RowResult
from tablib import Dataset

from members.domain import imports
from members.domain.imports.spreadsheet_reader import as_text
from members.domain.ledger import Actor
from members.models import Member, Purchase, Store

ROWS_SHOWN = 50
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
    """The rows to look at, at most ROWS_SHOWN of each bucket: first those that need somebody, then what changes."""
    rows = dict(zip(preview.table.numbers, preview.table.rows, strict=True))
    for number, bucket, words in _told(preview):
        row = RowResult()
        row.import_type = _TYPES[bucket]
        row.diff = [number, words, *rows[number]]
        yield row


def _told(preview: imports.ImportPreview) -> Iterator[tuple[int, str, Any]]:
    """(row, bucket, what happens) in the order to read them."""
    for number in sorted(preview.faults)[:ROWS_SHOWN]:
        yield number, "error", imports.LABELS["error"] % {"reason": preview.faults[number]}
    for number in sorted(preview.duplicates)[:ROWS_SHOWN]:
        yield number, "duplicate", imports.LABELS["duplicate"] % {"row": preview.duplicates[number]}
    sample = imports.sample(preview, most=ROWS_SHOWN)
    for bucket in ("updated", "new", "unchanged"):
        for row in sample:
            if row.bucket == bucket:
                yield row.row, bucket, what_happens(row)


def what_happens(row: imports.RowPreview) -> SafeString:
    """The row's bucket; for somebody who is there already also each value as it was and as it will be."""
    changes = row.changes if row.bucket == "updated" else ()
    lines = format_html_join("", "<br>{}: {} → {}", (_in_words(change) for change in changes))
    return format_html("{}{}", imports.LABELS[row.bucket], lines)


def _in_words(change: imports.Change) -> tuple[Any, Any, Any]:
    field = Member._meta.get_field(change.field)
    return field.verbose_name, _value(field, change.was), _value(field, change.becomes)  # type: ignore[union-attr]


def _value(field: Any, value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        value = ", ".join(value)
    names = dict(settings.LANGUAGES) if field.name == "language" else dict(field.flatchoices)
    return localize(names.get(value, value)) if value else "—"


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
