"""Olga reads her shop's lists on a phone: nothing is wider than the screen, and every figure says what it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from members.domain import days
from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import ConsentSource, Role, TenderType
from members.models import CardProduct, Member, Store
from messaging.domain.outbox import Draft, enqueue
from messaging.enums import Cause, MessageClass
from tests.conftest import employ
from tests.journeys.browser_chromium import browsing, log_in, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the server's own connections."""


@pytest.fixture
def li_lei(db: None, riverside: Store) -> Member:
    """She never agreed to marketing texts, so one was kept back; Olga's drawer is open with 300.00."""
    olga, now = employ(riverside, "olga", Role.OWNER), timezone.now()
    days.open_shift(store=riverside, staff=olga, opening_minor=30000, at=now)
    member = enrol_member(
        actor=Actor(f"staff:{olga.pk}", olga.pk),
        key="1",
        at=now,
        store=riverside,
        phone="13800138000",
        consents=Consents(True, False, "2026-11", ConsentSource.TILL),
        name="Li Lei",
    )
    draft = Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=riverside.pk,
        message_class=MessageClass.MARKETING,
        text="20% off",
        encoding="GSM-7",
        parts=1,
        cause=Cause.RUN,
        cause_id=1,
        timezone="Asia/Shanghai",
    )
    enqueue([draft], at=now)
    return member


@pytest.fixture
def shop(li_lei: Member) -> Iterator[str]:
    with serving() as url:
        yield url


def test_lists_fit_a_phone_and_their_sums_say_what_they_are(shop: str, li_lei: Member) -> None:
    with browsing(shop, is_mobile=True, has_touch=True) as page:
        page.set_viewport_size({"width": 360, "height": 800})
        log_in(page, "olga")

        page.goto(f"/members/{li_lei.public_id}/timeline/")
        expect(page.get_by_text("Not sent: The member has not agreed to these texts")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360

        page.goto(f"/money/days/{timezone.localdate(timezone=li_lei.home_store.zone).isoformat()}/")
        sums = page.locator("tfoot td")
        expect(sums.first).to_have_attribute("data-label", "Should be there")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.locator(".table-wrap:has(tfoot)").evaluate("box => box.scrollWidth <= box.clientWidth")

        page.goto("/till/")
        expect(page.get_by_role("heading", name="Without the mouse")).to_be_hidden()


def owes_others(li_lei: Member, product: CardProduct) -> None:
    """What Li Lei paid at Riverside she used at seven stores with long names."""
    said = {"actor": Actor("seed"), "at": timezone.now()}
    card, _ = open_card(key="c", member=li_lei, product=product, store=li_lei.home_store, **said)
    paid = TenderPaid(TenderType.CASH, 1_234_567_89)
    recharge_card(key="r", card=card, tender=paid, store=li_lei.home_store, **said)
    for n in range(7):
        lake = Store.objects.create(name=f"The store beside the lake, entrance {n}", sms_signature="常客")
        spend(key=f"s{n}", card=card, amount_minor=10_234_567 + n, store=lake, **said)


def test_what_stores_owe_each_other_is_a_line_a_store_on_a_phone(shop: str, li_lei: Member, product) -> None:
    owes_others(li_lei, product)
    with browsing(shop, is_mobile=True, has_touch=True) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        log_in(page, "olga")

        page.goto("/money/between-stores/")
        expect(page.get_by_role("heading", name="Each store against all others")).to_be_visible()
        line = page.locator("tbody tr").first
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator(".table-wrap").evaluate_all(
            "all => all.every(b => b.scrollWidth <= b.clientWidth)"
        )
        assert line.bounding_box()["height"] < 80

        page.get_by_role("link", name="entrance 6").click()
        expect(page.get_by_role("heading", name="entrance 6")).to_be_visible()
        expect(page.get_by_text("Li Lei")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
