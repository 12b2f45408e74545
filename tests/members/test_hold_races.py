"""A hold, a bill and the clock on one card at once: real threads, one end for each hold."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from members.domain.holds import authorise, expire_holds, release
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.verify import verify
from members.models import Account, Hold, Lot
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_races import kinds

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, so that every thread sees the people of conftest.py."""


@pytest.fixture
def who(at_till, riverside, loaded_card):
    return {"actor": at_till, "at": NOON, "store": riverside}, loaded_card


def sound() -> list[str]:
    return [str(fault) for fault in verify().faults]


def test_ten_holds_of_100_on_500_at_once_hold_500(who):
    common, card = who

    results = at_once(
        [
            lambda n=n: authorise(key=f"h{n}", card=card, amount_minor=10000, until=TOMORROW, **common)
            for n in range(10)
        ]
    )

    assert kinds(results) == {"Outcome": 5, "InsufficientBalance": 5}
    assert sum(Lot.objects.values_list("held", flat=True)) == 50000
    assert sound() == []


def test_a_hold_captured_released_and_run_out_at_once_ends_once(who):
    common, card = who
    for round_ in range(8):
        made = authorise(key=f"h{round_}", card=card, amount_minor=1000, until=TOMORROW, **common)
        hold = Hold.objects.select_related("card__member").get(operation=made.operation)
        before = Account.objects.get(card=card, kind="principal").balance

        at_once(
            [
                partial(spend, key=f"s{round_}", card=card, amount_minor=1000, hold=hold, **common),
                partial(release, key=f"r{round_}", hold=hold, **common),
                partial(expire_holds, at=TOMORROW),
            ]
        )

        hold.refresh_from_db()
        after = Account.objects.get(card=card, kind="principal").balance
        assert hold.status != "open"
        assert before - after == (1000 if hold.status == "captured" else 0)
    assert sum(Lot.objects.values_list("held", flat=True)) == 0
    assert sound() == []


def test_a_spend_taken_back_by_two_at_once_is_taken_back_once(who):
    common, card = who
    sale = spend(key="s", card=card, amount_minor=30000, **common).operation

    results = at_once([lambda n=n: refund(key=f"f{n}", operation=sale, **common) for n in range(4)])

    assert kinds(results) == {"Outcome": 1, "RefundExceedsOriginal": 3}
    assert Account.objects.get(card=card, kind="principal").balance == 50000
    assert sound() == []
