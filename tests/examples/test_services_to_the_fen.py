"""What services cost adds up to what was paid, whatever becomes of them. Money in fen (1/100 yuan)."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

import pytest

from members.domain.cards import open_card
from members.domain.closing import quote
from members.domain.ledger import TenderPaid
from members.domain.lot_parts import open_lot
from members.domain.services import deferred_of, return_service, sell_services, take_service
from members.domain.transfers import confirm, propose
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import Account, Card, CardKind, CardProduct, Entry, Lot, ServiceGroup
from tests.conftest import NOON

SERVICES = AccountKind.SERVICES


class Desk:
    """One lot of services of Li Lei's, and what is done with it."""

    def __init__(self, li_lei, friend, here: dict[str, Any], services: int, price: int, days: int | None):
        self.friend, self.here, self.keys, self.price = friend, here, count(1), price
        self.product = CardProduct.objects.create(
            name=f"{services} washes for {price}",
            kind=CardKind.SERVICES,
            service_group=ServiceGroup.objects.create(name=f"Wash {services} {price}"),
            services_count=services,
            price_minor=price,
            services_valid_days=days,
        )
        self.card, _ = open_card(member=li_lei, product=self.product, **self._once())
        sell_services(card=self.card, tender=TenderPaid(TenderType.CASH, price), **self._once())

    def _once(self) -> dict[str, Any]:
        return self.here | {"key": f"{self.product.pk}-{next(self.keys)}"}

    def take(self, services: int = 1):
        return take_service(card=self.card, count=services, **self._once()).operation

    def give_back(self, operation, services: int | None = None) -> None:
        return_service(operation=operation, count=services, **self._once())

    def pass_on(self) -> None:
        offer = propose(card=self.card, receiver=self.friend, services=1, is_confirmed=True, **self._once())
        confirm(actor=self.here["actor"], at=NOON, transfer=offer)

    @property
    def left(self) -> int:
        return Account.objects.get(card=self.card, kind=SERVICES).balance or 0

    @property
    def waiting(self) -> int:
        """The money of all services that are left, with Li Lei and with the friend."""
        lots = Lot.objects.filter(account__card__product=self.product).select_related("source")
        return sum(deferred_of(open_lot(lot, SERVICES)) for lot in lots)

    def books(self, kind: AccountKind) -> int:
        lines = Entry.objects.filter(operation__card__product=self.product, account_kind=kind)
        return sum(lines.values_list("amount", flat=True))


@pytest.fixture
def desk(li_lei, enrol, at_till, riverside):
    here = {"actor": at_till, "at": NOON, "store": riverside}
    friend = enrol("13900139000", name="Han Mei")
    return lambda services, price, days=None: Desk(li_lei, friend, here, services, price, days)


def test_two_of_three_taken_and_returned_near_the_end_are_worth_what_they_were(desk):
    """Three for 100.00 are 33.33, 33.34 and 33.33. The lot ends in three days: what comes back lies beside it."""
    washes = desk(3, 10000, 3)
    first, second = washes.take(), washes.take()

    washes.give_back(first)
    washes.give_back(second)

    assert (washes.waiting, washes.books(AccountKind.SALES)) == (10000, 0)
    assert quote(washes.card, at=NOON).payout_minor == 10000


def test_one_taken_one_passed_on_and_the_first_returned_pay_out_no_more_than_was_paid(desk):
    """33.33 were taken, 33.34 went to Han Mei: what comes back is 33.33 again."""
    washes = desk(3, 10000)
    taken = washes.take()
    washes.pass_on()

    washes.give_back(taken)

    assert (washes.waiting, washes.books(AccountKind.SALES)) == (10000, 0)
    cards = Card.objects.filter(product=washes.product).select_related("product")
    assert sum(quote(card, at=NOON).payout_minor for card in cards) == 10000
    assert not verify().faults


@pytest.mark.parametrize("seed", range(8))
def test_in_whatever_order_the_parts_add_up(desk, seed):
    chance = Random(seed)
    washes = desk(chance.randint(2, 7), chance.randint(1, 40), chance.choice([None, 3, 60]))
    out: list[Any] = []
    for _step in range(12):
        deed = chance.choice(["take", "take", "return", "pass on"])
        if deed == "return" and out:
            operation, taken = out.pop(chance.randrange(len(out)))
            back = chance.randint(1, taken)
            washes.give_back(operation, back)
            out += [(operation, taken - back)] if taken > back else []
        elif deed == "pass on" and washes.left:
            washes.pass_on()
        elif washes.left:
            taken = chance.randint(1, washes.left)
            out.append((washes.take(taken), taken))
        waiting = washes.waiting
        assert 0 <= waiting <= washes.price
        assert (washes.books(AccountKind.DEFERRED), washes.books(AccountKind.SALES)) == (
            waiting,
            washes.price - waiting,
        )
        assert out or waiting == washes.price
    assert not verify().faults
