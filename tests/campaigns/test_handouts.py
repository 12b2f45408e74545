"""Coupons for an audience: each member once, within quota and budget, and taken back as far as unused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from campaigns.domain import handouts
from campaigns.domain.audiences import Audience
from campaigns.domain.handouts import HandoutRefused, begin, undo, work
from members.domain.cards import open_card, recharge_card
from members.domain.coupons import CouponNotIssued
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import TenderType
from members.models import AuditEntry, Coupon, CouponDefinition, CouponHandout, Member, MembershipEvent
from tests.conftest import NOON


@pytest.fixture
def by_mei(mei, riverside) -> dict[str, Any]:
    return {"actor": Actor(f"staff:{mei.pk}", mei.pk), "at": NOON, "store": riverside, "reason": "Quiet week"}


@pytest.fixture
def people(enrol, li_lei) -> list[Member]:
    """Li Lei and six others, of whom five like tea."""
    others = [enrol(f"1390013900{n}", name=f"Guest {n}") for n in range(6)]
    Member.objects.filter(pk__in=[one.pk for one in others[:5]]).update(tags=["tea"])
    return others


@pytest.fixture
def definition(db) -> CouponDefinition:
    return CouponDefinition.objects.create(name="20 off", off_minor=2000)


TEA = Audience(tags=("tea",))


def finish(handout: CouponHandout) -> CouponHandout:
    while work(handout_id=handout.pk, at=NOON):
        pass
    return CouponHandout.objects.get(pk=handout.pk)


def test_everybody_of_the_audience_gets_one_and_nobody_else(people, definition, by_mei):
    handout = begin(key="h", definition=definition, audience=TEA, **by_mei)

    done = finish(handout)

    assert (done.state, done.matching, done.issued, done.skipped) == ("done", 5, 5, 0)
    owners = Coupon.objects.filter(handout=handout).values_list("member_id", flat=True)
    assert set(owners) == {one.pk for one in people[:5]}
    assert MembershipEvent.objects.filter(type="coupon_issued").count() == 5
    assert AuditEntry.objects.filter(verb="coupons_handed_out").count() == 1


def test_in_small_batches_and_begun_again_after_a_kill_each_gets_one(people, definition, by_mei, monkeypatch):
    monkeypatch.setattr(handouts, "BATCH", 2)
    handout = begin(key="h", definition=definition, audience=TEA, **by_mei)
    assert handouts._step(handout.pk, NOON)
    CouponHandout.objects.filter(pk=handout.pk).update(
        last_member_id=0
    )  # as if the row were older than the work

    done = finish(handout)

    assert (done.issued + done.skipped, Coupon.objects.count()) == (7, 5)
    assert handouts.under_way() == []


def test_the_same_form_sent_twice_is_one_hand_out(people, definition, by_mei):
    first = begin(key="h", definition=definition, audience=TEA, **by_mei)

    assert begin(key="h", definition=definition, audience=TEA, **by_mei) == first
    assert CouponHandout.objects.count() == 1


def test_ten_yuan_of_budget_left_pay_for_no_coupon_of_twenty(people, definition, by_mei):
    """70.00 of budget, 20.00 each: three are handed out, then it stops and says why."""
    definition.budget_minor = 7000
    definition.save()

    done = finish(begin(key="h", definition=definition, audience=TEA, **by_mei))

    assert (done.state, done.issued) == ("stopped", 3)
    assert "budget" in done.stopped_by
    assert Coupon.objects.count() == 3


def test_the_quota_ends_it_too(people, definition, by_mei):
    definition.quota = 2
    definition.save()

    done = finish(begin(key="h", definition=definition, audience=TEA, **by_mei))

    assert (done.state, done.issued, done.skipped) == ("done", 2, 3)


def test_stopped_meanwhile_it_gives_no_more(people, definition, by_mei):
    handout = begin(key="h", definition=definition, audience=TEA, **by_mei)
    CouponDefinition.objects.update(is_active=False)

    done = finish(handout)

    assert (done.state, done.issued) == ("stopped", 0)


def test_taken_back_what_was_used_stays_used(people, definition, by_mei, counter_card, at_till, riverside):
    handout = finish(begin(key="h", definition=definition, audience=TEA, **by_mei))
    used = Coupon.objects.get(member=counter_card.member)
    spend(
        actor=at_till,
        key="s",
        at=NOON,
        store=riverside,
        card=counter_card,
        amount_minor=5000,
        coupons=[used],
    )

    undone = finish(undo(actor=by_mei["actor"], at=NOON, handout=handout))
    again = undo(actor=by_mei["actor"], at=NOON, handout=undone)

    assert (undone.state, undone.voided, again.state) == ("undone", 4, "undone")
    assert sorted(Coupon.objects.values_list("state", flat=True)) == ["redeemed", *["void"] * 4]
    assert CouponDefinition.objects.get().issued == 1, "the place of a void one is free again"


@pytest.fixture
def counter_card(people, at_till, riverside, product):
    """Guest 0's card with 100.00."""
    who = {"actor": at_till, "at": NOON, "store": riverside}
    card, _ = open_card(key="o", member=people[0], product=product, **who)
    recharge_card(key="r", card=card, tender=TenderPaid(TenderType.CASH, 10000), **who)
    return card


def test_ones_own_account_is_left_out(people, definition, by_mei, mei):
    mei.member = people[1]
    mei.save()

    done = finish(begin(key="h", definition=definition, audience=TEA, **by_mei))

    assert (done.issued, done.skipped) == (4, 1)
    assert not Coupon.objects.filter(member=people[1]).exists()


@pytest.mark.parametrize(
    ("change", "audience", "reason", "refusal"),
    [
        ({}, TEA, "  ", HandoutRefused),
        ({}, Audience(tags=("coffee",)), "Why not", HandoutRefused),
        ({"is_active": False}, TEA, "Why not", CouponNotIssued),
        ({"valid_to": (NOON - timedelta(days=2)).date()}, TEA, "Why not", CouponNotIssued),
    ],
    ids=["no reason", "nobody", "given out no more", "over"],
)
def test_what_makes_no_sense_is_not_begun(people, definition, by_mei, change, audience, reason, refusal):
    CouponDefinition.objects.update(**change)
    definition.refresh_from_db()

    with pytest.raises(refusal):
        begin(key="h", definition=definition, audience=audience, **{**by_mei, "reason": reason})
    assert not CouponHandout.objects.exists()
