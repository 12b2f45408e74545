"""Value whose time is over leaves by the ledger door, once."""

from datetime import timedelta

import pytest

from members import tasks
from members.domain.cards import recharge_card
from members.domain.expiry import expire_lots
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, OperationKind, TenderType
from members.models import Account, Entry, Operation, RechargePlan
from tests.conftest import NOON

LATER = NOON + timedelta(days=91)


@pytest.fixture
def bonus_card(card, at_till, riverside):
    """500.00 paid and 80.00 of bonus for 90 days."""
    plan = RechargePlan.objects.create(name="500+80", pay_minor=50000, bonus_minor=8000, bonus_valid_days=90)
    here = {"actor": at_till, "at": NOON, "store": riverside}
    recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 50000), plan=plan, **here)
    return card


def bonus(card) -> int:
    return Account.objects.get(card=card, kind=AccountKind.BONUS).balance


def test_bonus_that_ended_goes_to_breakage_and_principal_stays(bonus_card):
    counts = expire_lots(at=LATER)

    lines = Entry.objects.filter(operation__kind=OperationKind.EXPIRE).values_list("account_kind", "amount")
    assert counts == {"deeds": 1, "lots": 1, "money_minor": 8000, "points": 0, "services": 0}
    assert sorted(lines) == [("bonus", -8000), ("breakage", 8000)]
    assert Account.objects.get(card=bonus_card, kind=AccountKind.PRINCIPAL).balance == 50000
    assert verify().is_sound


@pytest.mark.parametrize(("days", "left"), [(89, 8000), (90, 8000), (91, 0)])
def test_the_last_moment_is_not_part_of_the_time(bonus_card, days, left):
    expire_lots(at=NOON + timedelta(days=days))

    assert bonus(bonus_card) == left


def test_a_second_run_finds_nothing(bonus_card):
    expire_lots(at=LATER)

    assert expire_lots(at=LATER) == {"deeds": 0, "lots": 0, "money_minor": 0, "points": 0, "services": 0}
    assert Operation.objects.filter(kind=OperationKind.EXPIRE).count() == 1


def test_points_go_to_their_own_breakage(bonus_card, at_till, riverside):
    spend(actor=at_till, key="s1", at=NOON, store=riverside, card=bonus_card, amount_minor=12000)

    counts = expire_lots(at=NOON + timedelta(days=400))

    assert counts["points"] == 120
    assert Entry.objects.filter(account_kind=AccountKind.POINTS_BREAKAGE, amount=120).exists()
    assert verify().is_sound


def test_what_a_refund_revives_ends_again_a_week_later(bonus_card, at_till, riverside):
    sale = spend(actor=at_till, key="s1", at=NOON, store=riverside, card=bonus_card, amount_minor=58000)
    expire_lots(at=LATER)
    refund(actor=at_till, key="f1", at=LATER, store=riverside, operation=sale.operation)
    assert bonus(bonus_card) == 8000

    assert expire_lots(at=LATER + timedelta(days=6))["lots"] == 0
    assert expire_lots(at=LATER + timedelta(days=7))["money_minor"] == 8000
    assert verify().is_sound


def test_only_so_many_at_once(bonus_card, at_till, riverside):
    assert expire_lots(at=LATER, limit=0)["lots"] == 0
    assert expire_lots(at=LATER, limit=1)["lots"] == 1


def test_one_tick_of_the_schedule_takes_all_of_it(bonus_card, at_till, riverside, monkeypatch):
    spend(
        actor=at_till, key="s1", at=NOON, store=riverside, card=bonus_card, amount_minor=12000
    )  # 120 points
    monkeypatch.setattr(tasks, "now", lambda: NOON + timedelta(days=400))

    counts = tasks.expire_value(limit=1)

    assert (counts["deeds"], counts["points"]) == (2, 120), "bonus and points, a page each"
    assert bonus(bonus_card) == 0
    assert verify().is_sound


def test_the_next_tick_goes_on_where_time_was_over(bonus_card, at_till, riverside, monkeypatch):
    spend(actor=at_till, key="s1", at=NOON, store=riverside, card=bonus_card, amount_minor=12000)
    monkeypatch.setattr(tasks, "now", lambda: NOON + timedelta(days=400))
    monkeypatch.setattr(tasks, "PAGES_SECONDS", 0.0)

    assert [tasks.expire_value(limit=1)["deeds"] for _ in range(3)] == [1, 1, 0]
