"""Moves of tiers are told many at a time: the same facts, each once, whatever breaks about one of them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import signals
from members.domain import events, tiers
from members.domain.events import Fact
from members.models import (
    Coupon,
    CouponDefinition,
    Member,
    MembershipEvent,
    MissedSignal,
    Tier,
    TierEntry,
    TierScheme,
)
from tests.conftest import NOON


@pytest.fixture
def people(enrol) -> list[Member]:
    return [enrol(f"1370013700{n}", name=f"Regular {n}") for n in range(6)]


@pytest.fixture
def tea(db) -> CouponDefinition:
    return CouponDefinition.objects.create(name="Tea", off_minor=500)


@pytest.fixture
def scheme(db) -> TierScheme:
    return TierScheme.objects.create(name="House", measure="spend", window_months=12, is_active=True)


@pytest.fixture
def silver(scheme, tea) -> Tier:
    return Tier.objects.create(scheme=scheme, name="Silver", threshold=100, coupon=tea)


@pytest.fixture
def gold(scheme, tea) -> Tier:
    return Tier.objects.create(scheme=scheme, name="Gold", threshold=200, coupon=tea)


def rise(member: Member, tier: Tier, before: Tier | None = None) -> TierEntry:
    return TierEntry.objects.create(
        member=member, tier=tier, tier_before=before, at=NOON, figure=tier.threshold
    )


def told() -> list[tuple[str, str]]:
    return list(
        MembershipEvent.objects.exclude(type="member_enrolled").order_by("id").values_list("type", "key")
    )


def test_each_move_is_told_once_in_its_order_and_its_coupon_given(people, silver, tea):
    moves = [rise(member, silver) for member in people]

    assert (tiers.tell_moves(at=NOON), tiers.tell_moves(at=NOON)) == (6, 0)

    given = list(Coupon.objects.order_by("id"))
    assert [coupon.member for coupon in given] == people
    assert told() == [
        *[("tier_changed", f"tier:{move.pk}") for move in moves],
        *[("coupon_issued", f"coupon:{coupon.public_id}") for coupon in given],
    ]
    event = MembershipEvent.objects.get(key=f"tier:{moves[0].pk}")
    assert (event.member, event.store, event.source) == (people[0], people[0].home_store, "tiers")
    assert event.payload == {"tier": "Silver", "tier_before": ""}


def test_a_receiver_that_fails_on_one_costs_none_of_them(people, silver, monkeypatch):
    def fails_on_the_second(sender, *, event, **_):
        heard.append(event.pk)
        if event.member == people[1]:
            raise RuntimeError

    heard: list[int] = []
    signals.tier_changed.connect(fails_on_the_second, dispatch_uid="test")
    try:
        for member in people:
            rise(member, silver)
        assert tiers.tell_moves(at=NOON) == 6
    finally:
        signals.tier_changed.disconnect(dispatch_uid="test")

    assert heard == list(
        MembershipEvent.objects.filter(type="tier_changed").values_list("pk", flat=True).order_by("id")
    )
    assert MissedSignal.objects.get().event.member == people[1]
    assert Coupon.objects.count() == 6


def test_the_last_of_the_quota_goes_to_who_rose_first(people, silver, tea):
    CouponDefinition.objects.update(quota=4)
    for member in reversed(people):
        rise(member, silver)

    assert tiers.tell_moves(at=NOON) == 6
    assert {coupon.member for coupon in Coupon.objects.all()} == set(people[2:])


@pytest.mark.parametrize(("limit", "given"), [(None, 2), (1, 1)])
def test_who_rises_twice_has_as_many_as_one_may_have(people, silver, gold, tea, limit, given):
    CouponDefinition.objects.update(member_limit=limit)
    rise(people[0], silver)
    rise(people[0], gold, silver)

    assert tiers.tell_moves(at=NOON) == 2
    assert Coupon.objects.count() == given


def test_a_coupon_whose_days_are_over_or_that_is_stopped_is_not_given_and_the_move_is_told(
    people, silver, gold, tea
):
    CouponDefinition.objects.update(valid_to="2020-01-01")
    rise(people[0], silver)
    over = tiers.tell_moves(at=NOON)
    CouponDefinition.objects.update(valid_to=None, is_active=False)
    rise(people[1], silver)

    assert (over, tiers.tell_moves(at=NOON), Coupon.objects.count()) == (1, 1, 0)


def test_ten_moves_ask_the_database_hardly_more_than_two(people, silver):
    def asked(some: list[Member]) -> int:
        for member in some:
            rise(member, silver)
        with CaptureQueriesContext(connection) as asking:
            tiers.tell_moves(at=NOON)
        return len(asking)

    asked(people[:1])
    one, four = asked(people[1:2]), asked(people[2:])

    assert four - one <= 3 * 2, "each event asks the rules once more, and nothing else"


def test_a_fact_told_before_is_left_out_of_many(li_lei, riverside):
    def fact(key: str) -> Fact:
        return Fact("tier_changed", li_lei, riverside, "test", key, {"tier": "Gold", "tier_before": ""})

    first = events.publish_many([fact("a")], at=NOON)
    second = events.publish_many([fact("a"), fact("b"), fact("b")], at=NOON)

    assert [event.key for event in [*first, *second]] == ["a", "b"]
    assert MembershipEvent.objects.filter(source="test").count() == 2
    assert events.publish_many([], at=NOON) == []
    stored = MembershipEvent.objects.get(pk=second[0].pk)
    assert (stored.payload, stored.public_id, stored.created_at) == (
        second[0].payload,
        second[0].public_id,
        second[0].created_at,
    )
