"""Chen forgets the amount, Mei mistypes a number; and a receipt of a large balance is printed on 72 mm of paper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from members.domain.cards import recharge_card
from members.domain.ledger import TenderPaid
from members.enums import TenderType
from tests.conftest import NOON
from tests.journeys.browser_chromium import browsing, log_in, serving

pytestmark = pytest.mark.browser
WIDTH_OF_72_MM = 272


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the server's own connections."""


@pytest.fixture
def shop(db: None, card) -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.mark.parametrize(("language", "said"), [("en-US", "Enter an amount."), ("zh-CN", "请输入金额。")])
def test_no_amount_is_told_beside_the_field_in_our_words(shop, card, language, said):
    with browsing(shop, locale=language) as page:
        page.goto("/login/")
        page.locator("input[name=username]").fill("chen")
        page.locator("input[name=password]").fill("a long enough word")
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url("**/till/")
        page.goto(f"/till/cards/{card.public_id}/recharge/")

        page.locator("button[form=deed-form]").click()

        expect(page.locator("#deed").get_by_text(said)).to_be_visible()
        expect(page.locator("#id_amount")).to_be_focused()


def test_a_number_too_small_is_told_beside_the_field_in_our_words(shop, mei):
    with browsing(shop) as page:
        log_in(page, "mei")
        page.goto("/coupons/new/")
        page.get_by_label("How many in all").fill("-3")

        page.get_by_role("button", name="Save").click()

        said = page.locator(".field", has=page.get_by_label("How many in all")).locator(".errorlist")
        expect(said).to_have_text("Ensure this value is greater than or equal to 0.")


def test_a_form_that_is_a_page_of_its_own_is_typed_into_at_once(shop, card):
    with browsing(shop) as page:
        log_in(page, "chen")

        page.goto(f"/till/cards/{card.public_id}/recharge/")

        expect(page.locator("#id_amount")).to_be_focused()
        page.keyboard.type("500")
        page.keyboard.press("Tab")
        expect(page.locator("#deed").get_by_role("button", name="Recharge").first).to_be_focused()
        page.goto("/till/")
        expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_refused_form_is_gone_on_with_at_what_is_wrong(shop, mei):
    with browsing(shop) as page:
        log_in(page, "mei")
        page.goto("/coupons/new/")
        page.get_by_label("How many in all").fill("-3")

        page.get_by_role("button", name="Save").click()

        expect(page.locator("main [aria-invalid=true]").first).to_be_focused()


def test_a_large_balance_stands_on_one_line_of_the_receipt(shop, card, at_till, riverside):
    tender = TenderPaid(TenderType.CASH, 10**9)
    paid = recharge_card(actor=at_till, key="r", at=NOON, store=riverside, card=card, tender=tender)
    with browsing(shop) as page:
        log_in(page, "chen")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": WIDTH_OF_72_MM, "height": 700})
        page.goto(f"/till/operations/{paid.operation.public_id}/")

        receipt = page.locator(".receipt--only")
        label, sum_of_it = (receipt.locator(f".sums__total {part}") for part in ("dt", "dd"))
        expect(sum_of_it).to_have_text("¥10,000,000.00")
        for words in (label, sum_of_it):
            assert words.evaluate("node => node.getClientRects().length") == 1
            assert words.evaluate("node => node.offsetHeight") < 30
        assert receipt.evaluate("node => node.scrollWidth <= node.clientWidth")
