"""Two records of one person: what either did counts for the tier of the one that is kept, until the merge is undone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members.domain import tiers
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.merging import merge, undo
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.tier_outlook import outlook
from members.enums import TenderType
from members.models import MembershipEvent, Operation, Tier, TierEntry, TierScheme
from tests.conftest import NOON

# What each of the two does, and the threshold that only both together reach.
MEASURES = [("recharge", 60_000), ("points", 600), ("spend", 60_000), ("visits", 2)]


@pytest.fixture
def double(enrol, at_till, riverside, product):
    """Li Lei once more, with a card of their own."""
    member = enrol("13700137000", name="Lei Li", language="en")
    who = {"actor": at_till, "at": NOON, "store": riverside}
    card, _ = open_card(key="open2", member=member, product=product, **who)
    member.card = card
    return member


@pytest.fixture
def used(at_till, riverside, card, double) -> Operation:
    """Each of the two recharges 400.00 and pays a bill of 400.00 (400 points); the double's bill."""
    who = {"actor": at_till, "at": NOON, "store": riverside}
    for number, own in enumerate((card, double.card)):
        recharge_card(key=f"r{number}", card=own, tender=TenderPaid(TenderType.CASH, 40_000), **who)
        bill = spend(key=f"s{number}", card=own, amount_minor=40_000, **who)
    return bill.operation


def scheme(measure: str, threshold: int) -> None:
    made = TierScheme.objects.create(name="House", measure=measure, window_months=12, is_active=True)
    Tier.objects.create(scheme=made, name="Silver", threshold=threshold)


def tier_of(member) -> str | None:
    tier = tiers.privileges_of(member, NOON).tier
    return tier.name if tier else None


@pytest.mark.parametrize(("measure", "threshold"), MEASURES)
def test_the_merged_past_counts_and_an_undo_gives_each_their_own(
    measure, threshold, used, li_lei, double, mei, riverside
):
    scheme(measure, threshold)
    tiers.fold(at=NOON)
    assert (tier_of(li_lei), tier_of(double)) == (None, None)
    by_mei = {"actor": Actor(f"staff:{mei.pk}", mei.pk), "store": riverside}

    done = merge(key="m", at=NOON, kept=li_lei, merged=double, reason="Same person", **by_mei)
    assert tier_of(li_lei) == "Silver"
    assert outlook(li_lei, NOON).figure >= threshold
    assert tiers.fold(at=NOON)["moved"] == 0, "one judged alone and all judged together agree"

    undo(at=NOON + timedelta(hours=1), done=done, **by_mei)
    assert (tier_of(li_lei), tier_of(double)) == (None, None)
    assert tiers.fold(at=NOON + timedelta(hours=1))["moved"] == 0


def test_a_bill_the_double_took_back_before_the_merge_does_not_count(
    used, li_lei, double, mei, riverside, at_till
):
    scheme("spend", 60_000)
    refund(actor=at_till, key="back", at=NOON, store=riverside, operation=used)

    merge(
        actor=Actor(f"staff:{mei.pk}", mei.pk),
        key="m",
        at=NOON,
        store=riverside,
        kept=li_lei,
        merged=double,
        reason="Same person",
    )

    assert tier_of(li_lei) is None
    assert tiers.fold(at=NOON)["moved"] == 0


def test_who_was_merged_is_told_nothing_of_tiers(used, li_lei, double, mei, riverside):
    scheme("recharge", 30_000)
    tiers.fold(at=NOON)
    assert (tier_of(li_lei), tier_of(double)) == ("Silver", "Silver")

    merge(
        actor=Actor(f"staff:{mei.pk}", mei.pk),
        key="m",
        at=NOON,
        store=riverside,
        kept=li_lei,
        merged=double,
        reason="Same person",
    )
    tiers.fold(at=NOON + timedelta(days=1))

    assert TierEntry.objects.filter(member=double).count() == 1
    assert MembershipEvent.objects.filter(type="tier_changed", member=double).count() == 1
