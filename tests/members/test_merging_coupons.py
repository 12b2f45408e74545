"""Coupons of two members who become one: the open ones go along, all of them count to what one person may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from members.domain import coupons
from members.domain.cards import open_card
from members.domain.coupon_issuing import CouponNotIssued
from members.domain.ledger import Actor, TenderPaid
from members.domain.merge_values import MergeUsed
from members.domain.merging import merge, undo
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import TenderType
from members.models import Coupon, CouponDefinition, CouponRefundPolicy, CouponState, Member, Merge
from tests.conftest import NOON


@pytest.fixture
def double(enrol) -> Member:
    return enrol("13700137000", name="Lei Li")


@pytest.fixture
def here(at_till, riverside) -> dict[str, Any]:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def mei_here(mei, riverside) -> dict[str, Any]:
    return {"actor": Actor(f"staff:{mei.pk}", mei.pk), "at": NOON, "store": riverside}


@pytest.fixture
def join(mei_here, li_lei, double) -> Callable[[], Merge]:
    """Mei merges the double into Li Lei."""
    return lambda: merge(key="m", kept=li_lei, merged=double, reason="Same person", **mei_here)


def test_open_coupons_go_along(join, here, double, li_lei):
    coupon = coupons.issue(
        definition=CouponDefinition.objects.create(name="Five off", off_minor=500),
        member=double,
        key="one",
        **here,
    )

    join()

    coupon.refresh_from_db()
    assert coupon.member == li_lei


def test_a_coupon_made_void_since_goes_back_void(join, mei_here, here, li_lei, double):
    once = CouponDefinition.objects.create(name="Welcome", off_minor=500, member_limit=1)
    coupon = coupons.issue(definition=once, member=double, key="theirs", **here)
    done = join()
    coupons.void(coupon=coupon, actor=mei_here["actor"], reason="Given twice", at=NOON)

    undo(done=done, **mei_here)

    coupon.refresh_from_db()
    assert (coupon.member, coupon.state, coupon.void_reason) == (double, CouponState.VOID, "Given twice")
    assert coupons.issue(definition=once, member=double, key="theirs again", **here).member == double


@pytest.mark.parametrize("policy", CouponRefundPolicy.values)
def test_a_coupon_whose_bill_was_taken_back_since_goes_back_as_the_refund_left_it(
    join, mei_here, here, li_lei, double, product, policy
):
    off = CouponDefinition.objects.create(name="Five off", off_minor=500, refund_policy=policy, refund_days=7)
    coupon = coupons.issue(definition=off, member=double, key="theirs", **here)
    card, _ = open_card(key="open", member=li_lei, product=product, **here)
    done = join()
    coupon.refresh_from_db()
    cash = TenderPaid(TenderType.CASH, 500)
    bill = spend(key="bill", card=card, amount_minor=1000, coupons=[coupon], tenders=[cash], **here)
    with pytest.raises(MergeUsed, match="A coupon that came with the merge was used since"):
        undo(done=done, **mei_here)
    refund(key="back", operation=bill.operation, **mei_here)
    coupon.refresh_from_db()
    left = coupon.state

    undo(done=done, **mei_here)

    coupon.refresh_from_db()
    assert (coupon.member, coupon.state) == (double, left)
    assert not verify().faults


def test_coupons_of_either_count_to_what_the_one_kept_may_have(
    join, mei_here, here, riverside, li_lei, double, product
):
    once = CouponDefinition.objects.create(name="Welcome", off_minor=500, member_limit=1)
    used = coupons.issue(definition=once, member=double, key="theirs", **here)
    card, _ = open_card(key="open", member=double, product=product, **here)
    cash = TenderPaid(TenderType.CASH, 500)
    spend(key="bill", card=card, amount_minor=1000, coupons=[used], tenders=[cash], **here)
    past_the_code = {
        "code": "ABCD2345",
        "scope": "test",
        "key": "copy",
        "store": riverside,
        "issued_at": NOON,
    }

    done = join()
    with pytest.raises(CouponNotIssued):
        coupons.issue(definition=once, member=li_lei, key="mine", **here)
    with pytest.raises(IntegrityError, match="more coupons"), transaction.atomic():
        Coupon.objects.create(definition=once, member=li_lei, **past_the_code)

    undo(done=done, **mei_here)
    assert coupons.issue(definition=once, member=li_lei, key="mine", **here).member == li_lei
    with pytest.raises(CouponNotIssued):
        coupons.issue(definition=once, member=double, key="theirs again", **here)
