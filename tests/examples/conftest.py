"""Li Lei's card at Riverside's till, and value of every kind on it. Money in fen (1/100 yuan)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from members.domain.deeds import Outcome, begin, conclude
from members.domain.holds import authorise
from members.domain.ledger import Actor, Leg, NewLot, TenderPaid
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.spending import spend
from members.enums import AccountKind, OperationKind, TenderType
from members.models import Account, Card, Entry, Operation, Reward, Store
from tests.conftest import NOON


@dataclass
class Counter:
    """The till's verbs with who, where and when filled in; every deed has a key of its own unless one is given."""

    actor: Actor
    store: Store
    card: Card
    keys: Any

    def _who(self, more: dict[str, Any]) -> dict[str, Any]:
        named = {"actor": self.actor, "key": f"k{next(self.keys)}", "at": NOON, "store": self.store}
        return named | more

    def load(
        self, principal: int, bonus: int = 0, *, terms: Any = None, bonus_terms: Any = None, **more
    ) -> Operation:
        """Value paid in, with terms on all of it or on the bonus only; `expires_at` and `active_from` on all."""
        lot = {name: more.pop(name) for name in ("expires_at", "active_from") if name in more}
        who = self._who(more)
        deed = begin(
            OperationKind.RECHARGE,
            card=self.card,
            request={"amount": principal},
            amount_minor=principal,
            **who,
        )
        parts = {
            AccountKind.PRINCIPAL: (principal, AccountKind.TENDER, terms),
            AccountKind.BONUS: (bonus, AccountKind.BONUS_COST, bonus_terms or terms),
        }
        legs = []
        for kind, (amount, against, limits) in parts.items():
            if amount:
                new = NewLot(
                    amount, paid_minor=amount if kind == AccountKind.PRINCIPAL else 0, terms=limits, **lot
                )
                legs += [
                    Leg(amount, account=deed.accounts[kind], lots=(new,)),
                    Leg(-amount, store=who["store"].pk, kind=against),
                ]
        tender = [TenderPaid(TenderType.CASH, principal)] if principal else []
        facts = {"amount": principal, "bonus": bonus, "points": 0}
        return conclude(
            deed,
            legs,
            event="card_recharged",
            facts=facts,
            card=self.card,
            store=who["store"],
            tenders=tender,
        ).operation

    def give_points(self, points: int, **lot: Any) -> Operation:
        who = self._who({})
        deed = begin(OperationKind.EARN, card=self.card, request={"points": points}, **who)
        legs = [
            Leg(points, account=deed.accounts[AccountKind.POINTS], lots=(NewLot(points, **lot),)),
            Leg(-points, store=self.store.pk, kind=AccountKind.POINTS_COST),
        ]
        return conclude(
            deed, legs, event="points_earned", facts={"points": points}, card=self.card, store=self.store
        ).operation

    def spend(self, minor: int, **more: Any) -> Outcome:
        return spend(card=self.card, amount_minor=minor, **self._who(more))

    def refund(self, operation: Operation, minor: int | None = None, **more: Any) -> Outcome:
        return refund(operation=operation, amount_minor=minor, **self._who(more))

    def redeem(self, reward: Reward, **more: Any) -> Outcome:
        return redeem_points(card=self.card, reward=reward, **self._who(more))

    def hold(self, minor: int, until: datetime, **more: Any) -> Outcome:
        return authorise(card=self.card, amount_minor=minor, until=until, **self._who(more))

    def balance(self, kind: AccountKind) -> int:
        owned = (
            {"member": self.card.member, "card": None} if kind == AccountKind.POINTS else {"card": self.card}
        )
        return Account.objects.get(kind=kind, **owned).balance or 0

    @property
    def value(self) -> tuple[int, int, int]:
        """Principal, bonus, points."""
        kinds = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.POINTS)
        return tuple(self.balance(kind) for kind in kinds)  # type: ignore[return-value]


@pytest.fixture
def counter(at_till: Actor, riverside: Store, card: Card) -> Counter:
    return Counter(at_till, riverside, card, count(1))


Books = Callable[..., dict[str, int]]


@pytest.fixture
def books() -> Books:
    """What the deeds wrote on a store's counter-accounts: `books(hilltop, sale, back)`; the sum by kind."""

    def _books(store: Store, *operations: Operation) -> dict[str, int]:
        totals: dict[str, int] = {}
        for entry in Entry.objects.filter(account__store=store, operation__in=operations):
            totals[entry.account_kind] = totals.get(entry.account_kind, 0) + entry.amount
        return {kind: total for kind, total in totals.items() if total}

    return _books
