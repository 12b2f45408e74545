"""What the ledger's machine begins with: who holds what, the clock, and the look at the books after every deed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from members.domain.cards import recharge_card
from members.domain.expiry import expire_lots
from members.domain.ledger import IdempotencyConflict, TenderPaid
from members.domain.verify import verify
from members.domain.verify_rules import RULES
from members.enums import TenderType
from members.models import (
    Account,
    Card,
    CardProduct,
    CloseMethod,
    Operation,
)
from tests.conftest import NOON
from tests.members.machine_ground import (
    PENDING_DAYS,
    POINTS_DAYS,
    TILL,
    Ground,
    Person,
)
from tests.members.oracle import Books
from tests.members.oracle_parts import Stores

VERIFIED_EVERY = 16  # deeds
IS_BROKEN = "SELECT " + " OR ".join(f"EXISTS ({sql})" for _rule, _promise, sql in RULES)
PREPARED = f"PREPARE is_broken (bigint[]) AS {IS_BROKEN % {'all': 'false', 'ids': '$1'}}"
amounts = st.one_of(
    st.integers(1, 200), st.integers(1, 60000), st.sampled_from([1, 99, 100, 101, 9999, 133333])
)
people = st.sampled_from([0, 0, 1])  # Li Lei, Han Mei
places = st.sampled_from([0, 0, 1])  # the store at the corner, the one at the harbour
percents = st.sampled_from([0, 1, 35, 100, 101])


@contextmanager
def lasting_plans() -> Iterator[None]:
    """Every example leaves its undone rows in the tables: a plan made while they were small, here or in a function of the
    ledger, would read them all each time. And the rules of verify are planned once, which took longer than asking them.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(PREPARED)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE is_broken")
            cursor.execute("DISCARD PLANS")


class Desk(RuleBasedStateMachine):
    """Li Lei's and Han Mei's cards and the books kept of them by hand; time passes, a used key comes again."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.store = self.ground.stores[0]
        self.now, self.number, self.looked = NOON, 0, 0
        self.sold, self.served, self.done, self.held, self.loaded = [], [], [], [], []

    def teardown(self) -> None:
        try:
            if hasattr(self, "people"):
                assert self._verified() == ()
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    @initialize(
        order=st.sampled_from(["pro_rata", "principal_first", "bonus_first"]),
        pending_days=st.sampled_from([0, PENDING_DAYS]),
        method=st.sampled_from(list(CloseMethod)),
    )
    def two_members_hold_cards(self, order: str, pending_days: int, method: str) -> None:
        CardProduct.objects.update(spend_order=order, points_pending_days=pending_days, close_method=method)
        self.stores = Stores(self.store.pk)
        self.people = []
        for member, card, washes in self.ground.members:
            books = Books(order, 1, POINTS_DAYS, pending_days, self.stores, method)
            self.people.append(Person(member, self._fresh(card), self._fresh(washes), books))

    def _go(self, where: int) -> None:
        """Whatever comes next is done at this store."""
        self.store = self.ground.stores[where]
        self.stores.here = self.store.pk

    @staticmethod
    def _fresh(card: Card) -> Card:
        return Card.objects.select_related("product", "member").get(pk=card.pk)

    def _said(self) -> dict:
        self.number += 1
        return {"actor": TILL, "key": f"deed-{self.number}", "at": self.now, "store": self.store}

    def _did(self, verb, said: dict, **asked) -> Operation:
        outcome = verb(**said, **asked)
        self.done.append((verb, said, asked, outcome.operation.pk))
        return outcome.operation

    @rule(days=st.sampled_from([0, 1, 2, 4, 29]), is_swept=st.booleans())
    def time_passes(self, days: int, is_swept: bool) -> None:
        self.now += timedelta(days=days, seconds=1)
        if is_swept:
            self._sweep()

    def _sweep(self) -> None:
        expire_lots(at=self.now)
        for person in self.people:
            person.books.expire(self.now)

    @precondition(lambda self: self.done)
    @rule(data=st.data(), is_same=st.booleans())
    def a_key_comes_again(self, data: st.DataObject, is_same: bool) -> None:
        verb, said, asked, operation_id = data.draw(st.sampled_from(self.done))
        if is_same:
            again = verb(**said, **asked)
            assert again.is_replay and again.operation.pk == operation_id
            return
        with pytest.raises(IdempotencyConflict):
            recharge_card(**said, card=self.people[0].card, tender=TenderPaid(TenderType.CASH, 77777))

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "people"):
            return
        lots, money = self._stored()
        assert lots == Counter(
            (person.member.pk, p.kind, p.sold_at, p.left, p.aside, p.paid, p.opens, p.ends)
            for person in self.people
            for p in person.books.portions
            if p.left
        )
        assert money == self._money_by_hand()
        if self.number - self.looked >= VERIFIED_EVERY:
            assert self._verified() == ()

    def _stored(self) -> tuple[Counter, dict]:
        """The lots with something left, and the stores' sums (money that came in is negative there)."""
        with connection.cursor() as cursor:
            cursor.execute(self.ground.reads)  # one journey, with every deferred guard first
            cursor.nextset(), cursor.nextset()
            lots = Counter(cursor.fetchall())
            cursor.nextset()
            return lots, {(store, kind): total for store, kind, total in cursor.fetchall()}

    def _money_by_hand(self) -> dict:
        money = self.stores.money.copy()
        for person in self.people:
            for sold_at, waiting in person.books.deferred.items():
                money[sold_at, "deferred"] += waiting
        return {key: amount for key, amount in money.items() if amount}

    def _verified(self) -> tuple:
        """Every rule of verify in one statement, planned once; what is broken is then named by verify itself."""
        self.looked = self.number
        accounts = Account.objects.filter(member__in=[person.member for person in self.people])
        ids = list(accounts.values_list("id", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("EXECUTE is_broken (%s)", [ids])
            is_broken = cursor.fetchone()[0]
        return verify(account_ids=ids).faults if is_broken else ()
