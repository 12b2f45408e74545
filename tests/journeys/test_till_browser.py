"""A morning at the till in a real browser: log in, enrol, open a card, recharge 500 with a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Route, expect

from campaigns.models import TriggerRule
from members.domain import coupons
from members.domain.cards import open_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor
from members.enums import ConsentSource, Role
from members.models import Card, CardProduct, CouponDefinition, Operation, RechargePlan, Staff, Store
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from tests.conftest import NOON, employ
from tests.journeys.browser_chromium import accessibility_findings, browsing, log_in, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def db(committed_db: None) -> None:
    """The server's own threads have to see what the test writes."""


@pytest.fixture
def site(db: None) -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def shop(db: None) -> Store:
    """Riverside with a cashier, a card product, a plan and a text for recharges."""
    store = Store.objects.create(name="Riverside", sms_signature="常客", language="en")
    employ(store, "chen", Role.CASHIER)
    mei = employ(store, "mei", Role.MANAGER)
    CardProduct.objects.create(name="House card")
    RechargePlan.objects.create(name="Five hundred", pay_minor=50000, bonus_minor=8000)
    template = Template.objects.create(
        key="recharged", name="Recharged", message_class=MessageClass.TRIGGER, event_type="card_recharged"
    )
    save_draft(template=template, language="en", text="{name}: {amount} + {bonus}.", by=mei, at=NOON)
    TriggerRule.objects.create(name="Recharged", event_type="card_recharged", template=template)
    return store


def test_from_the_log_in_to_the_first_recharge(shop, site):
    with browsing(site) as page:
        log_in(page, "chen")
        search = page.get_by_role("searchbox")
        expect(search).to_be_focused()
        assert accessibility_findings(page) == []

        page.keyboard.type("13988887777")
        expect(page.get_by_role("heading", name="Nobody here has that")).to_be_visible()
        page.keyboard.press("F2")
        expect(page.get_by_label("Mobile number")).to_have_value("13988887777")
        page.get_by_role("textbox", name="Name").fill("Zhao Min")
        page.get_by_label("Service texts").check()
        page.get_by_role("button", name="Enrol").click()
        expect(page.get_by_text("Zhao Min is a member now")).to_be_visible()

        page.get_by_role("button", name="Open the card").click()
        expect(page.get_by_text("The card is open.")).to_be_visible()
        expect(search).to_be_focused()

        page.keyboard.press("F4")
        page.get_by_label("Five hundred").check()
        expect(page.get_by_text("Zhao Min: ¥500.00 + ¥80.00.")).to_be_visible()
        expect(page.get_by_text("will be sent")).to_be_visible()
        assert accessibility_findings(page) == []
        page.get_by_role("button", name="Recharge").last.dblclick()

        expect(page.get_by_role("heading", name=re.compile("Recharge"))).to_contain_text("¥500.00")
        expect(page.get_by_text("Queued")).to_be_visible()
        expect(search).to_be_focused()
        page.keyboard.press("Enter")  # one too many
        page.wait_for_timeout(400)  # a search would have answered
        expect(page.get_by_text("Queued")).to_be_visible()
        deliver()
        expect(page.get_by_text("Delivered")).to_be_visible()
        assert accessibility_findings(page) == []

        page.get_by_role("link", name="Statement").click()
        expect(page.get_by_role("heading", name="Zhao Min")).to_be_visible()
        assert accessibility_findings(page) == []
        page.get_by_role("link", name="Timeline").click()
        expect(page.get_by_text("Delivered")).to_be_visible()
        assert accessibility_findings(page) == []

    assert Operation.objects.filter(kind="recharge").count() == 1
    assert sum(Card.objects.get().accounts.values_list("balance", flat=True)) == 58000


def deliver() -> None:
    """What the gateway process does to the text."""
    for state in ("submitting", "accepted", "delivered"):
        Message.objects.update(state=state)


def test_the_till_by_thumb_on_a_phone(shop, site):
    with browsing(site, has_touch=True, is_mobile=True) as page:
        page.set_viewport_size({"width": 360, "height": 740})
        log_in(page, "chen")

        widest = page.evaluate("document.documentElement.scrollWidth")

        assert widest <= 360
        assert accessibility_findings(page) == []


def test_a_coupon_ticked_while_the_list_is_drawn_anew_stays_ticked(shop, site):
    """The list comes anew for each amount; its answer was asked for before the tick."""
    chen = Staff.objects.get(username="chen")
    who = {"actor": Actor(f"staff:{chen.pk}", chen.pk), "at": NOON, "store": shop}
    consents = Consents(True, True, "2026-11", ConsentSource.TILL)
    member = enrol_member(key="e", phone="13800138000", name="Li Lei", consents=consents, **who)
    product = CardProduct.objects.get()
    card, _ = open_card(key="o", member=member, product=product, **who)
    definition = CouponDefinition.objects.create(name="20 off", off_minor=2000)
    coupons.issue(definition=definition, member=member, key="c", **who)

    with browsing(site) as page:
        log_in(page, "chen")
        page.goto(reverse("staff:spend", args=[card.public_id]))
        bill, tick = page.get_by_role("textbox", name="Bill"), page.get_by_label("20 off")
        with page.expect_response("**/coupons/**"):
            bill.fill("100")
        held: list[Route] = []
        page.route("**/coupons/**", lambda route: held.append(route))
        with page.expect_request("**/coupons/**"):
            bill.fill("120")
        tick.check()
        with page.expect_response("**/coupons/**"):
            held[0].continue_()

        expect(page.get_by_text("−¥20.00").first).to_be_visible()
        expect(tick).to_be_checked()


def test_the_lists_on_a_phone_are_cards_with_the_headers_words(shop, site):
    chen = Staff.objects.get(username="chen")
    who = {"actor": Actor(f"staff:{chen.pk}", chen.pk), "at": NOON, "store": shop}
    consents = Consents(True, True, "2026-11", ConsentSource.TILL)
    enrol_member(key="e", phone="13800138000", name="Li Lei", consents=consents, **who)

    with browsing(site, has_touch=True, is_mobile=True) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        log_in(page, "chen")
        page.goto(reverse("staff:member_list"))

        wrap = page.locator(".table-wrap")
        assert wrap.evaluate("node => node.scrollWidth <= node.clientWidth")
        expect(page.locator("td[data-label=Phone]")).to_be_visible()
        expect(page.get_by_role("rowheader", name="Li Lei")).to_be_visible()
        assert accessibility_findings(page) == []
