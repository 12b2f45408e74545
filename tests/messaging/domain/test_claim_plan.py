"""The plan of a claim is made once a connection, perhaps while the tables are empty: it must be the right one for a million."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from messaging.sql import statement

pytestmark = pytest.mark.django_db


def steps(plan: Any) -> Iterator[dict[str, Any]]:
    yield plan
    for step in plan.get("Plans", ()):
        yield from steps(step)


def test_a_claim_planned_on_an_empty_table_still_looks_at_each_message_by_its_id_or_number():
    numbered: dict[str, str] = {}
    gate = re.sub(
        r"%\((\w+)\)s",
        lambda name: numbered.setdefault(name[1], f"${len(numbered) + 1}"),
        statement("claim_gate"),
    ).replace("%%", "%")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', 'messaging_message',"
            " 'relpages', 0, 'reltuples', 0::real)"
        )
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {gate}")
        plan = cursor.fetchone()[0]

    looks = [
        step.get("Index Cond") or step.get("Plans", [{}])[0].get("Index Cond", "")  # of a bitmap: below it
        for step in steps((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        if step.get("Relation Name") == "messaging_message" and "Scan" in step["Node Type"]
    ]
    assert len(looks) == 8
    assert all(re.search(r"\((id|member_id|phone_hash) = ", look) for look in looks), looks
