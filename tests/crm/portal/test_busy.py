"""A database that cannot count in time: told, not broken."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Event

import pytest
from django.db import connection, transaction
from django.test import Client

from members.models import Transfer
from messaging.domain import verification_limits
from messaging.domain.verification_asker import asker_of
from tests.crm.portal.conftest import texted_code
from tests.crm.portal.test_giving import asked


@pytest.fixture
def db(committed_db: None) -> None:
    """Two connections: the browser's, and one that holds the number's turn."""


@pytest.fixture
def held_turn(li_lei, monkeypatch) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """While it is entered somebody else has Li Lei's turn, and nobody waits long for it."""
    monkeypatch.setattr(verification_limits, "WAIT_FOR_TURN", "100ms")

    @contextmanager
    def hold() -> Iterator[None]:
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
                yield
            finally:
                is_over.set()
            holding.result(20)

    return hold


def test_a_code_that_cannot_be_counted_in_time_is_asked_again(li_lei, held_turn):
    browser = Client(raise_request_exception=False)
    browser.post("/portal/login/", {"phone": li_lei.phone})

    with held_turn():
        busy = browser.post("/portal/login/code/", {"code": texted_code(li_lei)})

    assert (busy.status_code, busy["Retry-After"]) == (503, "5")
    assert browser.post("/portal/login/code/", {"code": texted_code(li_lei)}).status_code == 302


def test_so_is_the_code_of_a_gift_and_the_form_stays_as_typed(at_home, loaded_card, held_turn):
    gift = asked(loaded_card, note="Birthday", do="offer", code="123456")

    with held_turn():
        busy = at_home.post("/portal/transfers/new/", gift)

    assert busy.status_code == 422
    page = busy.content.decode()
    assert "Codes cannot be checked at the moment." in page and 'value="Birthday"' in page
    assert not Transfer.objects.exists()
