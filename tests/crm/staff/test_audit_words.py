"""What the audit log's rows read like: words, money and days instead of field names and codes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from crm.staff.audit_words import NAMES, done_by, name_of, short, shown
from members.models import AuditVerb

A_LONG_NUMBER = "2d989c30-75c7-4079-ab4b-467c31867600"


@pytest.mark.parametrize(
    ("field", "facts", "told"),
    [
        ("difference_minor", {"difference_minor": -1200}, "−¥12.00"),
        ("paid_out", {"paid_out": 191850}, "¥1,918.50"),
        ("amount", {"amount": 8800, "account": "bonus"}, "¥88.00"),
        ("amount", {"amount": 8800, "account": "points"}, "8,800"),
        ("on", {"on": "2026-11-26"}, "Nov 26, 2026"),
        ("on", {"on": "2026-13-99"}, "2026-13-99"),
        ("takes_effect_at", {"takes_effect_at": "2026-11-29T17:57:01+00:00"}, "Nov 30, 2026 01:57"),
        ("status", {"status": "frozen"}, "Frozen (lost)"),
        ("method", {"method": "pro_rata"}, "Pro rata"),
        ("deed", {"deed": "a_deed_of_old"}, "a deed of old"),
        ("hash", {"hash": "017ddfdfd5e5d1859c68f95e9beb7a04"}, "017ddfdfd5e5d185"),
        ("handout", {"handout": A_LONG_NUMBER}, "2d989c30"),
        ("language", {"language": "zh-hans"}, "Simplified Chinese"),
        ("confirmed_by_old", {"confirmed_by_old": False}, "no"),
        ("audience", {"audience": {}}, "–"),
        ("kept", {}, "–"),
        ("money", {"money": 8800}, "¥88.00"),
        ("state", {"state": "dismissed"}, "Dismissed"),
        ("what", {"what": "statement"}, "Statement"),
        ("faults", {"faults": [{"rule": "L4", "rows": [{"balance": -1}]}]}, "A balance is below zero."),
    ],
)
def test_a_value_reads_as_elsewhere(field, facts, told):
    with translation.override("en"):
        assert shown(field, facts, "Asia/Shanghai") == told


def test_a_field_has_a_name_in_both_languages_and_an_unknown_one_keeps_its_word():
    with translation.override("zh-hans"):
        assert name_of("difference_minor") == "差额"

    assert name_of("new_field") == "new field"


def test_every_field_that_is_written_down_has_a_name():
    """Found in the code: the fields of what `audit.write` is handed, as they stand in the call or just before it."""
    root = Path(__file__).parents[3]
    sources = [
        path for room in ("members", "messaging", "campaigns", "crm") for path in (root / room).rglob("*.py")
    ]
    written = {field for path in sources for field in fields_written_down(path)}

    assert {"difference_minor", "merged", "was_wished"} <= written
    assert sorted(written - set(NAMES)) == []


def fields_written_down(path: Path) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    if "audit.write(" not in source:
        return
    for function in (part for part in ast.walk(ast.parse(source)) if isinstance(part, ast.FunctionDef)):
        named = {
            target.id: part.value
            for part in ast.walk(function)
            if isinstance(part, ast.Assign) and isinstance(target := part.targets[0], ast.Name)
        }
        for call in (part for part in ast.walk(function) if isinstance(part, ast.Call)):
            if ast.unparse(call.func) != "audit.write":
                continue
            for told in (part.value for part in call.keywords if part.arg in ("before", "after")):
                facts = named.get(told.id) if isinstance(told, ast.Name) else told
                if isinstance(facts, ast.Dict):
                    yield from (key.value for key in facts.keys if isinstance(key, ast.Constant))


def test_who_acted_when_nobody_of_staff_did_is_said_in_words():
    assert (done_by("house"), done_by("api:7")) == ("Regulars itself", "api:7")


def test_only_long_numbers_are_shortened():
    assert short(A_LONG_NUMBER) == "2d989c30"
    assert short("Riverside · 2026-11-26") == "Riverside · 2026-11-26"


@pytest.mark.parametrize(
    "verb", ["card_paused", "card_resumed", "card_replaced", "sharer_added", "sharer_removed"]
)
def test_every_verb_of_a_card_has_words(verb):
    assert verb in AuditVerb.values
