"""Many hands on one count card, one closing, one transfer each way: real threads, real locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier

import pytest
from django.db import OperationalError

from members.domain import transfers
from members.domain.card_states import freeze
from members.domain.cards import open_card, recharge_card
from members.domain.closing import close_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.services import sell_services, take_service
from members.domain.spending import spend
from members.enums import CardStatus, OperationKind, TenderType
from members.models import Account, Card, CardKind, CardProduct, Entry, Operation, RechargePlan, ServiceGroup
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_races import assert_sound, balance_of, kinds


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: every thread has its own connection and sees them."""


@pytest.fixture
def by_hand(at_till: Actor, riverside) -> dict:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def wash_card(li_lei, by_hand) -> Card:
    """One wash left of one."""
    product = CardProduct.objects.create(
        name="One wash",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=1,
        price_minor=100,
        full_price_minor=100,
    )
    card, _ = open_card(key="open-wash", member=li_lei, product=product, **by_hand)
    sell_services(key="sell", card=card, tender=TenderPaid(TenderType.CASH, 100), **by_hand)
    return card


def test_64_threads_take_the_last_service_and_one_gets_it(wash_card, by_hand):
    results = at_once(
        [
            lambda key=f"take-{number}": take_service(key=key, card=wash_card, **by_hand)
            for number in range(64)
        ]
    )

    assert kinds(results) == {"Outcome": 1, "InsufficientServices": 63}
    assert Account.objects.get(card=wash_card, kind="services").balance == 0
    assert_sound()


def test_two_closings_at_once_pay_out_once(loaded_card, by_hand):
    results = at_once(
        [
            lambda key=f"close-{number}": close_card(key=key, card=loaded_card, **by_hand)
            for number in range(8)
        ]
    )

    assert kinds(results)["Outcome"] == 1 and sum(kinds(results).values()) == 8
    paid = Entry.objects.filter(operation_kind=OperationKind.CLOSE, account_kind="tender")
    assert list(paid.values_list("amount", flat=True)) == [50000]
    assert_sound()


def test_nothing_is_spent_after_a_freeze_has_answered(loaded_card, by_hand):
    """Every spend in the books comes before the freeze: the locks decide, not what a till read earlier."""
    acts = [
        lambda key=f"spend-{number}": spend(key=key, card=loaded_card, amount_minor=10, **by_hand)
        for number in range(32)
    ]
    acts.insert(4, lambda: freeze(key="freeze", card=loaded_card, **by_hand))

    results = at_once(acts)

    spent = kinds(results)["Outcome"] - 1
    assert set(kinds(results)) <= {"Outcome", "CardNotUsable"}
    assert balance_of(loaded_card) == 50000 - 10 * spent
    assert Card.objects.get(pk=loaded_card.pk).status == CardStatus.FROZEN
    assert_sound()


def test_a_card_read_before_the_freeze_does_not_spend_after_it(loaded_card, by_hand):
    read_earlier = Card.objects.select_related("product", "member").get(pk=loaded_card.pk)
    freeze(key="freeze", card=loaded_card, **by_hand)

    assert kinds(at_once([lambda: spend(key="s", card=read_earlier, amount_minor=10, **by_hand)])) == {
        "CardNotUsable": 1
    }


def test_a_plan_for_the_first_recharge_is_taken_once_by_16_hands(card, by_hand):
    plan = RechargePlan.objects.create(name="Welcome", pay_minor=1000, bonus_minor=1000, is_first_only=True)
    paid = TenderPaid(TenderType.CASH, 1000)

    results = at_once(
        [
            lambda key=f"r-{number}": recharge_card(key=key, card=card, tender=paid, plan=plan, **by_hand)
            for number in range(16)
        ]
    )

    assert kinds(results) == {"Outcome": 1, "NotOffered": 15}
    assert_sound()


@pytest.fixture
def crossing(card, enrol, by_hand, product) -> list[list[transfers.Transfer]]:
    """Li Lei and Han Mei each offer the other 1.00 many times; their accounts' ids lie in between each other."""
    han_mei = enrol("13900139000", name="Han Mei")
    theirs, _ = open_card(key="o2", member=han_mei, product=product, **by_hand)
    both = (card, theirs)
    for turn, one in enumerate(both):
        paid = TenderPaid(TenderType.CASH, 50000)
        recharge_card(key=f"load-{turn}", card=one, tender=paid, **by_hand)
    return [
        [
            transfers.propose(
                is_confirmed=True,
                key=f"p-{turn}-{number}",
                card=one,
                receiver=other.member,
                amount_minor=100,
                **by_hand,
            )
            for number in range(12)
        ]
        for turn, (one, other) in enumerate((both, both[::-1]))
    ]


def _confirm_all(crossing, clock_actor: Actor):
    def run(rows):
        return lambda: [transfers.confirm(actor=clock_actor, at=NOON, transfer=row) for row in rows]

    halves = [run(rows[part::2]) for rows in crossing for part in (0, 1)]
    return at_once(halves)


def test_transfers_that_cross_each_other_never_ring(crossing):
    results = _confirm_all(crossing, Actor("portal"))

    assert kinds(results) == {"list": 4}
    assert Operation.objects.filter(kind=OperationKind.MOVE_IN).count() == 24
    assert {balance_of(card) for card in Card.objects.all()} == {50000}
    assert_sound()


@contextmanager
def _unsorted(monkeypatch, meet: Barrier) -> Iterator[None]:
    """Without the common order: each side locks the sender first, then both wait for the other's accounts."""

    def lock_sender_only(actor, cards, members=()):
        sender = list(cards)[0]
        list(Account.objects.select_for_update(no_key=True).filter(card=sender).order_by("id"))
        meet.wait(10)

    with monkeypatch.context() as patched:
        patched.setattr(transfers, "lock_accounts", lock_sender_only)
        yield


def test_negative_control_without_the_common_order_they_do_ring(crossing, monkeypatch):
    meet = Barrier(2)
    rows = [rows[0] for rows in crossing]

    def run(row):
        def act():
            try:
                return transfers.confirm(actor=Actor("portal"), at=NOON, transfer=row)
            except OperationalError as ring:
                return ring

        return act

    with _unsorted(monkeypatch, meet):
        results = at_once([run(row) for row in rows])

    assert any("deadlock" in str(result) for result in results)
