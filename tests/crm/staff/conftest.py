"""What the tests of the staff web share: people logged in, a rule that speaks, a form that is sent."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import TriggerRule
from members.enums import Role
from members.models import Card, RechargePlan, Staff, Store
from messaging.domain.texts import save_draft
from messaging.enums import Cause, MessageClass
from messaging.models import Message, Template
from tests.conftest import NOON, employ, log_in


def at_work(staff: Staff, *, htmx: bool = False) -> Client:
    """A browser in which this person has logged in; with `htmx` it asks for parts of pages."""
    client = Client(headers={"HX-Request": "true"} if htmx else {})
    log_in(client, staff)
    return client


@pytest.fixture
def cashier(chen: Staff) -> Client:
    """Chen's browser at Riverside's till."""
    return at_work(chen)


@pytest.fixture
def manager(mei: Staff) -> Client:
    return at_work(mei)


@pytest.fixture
def stranger(wang: Staff) -> Client:
    """Wang's browser: a cashier of another store."""
    return at_work(wang)


@pytest.fixture
def auditor(riverside: Store) -> Client:
    return at_work(employ(riverside, "audra", Role.AUDITOR))


@pytest.fixture
def plan(db: None) -> RechargePlan:
    """Pay 500.00, get 80.00 on top."""
    return RechargePlan.objects.create(name="500", pay_minor=50000, bonus_minor=8000, bonus_valid_days=180)


SpeakingRule = Callable[..., TriggerRule]


@pytest.fixture
def rule(mei: Staff) -> SpeakingRule:
    """Make an event speak: `rule("card_spent", "{name}: {amount}. Balance {balance}.")`."""

    def _rule(event: str, text: str, **more: Any) -> TriggerRule:
        template = Template.objects.create(
            key=event.replace("_", "-"), name=event, message_class=MessageClass.TRIGGER, event_type=event
        )
        save_draft(template=template, language="en", text=text, by=mei, at=NOON)
        return TriggerRule.objects.create(name=f"On {event}", event_type=event, template=template, **more)

    return _rule


def send(client: Client, deed: str, subject: Any, once: str = "", **fields: Any) -> HttpResponse:
    """Send a deed's form as the till does, with a fresh key unless one is given."""
    where = reverse(f"staff:{deed}", args=[subject.public_id] if subject else [])
    return client.post(where, {"tender": "cash", "idempotency_key": once or str(uuid4()), **fields})


def code_sent(client: Client, deed: str, card: Card) -> str:
    """The code the member reads out: `send_code` or `send_pass_on_code`. The first of a minute is the last."""
    client.post(reverse(f"staff:{deed}", args=[card.public_id]))
    text = Message.objects.filter(member=card.member, cause=Cause.CODE).latest("id").text
    return "".join(char for char in text if char.isdigit())[:6]


def words_of(response: HttpResponse) -> str:
    """What stands on the page, without its marks, one space between the words."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", response.content.decode())).split())


def text_of(response: HttpResponse) -> str:
    """The page, but for its random tokens: those spell any short word now and then."""
    return re.sub(r"\b[0-9A-Za-z]{64}\b", "", response.content.decode())


def balance_of(card: Card) -> int:
    return sum(card.accounts.values_list("balance", flat=True))


def queries_of(client: Client, where: str, **asked: Any) -> int:
    """How often a page asks the database."""
    with CaptureQueriesContext(connection) as asking:
        assert client.get(where, asked).status_code == 200
        return len(asking)
