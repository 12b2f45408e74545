"""From the till to a phone and back, with every process of the house and two people at their browsers."""

from __future__ import annotations

import re

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from campaigns.domain import drafting
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind
from campaigns.models import Campaign
from members.models import Member
from messaging.models import Message
from messaging.states import Reason, State
from tests.journeys.browser_chromium import browsing, log_in, need_chromium
from tests.journeys.dispatch_stage import wait_for, zone_where_it_is
from tests.journeys.house import House, Shop

pytestmark = pytest.mark.browser
ZHAO = "8613988887777"


@pytest.fixture
def promotion(shop: Shop) -> Campaign:
    """A promotion to everybody at Riverside, its text approved by a second person, not yet launched."""
    marketer, owner = shop.staff["marketer"], shop.staff["owner"]
    campaign = drafting.create_draft(
        kind=CampaignKind.PUSH, store=shop.riverside, name="Autumn days", by=marketer
    )
    wording = {"en": "{name|Hello}, 20% off this week at {store}.", "zh-hans": "{name|您好}，本周八折。"}
    campaign = drafting.save_plan(campaign=campaign, audience=Audience(), wording=wording, changes={})
    drafting.submit(campaign=campaign, by=marketer, at=now())
    drafting.approve(campaign=campaign, by=owner, at=now())
    return campaign


def test_recharge_delivered_stop_and_the_next_promotion(house: House, shop: Shop, promotion: Campaign):
    need_chromium()
    house.open_web()
    house.start_worker()
    house.open_gateway()
    han = shop.enrol("13900139000", "Han Meimei")
    with browsing(house.url) as till:
        log_in(till, "cashier")
        enrol_and_open(till)
        recharge(till)
        phone = till.context.new_page()
        phone.goto(f"{house.carrier.page_url}?phone={ZHAO}")
        handset = phone.locator(f"#phone-{ZHAO}")
        expect(handset).to_contain_text(re.compile(r"Balance now \D*500\.00"))
        expect(till.get_by_text("Delivered").first).to_be_visible()  # by itself

        answer(phone, "STOP")
        expect(handset).to_contain_text("no more marketing")

    Member.objects.update(timezone=zone_where_it_is(12))
    with browsing(house.url) as desk:
        log_in(desk, "manager")
        launch(desk, promotion)
        expect(
            desk.get_by_text("The number has opted out").or_(desk.get_by_text("has not agreed")).first
        ).to_be_visible()
        expect(desk.get_by_role("img", name="1 sent, 1 delivered, 0 failed")).to_be_visible(timeout=20_000)

        phone = desk.context.new_page()
        phone.goto(f"{house.carrier.page_url}?phone={ZHAO}")
        answer(phone, "balance")
        expect(phone.locator(f"#phone-{ZHAO}")).to_contain_text("Your balance")

    assert_left_out_with_the_reason(promotion, han)
    assert not any("20% off" in text for text in house.handset(ZHAO))
    assert [text for text in house.handset(han.phone) if "20% off this week at Riverside" in text]


def enrol_and_open(till: Page) -> None:
    till.keyboard.type("13988887777")
    expect(till.get_by_role("heading", name="Nobody here has that")).to_be_visible()
    till.keyboard.press("F2")
    expect(till.get_by_label("Mobile number")).to_have_value("13988887777")
    till.get_by_role("textbox", name="Name").fill("Zhao Min")
    till.get_by_label("Service texts").check()
    till.get_by_label("Marketing texts").check()
    till.get_by_role("button", name="Enrol").click()
    expect(till.get_by_text("Zhao Min is a member now")).to_be_visible()
    till.get_by_role("button", name="Open the card").click()
    expect(till.get_by_text("The card is open.")).to_be_visible()


def recharge(till: Page) -> None:
    till.keyboard.press("F4")
    till.get_by_label("Any amount").check()
    till.locator("#id_amount").fill("500")
    expect(till.get_by_text("will be sent")).to_be_visible()
    till.get_by_role("button", name="Recharge").last.click()
    expect(till.get_by_role("heading", name=re.compile("Recharge"))).to_contain_text("500.00")


def answer(phone: Page, words: str) -> None:
    """Type on the handset and send."""
    typing = phone.locator(f"#phone-{ZHAO} .reply [name=text]")
    typing.fill(words)
    typing.press("Enter")


def launch(desk: Page, promotion: Campaign) -> None:
    desk.goto(f"/campaigns/{promotion.public_id}/plan/")
    desk.get_by_role("button", name="Launch…").click()
    desk.get_by_role("button", name=re.compile("Send 1 text")).click()
    desk.wait_for_url("**/campaigns/runs/**")


def assert_left_out_with_the_reason(promotion: Campaign, han: Member) -> None:
    run = promotion.runs.get()
    texts = Message.objects.filter(cause="run", cause_id=run.pk)
    wait_for(lambda: texts.get(member=han).state == State.DELIVERED, 10, "Han's promotion")
    left_out = texts.get(member__name="Zhao Min")
    assert (left_out.state, left_out.reason in (Reason.OPTED_OUT, Reason.NO_CONSENT)) == (
        State.SUPPRESSED,
        True,
    )
