"""A morning at the till in a real browser: log in, enrol, open a card, recharge 500 with a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from campaigns.models import TriggerRule
from members.enums import Role
from members.models import Card, CardProduct, Operation, RechargePlan, Store
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
