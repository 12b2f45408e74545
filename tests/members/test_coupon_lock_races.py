"""Whoever locks coupons and definitions locks the coupons by id, then the definitions by id: nobody waits in a ring.

A test holds the lower one, and sees that whoever waits for it does not hold the higher one already.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.db import models, transaction

from members.domain import cards, coupons, erasing, spending, tiers
from members.domain.cards import recharge_card
from members.domain.closing import refund_recharge
from members.domain.deeds import Outcome, conclude
from members.domain.ledger import TenderPaid
from members.domain.merging import merge, undo
from members.domain.refunds import refund
from members.domain.verify import verify
from members.enums import TenderType
from members.models import (
    Coupon,
    CouponDefinition,
    Member,
    MissedSignal,
    RechargePlan,
    Tier,
    TierEntry,
    TierOverride,
    TierScheme,
)
from tests.conftest import NOON

Act = Callable[[], Any]
CASH = TenderPaid(TenderType.CASH, 50_000)


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: every thread has its own connection."""


@pytest.fixture
def low(db) -> CouponDefinition:
    return CouponDefinition.objects.create(name="Tea", off_minor=500)


@pytest.fixture
def high(low) -> CouponDefinition:
    return CouponDefinition.objects.create(name="Dinner", off_minor=5000)


@pytest.fixture
def scheme(db) -> TierScheme:
    return TierScheme.objects.create(name="House", measure="recharge", window_months=12, is_active=True)


@pytest.fixture
def silver(scheme, low) -> Tier:
    return Tier.objects.create(scheme=scheme, name="Silver", threshold=1_000, coupon=low)


@pytest.fixture
def gold(scheme, high) -> Tier:
    return Tier.objects.create(scheme=scheme, name="Gold", threshold=60_000, coupon=high)


def gift(of: CouponDefinition, member: Member, key: str, here: dict[str, Any]) -> Coupon:
    return coupons.issue(definition=of, member=member, key=key, **here)


def is_free(row: models.Model) -> bool:
    rows = type(row)._default_manager.select_for_update(skip_locked=True, no_key=True)
    return rows.filter(pk=row.pk).exists()


def waits_without(first: models.Model, second: models.Model, act: Act, beside: Any) -> Any:
    """What the act answers in the end; while it waits for the first row, the second is free."""
    with transaction.atomic():
        type(first)._default_manager.select_for_update().get(pk=first.pk)
        begun = beside(act)
        assert not begun.done(), "it does not need the first at all"
        assert is_free(second)
    return begun.result()


def owners_of(definition: CouponDefinition) -> list[int]:
    return list(Coupon.objects.filter(definition=definition).order_by("id").values_list("member", flat=True))


def test_a_recharge_and_a_fold_that_give_the_same_two_coupons_do_not_wait_in_a_ring(
    loaded_card, enrol, silver, gold, low, high, here, beside, monkeypatch
):
    """The recharge rises to Gold and has its coupon, the plan's is to come; the fold tells Silver first, then Gold."""
    plan = RechargePlan.objects.create(name="500", pay_minor=50_000, coupon=low)
    anna, bert = enrol("13700137001", name="Anna"), enrol("13700137002", name="Bert")
    TierEntry.objects.create(member=anna, tier=silver, at=NOON, figure=1_000)
    TierEntry.objects.create(member=bert, tier=gold, at=NOON, figure=60_000)
    folds: list[Future[Any]] = []

    def conclude_and_fold(*legs: Any, **told: Any) -> Outcome:
        done = conclude(*legs, **told)
        folds.append(beside(lambda: tiers.tell_moves(at=NOON)))
        return done

    monkeypatch.setattr(cards, "conclude", conclude_and_fold)

    recharge_card(key="r", card=loaded_card, tender=CASH, plan=plan, **here)

    assert folds[0].result() == 2
    assert owners_of(low) == [loaded_card.member_id, anna.pk]
    assert owners_of(high) == [loaded_card.member_id, bert.pk]
    assert not MissedSignal.objects.exists()
    assert verify().faults == ()


