"""Goodwill: bonus and points given and taken, and the exact way back. Money in fen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from members.domain.adjusting import (
    NotAdjustable,
    ReasonRequired,
    TooLittleLeft,
    adjust,
    undo_adjustment,
)
from members.domain.card_states import replace_card
from members.domain.deeds import AmountRefused, CardNotUsable
from members.domain.erasing import erase
from members.domain.ledger import Actor, ApprovalRequired
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, Role
from members.models import Account, Card, Entry, Lot, Operation, StaffLimit, Store
from tests.conftest import NOON, employ

BONUS, POINTS, PRINCIPAL = AccountKind.BONUS, AccountKind.POINTS, AccountKind.PRINCIPAL
Adjust = Callable[..., Any]


@pytest.fixture
def boss(riverside: Store) -> Actor:
    """Olga owns Riverside: nothing limits her."""
    olga = employ(riverside, "olga", Role.OWNER)
    return Actor(f"staff:{olga.pk}", olga.pk)


@pytest.fixture
def by_hand(loaded_card: Card, riverside: Store, boss: Actor) -> Adjust:
    """Olga adjusts Li Lei's card: `by_hand(BONUS, 500)`."""
    forms = iter(range(100))

    def _adjust(account: AccountKind, amount: int, **more: Any) -> Operation:
        asked = {"actor": boss, "key": f"a{next(forms)}", "at": NOON, "store": riverside, "reason": "Late"}
        return adjust(card=loaded_card, account=account, amount=amount, **(asked | more)).operation

    return _adjust


@pytest.fixture
def undo(riverside: Store, boss: Actor) -> Adjust:
    forms = iter(range(100))

    def _undo(operation: Operation, **more: Any) -> Any:
        asked = {"actor": boss, "key": f"u{next(forms)}", "at": NOON, "store": riverside, "reason": "Mistake"}
        return undo_adjustment(operation=operation, **(asked | more))

    return _undo


def held(card: Card, kind: AccountKind) -> int:
    return Account.objects.get(member=card.member, kind=kind).balance or 0


def lines(operation: Operation) -> set[tuple[str, int]]:
    return set(Entry.objects.filter(operation=operation).values_list("account_kind", "amount"))


@pytest.mark.parametrize(("account", "cost"), [(BONUS, "bonus_cost"), (POINTS, "points_cost")])
def test_what_is_given_is_a_cost_of_the_store(by_hand, loaded_card, account, cost):
    deed = by_hand(account, 500)

    assert held(loaded_card, account) == 500
    assert lines(deed) == {(account, 500), (cost, -500)}
    assert verify().faults == ()


def test_it_is_told_with_its_reason(by_hand):
    told = by_hand(BONUS, 500, reason="  Waited   too long ").events.get()

    assert told.type == "value_adjusted"
    assert (told.payload["amount"], told.payload["points"]) == (500, 0)
    assert told.payload["reason"] == "Waited too long"


def test_what_is_given_expires_when_it_was_said(by_hand):
    until = NOON + timedelta(days=30)
    deed = by_hand(BONUS, 500, expires_at=until)

    assert Lot.objects.get(operation=deed).expires_at == until


def test_what_is_taken_comes_from_what_expires_first(by_hand, loaded_card):
    later = by_hand(BONUS, 500)
    soon = by_hand(BONUS, 300, expires_at=NOON + timedelta(days=1))

    by_hand(BONUS, -400)

    assert Lot.objects.get(operation=soon).remaining == 0
    assert Lot.objects.get(operation=later).remaining == 400


def test_no_more_is_taken_than_there_is(by_hand, loaded_card):
    by_hand(BONUS, 500)

    with pytest.raises(TooLittleLeft) as refused:
        by_hand(BONUS, -501)

    assert refused.value.facts["left"] == 500
    assert held(loaded_card, BONUS) == 500


@pytest.mark.parametrize("account", [PRINCIPAL, AccountKind.SERVICES, AccountKind.TENDER])
def test_nothing_but_bonus_and_points_is_adjusted(by_hand, loaded_card, account):
    with pytest.raises(NotAdjustable):
        by_hand(account, 100)
    assert held(loaded_card, PRINCIPAL) == 50000


