"""Crowds at the ledger (C1 to C8, C10): real threads, each with its own connection, judged afterwards.

The usual size takes seconds; `REGULARS_TORTURE=1` runs the full one. C7 stands in test_coupon_races.py, C9 in
test_control_races.py, merges in test_merging_races.py; that the judges can see a fault is shown in test_controls.py.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from members.domain import transfers
from members.domain.adjusting import adjust
from members.domain.cards import open_card, recharge_card
from members.domain.deeds import Outcome
from members.domain.expiry import expire_lots
from members.domain.holds import authorise, release
from members.domain.ledger import Actor, IdempotencyConflict
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.spending import spend
from members.enums import AccountKind, OperationKind, Role
from members.models import Account, Card, Entry, Lot, Operation, RechargePlan, Reward, Store
from members.refusals import Refused
from tests.conftest import NOON, employ
from tests.members.hands import at_once
from tests.members.judges import Journal, Read, Written, broken_history, broken_lines, broken_rules, deadlocks
from tests.members.test_races import balance_of, cash, kinds

IS_TORTURE = os.environ.get("REGULARS_TORTURE") == "1"
HANDS, TURNS = (64, 500) if IS_TORTURE else (16, 12)
KEYS = 200 if IS_TORTURE else 5
ROUNDS = 500 if IS_TORTURE else 6
MANY_CARDS = 10_000 if IS_TORTURE else 32
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: every thread has its own connection and sees them."""


@pytest.fixture
def owner(riverside: Store) -> Actor:
    """Zhao owns Riverside: goodwill needs nobody else's word."""
    zhao = employ(riverside, "zhao", Role.OWNER)
    return Actor(f"staff:{zhao.pk}", zhao.pk)


@pytest.fixture
def by_owner(owner: Actor, riverside: Store) -> dict[str, Any]:
    return {"actor": owner, "at": NOON, "store": riverside}


@pytest.fixture(autouse=True)
def no_ring(committed_db: None) -> Iterator[None]:
    """0 deadlocks in every test of this file."""
    before = deadlocks()
    yield
    assert deadlocks() == before


def assert_sound() -> None:
    assert broken_lines() == []
    assert broken_rules() == set()


def cards_of(
    number: int, enrol: Callable[..., Any], product: Any, by_owner: dict[str, Any], load: int
) -> list[Card]:
    cards = []
    for n in range(number):
        member = enrol(f"1390{n:07}")
        card, _ = open_card(key=f"open-{n}", member=member, product=product, **by_owner)
        recharge_card(key=f"load-{n}", card=card, tender=cash(load), **by_owner)
        cards.append(card)
    return cards


class Hand:
    """One hand at one card: what it may do next depends on what it has done; it writes down what it saw."""

    def __init__(self, number: int, card: Card, said: dict[str, Any], journal: Journal) -> None:
        self.number, self.card, self.said, self.journal = number, card, said, journal
        self.dice = random.Random(number)
        self.sales: list[Operation] = []
        self.holds: list[Any] = []
        self.done: Counter[str] = Counter()
        self.last_seq: dict[int, int] = {}

    def __call__(self) -> Hand:
        for turn in range(TURNS):
            what = self.dice.choice(
                ["recharge", "spend", "spend", "refund", "adjust", "points", "hold", "end"]
            )
            started = time.monotonic_ns()
            try:
                outcome = getattr(self, f"_{what}")({"key": f"hand-{self.number}-{turn}", **self.said})
            except Refused:
                self.done["refused"] += 1
                continue
            if outcome is not None:
                self.done[what] += 1
                self._write_down(started, time.monotonic_ns(), outcome)
        return self

    def _recharge(self, said: dict[str, Any]) -> Outcome:
        return recharge_card(card=self.card, tender=cash(5000), plan=RechargePlan.objects.get(), **said)

    def _spend(self, said: dict[str, Any]) -> Outcome:
        outcome = spend(card=self.card, amount_minor=self.dice.randrange(1, 9000), **said)
        self.sales.append(outcome.operation)
        return outcome

    def _refund(self, said: dict[str, Any]) -> Outcome | None:
        if not self.sales:
            return None
        return refund(
            operation=self.dice.choice(self.sales), amount_minor=self.dice.randrange(1, 3000), **said
        )

    def _adjust(self, said: dict[str, Any]) -> Outcome:
        account = self.dice.choice([AccountKind.BONUS, AccountKind.POINTS])
        amount = self.dice.choice([-40, -7, 30, 500])
        return adjust(card=self.card, account=account, amount=amount, reason="Goodwill", **said)

    def _points(self, said: dict[str, Any]) -> Outcome:
        return redeem_points(card=self.card, reward=Reward.objects.get(), **said)

    def _hold(self, said: dict[str, Any]) -> Outcome:
        until = NOON + timedelta(days=1)
        outcome = authorise(card=self.card, amount_minor=self.dice.randrange(1, 4000), until=until, **said)
        self.holds.append(outcome.operation.hold)
        return outcome

    def _end(self, said: dict[str, Any]) -> Outcome | None:
        if not self.holds:
            return None
        hold = self.holds.pop()
        if self.dice.random() < 0.5:
            return release(hold=hold, **said)
        return spend(card=self.card, amount_minor=hold.amount_minor, hold=hold, **said)

    def _write_down(self, start: int, end: int, outcome: Outcome) -> None:
        lines = Entry.objects.filter(operation=outcome.operation, seq__isnull=False)
        for account, kind, seq, after in lines.values_list(
            "account_id", "account_kind", "seq", "balance_after"
        ):
            assert outcome.balances[kind] == after, "the answer is what the books say"
            self.journal.add(Written(start, end, account, seq))
            self.last_seq[account] = seq
        self._look()

    def _look(self) -> None:
        start = time.monotonic_ns()
        seen = list(Account.objects.filter(card=self.card).values_list("id", "last_seq", "balance"))
        end = time.monotonic_ns()
        self.journal.add(
            *(Read(start, end, pk, seq, balance, self.last_seq.get(pk, 0)) for pk, seq, balance in seen)
        )


