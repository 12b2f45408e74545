"""Chen's log-in ends while she recharges a card: she logs in in another window and presses again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from members.models import Operation
from tests.journeys.browser_chromium import accessibility_findings, browsing, log_in, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def db(committed_db: None) -> None:
    """Committed, for the server's own connections."""


@pytest.fixture
def shop(db: None, card) -> Iterator[str]:
    with serving() as url:
        yield url


def test_the_recharge_goes_on_after_the_log_in_in_another_window(shop, card):
    with browsing(shop) as page:
        log_in(page, "chen")
        page.goto(f"/till/cards/{card.public_id}/recharge/")
        page.context.clear_cookies(name="regulars_session")

        page.get_by_label("Amount (¥)").fill("500")

        asked = page.get_by_role("dialog", name="You have been logged out")
        expect(asked).to_be_visible()
        assert accessibility_findings(page) == []
        with page.context.expect_page() as opened:
            asked.get_by_role("link", name="Log in").click()
        log_in(opened.value, "chen")
        opened.value.close()
        expect(page.locator("#id_amount")).to_have_value("500")
        page.locator("button[form=deed-form]").click()
        expect(page.locator("#deed").get_by_role("heading", name="Recharge")).to_contain_text("¥500.00")

    assert Operation.objects.filter(kind="recharge").count() == 1
