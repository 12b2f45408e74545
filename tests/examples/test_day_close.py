"""Worked examples of the till's day, to be read by an accountant. Money in fen (1/100 yuan)."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from members.domain import days
from members.domain.cards import recharge_card
from members.domain.days import Count
from members.domain.ledger import Actor, PeriodClosed, TenderPaid
from members.domain.refunds import refund
from members.domain.spending import spend
from members.enums import Role, TenderType
from members.models import AuditEntry, Card, DayClose, Entry, Operation, Shift, Staff, Store, Tender
from tests.conftest import NOON, employ

TODAY = date(2026, 11, 20)
EVENING = NOON + timedelta(hours=9)
CASH, WECHAT = TenderType.CASH, TenderType.WECHAT


@pytest.fixture
def olive(riverside: Store) -> Staff:
    """Olive, the owner."""
    return employ(riverside, "olive", Role.OWNER)


@pytest.fixture
def till(at_till: Actor, riverside: Store, card: Card):
    class Till:
        def recharge(self, minor: int, key: str, tender=CASH, at=NOON, reference=""):
            paid = TenderPaid(tender, minor, reference)
            return recharge_card(
                actor=at_till, key=key, at=at, store=riverside, card=card, tender=paid
            ).operation

        def spend(self, minor: int, key: str, at=NOON, **more):
            return spend(
                actor=at_till, key=key, at=at, store=riverside, card=card, amount_minor=minor, **more
            ).operation

        def refund(self, sale: Operation, key: str, minor: int):
            return refund(
                actor=at_till, key=key, at=NOON, store=riverside, operation=sale, amount_minor=minor
            ).operation

    return Till()


def count(minor: int) -> Count:
    return Count(total_minor=minor)


# --- shifts


def test_the_first_cash_opens_the_cashiers_shift_and_asks_for_the_opening_count(till, chen):
    operation = till.recharge(50000, "r1")

    shift = Shift.objects.get()
    assert (shift.staff, shift.on, shift.opening_minor, shift.is_open) == (chen, TODAY, None, True)
    assert operation.tenders.get().shift == shift


def test_cash_goes_to_the_shift_that_was_opened_by_hand(till, riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON - timedelta(hours=3))

    till.recharge(50000, "r1")

    assert Tender.objects.get().shift == shift
    assert days.expected_minor(shift) == 80000


def test_what_is_not_cash_needs_no_shift(till):
    till.recharge(50000, "r1", WECHAT, reference="wx-1")

    assert not Shift.objects.exists()


def test_a_second_shift_at_once_is_refused(riverside, chen):
    days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON)

    with pytest.raises(days.ShiftOpen):
        days.open_shift(store=riverside, staff=chen, opening_minor=10000, at=NOON)


def test_float_300_taken_500_given_back_20_to_the_bank_200_leaves_580(till, riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON)
    till.recharge(50000, "r1")
    sale = till.spend(60000, "s1", tenders=[TenderPaid(CASH, 10000)])
    till.refund(sale, "b1", 12000)  # a sixth of the 600 was cash: 20 of the 120
    days.move_cash(shift=shift, amount_minor=-20000, reason="To the bank", by=chen, key="m1", at=NOON)

    closed = days.close_shift(shift=shift, count=count(68000), by=chen, at=EVENING)

    assert (closed.expected_minor, closed.counted_minor, closed.difference_minor) == (68000, 68000, 0)


def test_cash_is_counted_by_notes_and_coins(till, riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON)

    pieces = {10000: 2, 5000: 1, 2000: 2, 500: 2}
    closed = days.close_shift(shift=shift, count=Count(pieces=pieces), by=chen, at=EVENING)

    assert closed.counted_minor == 30000
    assert closed.denominations == {"10000": 2, "5000": 1, "2000": 2, "500": 2}


@pytest.mark.parametrize("bad", [Count(), Count(-1), Count(10**9 + 1), Count(True), Count(pieces={-100: 2})])
def test_what_is_no_count_of_cash_is_refused(riverside, chen, bad):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)

    with pytest.raises(days.CashInvalid):
        days.close_shift(shift=shift, count=bad, by=chen, at=EVENING)


def test_a_shift_that_opened_by_itself_is_not_closed_without_its_opening_count(till, chen):
    till.recharge(50000, "r1")
    shift = Shift.objects.get()

    with pytest.raises(days.OpeningNotCounted):
        days.close_shift(shift=shift, count=count(80000), by=chen, at=EVENING)

    closed = days.close_shift(shift=shift, count=count(80000), by=chen, at=EVENING, opening_minor=30000)
    assert closed.difference_minor == 0


def test_ten_yuan_missing_is_written_down_and_ends_there(till, riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON)

    closed = days.close_shift(shift=shift, count=count(29000), by=chen, at=EVENING)

    assert (closed.difference_minor, closed.accepted_by) == (-1000, None)
    assert AuditEntry.objects.filter(verb="shift_closed").count() == 1


def test_fifty_yuan_missing_needs_a_manager(till, riverside, chen, mei):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON)

    with pytest.raises(days.DifferenceNeedsManager) as refusal:
        days.close_shift(shift=shift, count=count(25000), by=chen, at=EVENING)
    assert refusal.value.facts["difference_minor"] == -5000

    assert days.close_shift(shift=shift, count=count(25000), by=mei, at=EVENING).accepted_by == mei


def test_a_manager_does_not_accept_their_own_missing_cash(riverside, mei, chen):
    shift = days.open_shift(store=riverside, staff=mei, opening_minor=30000, at=NOON)

    with pytest.raises(days.DifferenceNeedsManager):
        days.close_shift(shift=shift, count=count(25000), by=mei, at=EVENING)
    for who in (mei, chen):
        with pytest.raises(days.NotInCharge):
            days.close_shift(shift=shift, count=count(25000), by=mei, at=EVENING, accepted_by=who)


def test_cash_after_the_close_goes_to_a_new_shift(till, riverside, chen):
    first = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)
    days.close_shift(shift=first, count=count(0), by=chen, at=NOON)

    till.recharge(50000, "r1")

    assert Tender.objects.get().shift != first
    assert days.expected_minor(first) == 0


def test_the_drawer_of_a_closed_shift_takes_nothing_more(riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)
    days.close_shift(shift=shift, count=count(0), by=chen, at=NOON)

    with pytest.raises(days.ShiftClosed):
        days.move_cash(shift=shift, amount_minor=500, reason="Change", by=chen, key="m", at=NOON)


@pytest.mark.parametrize(("minor", "reason"), [(0, "Change"), (10**9 + 1, "Change")])
def test_a_move_needs_an_amount(riverside, chen, minor, reason):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)

    with pytest.raises(days.CashInvalid):
        days.move_cash(shift=shift, amount_minor=minor, reason=reason, by=chen, key="m", at=NOON)


def test_a_move_needs_a_reason_and_happens_once(riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)

    with pytest.raises(days.ReasonMissing):
        days.move_cash(shift=shift, amount_minor=500, reason=" ", by=chen, key="m", at=NOON)
    for _again in range(2):
        days.move_cash(shift=shift, amount_minor=500, reason="Change", by=chen, key="m", at=NOON)

    assert days.expected_minor(shift) == 500


# --- the day


def worked_day(till, riverside: Store, chen: Staff) -> None:
    """500 and 300 paid on, a bill of 600 of which 100 in cash, 120 of it back; the drawer counted."""
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=30000, at=NOON)
    till.recharge(50000, "r1")
    till.recharge(30000, "r2", WECHAT, reference="wx-1")
    sale = till.spend(60000, "s1", tenders=[TenderPaid(CASH, 10000)])
    till.refund(sale, "b1", 12000)
    days.close_shift(shift=shift, count=count(88000 - 1000), by=chen, at=EVENING)


def test_a_day_in_figures(till, riverside, chen, mei):
    worked_day(till, riverside, chen)

    figures = days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING).figures

    assert [
        (row["tender"], row["taken"], row["given_back"], row["together"]) for row in figures["takings"]
    ] == [
        ("cash", 60000, -2000, 58000),
        ("wechat", 30000, 0, 30000),
    ]
    deeds = {kind: (row["number"], row["minor"]) for kind, row in figures["deeds"].items()}
    assert deeds["recharge"] == (2, 80000)
    assert deeds["spend"] == (1, 60000)
    assert deeds["refund"] == (1, 12000)
    assert (figures["value"]["principal_in"], figures["value"]["principal_out"]) == (90000, 50000)
    cash = figures["cash"]
    assert (cash["expected"], cash["counted"], cash["difference"]) == (88000, 87000, -1000)


def test_the_figures_are_frozen_with_their_hash(till, riverside, chen, mei):
    worked_day(till, riverside, chen)

    closed = days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    assert days.is_intact(DayClose.objects.get(pk=closed.pk))
    closed.figures["cash"]["difference"] = 0
    assert not days.is_intact(closed)


def test_a_closed_day_refuses_deeds_and_still_answers_what_was_done(till, riverside, chen, mei, card):
    worked_day(till, riverside, chen)
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    with pytest.raises(PeriodClosed) as refusal, transaction.atomic():
        till.spend(1000, "late")
    again = till.recharge(50000, "r1")

    assert refusal.value.facts["on"] == "2026-11-20"
    assert again == Operation.objects.get(key="r1")
    assert not Operation.objects.filter(key="late").exists()


def test_the_next_day_is_open(till, riverside, mei):
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    assert till.recharge(1000, "r1", at=NOON + timedelta(days=1)).pk


def test_midnight_is_the_stores(till, riverside, mei, card):
    """15:59 UTC is still the 20th in Shanghai, 16:00 is the 21st."""
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)
    midnight = NOON + timedelta(hours=12)

    with pytest.raises(PeriodClosed), transaction.atomic():
        till.recharge(1000, "r1", at=midnight - timedelta(minutes=1))
    assert till.recharge(1000, "r2", at=midnight).pk


def test_another_stores_day_is_its_own(till, riverside, hilltop, mei, at_till, card):
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    paid = TenderPaid(WECHAT, 1000, "wx-9")
    assert recharge_card(actor=at_till, key="r", at=NOON, store=hilltop, card=card, tender=paid).operation.pk


def test_a_day_with_an_open_shift_is_not_signed(till, riverside, mei):
    till.recharge(50000, "r1")

    with pytest.raises(days.DayNotReady) as refusal:
        days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)
    assert refusal.value.facts["shifts"] == 1


def test_tomorrow_is_not_signed_today(riverside, mei):
    with pytest.raises(days.DayNotReady):
        days.close_day(store=riverside, on=TODAY + timedelta(days=1), by=mei, at=EVENING)


def test_a_cashier_and_a_strangers_manager_do_not_sign(riverside, hilltop, chen):
    stranger = employ(hilltop, "gao", Role.MANAGER)

    for who in (chen, stranger):
        with pytest.raises(days.NotInCharge):
            days.close_day(store=riverside, on=TODAY, by=who, at=EVENING)


def test_whoever_had_the_difference_does_not_sign(riverside, mei, olive):
    shift = days.open_shift(store=riverside, staff=mei, opening_minor=30000, at=NOON)
    days.close_shift(shift=shift, count=count(29900), by=mei, at=EVENING)

    with pytest.raises(days.NotInCharge):
        days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)
    assert days.close_day(store=riverside, on=TODAY, by=olive, at=EVENING).signed_by == olive


def test_closing_twice_gives_the_close_that_stands(riverside, mei, olive):
    first = days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    assert days.close_day(store=riverside, on=TODAY, by=olive, at=EVENING) == first


def test_only_the_owner_opens_a_day_again_and_says_why(till, riverside, mei, olive):
    closed = days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    with pytest.raises(days.NotInCharge):
        days.reopen_day(closed=closed, by=mei, reason="Forgot a bill", at=EVENING)
    with pytest.raises(days.ReasonMissing):
        days.reopen_day(closed=closed, by=olive, reason=" ", at=EVENING)
    days.reopen_day(closed=closed, by=olive, reason="Forgot a bill", at=EVENING)

    assert till.recharge(1000, "r1", WECHAT, reference="wx-2").pk
    entry = AuditEntry.objects.get(verb="day_reopened")
    assert (entry.staff, entry.after["reason"]) == (olive, "Forgot a bill")


def test_a_reopened_day_is_signed_anew_and_the_old_figures_stay(till, riverside, mei, olive):
    first = days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)
    days.reopen_day(closed=first, by=olive, reason="Forgot a bill", at=EVENING)
    till.recharge(1000, "r1", WECHAT, reference="wx-2")

    second = days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    assert second.pk != first.pk
    assert DayClose.objects.get(pk=first.pk).figures["takings"] == []
    assert second.figures["takings"][0]["taken"] == 1000


# --- around our code


def sql(statement: str, *parameters) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


OPERATION = (
    "INSERT INTO members_operation (public_id, kind, scope, key, request, store_id, member_id, amount_minor, note, at)"
    " VALUES (gen_random_uuid(), 'spend', 'thief', 'k', '{}', %s, %s, 0, '', %s)"
)


def test_sql_cannot_write_into_a_closed_day(riverside, li_lei, mei):
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    with pytest.raises(DatabaseError, match="is closed"):
        sql(OPERATION, riverside.pk, li_lei.pk, NOON)


def test_sql_cannot_open_a_shift_in_a_closed_day(riverside, chen, mei):
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    with pytest.raises(PeriodClosed):
        days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE members_dayclose SET figures = '{}'",
        "UPDATE members_dayclose SET signed_by_id = %(other)s",
        "DELETE FROM members_dayclose",
        "UPDATE members_dayclose SET reopened_at = now(), reopened_by_id = %(other)s",  # without a reason
    ],
)
def test_a_signed_day_stays_as_it_was_signed(riverside, mei, olive, change):
    days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)

    with pytest.raises(DatabaseError, match="stays as it was signed|day_reopened_with_reason"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change, {"other": olive.pk})


@pytest.mark.parametrize(
    "change", ["UPDATE members_shift SET counted_minor = 1", "DELETE FROM members_shift"]
)
def test_a_closed_shift_stays_as_it_was_counted(riverside, chen, change):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)
    days.close_shift(shift=shift, count=count(0), by=chen, at=NOON)

    with pytest.raises(DatabaseError, match="stays as it was counted"):
        sql(change)


def test_cash_without_a_shift_and_cash_slipped_into_a_closed_one_are_refused(till, riverside, chen):
    shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)
    days.close_shift(shift=shift, count=count(0), by=chen, at=NOON)
    operation = till.recharge(1000, "r1", WECHAT, reference="wx-1")
    row = "INSERT INTO members_tender (operation_id, type, amount_minor, reference, shift_id) VALUES (%s, 'cash', 5, '', %s)"

    with pytest.raises(DatabaseError, match="tender_cash_in_shift"):
        sql(row, operation.pk, None)
    with pytest.raises(DatabaseError, match="closed or of another store"):
        sql(row, operation.pk, shift.pk)


# --- at once


class TestAtOnce:
    @pytest.fixture
    def db(self, committed_db):
        return committed_db

    def test_deeds_and_the_signature_race_and_the_figures_hold_every_deed(
        self, riverside, mei, card, at_till
    ):
        """Twelve recharges by WeChat run into the signature: what was not refused stands in the figures."""
        done, refused = [], []

        def recharge(number: int) -> None:
            paid = TenderPaid(WECHAT, 100, f"wx-{number}")
            try:
                done.append(
                    recharge_card(
                        actor=at_till, key=f"r{number}", at=NOON, store=riverside, card=card, tender=paid
                    )
                )
            except PeriodClosed:
                refused.append(number)
            finally:
                connection.close()

        def sign() -> None:
            days.close_day(store=riverside, on=TODAY, by=mei, at=EVENING)
            connection.close()

        threads = [threading.Thread(target=recharge, args=(number,)) for number in range(12)]
        threads.insert(6, threading.Thread(target=sign))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        figures = DayClose.objects.get().figures
        assert len(done) + len(refused) == 12
        assert sum(row["together"] for row in figures["takings"]) == 100 * len(done)

    def test_cash_and_the_count_race_and_no_cash_lands_in_a_counted_drawer(
        self, riverside, chen, card, at_till
    ):
        shift = days.open_shift(store=riverside, staff=chen, opening_minor=0, at=NOON)
        faults = []

        def recharge(number: int) -> None:
            try:
                paid = TenderPaid(CASH, 100)
                recharge_card(
                    actor=at_till, key=f"r{number}", at=NOON, store=riverside, card=card, tender=paid
                )
            except Exception as fault:
                faults.append(fault)
            finally:
                connection.close()

        def close() -> None:
            held = days.expected_minor(shift)
            days.close_shift(shift=shift, count=count(held), by=chen, at=EVENING)
            connection.close()

        threads = [threading.Thread(target=recharge, args=(number,)) for number in range(12)]
        threads.insert(6, threading.Thread(target=close))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        closed = Shift.objects.get(pk=shift.pk)
        assert faults == []
        assert closed.expected_minor == days.expected_minor(closed)
        assert sum(Tender.objects.values_list("amount_minor", flat=True)) == 1200
        assert Entry.objects.filter(account_kind="principal").count() == 12
