"""What locks whole members, beside what the tills do: members first, in id order, then accounts, then a look at them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from members.domain import erasing, transfers
from members.domain.cards import open_card, recharge_card
from members.domain.holds import authorise
from members.domain.ledger import TenderPaid
from members.domain.merging import merge, undo
from members.domain.verify import verify
from members.enums import TenderType
from members.models import Account, Card, Member
from tests.conftest import NOON

CASH = TenderPaid(TenderType.CASH, 50_000)


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: every thread has its own connection."""


@pytest.fixture
def double(enrol) -> Member:
    """Li Lei once more, enrolled before him."""
    return enrol("13700137000", name="Lei Li")


@pytest.fixture
def their_card(double, product, here) -> Card:
    card, _ = open_card(key="open2", member=double, product=product, **here)
    recharge_card(key="pay2", card=card, tender=CASH, **here)
    return card


def hold(card: Card, here) -> None:
    authorise(key="h", card=card, amount_minor=100, until=NOON + timedelta(days=1), **here)


def test_a_hold_that_is_being_made_blocks_the_merge(their_card, double, li_lei, here, mei_here, beside):
    with transaction.atomic():
        hold(their_card, here)
        joined = beside(lambda: merge(key="m", kept=li_lei, merged=double, **mei_here))

    assert joined.result() == "merge_blocked"
    assert verify().faults == ()


def test_a_hold_that_is_being_made_blocks_the_erasure(their_card, double, here, mei_here, beside):
    with transaction.atomic():
        hold(their_card, here)
        erased = beside(lambda: erasing.erase(member=double, forfeits_value=True, **mei_here))

    assert erased.result() == "erasure_blocked"
    assert verify().faults == ()


def test_an_erasure_locks_whoever_was_merged_in_the_order_of_an_undo(double, li_lei, mei_here, beside):
    merge(key="m", kept=li_lei, merged=double, **mei_here)
    assert double.pk < li_lei.pk

    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=double.pk)
        erased = beside(lambda: erasing.erase(member=li_lei, **mei_here))
        is_free = (
            Member.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=li_lei.pk).exists()
        )

    assert is_free
    assert erased.result().member == li_lei


def test_a_transfer_that_opens_a_card_and_an_undo_do_not_wait_in_a_ring(
    their_card, li_lei, enrol, here, mei_here, beside, monkeypatch
):
    """The undo has the receiver and wants the accounts; the transfer has those, and a card to open."""
    merged = merge(key="m", kept=li_lei, merged=enrol("13600136000", name="Lily"), **mei_here)
    Account.objects.create(kind="points", member=li_lei, balance=0)
    offer = transfers.propose(
        key="t", card=their_card, receiver=li_lei, amount_minor=100, is_confirmed=True, **here
    )
    undone: list[Any] = []

    def open_while_they_are_parted(**asked: Any) -> Any:
        undone.append(beside(lambda: undo(done=merged, **parted)))
        return open_card(**asked)

    parted = {name: mei_here[name] for name in ("actor", "at", "store")}
    monkeypatch.setattr(transfers, "open_card", open_while_they_are_parted)

    done = transfers.confirm(actor=here["actor"], at=NOON, transfer=offer)

    assert (done.status, undone[0].result().undone_at) == ("done", NOON)
    assert verify().faults == ()
