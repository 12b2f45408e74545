"""C9 and C14: many hands at one limit, at one approval, at one role. Real threads, real locks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from members.domain import approvals, audit
from members.domain.adjusting import adjust
from members.domain.cards import open_card
from members.domain.ledger import Actor, ApprovalInvalid, ApprovalRequired
from members.domain.verify import verify
from members.enums import AccountKind, Role
from members.models import Account, Approval, AuditEntry, Card, Staff, StaffLimit, StaffRole, Store
from tests.conftest import NOON
from tests.members.hands import at_once
from tests.members.test_races import kinds

GUARD = (Path(__file__).resolve().parents[2] / "members/sql/guard.sql").read_text()
LOCK = "PERFORM 1 FROM members_staff WHERE id = person FOR NO KEY UPDATE;"


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: every thread has its own connection."""


def give(
    card: Card, staff: Staff, store: Store, key: str, amount: int, approval: Approval | None = None
) -> Any:
    actor = Actor(f"staff:{staff.pk}", staff.pk, str(approval.public_id) if approval else "")
    return adjust(
        actor=actor,
        key=key,
        at=NOON,
        store=store,
        card=card,
        account=AccountKind.BONUS,
        amount=amount,
        reason="Goodwill",
    )


@contextmanager
def guard_as(text: str) -> Iterator[None]:
    """The database with another guard, then with its own again."""
    with connection.cursor() as cursor:
        cursor.execute(text)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(GUARD)


def thirty_two_at_the_limit(cards: list[Card], chen: Staff, store: Store) -> int:
    """32 hands give a sixteenth of the limit each, every one to another card; what was accepted in all."""
    StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=16_000)
    results = at_once(
        [lambda n=n, card=card: give(card, chen, store, f"h{n}", 1000) for n, card in enumerate(cards)]
    )
    assert set(kinds(results)) <= {"Outcome", "ApprovalRequired"}
    accepted = sum(Account.objects.filter(kind=AccountKind.BONUS).values_list("balance", flat=True))
    assert accepted == 1000 * kinds(results)["Outcome"]
    return accepted


@pytest.fixture
def cards(riverside, at_till, product, enrol) -> list[Card]:
    """Cards of 32 different members, so that nothing but the limit makes one hand wait for another."""
    from_members = [enrol(f"138001380{place:02}") for place in range(32)]
    return [opened(member, riverside, at_till, product, place) for place, member in enumerate(from_members)]


def opened(member: Any, store: Store, actor: Actor, product: Any, place: int) -> Card:
    return open_card(actor=actor, key=f"o{place}", at=NOON, store=store, member=member, product=product)[0]


def test_32_hands_at_one_limit_give_exactly_the_limit(cards, chen, riverside):
    assert thirty_two_at_the_limit(cards, chen, riverside) == 16_000
    assert verify().faults == ()
    assert audit.verify_chain().is_sound
    assert AuditEntry.objects.count() == 16


def test_without_the_lock_the_same_32_hands_give_more(cards, chen, riverside):
    """The control: the test above can fail. Without the lock each sums before the others are seen."""
    assert LOCK in GUARD
    slow = GUARD.replace(LOCK, "PERFORM pg_sleep(0.3);")
    with guard_as(slow):
        assert thirty_two_at_the_limit(cards, chen, riverside) > 16_000


@pytest.fixture
def approval(card: Card, riverside: Store, chen: Staff, mei: Staff) -> Approval:
    StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=0)
    with pytest.raises(ApprovalRequired) as refused:
        give(card, chen, riverside, "first", 5000)
    asked = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Goodwill", at=NOON)
    return approvals.decide(approval=asked, checker=mei, is_approved=True, at=NOON)


def test_one_approval_used_by_16_hands_at_once_is_used_once(approval, card, chen, riverside):
    results = at_once([lambda n=n: give(card, chen, riverside, f"h{n}", 5000, approval) for n in range(16)])

    assert kinds(results) == {"Outcome": 1, "ApprovalInvalid": 15}
    assert {r.code for r in results if isinstance(r, ApprovalInvalid)} == {"approval_used"}
    assert Account.objects.get(card=card, kind=AccountKind.BONUS).balance == 5000


def test_two_people_deciding_at_once_decide_once(card, chen, mei, riverside):
    StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=0)
    with pytest.raises(ApprovalRequired) as refused:
        give(card, chen, riverside, "first", 5000)
    asked = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Goodwill", at=NOON)

    results = at_once(
        [
            lambda n=n: approvals.decide(approval=asked, checker=mei, is_approved=n % 2 == 0, at=NOON)
            for n in range(8)
        ]
    )

    assert kinds(results) == {"Approval": 1, "ApprovalClosed": 7}


def test_after_a_role_is_taken_away_nothing_more_is_done_on_its_word(card, riverside, chen, mei):
    """C14: 16 hands with a yes each while the manager's role goes; none is done after it has gone."""
    StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=0)
    given = []
    for n in range(16):
        with pytest.raises(ApprovalRequired) as refused:
            give(card, chen, riverside, "x", 100 + n)
        asked = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Goodwill", at=NOON)
        given.append(approvals.decide(approval=asked, checker=mei, is_approved=True, at=NOON))
    is_gone = Event()
    late: list[bool] = []

    def hand(n: int) -> Any:
        if n >= 12:
            assert is_gone.wait(10)
        started_after = is_gone.is_set()
        done = give(card, chen, riverside, f"h{n}", 100 + n, given[n])
        late.append(started_after)
        return done

    def take_away() -> str:
        with transaction.atomic():
            StaffRole.objects.filter(staff=mei, role=Role.MANAGER).delete()
        is_gone.set()
        return "gone"

    results = at_once([*(lambda n=n: hand(n) for n in range(16)), take_away])

    done, refused_ones = kinds(results)["Outcome"], kinds(results)["ApprovalInvalid"]
    assert done + refused_ones == 16
    assert refused_ones >= 4, "the last four came after the role was gone"
    assert not any(late)
    assert {r.code for r in results if isinstance(r, ApprovalInvalid)} == {"approval_withdrawn"}
    assert verify().faults == ()


def test_a_role_cannot_go_between_the_check_and_the_deed(approval, card, chen, mei, riverside):
    """The deed holds the role's row: taking it away waits until the deed is done."""
    order: list[str] = []
    deed_is_open = Event()

    def deed() -> str:
        with transaction.atomic():
            give(card, chen, riverside, "slow", 5000, approval)
            deed_is_open.set()
            time.sleep(0.4)
            order.append("deed")
        return "done"

    def take_away() -> str:
        assert deed_is_open.wait(10)
        StaffRole.objects.filter(staff=mei, role=Role.MANAGER).delete()
        order.append("role")
        return "gone"

    assert at_once([deed, take_away]) == ["done", "gone"]
    assert order == ["deed", "role"]