def test_c1_and_c10_a_hot_card_under_mixed_deeds_stays_sound_and_in_the_order_it_was_answered(
    loaded_card, by_owner
):
    RechargePlan.objects.create(name="50 + 9", pay_minor=5000, bonus_minor=900, points=20)
    Reward.objects.create(name="Tea", points=7)
    before, journal = Operation.objects.count(), Journal()

    hands = at_once([Hand(number, loaded_card, by_owner, journal) for number in range(HANDS)])

    done = sum((hand.done for hand in hands), Counter())
    refused = done.pop("refused", 0)
    assert set(done) == {"recharge", "spend", "refund", "adjust", "points", "hold", "end"}, (
        "all of them happened"
    )
    assert Operation.objects.count() == before + done.total(), "what was acknowledged and nothing else"
    assert done.total() > refused, "most deeds are possible"
    after = Entry.objects.exclude(seq=None).values_list("account_id", "seq", "balance_after")
    assert broken_history(journal, {(account, seq): balance for account, seq, balance in after}) == []
    assert_sound()


def test_c2_many_cards_at_one_store_add_up(enrol, product, by_owner):
    cards = cards_of(MANY_CARDS, enrol, product, by_owner, 1000)

    def hand(number: int) -> None:
        for place, card in enumerate(cards[number::HANDS]):
            key = f"{number}-{place}"
            recharge_card(key=f"r-{key}", card=card, tender=cash(500), **by_owner)
            spend(key=f"s-{key}", card=card, amount_minor=300, **by_owner)

    assert kinds(at_once([partial(hand, number) for number in range(HANDS)])) == {"NoneType": HANDS}

    assert {balance_of(card) for card in cards} == {1200}
    assert not Account.objects.filter(member=None).exclude(balance=None).exists()
    assert_sound()


def test_c2_a_deed_that_is_still_open_stops_no_other_card_of_the_store(enrol, product, by_owner):
    """No row of the store is locked: its counter-accounts keep no balance."""
    slow, quick = cards_of(2, enrol, product, by_owner, 1000)
    is_written, may_commit = Event(), Event()

    def slow_till() -> None:
        with transaction.atomic():
            recharge_card(key="slow", card=slow, tender=cash(100), **by_owner)
            is_written.set()
            assert may_commit.wait(30)

    def quick_till() -> None:
        assert is_written.wait(30)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '3s'")
                recharge_card(key="quick", card=quick, tender=cash(100), **by_owner)
        finally:
            may_commit.set()

    at_once([slow_till, quick_till])

    assert balance_of(slow) == balance_of(quick) == 1100


def test_c3_a_balance_of_100_pays_exactly_33_times_3(card, by_owner):
    recharge_card(key="load", card=card, tender=cash(100), **by_owner)

    results = at_once(
        [partial(spend, key=f"bill-{number}", card=card, amount_minor=3, **by_owner) for number in range(64)]
    )

    assert kinds(results) == {"Outcome": 33, "InsufficientBalance": 31}
    assert {r.facts["available_minor"] for r in results if isinstance(r, Refused)} == {1}
    assert balance_of(card) == 1
    assert_sound()


