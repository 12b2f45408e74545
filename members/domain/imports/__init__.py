"""Files from other systems: read → triage (every row in one bucket) → apply (set-based, safe to repeat).

`triage_members` and `triage_purchases` store nothing; `apply` puts in what they found sound.
"""

from datetime import datetime

from members.domain.imports.members import apply_members, sample_members, triage_members
from members.domain.imports.preview import BUCKETS, LABELS, Change, ImportPreview, ImportResult, RowPreview
from members.domain.imports.purchases import apply_purchases, sample_purchases, triage_purchases
from members.domain.imports.reading import (
    BY_COMMAND,
    BY_WEB,
    FileUnreadable,
    Limits,
    Table,
    read_bytes,
    read_file,
    table_of,
)
from members.domain.ledger import Actor

__all__ = [
    "BUCKETS",
    "BY_COMMAND",
    "BY_WEB",
    "LABELS",
    "Change",
    "FileUnreadable",
    "ImportPreview",
    "ImportResult",
    "Limits",
    "RowPreview",
    "Table",
    "apply",
    "read_bytes",
    "read_file",
    "sample",
    "table_of",
    "triage_members",
    "triage_purchases",
]


def apply(preview: ImportPreview, *, actor: Actor, at: datetime) -> ImportResult:
    """Put the sound rows of a triaged file in: one transaction, nobody told, safe to repeat."""
    put_in = apply_members if preview.kind == "members" else apply_purchases
    return put_in(preview, actor=actor, at=at)


def sample(preview: ImportPreview, *, most: int) -> list[RowPreview]:
    """What the first `most` rows of each sound bucket would do; within the transaction of the triage."""
    look = sample_members if preview.kind == "members" else sample_purchases
    return look(preview, most=most)
