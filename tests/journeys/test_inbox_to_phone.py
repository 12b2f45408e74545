"""A member texts from a handset: the ledger answers, STOP is obeyed, a question is answered by a person, and arrives."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from members.domain.enrolment import phone_hash
from messaging.models import Conversation, Message, Suppression
from messaging.states import State
from tests.journeys.browser_chromium import accessibility_findings, browsing, log_in, need_chromium
from tests.journeys.dispatch_stage import wait_for
from tests.journeys.house import House, Shop

pytestmark = pytest.mark.browser
ZHAO = "+8613988887777"


def test_what_a_handset_texts_is_answered(house: House, shop: Shop):
    need_chromium()
    house.open_web()
    house.open_gateway()
    shop.enrol("13988887777", "Zhao Min")
    with browsing(house.url) as desk:
        phone = desk.context.new_page()
        phone.goto(f"{house.carrier.page_url}?phone={ZHAO[1:]}")
        phone.locator("#add [name=phone]").fill(ZHAO[1:])
        phone.locator("#add [name=phone]").press("Enter")
        handset = phone.locator(f"#phone-{ZHAO[1:]}")
        send(phone, "余额")
        send(phone, "STOP")
        send(phone, "balanse")
        send(phone, "Do you cut beards too?")
        expect(handset).to_contain_text("no more marketing")
        wait_for(lambda: answers() == 3, 10, "balance twice and the confirmation")
        wait_for(lambda: Conversation.objects.exists(), 10, "the question in the inbox")

        log_in(desk, "cashier")
        desk.goto("/inbox/")
        desk.get_by_role("link", name=re.compile("Zhao Min")).click()
        expect(desk.get_by_role("log")).to_contain_text("Do you cut beards too?")
        assert accessibility_findings(desk) == []
        desk.get_by_label("Answer by text").fill("Yes, every day until eight.")
        desk.get_by_role("button", name="Send").click()
        expect(handset).to_contain_text("Yes, every day until eight.")
        expect(desk.get_by_role("log")).to_contain_text("Delivered")  # by itself

    assert Suppression.objects.filter(phone_hash=phone_hash(ZHAO), lifted_at=None).exists()
    assert Conversation.objects.get().status == "waiting"


def send(phone: Page, words: str) -> None:
    """Type on the handset and send."""
    typing = phone.locator(f"#phone-{ZHAO[1:]} .reply [name=text]")
    typing.fill(words)
    typing.press("Enter")
    expect(phone.locator(f"#phone-{ZHAO[1:]}")).to_contain_text(words)


def answers() -> int:
    return Message.objects.filter(cause="reply", state=State.DELIVERED).count()
