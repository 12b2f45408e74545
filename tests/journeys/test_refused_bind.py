"""A carrier that does not take our password: no hammering, a word to the owner, and back once it is corrected."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from members.models import Member, Staff
from messaging.domain.dispatch.connector import WRONG_CREDENTIALS
from messaging.enums import MessageClass
from messaging.models import Attempt, Gateway, Message
from messaging.secrets import encrypt_secret
from messaging.states import Reason, State
from tests.journeys.dispatch_stage import queue, states, wait_for
from tests.messaging.gateways.smpp.peers import ScriptedSmsc

INVALID_PASSWORD = 0x0E


class PickyCarrier(ScriptedSmsc):
    """A carrier in a thread of its own that knows one password. `closed_account`: it says no to every text as well."""

    def __init__(self, password: str) -> None:
        self.password, self.closed_account = password, False
        super().__init__(lambda number: INVALID_PASSWORD if self.closed_account else 0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self.start(), self._loop).result(5)

    def _reply(self, pdu: bytes, command: int, status: int, sequence: int) -> bytes:
        is_right = b"\0" + self.password.encode() + b"\0" in pdu
        self.bind_status = 0 if is_right else INVALID_PASSWORD
        return super()._reply(pdu, command, status, sequence)

    def leave(self) -> None:
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def carrier() -> Iterator[PickyCarrier]:
    carrier = PickyCarrier("right")
    yield carrier
    carrier.leave()


def account(carrier: PickyCarrier, password: str) -> Gateway:
    return Gateway.objects.create(
        name="Main", host="127.0.0.1", port=carrier.port, system_id="shop", secret=encrypt_secret(password)
    )


def bind_state() -> str:
    return Gateway.objects.get().bind_state


def owners_page(language: str) -> str:
    """What the superuser reads about the gateway in the back office."""
    client = Client()
    boss = Staff.objects.filter(is_superuser=True).first() or Staff.objects.create_superuser(
        "zhou", password="x"
    )
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client.get(
        reverse("admin:messaging_gateway_change", args=[Gateway.objects.get().pk])
    ).content.decode()


def test_a_wrong_password_is_tried_once_told_and_corrected(carrier, gateways, li_lei: Member):
    gateway = account(carrier, "wrong")
    gateways.start()
    wait_for(lambda: bind_state() == "refused", 20, "the refusal")
    queue([li_lei], MessageClass.NOTIFICATION)

    time.sleep(5)  # more than two leases of two seconds

    assert len(carrier.binds) == 1, "no hammering, also not when the lease is renewed"
    assert (bind_state(), Gateway.objects.get().last_error) == ("refused", WRONG_CREDENTIALS)
    assert "refused the user name or the password. Check them with your carrier." in owners_page("en")
    assert "Check them with your carrier" not in owners_page("zh-hans"), "in the reader's language"
    assert states() == {State.QUEUED: 1} and Attempt.objects.count() == 0 and carrier.submits == []

    Gateway.objects.filter(pk=gateway.pk).update(secret=encrypt_secret("right"))
    wait_for(lambda: states() == {State.ACCEPTED: 1}, 8, "the text, without anybody restarting anything")

    assert (bind_state(), Gateway.objects.get().last_error) == ("bound", "")
    assert len(carrier.binds) == 2 and len(carrier.submits) == 1


def test_an_account_closed_while_texts_leave_keeps_them_and_does_not_hammer(
    carrier, gateways, li_lei: Member
):
    account(carrier, "right")
    gateways.start()
    wait_for(lambda: bind_state() == "bound", 20, "the bind")
    carrier.closed_account = True

    queue([li_lei], MessageClass.NOTIFICATION)
    wait_for(lambda: states() == {State.RETRY_WAIT: 1}, 20, "the refusal of the text")
    time.sleep(2)
    tries = len(carrier.submits)
    carrier.closed_account = False
    wait_for(lambda: states() == {State.ACCEPTED: 1}, 12, "the text, once the account is open again")

    assert tries == 1 and len(carrier.submits) == 2, "one try, then a pause of seconds"
    assert list(Attempt.objects.order_by("id").values_list("outcome", "raw_status"))[0] == (
        "stop_bind",
        "0x0E",
    )
    assert Message.objects.get().reason == Reason.NONE
