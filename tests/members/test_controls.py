"""Negative controls: each guard is taken away once, and a judge has to report what it kept out.

A judge that stays green without the guard is blind, and so is whatever passes by its word. The table of guards,
controls and judges is in docs/ledger.md; the limit's lock has its control in test_control_races.py, the common order
of two members' accounts in test_card_races.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import DatabaseError, connection, transaction

from members.domain import coupons, days
from members.domain.bills import Line
from members.domain.day_figures import figures_of
from members.domain.holds import authorise
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import AccountKind, TenderType
from members.models import Account, Card, CouponDefinition, Entry, MembershipEvent, Shift, Store
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.judges import (
    Journal,
    Read,
    Written,
    broken_history,
    broken_lines,
    broken_rules,
    deadlocks,
)
from tests.members.test_races import kinds


@dataclass(frozen=True)
class Control:
    """A guard, how it is taken away, what it kept out (as SQL of Li Lei's principal account), and the rule that breaks."""

    guard: str
    without: str
    attack: str
    rule: str
    is_deferred: bool = False


PRINCIPAL = "(SELECT id FROM members_account WHERE kind = 'principal')"
ANY_SPEND = "(SELECT id FROM members_operation WHERE kind = 'spend')"
COPY_ENTRY = (
    "INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq,"
    " balance_after, hash) SELECT operation_id, account_id, operation_kind, {kind}, {sign}, unit, {amount}, seq,"
    " balance_after, hash FROM members_entry WHERE "
)
CONTROLS = [
    Control(
        "account_balance_range",
        "ALTER TABLE members_account DROP CONSTRAINT account_balance_range;"
        " DROP TRIGGER account_agrees ON members_account",
        f"UPDATE members_account SET balance = -1 WHERE id = {PRINCIPAL}",
        "L4",
    ),
    Control(
        "does not sum to zero",
        "DROP TRIGGER operation_sums_to_zero ON members_entry",
        COPY_ENTRY.format(kind="account_kind", sign=1, amount=7)
        + f"account_kind = 'sales' AND operation_id = {ANY_SPEND}",
        "L1",
        is_deferred=True,
    ),
    Control(
        "account_agrees",
        "DROP TRIGGER account_agrees ON members_account",
        f"UPDATE members_account SET balance = balance + 1 WHERE id = {PRINCIPAL}",
        "L2",
        is_deferred=True,
    ),
    Control(
        "lot_agrees",
        "DROP TRIGGER lot_agrees ON members_lot",
        f"UPDATE members_lot SET remaining = remaining - 1 WHERE account_id = {PRINCIPAL}",
        "L5",
        is_deferred=True,
    ),
    Control(
        "keeps its origin",
        "DROP TRIGGER lot_guard ON members_lot",
        f"UPDATE members_lot SET original = original + 1 WHERE account_id = {PRINCIPAL}",
        "L5",
    ),
    Control(
        "lot_range",
        "ALTER TABLE members_lot DROP CONSTRAINT lot_range; DROP TRIGGER lot_agrees ON members_lot",
        f"UPDATE members_lot SET remaining = original + 1 WHERE account_id = {PRINCIPAL}",
        "L5",
    ),
    Control(
        "lot_held",
        "ALTER TABLE members_lot DROP CONSTRAINT lot_held",
        f"UPDATE members_lot SET held = remaining + 1 WHERE account_id = {PRINCIPAL}",
        "L15",
    ),
    Control(
        "operation_once",
        "ALTER TABLE members_operation DROP CONSTRAINT operation_once",
        "INSERT INTO members_operation (public_id, kind, scope, key, request, store_id, member_id, amount_minor, note,"
        " at) SELECT gen_random_uuid(), kind, scope, key, request, store_id, member_id, amount_minor, note, at"
        " FROM members_operation WHERE kind = 'spend'",
        "L7",
    ),
    Control(
        "tender_reference_once",
        "DROP INDEX tender_reference_once",
        "INSERT INTO members_tender (operation_id, type, amount_minor, reference)"
        " SELECT operation_id, type, amount_minor, reference FROM members_tender WHERE reference = 'wx-1'",
        "L7",
    ),
    Control(
        "entry_seq",
        "ALTER TABLE members_entry DROP CONSTRAINT entry_seq",
        COPY_ENTRY.format(kind="account_kind", sign="sign", amount="amount")
        + f"operation_id = (SELECT operation_id FROM members_entry WHERE account_id = {PRINCIPAL} AND seq = 1)",
        "L3",
    ),
    Control(
        "entry_posting_rule",
        "DROP TRIGGER entry_posting_rule ON members_entry",
        "INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount)"
        " SELECT operation_id, account_id, operation_kind, account_kind, sign(w.n), unit, w.n"
        " FROM members_entry, (VALUES (7), (-7)) AS w(n)"
        f" WHERE account_kind = 'sales' AND operation_id = {ANY_SPEND}",
        "L10",
    ),
    Control(
        "append-only",
        "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_entry_rows%'"
        " LOOP EXECUTE format('DROP TRIGGER %I ON members_entry', t); END LOOP; END $$",
        f"UPDATE members_entry SET amount = amount + 1 WHERE account_id = {PRINCIPAL} AND seq = 1",
        "L16",
    ),
    Control(
        "coupon_within_quota",
        "ALTER TABLE members_coupondefinition DROP CONSTRAINT coupon_within_quota",
        "INSERT INTO members_coupon SELECT (jsonb_populate_record(c, jsonb_build_object('id', c.id + 1,"
        " 'public_id', gen_random_uuid(), 'code', 'OTHER', 'key', 'other'))).* FROM members_coupon c",
        "L14",
    ),
]


@pytest.fixture
def lived(loaded_card: Card, riverside: Store, at_till: Actor) -> Card:
    """Li Lei's card after a recharge and a spend that WeChat paid in part; one coupon of a quota of one is out."""
    paid = [TenderPaid(TenderType.WECHAT, 1000, "wx-1")]
    here = {"actor": at_till, "at": NOON, "store": riverside}
    spend(key="spend", card=loaded_card, amount_minor=3000, tenders=paid, **here)
    only_one = CouponDefinition.objects.create(name="20 off", off_minor=2000, quota=1)
    coupons.issue(definition=only_one, member=loaded_card.member, key="coupon", **here)
    settle()
    return loaded_card


def settle() -> None:
    """What a commit would judge."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def strike(control: Control) -> None:
    """The attack, up to where its guard stands: its own statement, or the commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(control.attack)
        assert cursor.rowcount > 0, "the attack touches something"
        if control.is_deferred:
            settle()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: f"{control.guard}-{control.rule}")
