"""Numbers looked at and members taken away: thirty an hour, and a second person for a whole list."""

from __future__ import annotations

import csv
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from constance.test import override_config
from django.urls import reverse
from django.utils import timezone

from members.domain import approvals
from members.domain.ledger import Actor
from members.domain.reveals import TooManyReveals, reveal
from members.enums import Role
from members.models import Approval, AuditEntry, StaffRole
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import text_of

EXPORT = "staff:export_members"


def looked() -> int:
    return AuditEntry.objects.filter(verb="phone_shown").count()


# Whole numbers


def test_thirty_numbers_an_hour_and_the_next_one_waits(cashier, li_lei):
    where = reverse("staff:reveal_phone", args=[li_lei.public_id])
    for _look in range(30):
        assert cashier.post(where).status_code == 200

    refused = cashier.post(where)

    assert refused.status_code == 429 and 0 < int(refused["Retry-After"]) <= 3601
    page = text_of(refused)
    assert "You have looked at 30 numbers within an hour." in page and "13800138000" not in page
    assert looked() == 30


def test_the_hour_rolls_and_each_person_has_their_own(chen, mei, li_lei, riverside):
    by_chen = partial(reveal, actor=Actor(f"staff:{chen.pk}", chen.pk), member=li_lei, store=riverside)
    for look in range(30):
        by_chen(at=NOON + timedelta(minutes=look))

    with pytest.raises(TooManyReveals) as refused:
        by_chen(at=NOON + timedelta(minutes=59))
    assert refused.value.facts["wait_seconds"] == 61
    by_chen(at=NOON + timedelta(minutes=60))
    reveal(actor=Actor(f"staff:{mei.pk}", mei.pk), member=li_lei, store=riverside, at=NOON)


# Lists


@pytest.fixture
def four(enrol, li_lei) -> None:
    for place in range(3):
        enrol(f"1390013900{place}", name=f"Guest {place}")


@pytest.fixture
def boss_approves(riverside):
    """Somebody else in charge says yes to what waits."""
    ana = employ(riverside, "ana", Role.OWNER)

    def _approve(*, yes: bool = True) -> Approval:
        asked = Approval.objects.get(status="pending")
        return approvals.decide(approval=asked, checker=ana, is_approved=yes, at=timezone.now())

    _approve.ana = ana  # type: ignore[attr-defined]
    return _approve


def rows_of(answer) -> list[list[str]]:
    return list(csv.reader(StringIO(b"".join(answer.streaming_content).decode().lstrip("\ufeff"))))


def test_each_row_says_who_took_it(manager, four, mei):
    header, *rows = rows_of(manager.get(reverse(EXPORT)))

    assert header[-1] == "Taken by" and {row[-1] for row in rows} == {f"mei #{mei.pk}"}


@override_config(EXPORT_ROWS_ALONE=3)
def test_more_than_a_page_needs_a_second_person_once(manager, four, boss_approves):
    where = reverse(EXPORT)
    assert "Ask for approval" in text_of(manager.get(where))
    assert "Waiting for approval" in text_of(manager.post(where, {"note": "For the accountant"}))
    manager.post(where, {"note": "For the accountant"})
    approval = boss_approves()

    ready = text_of(manager.get(where))
    file_url = f"{where}?approval={approval.public_id}"
    taken = manager.get(file_url)

    assert file_url in ready
    assert len(rows_of(taken)) == 5
    again = manager.get(file_url)
    assert again.status_code == 422 and "This approval has been used already" in text_of(again)
    written = AuditEntry.objects.filter(verb="exported").get()
    assert written.after["approval"] == str(approval.public_id)
    assert "4 members" in text_of(manager.get(reverse("staff:approval_list")))


@override_config(EXPORT_ROWS_ALONE=2)
def test_a_yes_is_for_that_list_and_that_person(manager, cashier, four, boss_approves, chen, riverside):
    where = reverse(EXPORT)
    manager.post(where, {"note": "For the accountant"})
    approval = boss_approves()
    StaffRole.objects.create(staff=chen, store=riverside, role="marketer")

    other_list = manager.get(where, {"consent": "marketing", "approval": str(approval.public_id)})
    other_person = cashier.get(where, {"approval": str(approval.public_id)})
    nonsense = manager.get(where, {"approval": "x"})

    assert "something differs from what was asked" in text_of(other_list)
    assert "something differs from what was asked" in text_of(other_person)
    assert "Download the file" in text_of(nonsense)
    assert not AuditEntry.objects.filter(verb="exported").exists()


@override_config(EXPORT_ROWS_ALONE=3)
def test_refused_late_or_withdrawn_it_gives_no_file(manager, four, boss_approves):
    where = reverse(EXPORT)
    manager.post(where, {"note": "Why not"})
    approval = boss_approves(yes=False)
    assert "has refused it" in text_of(manager.get(where))
    assert manager.get(where, {"approval": str(approval.public_id)}).status_code == 422

    manager.post(where, {"note": "For the accountant"})
    yes = boss_approves()
    StaffRole.objects.filter(staff=boss_approves.ana).delete()
    withdrawn = manager.get(where, {"approval": str(yes.public_id)})
    assert "no longer in charge" in text_of(withdrawn)


@override_config(EXPORT_ROWS_ALONE=3)
def test_without_a_reason_nobody_is_asked(manager, four):
    answer = manager.post(reverse(EXPORT), {"note": " "})

    assert answer.status_code == 422 and not Approval.objects.exists()
