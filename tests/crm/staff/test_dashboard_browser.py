"""Olga opens her shop's overview on a phone and at a desk."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.enums import ConsentSource, Role, TenderType
from members.models import CardProduct, Store
from messaging.models import Alert, AlertKind
from tests.conftest import NOON, employ
from tests.journeys.browser_chromium import accessibility_findings, browsing, log_in, serving

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("REGULARS_SHOTS", "")  # a folder: keep pictures of the pages there
PHONE, DESK = {"width": 360, "height": 800}, {"width": 1440, "height": 1000}


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the server's own connections."""


@pytest.fixture
def shop(db: None, riverside: Store, product: CardProduct) -> Iterator[str]:
    """Riverside on a day with money in it, and something wrong with its budget."""
    olga = employ(riverside, "olga", Role.OWNER)
    deed = {"actor": Actor(f"staff:{olga.pk}", olga.pk), "store": riverside, "at": timezone.now()}
    consents = Consents(True, True, "2026-11", ConsentSource.TILL)
    member = enrol_member(key="1", phone="13800138000", consents=consents, name="Li Lei", **deed)
    card, _event = open_card(key="2", member=member, product=product, **deed)
    recharge_card(key="3", card=card, tender=TenderPaid(TenderType.CASH, 123456), **deed)
    facts, moments = {"budget": "Riverside", "percent": 85}, {"opened_at": NOON, "seen_at": NOON}
    Alert.objects.create(kind=AlertKind.BUDGET_NEAR, store=riverside, facts=facts, **moments)
    with serving() as url:
        yield url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_overview_fits_and_reads_well(shop: str, size: dict[str, int], scheme: str) -> None:
    with browsing(shop, color_scheme=scheme) as page:
        page.set_viewport_size(size)
        log_in(page, "olga")

        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        expect(page.get_by_text("principal ¥1,234.56")).to_be_visible()
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/overview-{size['width']}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert accessibility_findings(page) == []
