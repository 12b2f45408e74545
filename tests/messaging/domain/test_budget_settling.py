"""Budgets beside a dispatcher: what an answer charges, and what it leaves aside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from messaging.domain import budgets
from messaging.domain.budgets import OverBudget
from messaging.enums import Cause, MessageClass
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, no, write, yes
from tests.messaging.domain.test_budgets import budget, gateway, used, write_texts  # noqa: F401

MARKETING = MessageClass.MARKETING


@pytest.fixture
def db(committed_db):
    """A dispatcher's connections see what the test writes."""


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (lambda a: yes(a, "id-1", "id-2", message_class=MARKETING), (0, 8, 12)),
        (lambda a: yes(a, "whole", message_class=MARKETING), (0, 8, 12)),
        (lambda a: yes(a, message_class=MARKETING), (0, 8, 12)),
        (lambda a: no(a, "permanent", "0x0B", message_class=MARKETING), (0, 0, 20)),
        (lambda a: no(a, "uncertain", "timeout", message_class=MARKETING), (8, 0, 12)),
        (lambda a: no(a, "not_sent", message_class=MARKETING), (8, 0, 12)),
    ],
    ids=["accepted", "accepted under one id", "accepted without an id", "refused", "in doubt", "not sent"],
)
def test_what_was_aside_is_settled_by_the_answer(budget, li_lei, answer, after):  # noqa: F811
    write_texts(li_lei, MARKETING, 1, parts=2)
    lease = hold()
    (claimed,) = claim_now(lease, NOON).claimed

    write(lease, [answer(claimed.attempt_id)])
    budgets.settle()

    assert used(budget) == after
    assert budgets.unbalanced() == []


def test_of_launches_at_once_only_as_many_start_as_the_budget_carries(budget, riverside):  # noqa: F811
    def launch(run: int) -> bool:
        try:
            budgets.open_purse(
                cause=Cause.RUN, cause_id=run, store=riverside, milli=5_000, subject="", at=NOON
            )
        except OverBudget:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        started = sum(pool.map(launch, range(8)))

    assert started == 3
    assert used(budget) == (15, 0, 5)


def test_texts_written_at_once_wait_for_nobody_and_every_coin_is_counted(budget, li_lei):  # noqa: F811
    def write_one(number: int) -> None:
        write_texts(li_lei, MARKETING, number)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_one, range(40)))

    assert budgets.unbalanced() == []
    assert used(budget)[0] >= 16
