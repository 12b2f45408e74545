"""The audit log: one word in for everything money or people depend on, and the proof that it is whole.

Writing takes a lock until the end of the transaction: write last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, models
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise

from members.domain.ledger import Actor
from members.models import AuditEntry, Staff, Store
from members.phones import mask

log = structlog.get_logger(__name__)
SECRET_FIELDS = frozenset({"password", "secret", "hashed_key", "phone_hash", "last_login"})
_PERSONAL_FIELDS = frozenset({"phone", "name", "birthday", "gender", "tags", "notes", "member_no"})
_PHONE_DIGITS = 7
_SUBJECT_MAX = 200
Named = models.Model | tuple[str, str] | str


def write(
    *,
    actor: Actor | Staff | None,
    verb: str,
    subject: Named = "",
    store: Store | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    at: datetime,
) -> AuditEntry:
    """Write one row, in the caller's transaction. Phones in `before` and `after` are masked here.

    `actor` None is the house itself. `subject` is a row, or (its type, its words) of something that is no row.
    """
    staff_id, scope = _who(actor)
    kind, number, words = _what(subject)
    bound = structlog.contextvars.get_contextvars()
    return AuditEntry.objects.create(
        seq=0,  # the database numbers and chains
        hash=b"",
        at=at,
        staff_id=staff_id,
        scope=scope,
        store=store,
        verb=verb,
        subject_type=kind,
        subject_id=number,
        subject=words,
        before=masked(before),
        after=masked(after),
        address=bound.get("address", ""),
        request_id=bound.get("request_id", ""),
    )


def _who(actor: Actor | Staff | None) -> tuple[int | None, str]:
    if isinstance(actor, Staff):
        return actor.pk, f"staff:{actor.pk}"
    return (actor.staff_id, actor.scope) if actor else (None, "house")


def _what(subject: Named) -> tuple[str, str, str]:
    if isinstance(subject, models.Model):
        words = str(getattr(subject, "member_no", subject))  # a member's name would outlive its erasure here
        number = str(subject.pk).partition(".")[0]  # of an API key the part that is no secret
        return subject._meta.model_name or "", number, words[:_SUBJECT_MAX]
    kind, words = subject if isinstance(subject, tuple) else ("", subject)
    return kind, "", words[:_SUBJECT_MAX]


def masked(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values as the log keeps them: phones masked, secrets left out, everything as JSON."""
    if values is None:
        return None
    return {name: _kept(name, value) for name, value in values.items() if name not in SECRET_FIELDS}


def _kept(name: str, value: Any) -> Any:
    if "phone" in name and isinstance(value, str) and sum(char.isdigit() for char in value) >= _PHONE_DIGITS:
        return mask(value) if value.startswith("+") else f"…{value[-4:]}"
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal, Promise)):
        return str(value)
    if isinstance(value, Mapping):
        return masked({str(key): inner for key, inner in value.items()})
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_kept(name, inner) for inner in value]
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return value


def facts_of(row: models.Model) -> dict[str, Any]:
    """A row's own columns, as the log may keep them. What names a member stands there as a mark: see `_mark`."""
    is_person = hasattr(row, "member_no")
    return {
        field.name: _mark(value) if is_person and field.name in _PERSONAL_FIELDS else value
        for field in row._meta.concrete_fields
        if field.name not in SECRET_FIELDS and not field.primary_key
        for value in [getattr(row, field.attname)]
    }


def _mark(value: Any) -> str:
    """A sign that differs when the value does and says nothing of it: this log outlives the member's erasure."""
    return f"…{salted_hmac('members.audit', str(value)).hexdigest()[:4]}" if value else ""


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs: the old values and the new ones."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


@dataclass(frozen=True)
class ChainReport:
    """What the chain says: how many rows, the last number and hash, the rows that do not follow."""

    rows: int
    head_seq: int
    head_hash: str
    broken: tuple[int, ...]

    @property
    def is_sound(self) -> bool:
        return not self.broken


_CHAIN = """
SELECT seq FROM (
  SELECT a.seq, a.hash, row_number() OVER line AS expected_seq,
         audit_link(lag(a.hash) OVER line, a::members_auditentry) AS expected
  FROM members_auditentry a WINDOW line AS (ORDER BY a.seq)) chained
WHERE hash IS DISTINCT FROM expected OR seq <> expected_seq ORDER BY seq LIMIT 20
"""


def verify_chain(*, head: tuple[int, str] | None = None) -> ChainReport:
    """Follow the whole chain. `head` (a number and its hash noted elsewhere) proves that nothing was cut off."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN)
        broken = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT count(*), coalesce(max(seq), 0),"
            " coalesce((SELECT encode(hash, 'hex') FROM members_auditentry ORDER BY seq DESC LIMIT 1), '')"
            " FROM members_auditentry"
        )
        rows, seq, last = cursor.fetchone()
    if head and not AuditEntry.objects.filter(seq=head[0], hash=bytes.fromhex(head[1])).exists():
        broken.append(head[0])
    return ChainReport(rows, seq, last, tuple(broken))


_ROOT = """
SELECT count(*), coalesce(encode(sha256(string_agg(int8send(id) || last_hash, ''::bytea ORDER BY id)), 'hex'), '')
FROM members_account WHERE last_hash IS NOT NULL
"""


def write_ledger_root(*, at: datetime) -> AuditEntry:
    """The hash over every account's last hash, into the log and the logs: yesterday's books cannot be rewritten."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOT)
        accounts, root = cursor.fetchone()
    entry = write(
        actor=None,
        verb="ledger_root",
        subject=("ledger", root[:16]),
        after={"accounts": accounts, "root": root},
        at=at,
    )
    entry.refresh_from_db(fields=["seq", "hash"])
    log.info("ledger_root", accounts=accounts, root=root, audit_seq=entry.seq, audit_hash=entry.hash.hex())
    return entry
