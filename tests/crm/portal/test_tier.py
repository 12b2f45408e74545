"""A member sees their tier, the way to the next, and why points came."""

from __future__ import annotations

from django.utils import timezone

from members.domain import tiers
from members.domain.ledger import TenderPaid
from members.domain.spending import spend
from members.enums import TenderType
from members.models import EarningRule, Purchase, Tier, TierScheme


def test_home_shows_the_tier_its_benefits_and_what_the_next_asks(at_home, li_lei, riverside):
    scheme = TierScheme.objects.create(name="House", is_active=True)
    Tier.objects.create(scheme=scheme, name="Silver", threshold=100_000, points_percent=120)
    Tier.objects.create(scheme=scheme, name="Gold", threshold=300_000, discount_percent=5)
    Purchase.objects.create(member=li_lei, store=riverside, at=timezone.now(), amount_minor=120_000)
    tiers.fold(at=timezone.now())

    page = at_home.get("/portal/").content.decode()

    assert "Your tier" in page and "Silver" in page
    assert "120% of the points" in page
    assert "¥1,800.00 more for Gold." in page


def test_without_tiers_nothing_is_said_of_them(at_home):
    assert "Your tier" not in at_home.get("/portal/").content.decode()


def test_a_line_says_why_its_points_came(at_home, loaded_card, at_till, riverside):
    EarningRule.objects.create(name="Double Friday", effect="times", percent=200)
    cash = [TenderPaid(TenderType.CASH, 10_000)]
    now = timezone.now()
    bill = spend(
        actor=at_till, key="b", at=now, store=riverside, card=loaded_card, amount_minor=10_000, tenders=cash
    )

    page = at_home.get(f"/portal/statement/{bill.operation.public_id}/").content.decode()

    assert "Double Friday: 200% of 100" in page
