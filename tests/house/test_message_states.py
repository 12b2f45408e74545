"""docs/message-states.md says what messaging/states.py does, and the database agrees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from messaging.states import MOVES, State, may_move

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "message-states.md").read_text()
ROWS = {
    match[1]: set(re.findall(r"`(\w+)`", match[2]))
    for match in re.finditer(r"^\| `(\w+)` \| [^|]+ \|([^|]*)\|$", PAGE, re.MULTILINE)
}


def test_the_page_lists_every_state():
    assert set(ROWS) == {state.value for state in State}


@pytest.mark.parametrize("state", list(State))
def test_the_page_lists_exactly_the_moves_of_a_state(state):
    assert ROWS[state.value] == {new.value for new in MOVES.get(state, ())}


@pytest.mark.parametrize("old", list(State))
def test_the_database_allows_exactly_these_moves(db, old):
    for new in set(State) - {old}:
        assert is_allowed_by_the_database(old, new) == may_move(old, new), f"{old} to {new}"


def is_allowed_by_the_database(old: State, new: State) -> bool:
    """Try it on a row made for it, and take it back."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO messaging_message (public_id, phone, phone_hash, message_class, priority, language, text,"
                " encoding, parts, cause, cause_id, timezone, state, reason, due_at, expires_at, attempts)"
                " VALUES (gen_random_uuid(), '', '', 'trigger', 1, '', '', '', 1, 'api', 1, 'UTC', %s, '', now(),"
                " now(), 0) RETURNING id",
                [old],
            )
            cursor.execute(
                "UPDATE messaging_message SET state = %s WHERE id = %s", [new, cursor.fetchone()[0]]
            )
            transaction.set_rollback(True)
    except DatabaseError:
        return False
    return True
