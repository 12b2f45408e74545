"""Debian's Chromium for the journeys, and what a person at the till does with it.

Without the browser a journey is skipped aloud; where CI is set that is a failure.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright
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


class Chromium:
    """One browser for all tests of a process: starting one takes longer than most of what is done in it."""

    def __init__(self) -> None:
        self._playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self._browser = self._playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)

    @contextmanager
    def awake(self) -> Iterator[Browser]:
        """Its loop counts as running in this thread only here: Django and asyncio ask for that in every test."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
        finally:
            # While the browser's loop runs, Django gives this thread a second connection; left open it would wait
            # for the next browser test, and a journey that throws others out of the database would have cut it.
            connections.close_all()
            asyncio._set_running_loop(None)

    def quit(self) -> None:
        with self.awake():
            self._browser.close()
            self._playwright.stop()


chromium = cache(Chromium)


def quit_chromium() -> None:
    """Close this process's browser, if a test has opened one."""
    if chromium.cache_info().currsize:
        chromium().quit()
        chromium.cache_clear()


@contextmanager
def browsing(url: str, **context: Any) -> Iterator[Page]:
    """A fresh profile of the browser on that site; errors of its scripts fail the test."""
    need_chromium()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's loop runs in this thread; ours is not async
    broken: list[str] = []
    with chromium().awake() as browser:
        profile = browser.new_context(base_url=url, viewport={"width": 1440, "height": 1000}, **context)
        try:
            page = profile.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: broken.append(str(error)))
            yield page
        finally:
            profile.close()
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