@pytest.mark.parametrize("reason", ["", "  ", "ok"])
def test_value_is_not_given_without_a_reason(by_hand, reason):
    with pytest.raises(ReasonRequired):
        by_hand(BONUS, 100, reason=reason)


@pytest.mark.parametrize("amount", [0, 10**9 + 1, -(10**9) - 1, True])
def test_an_amount_that_is_none_is_refused(by_hand, amount):
    with pytest.raises(AmountRefused):
        by_hand(BONUS, amount)


def test_the_same_form_twice_gives_once(by_hand, loaded_card):
    first, second = by_hand(BONUS, 500, key="one"), by_hand(BONUS, 500, key="one")

    assert first == second
    assert held(loaded_card, BONUS) == 500


# --- the way back


@pytest.mark.parametrize("account", [BONUS, POINTS])
@pytest.mark.parametrize("amount", [700, -300])
def test_an_adjustment_undone_leaves_every_lot_as_it_was(by_hand, undo, loaded_card, account, amount):
    by_hand(account, 400)
    by_hand(account, 200, expires_at=NOON + timedelta(days=9))
    before = list(Lot.objects.order_by("pk").values_list("pk", "remaining"))

    undo(by_hand(account, amount))

    after = dict(Lot.objects.values_list("pk", "remaining"))
    assert [(pk, after[pk]) for pk, _ in before] == before
    assert held(loaded_card, account) == 600
    assert verify().faults == ()


def test_it_is_undone_once(by_hand, undo):
    deed = by_hand(BONUS, 500)
    undo(deed)

    with pytest.raises(NotAdjustable, match="undone already"):
        undo(deed)


def test_an_undoing_is_not_undone(by_hand, undo):
    back = undo(by_hand(BONUS, 500)).operation

    with pytest.raises(NotAdjustable):
        undo(back)


def test_what_was_given_and_spent_is_not_taken_back_from_elsewhere(
    by_hand, undo, loaded_card, riverside, at_till
):
    deed = by_hand(BONUS, 500)
    spend(actor=at_till, key="s", at=NOON, store=riverside, card=loaded_card, amount_minor=50500)

    with pytest.raises(TooLittleLeft) as refused:
        undo(deed)

    assert refused.value.facts["left"] == 0
    assert verify().faults == ()


def test_only_adjustments_are_undone_here(loaded_card, undo):
    with pytest.raises(NotAdjustable):
        undo(Operation.objects.get(kind="recharge"))


def test_undoing_counts_to_the_limit_like_any_adjustment(by_hand, undo, mei, riverside):
    StaffLimit.objects.create(deed="adjust", role=Role.MANAGER, amount_max=100)
    deed = by_hand(BONUS, 500)

    with pytest.raises(ApprovalRequired):
        undo(deed, actor=Actor(f"staff:{mei.pk}", mei.pk))


def test_bonus_does_not_come_back_to_a_card_that_was_replaced(by_hand, undo, loaded_card, at_till, riverside):
    by_hand(BONUS, 500)
    taken = by_hand(BONUS, -300)
    replace_card(actor=at_till, key="lost", at=NOON, store=riverside, card=loaded_card)

    with pytest.raises(CardNotUsable):
        undo(taken)

    assert Account.objects.get(card=loaded_card, kind=BONUS).balance == 0


def test_points_come_back_while_there_is_a_member_and_to_nobody_after(
    by_hand, undo, loaded_card, li_lei, mei, at_till, riverside
):
    by_hand(POINTS, 500)
    first, second = by_hand(POINTS, -100), by_hand(POINTS, -100)
    replace_card(actor=at_till, key="lost", at=NOON, store=riverside, card=loaded_card)
    undo(first)
    manager = Actor(f"staff:{mei.pk}", mei.pk)
    erase(actor=manager, at=NOON, store=riverside, member=li_lei, reason="Asked", forfeits_value=True)

    with pytest.raises(CardNotUsable):
        undo(second)

    assert held(loaded_card, POINTS) == 0
