"""The fraud board, the shifts and the locks of codes go on after fifty rows, newest first, and cost no more there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from members.models import FraudCase, Shift
from messaging.models import VerificationLock
from tests.crm.staff.conftest import queries_of

DAY = date(2026, 11, 1)
Rows = Callable[[int], list[Any]]


def cases(store, staff, member, number: int) -> list[FraudCase]:
    common = {"pattern": "other_tender", "store": store, "staff": staff, "member": member}
    return FraudCase.objects.bulk_create(
        FraudCase(subject=f"card:{n}", from_on=DAY, found_at=timezone.now(), **common) for n in range(number)
    )


def shifts(store, staff, member, number: int) -> list[Shift]:
    """Two of each day, the later days opened first: what was opened last is not what is newest."""
    return Shift.objects.bulk_create(
        Shift(
            store=store,
            staff=staff if n % 2 else None,
            on=DAY - timedelta(days=n // 2),
            opened_at=timezone.now(),
        )
        for n in range(number)
    )


def locks(store, staff, member, number: int) -> list[VerificationLock]:
    now = timezone.now()
    return VerificationLock.objects.bulk_create(
        VerificationLock(
            kind="number",
            key_hash=bytes(member.phone_hash) if n == 0 else b"%d" % n,
            opened_at=now,
            until=now + timedelta(hours=1),
        )
        for n in range(number)
    )


LISTS = [("money_fraud", "cases", cases), ("money_shifts", "shifts", shifts), ("codes", "locks", locks)]


@pytest.mark.parametrize(("name", "shown", "made"), LISTS)
def test_the_next_page_begins_where_the_first_ends(manager, mei, riverside, li_lei, name, shown, made):
    made(riverside, mei, li_lei, 120)
    where, seen, sizes = reverse(f"staff:{name}"), [], []

    while where:
        answer = manager.get(where)
        rows = [row["lock"] if name == "codes" else row for row in answer.context[shown]]
        seen += rows
        sizes.append(len(rows))
        where = answer.context["page"].older_url

    assert sizes == [50, 50, 20]
    assert len({row.pk for row in seen}) == 120
    keys = [(getattr(row, "on", DAY), row.pk) for row in seen]
    assert keys == sorted(keys, reverse=True)
    assert answer.context["page"].newer_url == reverse(f"staff:{name}")


@pytest.mark.parametrize(("name", "shown", "made"), LISTS)
@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "2026-13-45_1", "2026-11-01_x", "_"])
def test_an_address_that_is_none_shows_the_first_page(
    manager, mei, riverside, li_lei, name, shown, made, after
):
    made(riverside, mei, li_lei, 3)

    assert len(manager.get(reverse(f"staff:{name}"), {"after": after}).context[shown]) == 3


@pytest.mark.parametrize(("name", "shown", "made"), LISTS)
def test_three_rows_cost_as_many_queries_as_one(manager, mei, riverside, li_lei, name, shown, made):
    where = reverse(f"staff:{name}")
    rows = made(riverside, mei, li_lei, 3)
    three = queries_of(manager, where)
    type(rows[0]).objects.exclude(pk=rows[0].pk).delete()

    assert queries_of(manager, where) == three


def test_the_next_page_of_the_board_keeps_its_state(manager, mei, riverside, li_lei):
    cases(riverside, mei, li_lei, 51)
    FraudCase.objects.update(state="dismissed", note="Fine", decided_by=mei, decided_at=timezone.now())

    first = manager.get(reverse("staff:money_fraud"), {"state": "dismissed"})

    assert "state=dismissed" in first.context["page"].older_url
    assert len(manager.get(first.context["page"].older_url).context["cases"]) == 1
