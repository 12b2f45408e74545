"""Worked examples of what the shops owe, to be read by an accountant. Money in fen (1/100 yuan)."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db.models import Sum

from crm.reports.breakage import breakage
from crm.reports.liability import liability, members_behind
from crm.reports.takings import takings
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund, refundable_minor
from members.domain.spending import spend
from members.enums import AccountKind, OperationKind, TenderType
from members.models import Card, Entry, Operation, RechargePlan, Tender
from tests.conftest import NOON

WECHAT = TenderType.WECHAT
LATER = NOON + timedelta(days=30)


@pytest.fixture
def paid_on(at_till, riverside, card):
    """Pay on Li Lei's card: `paid_on(minor, key)` at Riverside, or elsewhere."""

    def _paid_on(minor, key, store=riverside, at=NOON, plan=None):
        paid = TenderPaid(WECHAT, minor)
        return recharge_card(actor=at_till, key=key, at=at, store=store, card=card, tender=paid, plan=plan)

    return _paid_on


def bonus_plan() -> RechargePlan:
    return RechargePlan.objects.create(name="1000", pay_minor=100000, bonus_minor=20000, bonus_valid_days=60)


def test_a_recharge_is_owed_by_the_store_that_sold_it_and_at_the_members_home(paid_on, riverside, hilltop):
    paid_on(100000, "r1", store=hilltop, plan=bonus_plan())

    report = liability([riverside, hilltop], until=LATER)

    assert (report.by_sold[hilltop].principal, report.by_sold[hilltop].bonus) == (100000, 20000)
    assert report.by_sold[riverside].principal == 0
    assert report.by_home[riverside].principal == 100000
    assert report.total.total_minor == 120000


def test_what_was_spent_is_owed_no_longer_and_yesterday_still_was(paid_on, at_till, riverside, card):
    paid_on(50000, "r1")
    spend(actor=at_till, key="s", at=NOON + timedelta(days=2), store=riverside, card=card, amount_minor=20000)

    owed = [
        liability([riverside], until=NOON + timedelta(days=day)).by_sold[riverside].principal
        for day in (-1, 1, 3)
    ]

    assert owed == [0, 50000, 30000]


def test_a_hundred_points_are_owed_at_what_they_cost(paid_on, at_till, riverside, card):
    paid_on(50000, "r1")
    spend(actor=at_till, key="s", at=NOON, store=riverside, card=card, amount_minor=20000)

    owed = liability([riverside], until=LATER).by_sold[riverside]

    assert (owed.points, owed.points_minor) == (200, 200)


def test_another_stores_people_see_nothing_of_it(paid_on, riverside, hilltop):
    paid_on(50000, "r1")

    assert liability([hilltop], until=LATER).total.total_minor == 0


def test_behind_a_number_stand_the_members(paid_on, riverside, card):
    paid_on(50000, "r1")

    rows = members_behind(riverside, AccountKind.PRINCIPAL, by="sold", until=LATER)

    assert [(row["name"], row["card"], row["amount"]) for row in rows] == [("Li Lei", card.number, 50000)]


@pytest.mark.parametrize("seed", range(6))
def test_the_report_equals_the_entries_to_the_fen_on_any_day(
    seed, enrol, at_till, riverside, hilltop, product
):
    """L17: random deeds at two stores over ten days; each day's report is the sum of the entries up to it."""
    rng, stores = random.Random(seed), [riverside, hilltop]
    cards = []
    for number in range(3):
        member = enrol(f"1380013800{number}", name=f"Member {number}", store=rng.choice(stores))
        deed = {"actor": at_till, "key": f"o{number}", "at": NOON, "store": member.home_store}
        cards.append(open_card(member=member, product=product, **deed)[0])
    plan, sales = bonus_plan(), []
    for number in range(40):
        deed = {
            "actor": at_till,
            "key": f"d{number}",
            "at": NOON + timedelta(hours=6 * number),
            "store": rng.choice(stores),
        }
        chosen = rng.choice(cards)
        left = sum(a.balance for a in chosen.accounts.filter(kind__in=["principal", "bonus"]))
        if left < 3000 or rng.random() < 0.3:
            recharge_card(card=chosen, tender=TenderPaid(WECHAT, plan.pay_minor), plan=plan, **deed)
        elif sales and rng.random() < 0.3:
            sale = rng.choice(sales)
            if refundable_minor(sale) > 1:
                refund(operation=sale, amount_minor=rng.randint(1, refundable_minor(sale)), **deed)
        else:
            sales.append(spend(card=chosen, amount_minor=rng.randint(1, left), **deed).operation)

    for day in range(12):
        until = NOON + timedelta(days=day, hours=1)
        for owed in (liability(stores, until=until).by_sold, liability(stores, until=until).by_home):
            for kind in ("principal", "bonus", "points"):
                entries = Entry.objects.filter(account_kind=kind, seq__isnull=False, operation__at__lt=until)
                told = sum(getattr(line, kind) for line in owed.values())
                assert told == (entries.aggregate(t=Sum("amount"))["t"] or 0)


def test_takings_are_the_tenders_of_the_days(paid_on, riverside, hilltop):
    paid_on(50000, "r1")
    paid_on(30000, "r2", at=NOON + timedelta(days=1))
    paid_on(10000, "r3", store=hilltop)

    rows = takings([riverside], begins=NOON - timedelta(days=1), ends=LATER)

    assert [(str(row["on"]), row["tender"], row["together"]) for row in rows] == [
        ("2026-11-21", "wechat", 30000),
        ("2026-11-20", "wechat", 50000),
    ]
    assert (
        sum(row["together"] for row in rows)
        == 80000
        == Tender.objects.filter(
            operation__store=riverside, operation__kind=OperationKind.RECHARGE
        ).aggregate(t=Sum("amount_minor"))["t"]
    )


def test_old_value_stands_in_its_bucket(paid_on, riverside):
    paid_on(100000, "r1", plan=bonus_plan())

    table = breakage([riverside], at=NOON + timedelta(days=100))

    aged = [(row["principal"], row["bonus"]) for row in table["by_age"]]
    assert aged == [(0, 0), (0, 0), (100000, 20000), (0, 0), (0, 0), (0, 0)]
    ends = {str(row["label"]): (row["principal"], row["bonus"]) for row in table["by_expiry"]}
    assert (ends["overdue"], ends["never"]) == ((0, 20000), (100000, 0))


@pytest.mark.parametrize("number", [1, 3])
def test_the_report_asks_once_however_many_members(
    number, enrol, at_till, riverside, product, django_assert_num_queries
):
    for place in range(number):
        member = enrol(f"1380013810{place}", name="M")
        deed = {"actor": at_till, "at": NOON, "store": riverside}
        opened: Card = open_card(key=f"o{place}", member=member, product=product, **deed)[0]
        recharge_card(key=f"r{place}", card=opened, tender=TenderPaid(WECHAT, 1000), **deed)
    assert Operation.objects.count() >= 2 * number

    with django_assert_num_queries(1):
        liability([riverside], until=LATER)
