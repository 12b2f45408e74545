"""Members from another system's file. Nobody is told anything, and nobody's consent is made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain.imports import cells, members_sql, staging
from members.domain.imports.columns import MEMBER_COLUMNS, find_columns
from members.domain.imports.preview import (
    Change,
    Checked,
    ImportPreview,
    ImportResult,
    RowPreview,
    new_stage,
)
from members.domain.imports.reading import Table, misfit_of
from members.domain.ledger import Actor
from members.enums import ConsentSource
from members.models import Store
from members.phones import InvalidPhone, keyed_hasher, normalize

SOUND = ("new", "updated", "unchanged")
_VERDICTS = {
    "phone_taken": _("This phone belongs to a member with another number."),
    "no_taken": _("This member number belongs to a member with another phone. Change the phone at the till."),
    "other_store": _("This person is a member of another store."),
    "same_person": _("This person is in the file already, under another number of theirs."),
}
_OTHER_PHONE = _("Row %(row)s has the same member number with another phone.")
_IGNORED = _("The consent columns were not read: nobody attested under which wording people agreed.")


def triage_members(table: Table, *, store: Store, at: datetime, wording_version: str = "") -> ImportPreview:
    """Read every row and judge it against the members there are. Stores nothing.

    `wording_version` attests that those who say yes in the consent columns agreed under that wording; without it
    these columns are not read. Raises FileUnreadable when a column is missing.
    """
    columns = find_columns(table.header, MEMBER_COLUMNS, [("phone",)])
    consents = [name for name in ("service_consent", "marketing_consent") if name in columns]
    notes = (str(_IGNORED),) if consents and not wording_version else ()
    if not wording_version:
        columns = {name: place for name, place in columns.items() if name not in consents}
    checked = check_members(table, columns, at)
    stage = new_stage()
    with transaction.atomic():
        counts, bad = _stage(stage, checked, store)
    faults = checked.faults | {row: str(_VERDICTS[verdict]) for row, verdict in bad}
    return ImportPreview("members", store, table, checked, faults, counts, wording_version, notes, stage)


def sample_members(preview: ImportPreview, *, most: int) -> list[RowPreview]:
    """The first `most` rows of each sound bucket and what each would change; one query.

    Only within the transaction of the triage. Shows nothing of another store's members.
    """
    sql = members_sql.SAMPLE.format(stage=preview.stage)
    found = staging.fetch(sql, {"store": preview.store.pk, "most": most})
    return [RowPreview(row, bucket, _changes(values)) for row, bucket, *values in found]


def _changes(values: Sequence[Any]) -> tuple[Change, ...]:
    half = len(members_sql.SHOWN)
    named = zip(members_sql.SHOWN, values[:half], values[half:], strict=True)
    return tuple(
        Change(name, was, becomes) for name, was, becomes in named if was != becomes and (was or becomes)
    )


@transaction.atomic
def apply_members(preview: ImportPreview, *, actor: Actor, at: datetime) -> ImportResult:
    """Put the sound rows in, all or none. Running it again changes nothing.

    Empty cells erase nothing; tags are added to those there. A yes is written down only where nothing was ever
    said, a no always takes back a yes. No events, no texts.
    """
    stage = preview.stage
    counts, faults = dict(preview.counts), preview.faults
    if not staging.is_staged(stage):
        counts, bad = _stage(stage, preview.checked, preview.store)
        faults = preview.checked.faults | {row: str(_VERDICTS[verdict]) for row, verdict in bad}
    values = {
        "store": preview.store.pk,
        "language": preview.store.language,
        "at": at,
        "source": ConsentSource.IMPORT.value,
        "wording": preview.wording_version,
        "staff": actor.staff_id,
    }
    created = staging.fetch(members_sql.INSERT.format(stage=stage), values)[0][0]
    staging.execute(members_sql.UPDATE.format(stage=stage), values)
    for purpose in ("service", "marketing") if preview.wording_version else ():
        staging.execute(members_sql.CONSENT.format(stage=stage, purpose=purpose), values)
    counts["unchanged"] += counts["new"] - created  # somebody else enrolled them a moment ago
    counts["new"] = created
    buckets = {**counts, "duplicate": len(preview.duplicates), "error": len(faults)}
    return ImportResult(buckets, preview)


def _stage(stage: str, checked: Checked, store: Store) -> tuple[dict[str, int], list[tuple[int, str]]]:
    staging.execute(members_sql.STAGE.format(stage=stage))
    staging.copy_lines(f"{stage}_rows", members_sql.COLUMNS, checked.lines)
    staging.execute(f"ANALYZE {stage}_rows")
    staging.execute(members_sql.JUDGE.format(stage=stage), {"store": store.pk})
    return staging.judged(stage, SOUND)


def check_members(table: Table, columns: dict[str, int], at: datetime) -> Checked:
    """Read the cells of every row and find the duplicates within the file. No database."""
    checked = Checked()
    read = _row_reader(columns, at)
    width = len(table.header)
    phones: dict[str, int] = {}
    numbers: dict[str, int] = {}
    lines, faults, duplicates = checked.lines, checked.faults, checked.duplicates
    for row_number, row in zip(table.numbers, table.rows, strict=True):
        if len(row) != width and (misfit := misfit_of(row, width)):
            faults[row_number] = str(misfit)
            continue
        try:
            phone, member_no, line = read(row)
        except (InvalidPhone, cells.BadCell) as problem:
            faults[row_number] = str(problem.message)
            continue
        earlier = phones.setdefault(phone, row_number)
        if earlier != row_number:
            duplicates[row_number] = earlier
        elif member_no and numbers.setdefault(member_no, row_number) != row_number:
            faults[row_number] = str(_OTHER_PHONE) % {"row": numbers[member_no]}
        else:
            lines.append(f"{row_number}\t{line}")
    return checked


def _row_reader(columns: dict[str, int], at: datetime) -> Callable[[Sequence[str]], tuple[str, str, str]]:
    """One row's cells to (phone, member number, COPY line without the row number)."""
    region = settings.REGULARS_REGION
    hashed = keyed_hasher(settings.REGULARS_PHONE_KEY.encode())
    phone_at, number_at = columns["phone"], columns.get("member_no")
    readers: dict[str, Callable[[str], str]] = {
        "name": lambda cell: cells.escaped(cells.read_text(cell, 80)),
        "language": cells.read_language,
        "birthday": cells.birthday_reader(at.date()),
        "gender": cells.read_gender,
        "tags": cells.read_tags,
        "service_consent": cells.read_word,
        "marketing_consent": cells.read_word,
    }
    empty = {"name": "", "language": "", "gender": "", "tags": "{}"}
    others = [(columns.get(name), reader, empty.get(name, cells.NULL)) for name, reader in readers.items()]
    used = [(place, reader) for place, reader, _default in others if place is not None]
    nothing = "\t".join(default for _place, _reader, default in others)

    def read(row: Sequence[str]) -> tuple[str, str, str]:
        phone = normalize(row[phone_at], region)
        member_no = cells.read_text(row[number_at], 32) if number_at is not None else ""
        rest = (
            "\t".join(default if place is None else reader(row[place]) for place, reader, default in others)
            if used
            else nothing
        )
        return phone, member_no, f"{phone}\t\\\\x{hashed(phone).hex()}\t{cells.escaped(member_no)}\t{rest}"

    return read