def test_without_the_guard_its_judge_reports(lived, control):
    assert broken_rules() == set()
    with pytest.raises(DatabaseError, match=control.guard):
        strike(control)
    assert broken_rules() == set(), "with the guard nothing came of it"

    with transaction.atomic():  # rolled back: what got in would be judged by other guards at the commit
        with connection.cursor() as cursor:
            cursor.execute(control.without)
        strike(Control("", "", control.attack, "", control.is_deferred))
        reported = broken_rules()
        transaction.set_rollback(True)

    assert control.rule in reported


def test_without_the_closed_days_trigger_the_signed_figures_are_no_longer_the_days(
    lived, riverside, mei, at_till
):
    tomorrow = NOON + timedelta(days=1)
    on = days.business_day(riverside, NOON)
    for shift in Shift.objects.filter(closed_at=None):
        counted = days.Count(total_minor=days.expected_minor(shift))
        days.close_shift(shift=shift, count=counted, by=shift.staff, at=tomorrow, opening_minor=0)
    closed = days.close_day(store=riverside, on=on, by=mei, at=tomorrow)
    assert figures_of(riverside, on) == closed.figures
    settle()

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER operation_in_open_day ON members_operation")
    spend(actor=at_till, key="late", at=NOON, store=riverside, card=lived, amount_minor=100)

    assert figures_of(riverside, on) != closed.figures


def test_the_sums_judge_sees_a_line_that_does_not_follow(lived):
    assert broken_lines() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"UPDATE members_entry SET amount = amount - 1 WHERE account_id = {PRINCIPAL} AND seq = 1"
        )

    assert len(broken_lines()) == 3, "both lines and the balance"


def test_the_history_judge_sees_lines_out_of_order_and_stale_reads():
    """C10's judge: a deed answered at 20 and one asked at 30 that stands before it; a look that misses one's own."""
    swapped = Journal(written=[Written(10, 20, 1, 2), Written(30, 40, 1, 1)])
    overlapping = Journal(written=[Written(10, 35, 1, 2), Written(30, 40, 1, 1)])
    balances = {(1, 1): 5, (1, 2): 9}

    def looks(seq: int, balance: int, own: int) -> Journal:
        return Journal(written=[Written(10, 20, 1, 1)], reads=[Read(30, 40, 1, seq, balance, own)])

    assert len(broken_history(swapped, balances)) == 1
    assert broken_history(overlapping, balances) == [], "either order is right when both were under way"
    assert broken_history(looks(2, 9, 2), balances) == []
    assert len(broken_history(looks(1, 5, 2), balances)) == 1, "does not show what the reader wrote"
    assert len(broken_history(looks(0, 0, 0), balances)) == 1, "does not show what was answered before"
    assert len(broken_history(looks(2, 8, 2), balances)) == 1, "a balance that never was"


