"""Debian's Chromium for the journeys, and what a person at the till does with it.

Without the browser a journey is skipped aloud; where CI is set that is a failure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]
PASSWORD = "a long enough word"


def need_chromium() -> None:
    """Stop here when there is no browser to drive."""
    if CHROMIUM.exists():
        return
    reason = (
        f"NO BROWSER: {CHROMIUM} is not installed (Debian: apt install chromium); this journey was not made"
    )
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def serving() -> Iterator[str]:
    """The site on a port of its own, over what `committed_db` holds; yields its address."""
    server = LiveServer("localhost")
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def browsing(url: str, **context: Any) -> Iterator[Page]:
    """A fresh browser on that site; errors of its scripts fail the test."""
    need_chromium()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's loop runs in this thread; ours is not async
    broken: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_context(
            base_url=url, viewport={"width": 1440, "height": 1000}, **context
        ).new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        try:
            yield page
        finally:
            browser.close()
            # While the browser's loop runs, Django gives this thread a second connection; left open it would wait
            # for the next browser test, and a journey that throws others out of the database would have cut it.
            connections.close_all()
    assert broken == []


def log_in(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile("/(till|overview)/$"))


def accessibility_findings(page: Page) -> list[str]:
    """What axe has against the page as it stands, one line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}" for rule in found for node in rule["nodes"]
    ]