def test_a_fold_takes_its_definitions_by_id_whatever_the_order_of_the_moves(
    enrol, silver, gold, low, high, beside
):
    for n, tier in enumerate((gold, silver)):
        TierEntry.objects.create(member=enrol(f"1370013700{n}"), tier=tier, at=NOON, figure=tier.threshold)

    assert waits_without(low, high, lambda: tiers.tell_moves(at=NOON), beside) == 2


@pytest.fixture
def gold_gives_tea(scheme, low) -> Tier:
    return Tier.objects.create(scheme=scheme, name="Gold", threshold=60_000, coupon=low)


def test_a_bill_with_a_coupon_takes_what_a_tier_may_give_before_its_own(
    loaded_card, scheme, gold_gives_tea, low, high, here, beside
):
    TierScheme.objects.update(measure="spend")
    Tier.objects.update(threshold=10_000)
    dinner = gift(high, loaded_card.member, "gift", here)
    bill = {"card": loaded_card, "amount_minor": 20_000, "coupons": [dinner]}

    paid = waits_without(low, high, lambda: spending.spend(key="s", **bill, **here), beside)

    assert paid.operation.amount_minor == 15_000
    assert owners_of(low) == [loaded_card.member_id]
    assert verify().faults == ()


def test_a_refund_takes_what_a_tier_may_give_before_its_own(
    loaded_card, gold_gives_tea, low, high, here, beside
):
    dinner = gift(high, loaded_card.member, "gift", here)
    bill = {"card": loaded_card, "amount_minor": 20_000, "coupons": [dinner]}
    paid = spending.spend(key="s", **bill, **here)

    back = waits_without(low, high, lambda: refund(key="b", operation=paid.operation, **here), beside)

    assert back.operation.reverses == paid.operation
    assert Coupon.objects.get(pk=dinner.pk).state == "issued"


def test_a_recharge_taken_back_takes_what_a_tier_may_give_before_its_own(
    card, gold_gives_tea, low, high, here, beside
):
    plan = RechargePlan.objects.create(name="500", pay_minor=50_000, coupon=high)
    paid = recharge_card(key="r", card=card, tender=CASH, plan=plan, **here)

    back = waits_without(
        low, high, lambda: refund_recharge(key="b", operation=paid.operation, **here), beside
    )

    assert back.operation.reverses == paid.operation
    assert Coupon.objects.get().state == "void"


@pytest.mark.parametrize("turn", [1, -1])
def test_an_erasure_takes_the_definitions_by_id_whichever_was_given_first(
    li_lei, low, high, here, mei_here, beside, turn
):
    for n, of in enumerate((high, low)[::turn]):
        gift(of, li_lei, f"gift {n}", here)

    waits_without(low, high, lambda: erasing.erase(member=li_lei, **mei_here), beside)

    assert set(Coupon.objects.values_list("state", flat=True)) == {"void"}


def test_coupons_taken_back_are_all_locked_before_their_definition(li_lei, enrol, low, here, beside):
    """A bill that uses one of them has the coupon and wants the definition."""
    given = [gift(low, member, f"gift {member.pk}", here) for member in (li_lei, enrol("13700137001"))]

    @transaction.atomic
    def take_back() -> int:
        return coupons.void_unused(given, staff_id=None, reason="Mistake", at=NOON)

    assert waits_without(given[1], low, take_back, beside) == 2


def test_a_merge_undone_gives_both_their_coupons_in_order(
    card, enrol, silver, gold, low, high, here, mei_here, beside
):
    """The one who was kept is Gold and is judged first, the other is Silver."""
    recharge_card(key="r", card=card, tender=CASH, **here)
    double = enrol("13700137000", name="Lei Li")
    merged = merge(key="m", kept=card.member, merged=double, **mei_here)
    parted = {name: mei_here[name] for name in ("actor", "at", "store")}
    end = NOON.date()
    TierOverride.objects.create(member=card.member, tier=gold, until_on=end, reason="Sorry", at=NOON)
    TierOverride.objects.create(member=double, tier=silver, until_on=end, reason="Sorry", at=NOON)

    waits_without(low, high, lambda: undo(done=merged, **parted), beside)

    assert owners_of(high) == [card.member_id]
    assert double.pk in owners_of(low)
