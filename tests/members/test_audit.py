"""The audit log: what is written, that it stays as written, and that one changed byte is found."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from members.domain import audit
from members.domain.ledger import Actor
from members.models import AuditEntry, Entry, Store
from tests.conftest import NOON


def sql_as_replica(statement: str, *values: Any) -> None:
    """What somebody does who owns the machine: the triggers do not fire for them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def log(chen, mei, riverside: Store) -> list[AuditEntry]:
    """Five rows by two people."""
    return [
        audit.write(
            actor=(chen, mei)[number % 2],
            verb="changed",
            subject=riverside,
            store=riverside,
            before={"name": "Bund"},
            after={"name": f"Riverside {number}"},
            at=NOON + timedelta(minutes=number),
        )
        for number in range(5)
    ]


def test_rows_are_numbered_and_chained(log):
    rows = list(AuditEntry.objects.order_by("seq"))

    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert len({bytes(row.hash) for row in rows}) == 5
    assert audit.verify_chain().is_sound


@pytest.mark.parametrize(
    "change",
    [
        "after = jsonb_set(after, '{name}', '\"Riverside x\"')",
        "before = NULL",
        "verb = 'chanGed'",
        "at = at + interval '1 microsecond'",
        "written_at = written_at + interval '1 microsecond'",
        "staff_id = NULL",
        "store_id = NULL",
        "subject = subject || ' '",
        "subject_id = '0'",
        "scope = 'house'",
        "address = '10.0.0.1'",
        "request_id = 'x'",
        "hash = set_byte(hash, 0, get_byte(hash, 0) # 1)",
    ],
)
def test_one_changed_byte_is_found_and_named(log, change):
    sql_as_replica(f"UPDATE members_auditentry SET {change} WHERE seq = 3")

    broken = audit.verify_chain().broken

    assert broken[0] == 3


@pytest.mark.parametrize(("gone", "found"), [(1, 2), (3, 4)])
def test_a_row_taken_out_is_found_at_the_next(log, gone, found):
    sql_as_replica("DELETE FROM members_auditentry WHERE seq = %s", gone)

    assert audit.verify_chain().broken[0] == found


def test_rows_cut_off_at_the_end_are_found_by_a_head_noted_elsewhere(log):
    head = audit.verify_chain()
    sql_as_replica("DELETE FROM members_auditentry WHERE seq = 5")

    assert audit.verify_chain().is_sound, "the chain alone cannot know"
    assert audit.verify_chain(head=(head.head_seq, head.head_hash)).broken == (5,)


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE members_auditentry SET verb = 'x'",
        "DELETE FROM members_auditentry",
        "TRUNCATE members_auditentry",
    ],
)
def test_the_log_cannot_be_written_over(log, attempt):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        cursor = connection.cursor()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(attempt)


def test_who_writes_past_the_code_cannot_choose_number_or_hash(log):
    AuditEntry.objects.create(seq=2, hash=b"mine", scope="thief", verb="changed", at=NOON)

    last = AuditEntry.objects.latest("seq")
    assert (last.seq, last.scope) == (6, "thief")
    assert bytes(last.hash) != b"mine"
    assert audit.verify_chain().is_sound


def test_many_rows_in_one_statement_are_chained_as_well(db):
    rows = [AuditEntry(seq=0, hash=b"", scope="house", verb="imported", at=NOON) for _ in range(50)]
    AuditEntry.objects.bulk_create(rows)

    assert audit.verify_chain().is_sound
    assert AuditEntry.objects.latest("seq").seq == 50


def test_phones_are_masked_and_secrets_left_out(chen, li_lei):
    audit.write(
        actor=chen,
        verb="changed",
        subject=li_lei,
        before={"phone": li_lei.phone, "nested": {"phone": li_lei.phone}, "password": "hunter2"},
        after=audit.facts_of(li_lei),
        at=NOON,
    )

    written = json.dumps(list(AuditEntry.objects.values("subject", "before", "after")))
    assert "13800138000" not in written and "hunter2" not in written and "phone_hash" not in written
    assert "138****8000" in written


def test_the_house_and_other_systems_have_names_too(db):
    audit.write(actor=None, verb="ledger_root", at=NOON)
    audit.write(actor=Actor("api:partner"), verb="exported", subject=("members", "all"), at=NOON)

    told = AuditEntry.objects.order_by("seq").values_list("scope", "staff", "subject_type", "subject")
    assert list(told) == [("house", None, "", ""), ("api:partner", None, "members", "all")]


def test_only_what_differs_is_kept():
    assert audit.difference({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == (
        {"b": 2, "c": None},
        {"b": 3, "c": 4},
    )


def test_the_root_of_the_ledger_changes_with_any_entry(loaded_card, at_till, riverside):
    first = audit.write_ledger_root(at=NOON).after["root"]
    assert audit.write_ledger_root(at=NOON).after["root"] == first

    entry = Entry.objects.filter(seq=1).first()
    sql_as_replica("UPDATE members_account SET last_hash = sha256(last_hash) WHERE id = %s", entry.account_id)

    assert audit.write_ledger_root(at=NOON).after["root"] != first


def told_by_command(*asked: str) -> dict[str, Any]:
    out = StringIO()
    call_command("verify_audit", *asked, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_says_that_the_log_is_whole_and_its_head(log):
    told = told_by_command()

    assert (told["ok"], told["rows"]) == (True, 5)
    assert told["head"].startswith("5:")
    assert told_by_command("--head", told["head"])["ok"]


def test_the_command_fails_with_the_row_that_was_changed(log):
    sql_as_replica("UPDATE members_auditentry SET subject = 'nothing' WHERE seq = 2")

    with pytest.raises(CommandError, match="row 2"):
        told_by_command()


@pytest.mark.parametrize("head", ["5", "x:00", "5:zz"])
def test_a_head_that_is_none_is_refused(log, head):
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        told_by_command("--head", head)
