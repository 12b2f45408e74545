"""The member thinks again in the very instant in which the shop forgets them: one of the two happened, and both know which."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from members.domain import erasing
from members.domain.ledger import Actor
from members.models import Erasure, Member
from tests.conftest import NOON

PORTAL = Actor("portal")


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: every thread has its own connection."""


@pytest.fixture
def in_charge(mei, riverside) -> dict[str, Any]:
    return {"actor": Actor(f"staff:{mei.pk}", mei.pk), "at": NOON, "store": riverside}


@pytest.fixture
def wish(li_lei) -> Erasure:
    return erasing.ask(actor=PORTAL, at=NOON, member=li_lei)


def test_a_wish_withdrawn_an_instant_before_is_no_reason_to_erase(li_lei, wish, in_charge, beside):
    with transaction.atomic():
        erasing.withdraw(at=NOON, wish=wish)
        erased = beside(lambda: erasing.erase(member=li_lei, **in_charge))

    assert erased.result() == "erasure_forbidden"
    wish.refresh_from_db()
    li_lei.refresh_from_db()
    assert (wish.status, li_lei.is_current) == ("withdrawn", True)


def test_who_withdraws_an_instant_after_hears_that_it_is_over(li_lei, wish, in_charge, beside):
    with transaction.atomic():
        erasing.erase(member=li_lei, **in_charge)
        withdrawn = beside(lambda: erasing.withdraw(at=NOON, wish=wish))

    assert withdrawn.result() == "erasure_ended"
    wish.refresh_from_db()
    assert wish.status == "done"


def test_who_wishes_it_while_it_happens_leaves_no_wish_behind(li_lei, in_charge, beside):
    as_shown = Member.objects.get(pk=li_lei.pk)

    with transaction.atomic():
        erasing.erase(member=as_shown, reason="By letter", **in_charge)
        asked = beside(lambda: erasing.ask(actor=PORTAL, at=NOON, member=li_lei))

    assert asked.result() == "member_not_current"
    assert list(Erasure.objects.values_list("status", flat=True)) == ["done"]
