"""The guards that stand in the database itself: SQL that goes around our code is refused as well."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from members.domain.ledger import Actor
from members.domain.spending import spend
from members.models import Card, ConsentEntry, Entry, LotUse, MembershipEvent, Operation, Store, Tender
from tests.conftest import NOON

APPEND_ONLY = {
    "members_entry": "amount = amount + 1",
    "members_operation": "amount_minor = 1",
    "members_lotuse": "amount = amount - 1",
    "members_tender": "amount_minor = 1",
    "members_consententry": "is_given = NOT is_given",
    "members_membershipevent": "payload = '{}'",
}


@pytest.fixture
def lived(loaded_card: Card, riverside: Store, at_till: Actor) -> Card:
    """Li Lei's card after a recharge of 500.00 and a spend of 30.00; a row in every append-only table."""
    spend(actor=at_till, key="spend", at=NOON, store=riverside, card=loaded_card, amount_minor=3000)
    for model in (Entry, Operation, LotUse, Tender, ConsentEntry, MembershipEvent):
        assert model.objects.exists()
    settle()
    return loaded_card


def sql(statement: str, *parameters: Any) -> None:
    """Run a statement as somebody at the database's prompt would, up to what a commit judges."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        judge(cursor)


def judge(cursor: Any) -> None:
    """What a commit would judge."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def settle() -> None:
    """Let the deferred checks of what the fixtures wrote run now."""
    sql("SELECT 1")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "attempt", ["UPDATE {table} SET {change}", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"]
)
def test_what_was_written_stays_as_written(lived, table, attempt):
    with pytest.raises(DatabaseError, match="append-only"):
        sql(attempt.format(table=table, change=APPEND_ONLY[table]))


def account_id(card: Card, kind: str) -> int:
    return card.accounts.get(kind=kind).pk