class TestWithCrowds:
    """Guards that only many hands need: taken away in the database of the test and put back."""

    @pytest.fixture
    def db(self, committed_db: None) -> None:
        """Committed, so that every thread sees the people of conftest.py."""

    @staticmethod
    @contextmanager
    def ledger_as(function: str, *changes: tuple[str, str]) -> Iterator[None]:
        """A function of the ledger otherwise, then its own again."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [function])
            own = cursor.fetchone()[0]
        other = own
        for old, new in changes:
            assert old in other
            other = other.replace(old, new)
        with connection.cursor() as cursor:
            cursor.execute(other)
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute(own)

    @pytest.fixture
    def here(self, at_till: Actor, riverside: Store) -> dict:
        return {"actor": at_till, "at": NOON, "store": riverside}

    @staticmethod
    def bills(card: Card, here: dict, lines: Sequence[Line] = ()) -> list:
        """Eight bills of 3.00 at once, each answered, or what stopped it. With lines they take the general road."""

        def bill(number: int) -> object:
            try:
                return spend(key=f"bill-{number}", card=card, amount_minor=300, lines=lines, **here)
            except DatabaseError as broken:
                return broken

        return at_once([partial(bill, number) for number in range(8)])

    @staticmethod
    def wrong_answers() -> int:
        """Texts that tell another balance than the books had then."""
        wrong = 0
        for event in MembershipEvent.objects.filter(type="card_spent"):
            line = Entry.objects.get(operation=event.operation, account_kind=AccountKind.PRINCIPAL)
            wrong += event.payload["principal_balance"] != line.balance_after
        return wrong

    def test_with_the_accounts_locked_every_answer_is_what_the_books_say(self, loaded_card, here):
        assert kinds(self.bills(loaded_card, here)) == {"Outcome": 8}
        assert self.wrong_answers() == 0

    @pytest.mark.parametrize(
        ("function", "changes", "lines"),
        [
            ("ledger_open", [("FOR NO KEY UPDATE) a;", ") a; PERFORM pg_sleep(0.3);")], [Line(300)]),
            (
                "ledger_express",
                [
                    ("FOR NO KEY UPDATE", ""),
                    ("is_bill THEN\n    due :=", "is_bill THEN PERFORM pg_sleep(0.3); due :="),
                ],
                [],
            ),
        ],
    )
    def test_without_the_accounts_lock_answers_are_wrong_or_the_deed_breaks(
        self, loaded_card, here, function, changes, lines
    ):
        closed = ("INSERT INTO members_operation", "RAISE 'closed'; INSERT INTO members_operation")
        other = self.ledger_as("ledger_open", closed) if function == "ledger_express" else nullcontext()
        with self.ledger_as(function, *changes), other:  # what breaks may not be mended on the general road
            results = self.bills(loaded_card, here, lines)

        broken = kinds(results).total() - kinds(results)["Outcome"]
        assert self.wrong_answers() + broken > 0

    def test_without_what_is_held_taken_off_the_same_value_is_held_and_spent(self, loaded_card, here):
        until = NOON + timedelta(days=1)
        authorise(key="hold", card=loaded_card, amount_minor=50000, until=until, **here)
        free = ("'remaining', l.remaining - l.held", "'remaining', l.remaining")
        with (
            self.ledger_as("ledger_open", free, ("l.remaining > l.held", "l.remaining > 0")),
            pytest.raises(DatabaseError, match="lot_held"),
        ):
            spend(key="spend", card=loaded_card, amount_minor=100, lines=[Line(100)], **here)

    def test_locking_in_two_orders_rings_and_the_counter_of_rings_sees_it(self, loaded_card):
        """The judge of C1 and C5: two hands, two accounts, each order once."""
        accounts = list(
            Account.objects.filter(card=loaded_card).order_by("id").values_list("id", flat=True)[:2]
        )
        meet, before = Barrier(2), deadlocks()

        def lock(order: list[int]) -> object:
            try:
                with transaction.atomic():
                    for place, account in enumerate(order):
                        Account.objects.select_for_update(no_key=True).get(pk=account)
                        if place == 0:
                            meet.wait(10)
            except DatabaseError as ring:
                return ring
            return None

        results = at_once([partial(lock, accounts), partial(lock, accounts[::-1])])

        assert kinds(results) == {"NoneType": 1, "OperationalError": 1}
        assert deadlocks() == before + 1
