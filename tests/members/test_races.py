"""Many hands on one card at once: real threads, real locks, one sound ledger afterwards. The crowds: test_crowds.py."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, PhoneTaken, enrol_member
from members.domain.expiry import expire_lots
from members.domain.ledger import Actor, TenderPaid
from members.domain.refunds import RefundExceedsOriginal, refund
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import ConsentSource, OperationKind, TenderType
from members.models import Account, Card, Entry, Member, Operation, RechargePlan, Store
from members.refusals import Refused
from tests.conftest import NOON
from tests.members.hands import at_once


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: every thread has its own connection and sees them."""


def kinds(results: list[Any]) -> Counter[str]:
    """How often each class of result came."""
    return Counter(type(result).__name__ for result in results)


def cash(amount: int) -> TenderPaid:
    return TenderPaid(TenderType.CASH, amount)


def balance_of(card: Card) -> int:
    return sum(card.accounts.values_list("balance", flat=True))


def assert_sound() -> None:
    """The ledger's rules hold, every account is numbered 1, 2, 3, … and was never below zero."""
    assert verify().faults == ()
    for account in Account.objects.exclude(balance=None):
        lines = list(account.entries.order_by("seq").values_list("seq", "balance_after"))
        assert [seq for seq, _ in lines] == list(range(1, account.last_seq + 1))
        assert all(after >= 0 for _, after in lines)
        assert sum(account.entries.values_list("amount", flat=True)) == account.balance


def test_one_key_from_32_hands_is_one_recharge(card, riverside: Store, at_till: Actor):
    results = at_once(
        [
            lambda: recharge_card(
                actor=at_till, key="one", at=NOON, store=riverside, card=card, tender=cash(700)
            )
        ]
        * 32
    )

    assert {result.operation.pk for result in results} == {Operation.objects.get(key="one").pk}
    assert sorted(result.is_replay for result in results) == [False] + [True] * 31
    assert {result.balance_minor for result in results} == {700}
    assert balance_of(card) == 700


def test_partial_refunds_at_once_never_exceed_the_sale(loaded_card, riverside: Store, at_till: Actor):
    sale = spend(
        actor=at_till, key="sale", at=NOON, store=riverside, card=loaded_card, amount_minor=10000
    ).operation

    results = at_once(
        [
            lambda key=f"part-{number}": refund(
                actor=at_till, key=key, at=NOON, store=riverside, operation=sale, amount_minor=3000
            )
            for number in range(8)
        ]
    )

    assert kinds(results) == {"Outcome": 3, "RefundExceedsOriginal": 5}
    assert {r.facts["refundable_minor"] for r in results if isinstance(r, RefundExceedsOriginal)} == {1000}
    assert balance_of(loaded_card) == 50000 - 10000 + 9000
    assert_sound()


def test_a_whole_refund_among_partial_ones_has_one_winner(loaded_card, riverside: Store, at_till: Actor):
    sale = spend(
        actor=at_till, key="sale", at=NOON, store=riverside, card=loaded_card, amount_minor=10000
    ).operation

    results = at_once(
        [
            lambda key=f"take-{number}", amount=amount: refund(
                actor=at_till, key=key, at=NOON, store=riverside, operation=sale, amount_minor=amount
            )
            for number, amount in enumerate([10000, 6000, 10000, 6000, 10000, 6000, 10000, 6000])
        ]
    )

    given_back = sum(r.operation.amount_minor for r in results if not isinstance(r, Refused))
    assert given_back in (6000, 10000)
    assert kinds(results) == {"Outcome": 1, "RefundExceedsOriginal": 7}
    assert balance_of(loaded_card) == 40000 + given_back
    assert_sound()


def test_bonus_that_ends_while_it_is_being_spent_never_locks_the_till_out(
    card, riverside: Store, at_till: Actor
):
    plan = RechargePlan.objects.create(name="10 + 10", pay_minor=1000, bonus_minor=1000, bonus_valid_days=1)
    later = NOON + timedelta(days=2)

    def at_the_till(hand: int) -> None:
        common = {"actor": at_till, "at": NOON, "store": riverside, "card": card}
        for turn in range(12):
            recharge_card(key=f"r-{hand}-{turn}", tender=cash(1000), plan=plan, **common)
            spend(key=f"s-{hand}-{turn}", amount_minor=100, **common)

    def the_hourly_expiry() -> None:
        for _ in range(40):
            expire_lots(at=later)

    hands = [lambda hand=hand: at_the_till(hand) for hand in range(4)]
    assert kinds(at_once([*hands, the_hourly_expiry, the_hourly_expiry])) == {"NoneType": 6}

    assert Entry.objects.filter(operation_kind=OperationKind.EXPIRE).exists()
    assert_sound()


def test_one_number_enrolled_at_16_tills_is_one_member(riverside: Store, at_till: Actor):
    consents = Consents(True, False, "2026-11", ConsentSource.TILL)

    results = at_once(
        [
            lambda key=f"till-{number}": enrol_member(
                actor=at_till, key=key, at=NOON, store=riverside, phone="13800138000", consents=consents
            )
            for number in range(16)
        ]
    )

    assert kinds(results) == {"Member": 1, "PhoneTaken": 15}
    assert Member.objects.count() == 1
    assert all(isinstance(result, (Member, PhoneTaken)) for result in results)


def test_one_click_on_open_card_from_16_threads_is_one_card(
    li_lei, riverside: Store, at_till: Actor, product
):
    results = at_once(
        [
            lambda: open_card(
                actor=at_till, key="open", at=NOON, store=riverside, member=li_lei, product=product
            )
        ]
        * 16
    )

    assert {card.number for card, _ in results} == {Card.objects.get().number}
    assert Account.objects.filter(member=li_lei).count() == 3
