"""Purchases from an old till, as history: they feed what audiences and the wake-up score know, and tell nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.amounts import exponent_of
from members.domain.imports import cells, purchases_sql, staging
from members.domain.imports.columns import PURCHASE_COLUMNS, find_columns
from members.domain.imports.preview import Checked, ImportPreview, ImportResult, RowPreview, new_stage
from members.domain.imports.reading import Table, misfit_of
from members.domain.ledger import Actor
from members.models import Store
from members.phones import InvalidPhone, normalize

SOUND = ("new", "unchanged")
_VERDICTS = {
    "no_member": _("There is no such member. Import the members first."),
    "ref_used": _("This reference is there already, with another member or amount."),
}
_NOBODY = _("It does not say whose purchase it is.")
_OTHER_REF = _("Row %(row)s has the same reference and says something else.")


def triage_purchases(table: Table, *, store: Store, at: datetime) -> ImportPreview:
    """Read every row and judge it against what is there. Times without an offset are the store's. Stores nothing.

    Raises FileUnreadable when a column is missing.
    """
    columns = find_columns(table.header, PURCHASE_COLUMNS, [("member_no", "phone"), ("date",), ("amount",)])
    checked = check_purchases(table, columns, store, at)
    stage = new_stage()
    with transaction.atomic():
        counts, bad = _stage(stage, checked, store, by_number="member_no" in columns)
    faults = checked.faults | {row: str(_VERDICTS[verdict]) for row, verdict in bad}
    return ImportPreview("purchases", store, table, checked, faults, counts, stage=stage)


def sample_purchases(preview: ImportPreview, *, most: int) -> list[RowPreview]:
    """The first `most` rows of each sound bucket; one query, within the transaction of the triage."""
    return [
        RowPreview(*found)
        for found in staging.fetch(purchases_sql.SAMPLE.format(stage=preview.stage), {"most": most})
    ]


@transaction.atomic
def apply_purchases(preview: ImportPreview, *, actor: Actor, at: datetime) -> ImportResult:
    """Put the sound rows in and count them in the members' facts, all or none. Running it again changes nothing."""
    stage = preview.stage
    counts, faults = {"updated": 0, **preview.counts}, preview.faults
    if not staging.is_staged(stage):
        by_number = "member_no" in find_columns(preview.table.header, PURCHASE_COLUMNS, [])
        fresh_counts, bad = _stage(stage, preview.checked, preview.store, by_number=by_number)
        counts |= fresh_counts
        faults = preview.checked.faults | {row: str(_VERDICTS[verdict]) for row, verdict in bad}
    created = staging.fetch(purchases_sql.INSERT.format(stage=stage), {"store": preview.store.pk})[0][0]
    counts["unchanged"] += counts["new"] - created
    counts["new"] = created
    buckets = {**counts, "duplicate": len(preview.duplicates), "error": len(faults)}
    return ImportResult(buckets, preview)


def _stage(
    stage: str, checked: Checked, store: Store, *, by_number: bool
) -> tuple[dict[str, int], list[tuple[int, str]]]:
    match = "held.member_no = s.member_no" if by_number else "held.phone = s.phone"
    staging.execute(purchases_sql.STAGE.format(stage=stage))
    staging.copy_lines(f"{stage}_rows", purchases_sql.COLUMNS, checked.lines)
    staging.execute(f"ANALYZE {stage}_rows")
    staging.execute(purchases_sql.JUDGE.format(stage=stage, match=match), {"store": store.pk})
    return staging.judged(stage, SOUND)


def check_purchases(table: Table, columns: dict[str, int], store: Store, at: datetime) -> Checked:
    """Read the cells of every row and find the references used twice within the file. No database."""
    checked = Checked()
    read = _row_reader(columns, store, at)
    width = len(table.header)
    refs: dict[str, tuple[int, str]] = {}
    lines, faults = checked.lines, checked.faults
    for row_number, row in zip(table.numbers, table.rows, strict=True):
        if len(row) != width and (misfit := misfit_of(row, width)):
            faults[row_number] = str(misfit)
            continue
        try:
            ref, line = read(row)
        except (InvalidPhone, cells.BadCell) as problem:
            faults[row_number] = str(problem.message)
            continue
        if ref:
            earlier, said = refs.setdefault(ref, (row_number, line))
            if earlier != row_number and said == line:
                checked.duplicates[row_number] = earlier
                continue
            if earlier != row_number:
                faults[row_number] = str(_OTHER_REF) % {"row": earlier}
                continue
        lines.append(f"{row_number}\t{line}")
    return checked


def _row_reader(
    columns: dict[str, int], store: Store, at: datetime
) -> Callable[[Sequence[str]], tuple[str, str]]:
    """One row's cells to (reference, COPY line without the row number). Equal cells are read once."""
    date_at, amount_at = columns["date"], columns["amount"]
    items_at, ref_at = columns.get("items"), columns.get("ref")
    who = _who_reader(columns)
    exponent = exponent_of(settings.REGULARS_CURRENCY)
    moment = _remembered(cells.moment_reader(store.zone, at))
    amount = _remembered(lambda cell: cells.read_amount(cell, exponent))
    items = _remembered(cells.read_items)

    def read(row: Sequence[str]) -> tuple[str, str]:
        ref = cells.escaped(cells.read_text(row[ref_at], 64)) if ref_at is not None else ""
        number = items(row[items_at]) if items_at is not None else "1"
        return ref, f"{who(row)}\t{moment(row[date_at])}\t{number}\t{amount(row[amount_at])}\t{ref}"

    return read


def _who_reader(columns: dict[str, int]) -> Callable[[Sequence[str]], str]:
    """The member number and phone columns of the stage: the number if the file has one, else the phone."""
    region = settings.REGULARS_REGION
    if (place := columns.get("member_no")) is None:
        phone_at = columns["phone"]
        phone = _remembered(lambda cell: "\t" + normalize(cell, region))
        return lambda row: phone(row[phone_at])
    number_at = place

    def read_number(cell: str) -> str:
        if not (number := cells.read_text(cell, 32)):
            raise cells.BadCell(_NOBODY)
        return cells.escaped(number) + "\t"

    number = _remembered(read_number)
    return lambda row: number(row[number_at])


def _remembered(read: Callable[[str], str]) -> Callable[[str], str]:
    """The same reader, remembering what it has read well: dates, amounts and people repeat."""
    memory: dict[str, str] = {}

    def recall(cell: str) -> str:
        known = memory.get(cell)
        if known is None:
            known = memory[cell] = read(cell)
        return known

    return recall
