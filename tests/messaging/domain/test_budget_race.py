"""Two texts written in the same instant, and what is left of a budget."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from messaging.domain import budgets
from messaging.enums import MessageClass
from messaging.models import Gateway
from messaging.states import Reason
from tests.conftest import NOON
from tests.messaging.domain.test_budgets import write_texts

MARKETING = MessageClass.MARKETING


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: two connections see each other."""


@pytest.fixture
def cap(riverside) -> None:
    """Riverside may spend 4 fen a month: one part."""
    Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="regulars", price_minor=4)
    budgets.set_budget(
        scope="store", store=riverside, period="month", amount_minor=4, protected_percent=0, by=None, at=NOON
    )


def test_of_two_texts_in_one_instant_one_takes_the_last_coin(cap, li_lei, enrol):
    han = enrol("13900139000")
    said: list[Reason] = []

    def second() -> None:
        said.extend(write_texts(han, MARKETING, 2))
        connection.close()

    with transaction.atomic():
        said += write_texts(li_lei, MARKETING, 1)
        writer = threading.Thread(target=second)
        writer.start()
        writer.join(0.2)
    writer.join(5)

    assert said == [Reason.NONE, Reason.BUDGET]


def test_a_text_waits_for_another_no_longer_than_a_moment(cap, li_lei, enrol):
    """Money is worth more than a coin of the budget: nobody at a till waits for a text of somebody else's."""
    han = enrol("13900139000")
    said: list[Reason] = []

    def second() -> None:
        said.extend(write_texts(han, MARKETING, 2))
        connection.close()

    with transaction.atomic():
        write_texts(li_lei, MARKETING, 1)
        writer = threading.Thread(target=second)
        writer.start()
        writer.join(5)
        assert said == [Reason.NONE], "it went on without"
