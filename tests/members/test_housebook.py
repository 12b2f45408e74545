"""What the house has set is kept by the process, and never older than the next deed. Committed, on real connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from constance import config
from django.db import connection, transaction

from members.domain.cards import recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.payments import CodeRequired
from members.domain.recharge_limits import CardLimitReached
from members.domain.spending import spend
from members.enums import TenderType
from members.models import Card, EarningRule, Operation, Store, Tier, TierScheme, TierStanding
from tests.conftest import NOON

Change = Callable[[], object]
KEYS = count(1)


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: another connection sees them."""


@pytest.fixture
def silver(db: None) -> Tier:
    scheme = TierScheme.objects.create(name="Circle", is_active=True)
    return Tier.objects.create(scheme=scheme, name="Silver", threshold=1, discount_percent=0)


@pytest.fixture
def pay(loaded_card: Card, at_till: Actor, riverside: Store) -> Callable[[int], Operation]:
    """A spend of Li Lei's at Riverside."""

    def _pay(minor: int = 10000) -> Operation:
        fresh = Card.objects.select_related("member", "product").get(pk=loaded_card.pk)
        named = {"actor": at_till, "key": f"s{next(KEYS)}", "at": NOON, "store": riverside}
        return spend(card=fresh, amount_minor=minor, **named).operation

    return _pay


def here(change: Change) -> None:
    change()


def elsewhere(change: Change) -> None:
    """In another thread, so on another connection."""

    def changed() -> None:
        try:
            change()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        other.submit(changed).result()


def points_of(operation: Operation) -> int:
    earned = operation.entries.filter(account_kind="points", amount__gt=0)
    return sum(earned.values_list("amount", flat=True))


@pytest.mark.parametrize("where", [here, elsewhere])
def test_a_new_rule_counts_for_the_very_next_deed(where, pay):
    before = points_of(pay())

    where(lambda: EarningRule.objects.create(name="Fifty a visit", points=50))
    with_rule = points_of(pay())
    where(lambda: EarningRule.objects.update(points=70))
    with_more = points_of(pay())
    where(lambda: EarningRule.objects.update(is_active=False))

    assert (before, with_rule, with_more, points_of(pay())) == (100, 150, 170, 100)


@pytest.mark.parametrize("where", [here, elsewhere])
def test_a_changed_tier_counts_for_the_very_next_deed(where, pay, silver):
    pay()
    assert TierStanding.objects.get().tier == silver, "the first purchase made it"
    before = pay().amount_minor

    where(lambda: Tier.objects.update(discount_percent=10))
    discounted = pay().amount_minor
    where(lambda: TierScheme.objects.update(is_active=False))

    assert (before, discounted, pay().amount_minor) == (10000, 9000, 10000)


@pytest.mark.parametrize("where", [here, elsewhere])
def test_a_changed_limit_counts_for_the_very_next_deed(where, pay):
    pay(6000)

    where(lambda: setattr(config, "SPEND_CODE_ABOVE_MINOR", 5000))
    with pytest.raises(CodeRequired):
        pay(6000)
    where(lambda: setattr(config, "SPEND_CODE_ABOVE_MINOR", 0))

    assert pay(6000).amount_minor == 6000


@pytest.mark.parametrize("where", [here, elsewhere])
def test_a_chosen_law_counts_for_the_very_next_recharge(where, loaded_card, at_till, riverside):
    def recharge() -> Operation:
        named = {"actor": at_till, "key": f"r{next(KEYS)}", "at": NOON, "store": riverside}
        paid = TenderPaid(TenderType.CASH, 400_000)
        return recharge_card(card=loaded_card, tender=paid, **named).operation

    recharge()
    where(lambda: setattr(config, "CARD_RULES", "cn"))
    with pytest.raises(CardLimitReached):
        recharge()
    where(lambda: setattr(config, "CARD_RULES", "none"))

    assert recharge().amount_minor == 400_000


def test_a_change_that_was_rolled_back_never_counted(pay):
    pay()

    with transaction.atomic():
        EarningRule.objects.create(name="Fifty a visit", points=50)
        inside = points_of(pay())
        transaction.set_rollback(True)

    assert (inside, points_of(pay())) == (150, 100)


def test_a_change_counts_for_others_once_it_is_committed(pay):
    """The other connection's rule is not there before its commit, and there at once after it."""
    with ThreadPoolExecutor(1) as other:

        def hold() -> None:
            transaction.set_autocommit(False)
            EarningRule.objects.create(name="Fifty a visit", points=50)

        def let_go() -> None:
            transaction.commit()
            connection.close()

        other.submit(hold).result()
        before = points_of(pay())
        other.submit(let_go).result()

    assert (before, points_of(pay())) == (100, 150)
