"""Many hands on the same coupons at once (C7): one use a code, never above the quota, never above the budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import transaction

from members.domain import coupons
from members.domain.cards import recharge_card
from members.domain.coupon_codes import find_coupon, new_code
from members.domain.ledger import Actor, TenderPaid, open_deed
from members.enums import OperationKind, TenderType
from members.models import Card, Coupon, CouponDefinition, CouponUse, Member, Operation, Store
from tests.conftest import NOON
from tests.members import hands

THREADS = 64


@pytest.fixture
def db(committed_db: None) -> None:
    """The people of conftest.py, committed: every thread has its own connection and sees them."""


def at_once(acts: Sequence[Callable[[], Any]]) -> Counter[str]:
    """Do all of them at the same moment, each on its own connection; how often each class of result came.

    Anything but a refusal (a deadlock, say) fails the test here.
    """
    return Counter(type(result).__name__ for result in hands.at_once(acts))


def definition(**more: Any) -> CouponDefinition:
    return CouponDefinition.objects.create(**{"name": "20 off", "off_minor": 2000} | more)


@pytest.fixture
def use(at_till: Actor, riverside: Store) -> Callable[..., Operation]:
    def _use(coupon: Coupon, key: str, card: Card | None = None) -> Operation:
        with transaction.atomic():
            operation = open_deed(
                kind=OperationKind.SPEND,
                actor=at_till,
                key=key,
                at=NOON,
                store_id=riverside.pk,
                member_id=coupon.member_id,
                card_id=card.pk if card else None,
                request={},
            ).operation
            coupons.use(coupon, operation, NOON, amount_minor=2000)
        return operation

    return _use


@pytest.fixture
def give(at_till: Actor, riverside: Store) -> Callable[..., Coupon]:
    def _give(of: CouponDefinition, member: Member, key: str) -> Coupon:
        return coupons.issue(definition=of, member=member, actor=at_till, key=key, at=NOON, store=riverside)

    return _give


def test_one_code_redeemed_twice_at_once_succeeds_once(give, use, li_lei):
    coupon = give(definition(), li_lei, "gift")

    results = at_once([lambda: use(coupon, "first"), lambda: use(coupon, "second")])

    assert results == {"Operation": 1, "CouponDoesNotFit": 1}
    assert CouponUse.objects.count() == Operation.objects.filter(kind="spend").count() == 1


def test_one_code_by_64_hands_is_used_once(give, use, enrol):
    """C7, the single-use code. The owner has no account whose lock would help: the coupon's own row decides."""
    owner = enrol("13800138000")
    coupon = give(definition(), owner, "gift")

    results = at_once([lambda n=n: use(coupon, f"hand {n}") for n in range(THREADS)])

    coupon.refresh_from_db()
    assert results == {"Operation": 1, "CouponDoesNotFit": THREADS - 1}
    assert (coupon.state, coupon.round, CouponUse.objects.count()) == ("redeemed", 1, 1)


def test_a_quota_of_100_asked_for_by_64_threads_three_times_each_gives_100(give, enrol):
    """C7 at the small size."""
    people = [enrol(f"139001390{n:02}", service=False, marketing=False) for n in range(THREADS)]
    limited = definition(quota=100)

    def ask(n: int) -> Callable[[], int]:
        def three_times() -> int:
            got = 0
            for turn in range(3):
                try:
                    give(limited, people[n], f"{n}:{turn}")
                    got += 1
                except coupons.CouponNotIssued:
                    pass
            return got

        return three_times

    at_once([ask(n) for n in range(THREADS)])

    limited.refresh_from_db()
    assert Coupon.objects.count() == limited.issued == 100


def test_a_budget_for_ten_uses_asked_for_by_64_threads_pays_ten(give, use, enrol):
    people = [enrol(f"139001390{n:02}", service=False, marketing=False) for n in range(THREADS)]
    limited = definition(budget_minor=10 * 2000 + 1999)
    held = [give(limited, member, f"gift {member.pk}") for member in people]

    results = at_once([lambda c=coupon: use(c, f"bill {c.pk}") for coupon in held])

    limited.refresh_from_db()
    assert results == {"Operation": 10, "CouponDoesNotFit": THREADS - 10}
    assert (limited.used, limited.taken_minor, CouponUse.objects.count()) == (10, 20000, 10)
    assert Coupon.objects.filter(state="redeemed").count() == 10


def test_one_for_each_member_asked_for_16_times_at_once_is_one(give, li_lei):
    limited = definition(member_limit=1)

    results = at_once([lambda n=n: give(limited, li_lei, f"try {n}") for n in range(16)])

    assert results == {"Coupon": 1, "CouponNotIssued": 15}


def test_the_same_issue_16_times_at_once_is_one_coupon(give, li_lei):
    of = definition()

    assert at_once([lambda: give(of, li_lei, "the same") for _ in range(16)]) == {"Coupon": 16}
    assert Coupon.objects.count() == 1


def test_a_refund_asked_for_16_times_at_once_frees_the_coupon_once(give, use, li_lei, at_till, riverside):
    coupon = give(definition(), li_lei, "gift")
    spend = use(coupon, "bill")

    def refund(n: int) -> str:
        with transaction.atomic():
            deed = open_deed(
                kind=OperationKind.REFUND,
                actor=at_till,
                key=f"back {n}",
                at=NOON,
                store_id=riverside.pk,
                member_id=li_lei.pk,
                card_id=None,
                request={},
                reverses_id=spend.pk,
            )
            return "freed" if coupons.restore(deed.operation, NOON) else None  # type: ignore[return-value]

    assert at_once([lambda n=n: refund(n) for n in range(16)]) == {"str": 1, "NoneType": 15}
    assert CouponUse.objects.filter(kind="returned").count() == 1


def test_use_and_void_at_once_leave_one_of_the_two(give, use, li_lei, at_till):
    for n in range(6):
        coupon = give(definition(name=f"coupon {n}"), li_lei, f"gift {n}")
        void = {"coupon": coupon, "actor": at_till, "reason": "mistake", "at": NOON}

        results = at_once([lambda c=coupon, n=n: use(c, f"bill {n}"), lambda v=void: coupons.void(**v)])

        assert len(results) == 2 and sum(results.values()) == 2
        assert {"CouponDoesNotFit", "CouponNotOpen"} & set(results)


def test_64_wrong_codes_at_once_are_at_most_ten_looks(li_lei):
    def guess() -> None:
        find_coupon(text=new_code(), member=li_lei, scope="staff:1", at=NOON)

    results = at_once([guess] * THREADS)

    assert results["CouponUnknown"] <= 10
    assert results["CouponUnknown"] + results["TooManyCodes"] == THREADS


def test_recharge_and_use_by_opposite_deeds_never_wait_in_a_ring(give, use, loaded_card, at_till, riverside):
    """Accounts, then the coupon, then its definition: issue inside a recharge and use inside a spend."""
    of = definition()
    held = [give(of, loaded_card.member, f"gift {n}") for n in range(8)]

    def recharge(n: int) -> Any:
        with transaction.atomic():
            tender = TenderPaid(TenderType.CASH, 1000)
            asked = {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card, "tender": tender}
            recharge_card(key=f"recharge {n}", **asked)
            return give(of, loaded_card.member, f"on top {n}")

    acts = [lambda n=n: recharge(n) for n in range(8)]
    acts += [lambda n=n: use(held[n], f"bill {n}", loaded_card) for n in range(8)]

    assert at_once(acts) == {"Coupon": 8, "Operation": 8}
