"""A coupon is given while its member is being merged: it is given before the merge, or after it, never into the middle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.db import transaction

from campaigns.domain import handouts
from campaigns.domain.audiences import Audience
from members.domain import cards, coupons, erasing, tiers
from members.domain.cards import open_card, recharge_card
from members.domain.deeds import Outcome, conclude
from members.domain.ledger import TenderPaid
from members.domain.merging import merge
from members.domain.verify import verify
from members.enums import TenderType
from members.models import Card, Coupon, CouponDefinition, Member, RechargePlan, Tier, TierEntry, TierScheme
from tests.conftest import NOON

Act = Callable[[], Any]


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed: every thread has its own connection."""


@pytest.fixture
def double(enrol) -> Member:
    return enrol("13700137000", name="Lei Li")


@pytest.fixture
def their_card(double, at_till, riverside, product) -> Card:
    common = {"actor": at_till, "at": NOON, "store": riverside}
    return open_card(key="open2", member=double, product=product, **common)[0]


@pytest.fixture
def join(mei_here, li_lei, double) -> Act:
    """Mei merges the double into Li Lei."""
    return lambda: merge(key="m", kept=li_lei, merged=double, **mei_here)


@pytest.fixture
def once(db) -> CouponDefinition:
    return CouponDefinition.objects.create(name="Welcome", off_minor=500, member_limit=1)


def owners() -> set[int]:
    return set(Coupon.objects.values_list("member", flat=True))


def test_to_whom_is_being_merged_none_is_given(once, join, double, here, beside):
    with transaction.atomic():
        join()
        given = beside(lambda: coupons.issue(definition=once, member=double, key="gift", **here))

    assert given.result() == "member_not_current"
    assert owners() == set()


def test_what_the_merged_one_had_counts_for_a_gift_meanwhile(once, join, double, li_lei, here, beside):
    coupons.issue(definition=once, member=double, key="theirs", **here)

    with transaction.atomic():
        join()
        given = beside(lambda: coupons.issue(definition=once, member=li_lei, key="mine", **here))

    assert given.result() == "coupon_not_issued"
    assert Coupon.objects.get().member == li_lei


def test_one_that_is_being_given_goes_along(once, join, double, li_lei, here, beside):
    with transaction.atomic():
        CouponDefinition.objects.select_for_update().get(pk=once.pk)
        given = beside(lambda: coupons.issue(definition=once, member=double, key="gift", **here))
        joined = beside(join)

    assert (given.result().member, joined.result().merged) == (double, double)
    assert owners() == {li_lei.pk}


def test_one_that_a_recharge_gives_goes_along_and_nobody_waits_in_a_ring(
    once, join, their_card, li_lei, here, beside, monkeypatch
):
    """The merge has the members and waits for the accounts; the recharge has those, and its coupon to give."""
    plan = RechargePlan.objects.create(name="500", pay_minor=50_000, coupon=once)
    tender = TenderPaid(TenderType.CASH, 50_000)
    joined: list[Future[Any]] = []

    def conclude_while_they_merge(*legs: Any, **told: Any) -> Outcome:
        joined.append(beside(join))
        return conclude(*legs, **told)

    monkeypatch.setattr(cards, "conclude", conclude_while_they_merge)

    paid = recharge_card(key="pay", card=their_card, tender=tender, plan=plan, **here)

    assert paid.balance_minor == 50_000
    assert joined[0].result().kept == li_lei
    assert owners() == {li_lei.pk}
    assert verify().faults == ()


def is_free(definition: CouponDefinition) -> bool:
    """Whether nobody holds the definition: whoever waits for a member must not, a merge may want it next."""
    free = CouponDefinition.objects.select_for_update(skip_locked=True)
    return free.filter(pk=definition.pk).exists()


def test_a_hand_out_waits_for_its_members_before_it_has_the_definition(once, join, mei_here, li_lei, beside):
    handout = handouts.begin(key="h", definition=once, audience=Audience(), **mei_here)

    with transaction.atomic():
        join()
        done = beside(lambda: handouts.work(handout_id=handout.pk, at=NOON))
        was_free = is_free(once)

    assert (was_free, done.result()) == (True, False)
    handout.refresh_from_db()
    assert (handout.issued, handout.skipped, owners()) == (1, 1, {li_lei.pk})


def test_a_fold_waits_for_its_members_before_it_has_the_definition(once, join, li_lei, double, beside):
    scheme = TierScheme.objects.create(name="House", measure="spend", window_months=12, is_active=True)
    gold = Tier.objects.create(scheme=scheme, name="Gold", threshold=1, coupon=once)
    for member in (li_lei, double):
        TierEntry.objects.create(member=member, tier=gold, at=NOON, figure=1)

    with transaction.atomic():
        join()
        told = beside(lambda: tiers.tell_moves(at=NOON))
        was_free = is_free(once)

    assert (was_free, told.result()) == (True, 2)
    assert owners() == {li_lei.pk}


def test_to_whom_is_being_erased_none_is_given(once, li_lei, mei_here, here, beside):
    with transaction.atomic():
        erasing.erase(member=li_lei, **mei_here)
        given = beside(lambda: coupons.issue(definition=once, member=li_lei, key="gift", **here))

    assert given.result() == "member_not_current"
    assert owners() == set()
