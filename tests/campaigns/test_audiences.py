"""Who is meant by a few criteria."""

from datetime import date, timedelta

import pytest

from campaigns.domain.audiences import Audience, AudienceRefused, capped_count
from members.models import MemberFacts, Tier, TierScheme, TierStanding
from tests.conftest import NOON


def seen(member, days_ago: int, *, visits: int = 3, spend: int = 30000) -> None:
    MemberFacts.objects.filter(member=member).update(
        last_visit_at=NOON - timedelta(days=days_ago), visits=visits, spend_minor=spend
    )


@pytest.fixture
def people(enrol):
    """Anna comes often and loves colour, Bao has been away 90 days, Cui never came and wants no marketing."""
    anna = enrol("13800138001", name="Anna", language="en", tags=["colour"], birthday=date(1990, 11, 2))
    bao = enrol("13800138002", name="Bao", language="zh-hans", birthday=date(1985, 3, 9))
    cui = enrol("13800138003", name="Cui", language="zh-hans", marketing=False)
    seen(anna, 5, visits=12, spend=240000)
    seen(bao, 90)
    return {"Anna": anna, "Bao": bao, "Cui": cui}


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        ({}, ["Anna", "Bao", "Cui"]),
        ({"not_seen_days": 60}, ["Bao", "Cui"]),
        ({"seen_days": 30}, ["Anna"]),
        ({"visits_min": 3}, ["Anna", "Bao"]),
        ({"spend_min_minor": 100000}, ["Anna"]),
        ({"tags": ["colour"]}, ["Anna"]),
        ({"birthday_month": 11}, ["Anna"]),
        ({"language": "en"}, ["Anna"]),
        ({"only_consenting": True}, ["Anna", "Bao"]),
        ({"not_seen_days": 60, "only_consenting": True}, ["Bao"]),
    ],
)
def test_who_is_meant(people, riverside, criteria, names):
    members = Audience.from_json(criteria).members(riverside, at=NOON)

    assert sorted(members.values_list("name", flat=True)) == names


def test_stored_value_counts_what_is_on_the_card(people, loaded_card, riverside):
    holders = Audience.from_json({"balance_min_minor": 50000}).members(riverside, at=NOON)

    assert list(holders) == [loaded_card.member]


def test_a_tier_means_those_who_hold_it_or_a_higher_one(people, riverside):
    scheme = TierScheme.objects.create(name="Regulars", is_active=True)
    silver, gold = (
        Tier.objects.create(scheme=scheme, name=name, threshold=threshold)
        for name, threshold in (("Silver", 100000), ("Gold", 500000))
    )
    TierStanding.objects.create(member=people["Anna"], tier=gold, since=NOON)
    TierStanding.objects.create(member=people["Bao"], tier=silver, since=NOON)

    def meant(tier: Tier) -> list[str]:
        audience = Audience.from_json({"tier": tier.pk})
        return sorted(audience.members(riverside, at=NOON).values_list("name", flat=True))

    assert (meant(silver), meant(gold)) == (["Anna", "Bao"], ["Anna"])
    assert Audience.from_json({"tier": gold.pk}).in_words(str) == ["holds tier Gold or a higher one"]


def test_members_of_another_store_are_never_meant(people, hilltop):
    assert not Audience.from_json({}).members(hilltop, at=NOON).exists()


@pytest.mark.parametrize(
    "criteria",
    [
        {"sql": "1=1"},
        {"birthday_month": 13},
        {"tier": 0},
        {"not_seen_days": -1},
        {"seen_days": 0},  # kept, it would ask nothing: everybody
        {"visits_min": "3"},
        {"visits_min": True},
    ],
)
def test_what_cannot_be_asked_is_refused(criteria):
    with pytest.raises(AudienceRefused):
        Audience.from_json(criteria)


def test_criteria_survive_being_stored(people):
    criteria = {"not_seen_days": 60, "tags": ["colour", "vip"], "only_consenting": True}

    assert Audience.from_json(criteria).as_json() == criteria


def test_a_large_audience_is_counted_no_further_than_the_cap(people, riverside):
    members = Audience.from_json({}).members(riverside, at=NOON)

    assert capped_count(members, cap=2) == (2, True)
    assert capped_count(members, cap=3) == (3, False)
