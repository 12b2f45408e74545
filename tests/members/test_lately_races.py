"""C9 for a bill in parts: 32 tills at once get no more of a card than one could. Real threads, real locks."""

from __future__ import annotations

from functools import partial

import pytest
from constance.test import override_config
from django.db import DatabaseError

from members.domain.bills import Line
from members.domain.ledger import Actor
from members.domain.phone_changes import change_phone
from members.domain.spending import spend
from members.domain.verify import verify
from members.models import Card
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_controls import TestWithCrowds
from tests.members.test_races import balance_of, kinds

LIMIT = 16_000


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: every thread has its own connection."""


@pytest.fixture
def here(at_till, riverside) -> dict:
    return {"actor": at_till, "at": NOON, "store": riverside}


def thirty_two_bills(card: Card, here: dict) -> list:
    """A sixteenth of the limit each, all at the same moment, each till with its own look at the card."""

    def bill(number: int) -> object:
        own = Card.objects.select_related("member", "product").get(pk=card.pk)
        return spend(key=f"bill-{number}", card=own, amount_minor=LIMIT // 16, **here)

    return at_once([partial(bill, number) for number in range(32)])


@override_config(SPEND_CODE_ABOVE_MINOR=LIMIT)
def test_32_tills_take_without_the_code_exactly_the_limit(loaded_card, here):
    results = thirty_two_bills(loaded_card, here)

    assert kinds(results) == {"Outcome": 16, "CodeRequired": 16}
    assert balance_of(loaded_card) == 50_000 - LIMIT
    assert verify().faults == ()


@override_config(PHONE_CHANGE_SPEND_MAX_MINOR=LIMIT)
def test_32_tills_take_from_a_changing_phone_exactly_the_limit(loaded_card, here, riverside):
    change_phone(
        **{**here, "actor": Actor("portal")},
        key="c",
        member=loaded_card.member,
        phone="13900139001",
        is_confirmed_by_old=True,
    )

    results = thirty_two_bills(loaded_card, here)

    assert kinds(results) == {"Outcome": 16, "CoolingOff": 16}
    assert balance_of(loaded_card) == 50_000 - LIMIT


@override_config(SPEND_CODE_ABOVE_MINOR=LIMIT)
def test_without_the_accounts_lock_more_gets_by(loaded_card, here):
    """The control: the test above can fail. Each sums before the others are seen."""

    def bill(number: int) -> object:
        own = Card.objects.select_related("member", "product").get(pk=loaded_card.pk)
        try:
            part = LIMIT // 4  # with a line: the general road
            return spend(key=f"bill-{number}", card=own, amount_minor=part, lines=[Line(part)], **here)
        except DatabaseError as broken:
            return broken

    slow = ("FOR NO KEY UPDATE) a;", ") a; PERFORM pg_sleep(0.3);")
    with TestWithCrowds.ledger_as("ledger_open", slow):
        results = at_once([partial(bill, number) for number in range(8)])

    assert kinds(results)["CodeRequired"] < 4