def write_deed(kind: str, *entries: tuple[int | str, int], card: Card) -> None:
    """Write an operation with entries past the ledger's door: (account kind of the member or store, amount)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_operation (public_id, kind, scope, key, request, store_id, member_id, card_id,"
            " amount_minor, note, at) VALUES (gen_random_uuid(), %s, 'thief', 'k', '{}', %s, %s, %s, 0, '', now())"
            " RETURNING id",
            [kind, card.store_id, card.member_id, card.pk],
        )
        operation = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount,"
            " seq, balance_after, hash) SELECT %s, a.id, %s, a.kind, sign(w.amount), 'money', w.amount,"
            " CASE WHEN a.balance IS NULL THEN NULL ELSE a.last_seq + 1 END, a.balance + w.amount,"
            " CASE WHEN a.balance IS NULL THEN NULL ELSE 'forged'::bytea END"
            " FROM unnest(%s::text[], %s::bigint[]) AS w(kind, amount)"
            " JOIN members_account a ON a.kind = w.kind AND (a.card_id = %s OR a.store_id = %s)",
            [
                operation,
                kind,
                *(list(column) for column in zip(*entries, strict=True)),
                card.pk,
                card.store_id,
            ],
        )
        assert cursor.rowcount == len(entries)
        judge(cursor)


def test_a_deed_that_does_not_sum_to_zero_is_refused_at_commit(lived):
    with pytest.raises(DatabaseError, match="does not sum to zero"):
        write_deed("recharge", ("principal", 1000), ("tender", -999), card=lived)


def test_a_single_entry_is_no_deed(lived):
    with pytest.raises(DatabaseError, match="does not sum to zero"):
        write_deed("recharge", ("principal", 1000), card=lived)


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("recharge", [("principal", 1000), ("sales", -1000)]),  # money made of sales
        ("spend", [("principal", -1000), ("tender", 1000)]),  # stored value turned into cash
        ("spend", [("principal", 1000), ("sales", -1000)]),  # a spend that gives
        ("redeem", [("principal", -1000), ("sales", 1000)]),  # points' deed on money
        ("open_card", [("principal", 1000), ("tender", -1000)]),  # a gift with the card
    ],
)
def test_what_the_posting_matrix_does_not_list_is_refused(lived, kind, entries):
    with pytest.raises(DatabaseError, match="entry_posting_rule"):
        write_deed(kind, *entries, card=lived)


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ("balance = -1", "account_balance_range"),
        ("balance = 1000000000001", "account_balance_range"),
        ("balance = balance + 1", "does not agree"),
        ("last_seq = last_seq + 1", "does not agree"),
        ("balance = NULL", "account_owner"),
    ],
)
def test_a_balance_moves_only_with_its_lots_and_entries(lived, change, guard):
    with pytest.raises(DatabaseError, match=guard):
        sql(f"UPDATE members_account SET {change} WHERE id = %s", account_id(lived, "principal"))


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ("UPDATE members_lot SET remaining = -1", "lot_"),
        ("UPDATE members_lot SET held = remaining + 1", "lot_held"),
        ("UPDATE members_lot SET held = -1", "lot_held"),
        ("""UPDATE members_lot SET terms = '{"stores": []}'""", "keeps its origin"),
        ("UPDATE members_lot SET active_from = now()", "keeps its origin"),
        ("UPDATE members_lot SET remaining = remaining - 1 WHERE remaining > 0", "does not agree"),
        ("UPDATE members_lot SET remaining = original + 1", "lot_range"),
        ("UPDATE members_lot SET original = original + 1", "keeps its origin"),
        ("UPDATE members_lot SET paid_minor = 1", "keeps its origin"),
        ("DELETE FROM members_lot", "keeps its origin"),
        ("TRUNCATE members_lot CASCADE", "append-only"),
    ],
)
def test_a_lot_keeps_its_origin_and_its_bounds(lived, change, guard):
    with pytest.raises(DatabaseError, match=guard):
        sql(change)


def test_a_number_of_an_account_is_given_once(lived):
    with pytest.raises(DatabaseError, match="entry_seq"):
        sql(
            "INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount,"
            " seq, balance_after, hash) SELECT operation_id, account_id, operation_kind, account_kind, sign, unit,"
            " amount, seq, balance_after, hash FROM members_entry WHERE account_id = %s AND seq = 1",
            account_id(lived, "principal"),
        )


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("DELETE FROM members_account", "append-only"),
        ("TRUNCATE members_account CASCADE", "append-only"),
        ("UPDATE members_account SET kind = 'bonus' WHERE kind = 'principal'", "append-only"),
        ("UPDATE members_account SET last_hash = sha256(last_hash) WHERE last_seq > 0", "does not agree"),
        (
            "INSERT INTO members_account (kind, member_id, card_id, balance, last_seq)"
            " SELECT 'services', member_id, card_id, 5, 0 FROM members_account WHERE kind = 'principal'",
            "does not agree",
        ),
        (
            "INSERT INTO members_lot (account_id, operation_id, source_id, original, remaining, paid_minor)"
            " SELECT account_id, operation_id, source_id, 5, 5, 0 FROM members_lot LIMIT 1",
            "does not agree",
        ),
        (
            "INSERT INTO members_lotuse (entry_id, lot_id, amount)"
            " SELECT e.id, l.id, 1 FROM members_entry e, members_lot l WHERE e.account_id <> l.account_id LIMIT 1",
            "lot_use_fits|another account",
        ),
        (
            "INSERT INTO members_operation (public_id, kind, scope, key, request, store_id, member_id, amount_minor,"
            " note, at) SELECT gen_random_uuid(), kind, scope, 'other', request, store_id, -1, amount_minor, note, at"
            " FROM members_operation LIMIT 1",
            "does not know",
        ),
        (
            "INSERT INTO members_operation (public_id, kind, scope, key, request, store_id, member_id, amount_minor,"
            " note, at) SELECT gen_random_uuid(), kind, scope, 'other', request, -1, member_id, amount_minor, note, at"
            " FROM members_operation LIMIT 1",
            "does not know",
        ),
    ],
)
def test_what_no_foreign_key_looks_after_any_more_is_looked_after(lived, statement, guard):
    with pytest.raises(DatabaseError, match=guard):
        sql(statement)


def test_a_key_is_used_once(lived):
    with pytest.raises(DatabaseError, match="operation_once"):
        sql(
            "INSERT INTO members_operation (public_id, kind, scope, key, request, store_id, member_id, amount_minor,"
            " note, at) SELECT gen_random_uuid(), kind, scope, key, request, store_id, member_id, amount_minor, note,"
            " at FROM members_operation LIMIT 1"
        )


def test_a_payment_reference_pays_once(lived):
    sale = Operation.objects.get(kind="spend").pk
    pay = "INSERT INTO members_tender (operation_id, type, amount_minor, reference) VALUES (%s, 'wechat', 1, 'W-1')"
    sql(pay, sale)

    with pytest.raises(DatabaseError, match="tender_reference_once"):
        sql(pay, sale)
