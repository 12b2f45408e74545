"""Worked examples of what stores owe each other, to be read by an accountant. Money in fen (1/100 yuan)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.reports.settlement import deeds_between, settlement
from members.domain.cards import recharge_card
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund
from members.domain.spending import spend
from members.enums import TenderType
from members.models import Store
from tests.conftest import NOON

SPAN = {"begins": NOON - timedelta(days=1), "ends": NOON + timedelta(days=1)}


@pytest.fixture
def deeds(at_till, card):
    """Deeds on Li Lei's card at any store."""

    class Deeds:
        def paid_on(self, store, minor, key, at=NOON):
            paid = TenderPaid(TenderType.WECHAT, minor)
            return recharge_card(actor=at_till, key=key, at=at, store=store, card=card, tender=paid)

        def spent(self, store, minor, key, at=NOON):
            return spend(actor=at_till, key=key, at=at, store=store, card=card, amount_minor=minor).operation

        def given_back(self, store, sale, minor, key):
            return refund(
                actor=at_till, key=key, at=NOON, store=store, operation=sale, amount_minor=minor
            ).operation

    return Deeds()


def told(stores, **span):
    return [
        (debt.debtor.name, debt.creditor.name, debt.owed_minor, debt.returned_minor, debt.net_minor)
        for debt in settlement(stores, **(span or SPAN))
    ]


def test_sold_at_riverside_used_at_hilltop_riverside_owes_hilltop(deeds, riverside, hilltop):
    deeds.paid_on(riverside, 50000, "r")
    deeds.spent(hilltop, 20000, "s")

    assert told([riverside]) == told([hilltop]) == [("Riverside", "Hilltop", 20000, 0, 20000)]


def test_what_was_used_where_it_was_sold_owes_nobody(deeds, riverside):
    deeds.paid_on(riverside, 50000, "r")
    deeds.spent(riverside, 20000, "s")

    assert told([riverside]) == []


def test_both_ways_are_netted(deeds, riverside, hilltop):
    deeds.paid_on(riverside, 30000, "r1")
    deeds.spent(hilltop, 30000, "s1")
    deeds.paid_on(hilltop, 20000, "r2")
    deeds.spent(riverside, 12000, "s2")

    assert told([riverside, hilltop]) == [("Riverside", "Hilltop", 30000, 12000, 18000)]


def test_a_refund_gives_back_what_was_owed(deeds, riverside, hilltop):
    deeds.paid_on(riverside, 50000, "r")
    sale = deeds.spent(hilltop, 20000, "s")
    deeds.given_back(hilltop, sale, 20000, "b")

    assert told([riverside]) == [("Hilltop", "Riverside", 20000, 20000, 0)] or told([riverside]) == [
        ("Riverside", "Hilltop", 20000, 20000, 0)
    ]


def test_value_of_two_stores_used_at_a_third(deeds, riverside, hilltop):
    lake = Store.objects.create(name="Lakeside", sms_signature="常客")
    deeds.paid_on(riverside, 10000, "r1")
    deeds.paid_on(hilltop, 5000, "r2")
    deeds.spent(lake, 15000, "s")

    assert told([lake]) == [
        ("Riverside", "Lakeside", 10000, 0, 10000),
        ("Hilltop", "Lakeside", 5000, 0, 5000),
    ]
    assert told([hilltop]) == [("Hilltop", "Lakeside", 5000, 0, 5000)]


def test_only_the_periods_deeds_count(deeds, riverside, hilltop):
    deeds.paid_on(riverside, 50000, "r")
    deeds.spent(hilltop, 20000, "s1")
    deeds.spent(hilltop, 7000, "s2", at=NOON + timedelta(days=3))

    span = {"begins": NOON + timedelta(days=2), "ends": NOON + timedelta(days=4)}
    assert told([riverside], **span) == [("Riverside", "Hilltop", 7000, 0, 7000)]


def test_behind_the_number_stand_its_deeds(deeds, riverside, hilltop):
    deeds.paid_on(riverside, 50000, "r")
    deeds.spent(hilltop, 20000, "s1")
    deeds.spent(hilltop, 7000, "s2")

    rows = deeds_between(riverside, hilltop, **SPAN)

    assert [row["amount"] for row in rows] == [7000, 20000]
    assert sum(row["amount"] for row in rows) == settlement([riverside], **SPAN)[0].net_minor
