"""The documentation is whole, and its page works offline under the strict content policy."""

import re
import threading
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import sync_playwright

from crm.api import problems
from crm.wsgi import application

CHROMIUM = "/usr/bin/chromium"
GUIDE = Path(settings.BASE_DIR) / "docs" / "api.md"
WRITES = {
    "report_event",
    "enrol_member",
    "open_card",
    "recharge_card",
    "spend",
    "send_code",
    "redeem_points",
    "hold_value",
    "capture_hold",
    "release_hold",
    "take_service",
    "return_service",
    "refund",
}
READS = {
    "list_members",
    "show_member",
    "show_member_balances",
    "list_member_statement",
    "list_member_coupons",
    "show_hold",
    "list_categories",
    "show_card",
    "show_message",
    "list_stores",
    "list_products",
    "list_plans",
    "list_rewards",
}


@cache
def schema() -> dict:
    """As served; no test changes it, and to make and read it takes a second."""
    return yaml.safe_load(Client().get("/api/schema/").content)


def operations() -> dict[str, dict]:
    return {deed["operationId"]: deed for path in schema()["paths"].values() for deed in path.values()}


def test_the_file_is_valid_openapi_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())

    assert schema()["openapi"] == "3.1.0"
    assert set(operations()) == WRITES | READS


@pytest.mark.parametrize("name", sorted(WRITES))
def test_every_write_documents_its_key_its_examples_and_its_refusals(name):
    deed = operations()[name]

    keys = [
        p
        for p in deed["parameters"]
        if (p["name"], p["in"], p["required"]) == ("Idempotency-Key", "header", True)
    ]
    assert len(keys) == 1
    assert deed["requestBody"]["required"] and deed["requestBody"]["content"]["application/json"]["examples"]
    refusals = {
        status for status, answer in deed["responses"].items() if problems.MEDIA_TYPE in answer["content"]
    }
    assert refusals == {"400", "401", "403", "404", "406", "409", "413", "415", "422", "429", "503"}


def test_no_body_takes_undocumented_members():
    bodies = {name: body for name, body in schema()["components"]["schemas"].items() if "Body" in name}

    assert bodies and all(body["additionalProperties"] is False for body in bodies.values())


def test_the_guide_names_every_code_there_is():
    source = "\n".join(path.read_text() for path in sorted(Path(problems.__file__).parent.glob("*.py")))
    codes = set(re.findall(r'(?:Problem\(\s*\d+,|malformed\(|_at_store\()\s*"([a-z0-9_]+)"', source))
    codes |= set(re.findall(r'exceptions\.\w+: "([a-z_]+)"', source))

    untold = (
        codes
        - set(re.findall(r"`([a-z0-9_]+)`", GUIDE.read_text()))
        - {"internal_error", "forbidden", "malformed"}
    )
    assert len(codes) > 25 and not untold


def test_the_page_asks_nothing_of_other_hosts_and_has_nothing_inline():
    answer = Client().get("/api/docs/")
    page = answer.content.decode()

    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
    assert not re.search(r"<style|style=|<script>|https?://", page)


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    """The application on a real port."""
    with make_server("127.0.0.1", 0, application, handler_class=QuietHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no Chromium")
def test_the_page_shows_every_operation_without_a_word_on_the_console(web):
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{web}/api/docs/")
        page.wait_for_selector(".opblock")
        shown = page.locator(".opblock").count()
        browser.close()

    assert (shown, said) == (len(WRITES | READS), [])
