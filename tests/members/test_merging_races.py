"""A merge while the tills go on: each spend is counted before it or refused after it, and nobody waits in a ring."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from members.domain.cards import open_card, recharge_card
from members.domain.deeds import CardNotUsable
from members.domain.ledger import Actor, NotCurrent, TenderPaid
from members.domain.merge_values import value_of
from members.domain.merging import merge
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import TenderType
from members.models import Card, Member, Merge
from tests.conftest import NOON


@pytest.fixture
def db(committed_db: None) -> None:
    """Threads see each other's commits."""


@pytest.fixture
def double(enrol) -> Member:
    return enrol("13700137000", name="Lei Li")


@pytest.fixture
def their_card(double, at_till, riverside, product) -> Card:
    card, _ = open_card(actor=at_till, key="open2", at=NOON, store=riverside, member=double, product=product)
    recharge_card(
        actor=at_till,
        key="r2",
        at=NOON,
        store=riverside,
        card=card,
        tender=TenderPaid(TenderType.CASH, 30000),
    )
    return card


def run_all(*jobs) -> None:
    """Each in a thread and a connection of its own, all at once."""
    start = threading.Barrier(len(jobs))

    def go(job) -> None:
        start.wait()
        try:
            job()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_merge_while_the_card_is_spent_loses_nothing(their_card, at_till, riverside, li_lei, double, mei):
    results: list[str] = []

    def pay(number: int) -> None:
        card = Card.objects.select_related("member", "product").get(pk=their_card.pk)
        try:
            spend(actor=at_till, key=f"race-{number}", at=NOON, store=riverside, card=card, amount_minor=1000)
            results.append("paid")
        except CardNotUsable:
            results.append("refused")

    def join() -> None:
        actor = Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)
        merge(
            actor=actor, key="m", at=NOON, store=riverside, kept=li_lei, merged=double, reason="Same person"
        )
        results.append("merged")

    run_all(*(lambda number=number: pay(number) for number in range(8)), join)

    assert results.count("merged") == 1
    assert results.count("paid") + results.count("refused") == 8
    assert value_of(li_lei, NOON).principal_minor == 30000 - 1000 * results.count("paid")
    assert value_of(double, NOON).principal_minor == 0
    assert not verify().faults


def test_two_merges_that_cross_each_other_end_with_one(their_card, riverside, li_lei, double, mei):
    results: list[str] = []

    def join(kept: Member, merged: Member) -> None:
        actor = Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)
        try:
            merge(
                actor=actor,
                key=f"into-{kept.pk}",
                at=NOON,
                store=riverside,
                kept=kept,
                merged=merged,
                reason="Same person",
            )
            results.append("merged")
        except NotCurrent:
            results.append("refused")

    run_all(lambda: join(li_lei, double), lambda: join(double, li_lei))

    assert sorted(results) == ["merged", "refused"]
    total = sum(value_of(member, NOON).principal_minor for member in (li_lei, double))
    assert total == 30000
    assert Member.objects.current().count() == 1
    assert not verify().faults


def test_a_double_click_is_one_merge(riverside, li_lei, double, mei):
    results: list[Merge] = []

    def join() -> None:
        actor = Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)
        asked = {"kept": li_lei, "merged": double, "reason": "Same person"}
        results.append(merge(actor=actor, key="m", at=NOON, store=riverside, **asked))

    run_all(*[join] * 4)

    assert [one.pk for one in results] == [Merge.objects.get().pk] * 4


def test_a_card_opened_while_the_member_is_merged_is_opened_before_or_not_at_all(
    riverside, li_lei, double, mei, at_till, product
):
    results: list[str] = []

    def join() -> None:
        actor = Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)
        merge(
            actor=actor, key="m", at=NOON, store=riverside, kept=li_lei, merged=double, reason="Same person"
        )

    def open_one() -> None:
        try:
            open_card(actor=at_till, key="late", at=NOON, store=riverside, member=double, product=product)
            results.append("opened")
        except NotCurrent:
            results.append("refused")

    run_all(join, open_one)

    left = Card.objects.filter(member=double, status="active").count()
    assert left == 0
    assert results in (["opened"], ["refused"])
