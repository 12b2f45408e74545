"""Worked examples of a statement, to be read by an accountant: opening + entries = closing. Money in fen."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from members.domain.cards import open_card, recharge_card
from members.domain.deeds import Outcome
from members.domain.ledger import Actor, TenderPaid
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.statements import (
    PeriodInvalid,
    Total,
    all_lines,
    period_of,
    printed,
    read_cursor,
    statement,
    totals_of,
)
from members.enums import AccountKind, TenderType
from members.models import Card, Entry, Member, RechargePlan, Store
from members.refusals import Refused
from tests.conftest import NOON

DAY = timedelta(days=1)


@pytest.fixture
def deeds(at_till: Actor, riverside: Store, card: Card):
    """The till on any day: day 0 is Friday, 20 November, at noon."""

    class Deeds:
        def recharge(self, minor: int, key: str, at: datetime = NOON, on: Card = card, **more) -> Outcome:
            tender = TenderPaid(TenderType.CASH, minor)
            return recharge_card(
                actor=at_till, key=key, at=at, store=riverside, card=on, tender=tender, **more
            )

        def spend(self, minor: int, key: str, at: datetime = NOON, on: Card = card) -> Outcome:
            return spend(actor=at_till, key=key, at=at, store=riverside, card=on, amount_minor=minor)

        def refund(self, sale: Outcome, key: str, at: datetime, minor: int | None = None) -> Outcome:
            asked = {"operation": sale.operation, "amount_minor": minor}
            return refund(actor=at_till, key=key, at=at, store=riverside, **asked)

    return Deeds()


def days(member: Member, first: int | None, last: int | None):
    """The period from one day of November to another."""
    day = lambda number: None if number is None else date(2026, 11, number)  # noqa: E731
    return period_of(day(first), day(last), member=member)


def money_of(member: Member, first: int | None, last: int | None) -> tuple[int, int, int, int]:
    total = {one.kind: one for one in totals_of(member, days(member, first, last))}[AccountKind.PRINCIPAL]
    assert total.is_proven
    return total.opening, total.came_in, total.went_out, total.closing


def test_three_days_of_a_card_one_by_one_and_together(deeds, li_lei):
    deeds.recharge(50000, "r")
    sale = deeds.spend(12000, "s", NOON + DAY)
    deeds.refund(sale, "b", NOON + 2 * DAY, 2000)

    assert money_of(li_lei, 20, 20) == (0, 50000, 0, 50000)
    assert money_of(li_lei, 21, 21) == (50000, 0, -12000, 38000)
    assert money_of(li_lei, 22, 22) == (38000, 2000, 0, 40000)
    assert money_of(li_lei, 20, 22) == (0, 52000, -12000, 40000)
    assert money_of(li_lei, 23, None) == (40000, 0, 0, 40000)
    assert money_of(li_lei, None, 19) == (0, 0, 0, 0)


def test_principal_bonus_and_points_each_have_their_own_total(deeds, li_lei):
    plan = RechargePlan.objects.create(name="500+80", pay_minor=50000, bonus_minor=8000, points=100)
    deeds.recharge(50000, "r", plan=plan)

    totals = totals_of(li_lei, days(li_lei, 20, 20))

    assert Total(AccountKind.PRINCIPAL, 0, 50000, 0, 50000) in totals
    assert Total(AccountKind.BONUS, 0, 8000, 0, 8000) in totals
    assert Total(AccountKind.POINTS, 0, 100, 0, 100) in totals


def test_the_day_is_the_stores_own(deeds, li_lei):
    before_midnight = datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
    deeds.recharge(50000, "r", before_midnight)
    deeds.recharge(10000, "r2", before_midnight + timedelta(seconds=1))

    assert money_of(li_lei, 20, 20) == (0, 50000, 0, 50000)
    assert money_of(li_lei, 21, 21) == (50000, 10000, 0, 60000)


def test_each_line_names_the_deed_the_store_and_the_balance_after_it(deeds, li_lei, riverside):
    deeds.recharge(50000, "r")
    deeds.spend(12000, "s", NOON + DAY)

    shown = statement(li_lei, days(li_lei, 21, 21))

    principal = next(line for line in shown.lines if line.kind == AccountKind.PRINCIPAL)
    assert (principal.entry.operation.kind, principal.entry.operation.store) == ("spend", riverside)
    assert (principal.entry.amount, principal.balance) == (-12000, 38000)


def test_two_cards_are_one_statement_with_one_running_balance(deeds, li_lei, at_till, riverside, product):
    deeds.recharge(50000, "r")
    second, _ = open_card(
        actor=at_till, key="second", at=NOON, store=riverside, member=li_lei, product=product
    )
    deeds.recharge(20000, "r2", NOON + DAY, second)

    lines = [
        line
        for line in statement(li_lei, days(li_lei, None, None)).lines
        if line.kind == AccountKind.PRINCIPAL
    ]

    assert [line.balance for line in lines] == [50000, 70000]


def test_a_deed_written_down_late_stands_on_its_own_day(deeds, li_lei):
    deeds.recharge(50000, "r", NOON + DAY)
    deeds.recharge(10000, "late", NOON)

    lines = [
        line for line in statement(li_lei, days(li_lei, 20, 21)).lines if line.kind == AccountKind.PRINCIPAL
    ]

    assert [(line.entry.amount, line.balance) for line in lines] == [(10000, 10000), (50000, 60000)]
    assert money_of(li_lei, 21, 21) == (10000, 50000, 0, 60000)


def test_pages_follow_each_other_without_a_gap_and_carry_the_balance_on(deeds, li_lei):
    for n in range(7):
        deeds.recharge(1000, f"r{n}", NOON)  # all at the same moment

    period, cursor, seen = days(li_lei, 20, 20), None, []
    while True:
        shown = statement(li_lei, period, after=cursor, size=3)
        seen += [line.balance for line in shown.lines]
        if shown.more is None:
            break
        cursor = read_cursor(str(shown.more))

    assert seen == [1000, 2000, 3000, 4000, 5000, 6000, 7000]


def test_a_statement_costs_three_queries_for_one_line_and_for_many(deeds, li_lei, django_assert_num_queries):
    deeds.recharge(1000, "r")
    with django_assert_num_queries(3):
        [line.entry.operation.store.name for line in statement(li_lei, days(li_lei, 20, 20)).lines]

    for n in range(5):
        deeds.recharge(1000, f"r{n}")
    with django_assert_num_queries(3):
        shown = statement(li_lei, days(li_lei, 20, 20))
        assert len([line.entry.operation.store.name for line in shown.lines]) == 6


@pytest.mark.parametrize("seed", range(6))
def test_opening_and_entries_are_the_closing_balance_for_any_history_and_any_period(
    deeds, li_lei, at_till, riverside, product, seed
):
    """A month of recharges, spends and refunds in no order of time, cut at every pair of days."""
    rng = random.Random(seed)
    second, _ = open_card(
        actor=at_till, key="second", at=NOON, store=riverside, member=li_lei, product=product
    )
    cards, sales = [Card.objects.exclude(pk=second.pk).get(), second], []
    plan = RechargePlan.objects.create(name="p", pay_minor=30000, bonus_minor=7001, points=33)
    for n in range(25):
        at = NOON - timedelta(days=rng.randrange(10), seconds=rng.randrange(86400))
        try:
            match rng.randrange(4):
                case 0:
                    deeds.recharge(rng.randrange(1, 90000), f"{n}", at, rng.choice(cards))
                case 1:
                    deeds.recharge(30000, f"{n}", at, rng.choice(cards), plan=plan)
                case 2:
                    sales.append(deeds.spend(rng.randrange(1, 40000), f"{n}", at, rng.choice(cards)))
                case 3 if sales:
                    deeds.refund(rng.choice(sales), f"{n}", at, rng.randrange(1, 5000))
        except Refused:
            continue

    held = dict.fromkeys(AccountKind, 0)
    for kind, balance in li_lei.accounts.values_list("kind", "balance"):
        held[kind] += balance
    for first in [None, *range(8, 22, 3)]:
        for last in [*range(10, 23, 3), None]:
            if first and last and last < first:
                continue
            whole = printed(li_lei, days(li_lei, first, last))
            assert whole.is_proven
            for total in whole.totals:
                amounts = [line.entry.amount for line in whole.lines if line.kind == total.kind]
                assert total.opening + sum(amounts) == total.closing
                if amounts:
                    last_line = [line for line in whole.lines if line.kind == total.kind][-1]
                    assert last_line.balance == total.closing
                if last is None:
                    assert total.closing == held[total.kind]


def test_a_balance_that_was_tampered_with_is_seen(deeds, li_lei):
    """The proof can fail: the closing balance is counted back from the account, not summed from the entries."""
    deeds.recharge(50000, "r")
    shift(1)

    assert not statement(li_lei, days(li_lei, None, None)).is_proven
    shift(-1)


def shift(amount: int) -> None:
    """Change a balance behind the ledger's back: as a replica does, no trigger sees it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE members_account SET balance = balance + %s WHERE kind = 'principal'", [amount])
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_the_file_has_every_line_the_page_has(deeds, li_lei):
    for n in range(5):
        deeds.recharge(1000, f"r{n}")
    period = days(li_lei, 20, 20)

    lines = list(all_lines(li_lei, period, totals=totals_of(li_lei, period)))

    assert [line.balance for line in lines] == [line.balance for line in statement(li_lei, period).lines]
    assert len(lines) == Entry.objects.filter(account__member=li_lei).count()


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 11, 2), date(2026, 11, 1)), (date(1, 1, 1), None), (None, date(9999, 12, 31))],
)
def test_days_that_make_no_period_are_refused(li_lei, first, last):
    with pytest.raises(PeriodInvalid):
        period_of(first, last, member=li_lei)


@pytest.mark.parametrize(
    "text", ["", "x", "|", "2026-11-20|5", "2026-11-20T00:00:00Z|x", "2026-11-20T00:00:00Z|" + "9" * 30]
)
def test_a_cursor_that_is_none_is_nothing(text):
    assert read_cursor(text) is None
