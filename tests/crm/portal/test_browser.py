"""Li Lei looks at her card on the bus: a real browser, 390 pixels wide."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import ConsentSource, TenderType
from members.models import CardProduct, Member, RechargePlan, Store
from messaging.models import VerificationCode
from tests.conftest import NOON
from tests.crm.portal.conftest import texted_code
from tests.journeys.browser_chromium import accessibility_findings, browsing

pytestmark = pytest.mark.browser
TILL = Actor(scope="staff:1")


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the server's own connections. Named so that pytest-django makes the test database."""


@pytest.fixture
def portal(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running server on the committed database. Playwright's loop stands in the test's own thread."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    server = LiveServer("localhost")
    yield server.url
    server.stop()
    wait_until_alone()


def wait_until_alone() -> None:
    """Until the server's threads have let go of the database, at most five seconds."""
    for _ in range(50):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            if cursor.fetchone()[0] == 1:
                return
        time.sleep(0.1)


@pytest.fixture
def li_lei(portal: str) -> Member:
    """Li Lei with 580.00 on her card, 128.00 of it spent."""
    store = Store.objects.create(name="Riverside", phone="021 5555 0100", sms_signature="常客", language="en")
    consents = Consents(service=True, marketing=True, wording_version="2026-11", source=ConsentSource.TILL)
    member = enrol_member(
        actor=TILL, key="1", at=NOON, store=store, phone="13800138000", consents=consents, name="Li Lei"
    )
    product = CardProduct.objects.create(name="House card", points_valid_days=365)
    common = {"actor": TILL, "at": NOON, "store": store}
    card, _ = open_card(**common, key="open", member=member, product=product)
    plan = RechargePlan.objects.create(
        name="500 + 80", pay_minor=50000, bonus_minor=8000, bonus_valid_days=90
    )
    paid = TenderPaid(TenderType.CASH, 50000)
    recharge_card(**common, key="in", card=card, tender=paid, plan=plan)
    spend(**common, key="out", card=card, amount_minor=12800)
    return member


def log_in(page: Page, member: Member) -> None:
    page.goto("/portal/")
    page.get_by_label("Mobile number").fill("138 0013 8000")
    page.get_by_role("button", name="Send me a code").click()
    code = page.get_by_label("Code from the text message")
    expect(code).to_be_focused()
    code.fill(texted_code(member))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/portal/")


def width_of(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


def test_a_member_at_the_phone(portal, li_lei):
    refused_by_policy: list[str] = []
    with browsing(portal, has_touch=True, is_mobile=True) as page:
        page.on(
            "console", lambda said: "Content Security" in said.text and refused_by_policy.append(said.text)
        )
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto("/portal/login/")
        assert accessibility_findings(page) == []
        log_in(page, li_lei)

        expect(page.get_by_role("img", name="QR code of your card")).to_be_visible()
        assert (accessibility_findings(page), width_of(page)) == ([], 390)

        page.get_by_role("navigation", name="Main").get_by_role("link", name="Statement").click()
        expect(page.get_by_role("heading", name="November 2026")).to_be_visible()
        assert (accessibility_findings(page), width_of(page)) == ([], 390)
        page.get_by_role("link", name="Spend").click()
        expect(page.get_by_role("heading", name="Left after it")).to_be_visible()
        assert (accessibility_findings(page), width_of(page)) == ([], 390)

        page.get_by_role("link", name="Messages").click()
        expect(page.get_by_text("Because a code was asked for this number.")).to_be_visible()
        assert (accessibility_findings(page), width_of(page)) == ([], 390)

        page.get_by_role("link", name="Preferences").click()
        assert (accessibility_findings(page), width_of(page)) == ([], 390)
        page.get_by_role("switch", name="Marketing texts").uncheck()
        expect(page.get_by_text("Marketing texts are off.")).to_be_visible()
        expect(page.get_by_role("switch", name="Marketing texts")).not_to_be_checked()

        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_text("You are logged out.")).to_be_visible()
    li_lei.refresh_from_db()
    assert not li_lei.has_marketing_consent
    assert refused_by_policy == []


def test_the_printed_statement_fits_the_paper(portal, li_lei):
    a4_less_its_margins = 703
    with browsing(portal) as page:
        log_in(page, li_lei)
        page.set_viewport_size({"width": a4_less_its_margins, "height": 1000})
        page.goto("/portal/statement/print/")
        page.emulate_media(media="print")

        expect(page.get_by_text("Balance after")).to_be_visible()
        assert width_of(page) <= a4_less_its_margins


def test_the_code_box_is_in_sight_once_a_code_is_sent(portal, li_lei):
    with browsing(portal, has_touch=True, is_mobile=True) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        log_in(page, li_lei)
        VerificationCode.objects.update(created_at=NOON)
        page.goto("/portal/transfers/new/")
        page.get_by_label("Stored value").fill("5")
        page.get_by_label("The receiver’s mobile number").fill("13900139000")
        page.get_by_role("button", name="Send me a code").click()

        code = page.get_by_label("Code from the text message")
        expect(code).to_be_focused()
        page.wait_for_load_state()
        told, box = page.locator(".toast").bounding_box(), code.bounding_box()
        assert box["y"] + box["height"] <= told["y"]


def test_the_button_for_a_new_code_counts_down(portal, li_lei):
    with browsing(portal) as page:
        page.clock.install()
        page.goto("/portal/login/")
        page.get_by_label("Mobile number").fill("13800138000")
        page.get_by_role("button", name="Send me a code").click()

        expect(page.get_by_role("button", name="Send it again in")).to_be_disabled()
        page.clock.run_for(61_000)
        expect(page.get_by_role("button", name="Send it again", exact=True)).to_be_enabled()


def test_the_portal_can_be_put_on_the_home_screen(portal, li_lei):
    with browsing(portal) as page:
        page.goto("/portal/login/")
        manifest = page.request.get(page.locator("link[rel=manifest]").get_attribute("href"))

        said = manifest.json()
        assert (said["start_url"], said["display"]) == ("/portal/", "standalone")
        for icon in said["icons"]:
            assert page.request.get(f"/static/portal/{icon['src']}").ok
