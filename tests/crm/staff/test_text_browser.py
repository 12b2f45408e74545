"""Mei writes a text and Ana reviews it, in a real browser, with the keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor
from members.enums import ConsentSource, Role
from members.models import Store
from messaging.domain.texts import approve, save_draft
from messaging.enums import VersionStatus
from messaging.models import Template, TemplateVersion
from tests.conftest import NOON, employ
from tests.journeys.browser_chromium import accessibility_findings, browsing, log_in, serving

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("REGULARS_SHOTS", "")  # a folder: keep pictures of the pages there


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the server's own connections."""


@pytest.fixture
def staff_web(db: None, riverside: Store) -> Iterator[str]:
    mei, ana = employ(riverside, "mei", Role.MANAGER), employ(riverside, "ana", Role.OWNER)
    push = Template.objects.create(key="push", name="Autumn", message_class="marketing", store=riverside)
    first = save_draft(template=push, language="en", text="20% off this week, {name|there}", by=mei, at=NOON)
    approve(version=first, by=ana, at=NOON)
    save_draft(template=push, language="en", text="30% off today, {name|there}! bit.ly/a", by=mei, at=NOON)
    consents = Consents(True, False, "2026-11", ConsentSource.TILL)
    enrol_member(
        actor=Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk),
        key="1",
        at=NOON,
        store=riverside,
        phone="13800138000",
        consents=consents,
        name="Li Lei",
    )
    with serving() as url:
        yield url


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_an_offer_in_a_service_text_is_taken_out_with_one_click(staff_web: str) -> None:
    with browsing(staff_web) as page:
        log_in(page, "mei")
        page.goto("/texts/new/")
        page.get_by_label("Name").fill("Spent")
        page.get_by_label("Event").select_option("card_spent")
        field = page.locator("#id_text_en")
        field.fill("You paid {amount}, balance {balance}. Recharge 500 and get 80 free!")
        live = page.locator("#text-live")
        expect(live).to_contain_text("This reads like marketing", timeout=15_000)
        shot(page, "editor-refused")
        assert accessibility_findings(page) == []

        page.get_by_role("button", name="Keep only this").click()
        expect(field).to_have_value("You paid {amount}, balance {balance}.")
        expect(live).to_contain_text("Approved by itself", timeout=15_000)
        field.press("Control+Enter")
        expect(page.get_by_text("approved automatically, nothing promotional found").first).to_be_visible(
            timeout=15_000
        )

    assert TemplateVersion.objects.get(template__name="Spent").status == VersionStatus.APPROVED


def test_the_desk_is_worked_with_the_keyboard(staff_web: str) -> None:
    with browsing(staff_web) as page:
        log_in(page, "ana")
        page.goto("/review/")
        shot(page, "desk")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("del.diff").first).to_have_text("20")
        expect(page.get_by_text("Carriers block public short links").first).to_be_visible()
        shot(page, "review")
        assert accessibility_findings(page) == []
        page.keyboard.press("r")
        page.keyboard.type("Use our own link.")
        page.get_by_role("button", name="Send back").click()
        expect(page.get_by_text("Nothing waits for a reviewer")).to_be_visible(timeout=15_000)

    assert TemplateVersion.objects.get(number=2).return_reason == "Use our own link."


def test_a_member_is_explained(staff_web: str) -> None:
    with browsing(staff_web) as page:
        log_in(page, "mei")
        page.goto("/members/")
        page.get_by_role("link", name="Li Lei").first.click()
        page.get_by_role("link", name="Explain today").click()
        page.get_by_label("A text in full").select_option(label="Autumn · Marketing")
        expect(page.locator(".gates")).to_contain_text("has not agreed", timeout=15_000)
        shot(page, "explain")
        assert accessibility_findings(page) == []
