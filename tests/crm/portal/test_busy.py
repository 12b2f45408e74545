"""A database that cannot count in time: told, not broken."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.test import Client

from messaging.domain import verification_limits
from messaging.domain.verification_asker import asker_of
from tests.crm.portal.conftest import texted_code


@pytest.fixture
def db(committed_db: None) -> None:
    """Two connections: the browser's, and one that holds the number's turn."""


def test_a_code_that_cannot_be_counted_in_time_is_asked_again(li_lei, monkeypatch):
    browser = Client(raise_request_exception=False)
    browser.post("/portal/login/", {"phone": li_lei.phone})
    monkeypatch.setattr(verification_limits, "WAIT_FOR_TURN", "100ms")
    is_held, is_over = Event(), Event()

    def hold_the_turn() -> None:
        try:
            with transaction.atomic():
                verification_limits.take_turns(asker_of(li_lei.phone, "127.0.0.1"))
                is_held.set()
                is_over.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(hold_the_turn)
        try:
            assert is_held.wait(10)
            busy = browser.post("/portal/login/code/", {"code": texted_code(li_lei)})
        finally:
            is_over.set()
        holding.result(20)

    assert (busy.status_code, busy["Retry-After"]) == (503, "5")
    assert browser.post("/portal/login/code/", {"code": texted_code(li_lei)}).status_code == 302