def test_c4_one_key_from_64_hands_half_of_them_with_another_amount_is_one_deed(card, by_owner):
    for number in range(KEYS):
        first, other = 700 + number, 9000 + number
        results = at_once(
            [
                partial(recharge_card, key=f"key-{number}", card=card, tender=cash(amount), **by_owner)
                for amount in [first, other] * 32
            ]
        )

        answered = [result for result in results if isinstance(result, Outcome)]
        conflicts = [result for result in results if isinstance(result, IdempotencyConflict)]
        assert len(answered) == len(conflicts) == 32
        assert {tuple(conflict.fields) for conflict in conflicts} == {("amount",)}
        assert {result.operation.pk for result in answered} == {Operation.objects.get(key=f"key-{number}").pk}
        assert sum(not result.is_replay for result in answered) == 1
        assert len({result.balance_minor for result in answered}) == 1, "a replay gives the first answer"
    assert Operation.objects.filter(kind=OperationKind.RECHARGE).count() == KEYS
    assert_sound()


def transfer_one(dice: random.Random, cards: list[Card], key: str, said: dict[str, Any]) -> None:
    given, taken = dice.sample(cards, 2)
    try:
        asked = transfers.propose(
            is_confirmed=True,
            key=key,
            card=given,
            receiver=taken.member,
            amount_minor=dice.randrange(1, 400),
            **said,
        )
        transfers.confirm(actor=said["actor"], at=said["at"], transfer=asked)
    except Refused:
        pass


def test_c5_transfers_and_bills_between_random_pairs_of_20_never_ring(enrol, product, by_owner):
    cards = cards_of(20, enrol, product, by_owner, 5000)
    portal = {**by_owner, "actor": Actor("portal")}

    def hand(number: int) -> None:
        dice = random.Random(number)
        for turn in range(TURNS // 2):
            transfer_one(dice, cards, f"t-{number}-{turn}", portal)
            if turn % 3 == 0:
                spend(key=f"s-{number}-{turn}", card=dice.choice(cards), amount_minor=1, **portal)

    at_once([partial(hand, number) for number in range(HANDS)])

    spent = Operation.objects.filter(kind=OperationKind.SPEND).count()
    assert Operation.objects.filter(kind=OperationKind.MOVE_IN).count() > HANDS
    assert sum(balance_of(card) for card in cards) == 20 * 5000 - spent
    assert_sound()


def test_c6_partial_refunds_while_the_sale_is_taken_back_whole_give_back_the_sale_once(loaded_card, by_owner):
    sale = spend(key="sale", card=loaded_card, amount_minor=10000, **by_owner).operation
    parts = [
        partial(refund, key=f"part-{n}", operation=sale, amount_minor=100, **by_owner) for n in range(60)
    ]

    wholes = [partial(refund, key=f"whole-{hand}", operation=sale, **by_owner) for hand in range(4)]
    acts = [*parts, *wholes]
    random.Random(6).shuffle(acts)

    results = at_once(acts)

    done = Operation.objects.filter(reverses=sale)
    assert sum(done.values_list("amount_minor", flat=True)) == 10000
    assert done.filter(key__startswith="whole").count() == 1
    assert set(kinds(results)) <= {"Outcome", "RefundExceedsOriginal"}
    assert balance_of(loaded_card) == 50000
    assert_sound()


def test_c8_bonus_at_the_second_it_ends_is_spent_or_expired_never_both(card, by_owner):
    for number in range(ROUNDS):
        given = {"account": AccountKind.BONUS, "amount": 100, "reason": "Goodwill", "expires_at": MIDNIGHT}
        lot = Lot.objects.get(
            operation=adjust(key=f"give-{number}", card=card, **given, **by_owner).operation
        )

        def buy(hand: int, number: int = number) -> Outcome:
            said = {**by_owner, "at": MIDNIGHT - timedelta(seconds=hand % 2)}
            return spend(key=f"buy-{number}-{hand}", card=card, amount_minor=30, **said)

        at_once([*(partial(buy, hand) for hand in range(8)), *[partial(expire_lots, at=MIDNIGHT)] * 4])
        expire_lots(at=MIDNIGHT)

        lot.refresh_from_db()
        gone = Counter[str]()
        for kind, amount in lot.uses.values_list("entry__operation_kind", "amount"):
            gone[kind] -= amount
        assert gone["spend"] + gone["expire"] == 100 and lot.remaining == 0
        assert gone["spend"] in (0, 30, 60, 90)
    entries = Entry.objects.count()
    assert expire_lots(at=MIDNIGHT)["deeds"] == 0 and Entry.objects.count() == entries
    assert_sound()
