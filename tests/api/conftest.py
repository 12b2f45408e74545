"""Partners: other companies' systems with a key, calling through the whole of Django."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from campaigns.models import TriggerRule
from crm.api.models import ApiKey
from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor, TenderPaid
from members.enums import ConsentSource, TenderType
from members.models import Card, CardProduct, Staff, Store
from messaging.domain.texts import approve, save_draft
from messaging.enums import MessageClass
from messaging.models import Template
from tests.conftest import NOON

_intents = count(1)


class Partner:
    """Another system: its key, and the calls it makes."""

    def __init__(self, key: ApiKey, secret: str) -> None:
        self.key = key
        self.secret = secret
        self.client = Client(raise_request_exception=False, headers={"Authorization": f"Api-Key {secret}"})

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.client.get(f"/api/v1/{path}", headers=headers)

    def post(self, path: str, body: Any, key: str = "") -> HttpResponse:
        return self.send(
            path, json.dumps(body).encode(), **{"Idempotency-Key": key or f"intent-{next(_intents)}"}
        )

    def send(
        self, path: str, raw: bytes, media_type: str = "application/json", **headers: str
    ) -> HttpResponse:
        return self.client.post(f"/api/v1/{path}", raw, content_type=media_type, headers=headers)


def give_key(name: str, *stores: Store) -> Partner:
    key, secret = ApiKey.objects.create_key(name=name)
    key.stores.set(stores)
    return Partner(key, secret)


@pytest.fixture
def partner(riverside: Store) -> Partner:
    """The booking system of Riverside."""
    return give_key("Riverside bookings", riverside)


@pytest.fixture
def stranger(hilltop: Store) -> Partner:
    """The booking system of Hilltop: nothing of Riverside is its business."""
    return give_key("Hilltop bookings", hilltop)


@pytest.fixture
def group(riverside: Store, hilltop: Store) -> Partner:
    """The head office's system, for both stores."""
    return give_key("Head office", riverside, hilltop)


Rule = Callable[..., TriggerRule]


@pytest.fixture
def rule(mei: Staff) -> Rule:
    """A trigger rule with its text: `rule("booking_made", "See you at {starts_at}.")`."""

    def _rule(event_type: str, text: str) -> TriggerRule:
        template = Template.objects.create(
            key=event_type.replace(".", "-"),
            name=event_type,
            message_class=MessageClass.NOTIFICATION,
            event_type=event_type,
        )
        approve(
            version=save_draft(template=template, language="en", text=text, by=mei, at=NOON), by=mei, at=NOON
        )
        return TriggerRule.objects.create(
            name=f"Text on {event_type}", event_type=event_type, template=template
        )

    return _rule


@pytest.fixture
def committed(committed_db: None) -> None:
    """A database whose transactions are real, for threads."""


@pytest.fixture
def busy_shop(committed: None) -> tuple[Partner, Card]:
    """A shop with a partner and Li Lei's card with 500.00 on it, all committed."""
    store = Store.objects.create(name="Riverside", sms_signature="常客", language="en")
    product = CardProduct.objects.create(name="House card")
    till = Actor(scope="till")
    consents = Consents(True, True, "2026-11", ConsentSource.TILL)
    member = enrol_member(actor=till, key="e", at=NOON, store=store, phone="13800138000", consents=consents)
    card, _ = open_card(actor=till, key="o", at=NOON, store=store, member=member, product=product)
    tender = TenderPaid(TenderType.CASH, 50000)
    recharge_card(actor=till, key="r", at=NOON, store=store, card=card, tender=tender)
    return give_key("POS", store), card
