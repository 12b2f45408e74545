"""The tier pages: thresholds tried first, and why one member holds theirs."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.domain import tiers
from members.domain.ledger import TenderPaid
from members.domain.spending import spend
from members.enums import Role, TenderType
from members.models import AuditEntry, EarningRule, Member, Purchase, Tier, TierOverride, TierScheme
from tests.conftest import employ
from tests.crm.staff.conftest import at_work, queries_of, text_of

BOARD = "staff:tier_board"


@pytest.fixture
def scheme(db):
    scheme = TierScheme.objects.create(name="House", is_active=True)
    Tier.objects.create(scheme=scheme, name="Silver", threshold=100_000)
    Tier.objects.create(scheme=scheme, name="Gold", threshold=300_000, discount_percent=5, points_percent=150)
    return scheme


@pytest.fixture
def owner(riverside) -> Client:
    return at_work(employ(riverside, "olivia", Role.OWNER))


def bought(member: Member, amount: int, days_ago: int = 1) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Purchase.objects.create(member=member, store=member.home_store, at=at, amount_minor=amount)
    tiers.fold(at=timezone.now())


def typed(scheme: TierScheme, silver: str, gold: str) -> dict[str, str]:
    low, high = scheme.tiers.all()
    return {f"threshold_{low.pk}": silver, f"threshold_{high.pk}": gold}


def explained(member: Member) -> str:
    return reverse("staff:member_tier", args=[member.public_id])


def test_who_would_move_is_shown_and_nothing_is_saved(manager, scheme, li_lei):
    bought(li_lei, 90_000)

    told = text_of(manager.post(reverse(BOARD), typed(scheme, "800", "3000")))

    assert "With these thresholds: 1 up, 0 down" in told
    assert "Li Lei" in told
    assert scheme.tiers.first().threshold == 100_000


def test_an_owner_saves_what_was_tried(owner, scheme, li_lei, django_capture_on_commit_callbacks):
    response = owner.post(reverse(BOARD), {**typed(scheme, "800", "2000"), "save": "1"})

    assert response.status_code == 302
    assert [tier.threshold for tier in scheme.tiers.all()] == [80_000, 200_000]
    assert AuditEntry.objects.get(subject_type="tierscheme").after == {"Silver": 80_000, "Gold": 200_000}


def test_a_manager_may_try_but_not_save(manager, scheme):
    assert manager.post(reverse(BOARD), {**typed(scheme, "800", "2000"), "save": "1"}).status_code == 403
    assert scheme.tiers.first().threshold == 100_000


def test_an_owner_of_one_store_among_two_does_not_change_the_tiers_of_both(owner, scheme, hilltop):
    assert owner.post(reverse(BOARD), {**typed(scheme, "800", "2000"), "save": "1"}).status_code == 403


def test_a_cashier_does_not_see_the_board(cashier, scheme):
    assert cashier.get(reverse(BOARD)).status_code == 403


@pytest.mark.parametrize(
    ("silver", "gold"),
    [("3000", "2000"), ("3000", "3000"), ("0", "3000"), ("", "3000"), ("-5", "3000"), ("x", "1")],
)
def test_thresholds_that_do_not_rise_are_refused_beside_their_field(owner, scheme, silver, gold):
    for extra in ({}, {"save": "1"}):
        response = owner.post(reverse(BOARD), {**typed(scheme, silver, gold), **extra})
        assert response.status_code == 422
    assert [tier.threshold for tier in scheme.tiers.all()] == [100_000, 300_000]


def test_without_a_threshold_the_page_says_which_is_missing_and_what_it_is_now(manager, scheme, li_lei):
    bought(li_lei, 90_000)

    before = text_of(manager.get(reverse(BOARD)))
    told = text_of(manager.post(reverse(BOARD), typed(scheme, "800", "")))

    assert "Gold has no threshold. Now it asks ¥3,000.00." in told
    assert "Silver has no threshold" not in told
    assert "Who would move can be told once every tier has a threshold" in told
    assert 'value="800"' in told, "what was typed stays"
    assert "can be told once" not in before and " required" not in before, (
        "the browser leaves the answer to us"
    )


def test_names_of_another_stores_members_are_not_listed(manager, scheme, enrol, hilltop, wang):
    stranger = enrol("13800138050", name="Hilda of Hilltop", store=hilltop)
    bought(stranger, 90_000)

    told = text_of(manager.post(reverse(BOARD), typed(scheme, "800", "3000")))

    assert "1 up, 0 down" in told
    assert "Hilda" not in told


def test_the_board_asks_as_often_for_many_moves_as_for_one(manager, scheme, enrol):
    def asked(members: int) -> int:
        for number in range(members):
            bought(enrol(f"1380013{members}06{number}", name=f"M{number}"), 100_000)
        return queries_of(manager, reverse(BOARD))

    assert asked(1) == asked(3)


def test_without_a_scheme_the_board_says_so(manager):
    assert "No tiers yet" in text_of(manager.get(reverse(BOARD)))


def test_why_she_is_gold_with_the_figures(cashier, scheme, li_lei):
    bought(li_lei, 120_000, days_ago=300)
    bought(li_lei, 190_000, days_ago=10)

    told = text_of(cashier.get(explained(li_lei)))

    assert "Why Li Lei is Gold" in told
    assert "Gold: ¥3,100.00 in 12 months." in told
    assert "¥1,200.00" in told and "¥1,900.00" in told
    assert "¥1,100.00 more by" in told


def test_a_manager_sets_a_tier_by_hand_and_takes_it_back(manager, scheme, li_lei):
    gold = Tier.objects.get(name="Gold")
    day = (timezone.now() + timedelta(days=30)).date()
    form = {"tier": gold.pk, "until_on": day.isoformat(), "reason": "Bride"}
    assert manager.post(explained(li_lei), form).status_code == 302
    assert "set by hand until" in text_of(manager.get(explained(li_lei)))

    manager.post(explained(li_lei), {"end": "1"})
    assert tiers.privileges_of(li_lei, timezone.now()).tier is None


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"until_on": "2020-01-01"}, {"until_on": "x"}, {"tier": "0"}]
)
def test_a_tier_by_hand_needs_all_its_fields(manager, scheme, li_lei, wrong):
    day = (timezone.now() + timedelta(days=30)).date().isoformat()
    form = {"tier": Tier.objects.get(name="Gold").pk, "until_on": day, "reason": "Bride", **wrong}

    assert manager.post(explained(li_lei), form).status_code == 422
    assert not TierOverride.objects.exists()


def test_a_cashier_reads_but_sets_nothing(cashier, scheme, li_lei):
    form = {"tier": Tier.objects.get(name="Gold").pk, "until_on": "2099-01-01", "reason": "Friend"}

    assert "Set by hand" not in text_of(cashier.get(explained(li_lei)))
    assert cashier.post(explained(li_lei), form).status_code == 403


def test_a_stranger_finds_nobody(stranger, scheme, li_lei):
    assert stranger.get(explained(li_lei)).status_code == 404
    assert stranger.post(explained(li_lei), {"end": "1"}).status_code == 404


def test_the_till_and_the_member_page_show_tier_and_way_to_the_next(cashier, scheme, li_lei):
    bought(li_lei, 231_000)
    for where in ("staff:till_member", "staff:member_detail"):
        told = text_of(cashier.get(reverse(where, args=[li_lei.public_id])))
        assert "Silver" in told and "¥690.00 more for Gold." in told


def test_the_statement_says_why_points_were_earned(cashier, loaded_card, at_till, riverside):
    EarningRule.objects.create(name="Friday", effect="times", percent=200)
    cash = [TenderPaid(TenderType.CASH, 10_000)]
    spend(
        actor=at_till,
        key="b",
        at=timezone.now(),
        store=riverside,
        card=loaded_card,
        amount_minor=10_000,
        tenders=cash,
    )

    told = text_of(cashier.get(reverse("staff:member_detail", args=[loaded_card.member.public_id])))

    assert "Friday: 200% of 100" in told


def test_points_that_wait_or_end_are_shown_at_the_till(cashier, card, at_till, riverside, product):
    product.points_pending_days, today = 5, date.today()
    product.save()
    card.refresh_from_db()
    cash = [TenderPaid(TenderType.CASH, 30_000)]
    now = timezone.now()
    spend(actor=at_till, key="b", at=now, store=riverside, card=card, amount_minor=30_000, tenders=cash)

    told = text_of(cashier.get(reverse("staff:till_member", args=[card.member.public_id])))

    assert "300 points are waiting" in told, today
