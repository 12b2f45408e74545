"""What the tests of the back office share: people logged in, and one row of everything at Riverside."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from campaigns.enums import RunStatus
from campaigns.models import Campaign, Run, TriggerRule
from crm.api.models import ApiKey
from members.domain.spending import spend
from members.enums import Role
from members.models import (
    EarningRule,
    MembershipEvent,
    Operation,
    Purchase,
    RechargePlan,
    Reward,
    Staff,
    StaffLimit,
    Store,
    StoreAcceptance,
)
from messaging.domain.outbox import Draft, enqueue
from messaging.domain.texts import save_draft
from messaging.enums import Cause, MessageClass
from messaging.models import Gateway, InboundText, Message, Template
from tests.conftest import NOON, employ, log_in


def at_desk(staff: Staff) -> Client:
    """A browser in which this person has logged in."""
    client = Client()
    log_in(client, staff)
    return client


@pytest.fixture
def boss(riverside: Store) -> Client:
    """The superuser."""
    zhou = Staff.objects.create_superuser("zhou", password="a long enough word", display_name="Zhou Min")
    return at_desk(zhou)


@pytest.fixture
def manager(mei: Staff) -> Client:
    """Mei's browser: manager and marketer at Riverside."""
    return at_desk(mei)


@pytest.fixture
def owner(riverside: Store) -> Client:
    return at_desk(employ(riverside, "olga", Role.OWNER))


@pytest.fixture
def auditor(riverside: Store) -> Client:
    return at_desk(employ(riverside, "audra", Role.AUDITOR))


@pytest.fixture
def neighbour(hilltop: Store) -> Client:
    """Hana's browser: manager, marketer and owner of Hilltop, a stranger to Riverside."""
    return at_desk(employ(hilltop, "hana", Role.MANAGER, Role.MARKETER, Role.OWNER))


@pytest.fixture
def welcome(riverside: Store, mei: Staff) -> Template:
    """Riverside's text for a spend, approved by itself."""
    template = Template.objects.create(
        key="riverside-spent",
        name="Riverside spent",
        message_class=MessageClass.TRIGGER,
        event_type="card_spent",
        store=riverside,
    )
    text = "{name}: {amount} paid, balance {balance}. Questions? {store_phone}"
    save_draft(template=template, language="en", text=text, by=mei, at=NOON)
    return template


@pytest.fixture
def of_riverside(riverside, mei, loaded_card, at_till, welcome, chen) -> dict[str, Model]:
    """One row of everything that belongs to Riverside, by its label; named so that a leak shows."""
    member = loaded_card.member
    spend(actor=at_till, key="spent", at=NOON, store=riverside, card=loaded_card, amount_minor=12000)
    gateway = Gateway.objects.create(name="Carrier", host="127.0.0.1", port=2775, system_id="regulars")
    rule = TriggerRule.objects.create(
        name="Riverside rule", event_type="card_spent", template=welcome, store=riverside
    )
    plan = RechargePlan.objects.create(name="Riverside 500", store=riverside, pay_minor=50000)
    reward = Reward.objects.create(name="Riverside tea", store=riverside, points=100)
    earning = EarningRule.objects.create(name="Riverside double", store=riverside, points=5)
    campaign = Campaign.objects.create(name="Riverside push", store=riverside, created_by=mei)
    run = Run.objects.create(
        campaign=campaign, window="once", as_of=NOON, started_at=NOON, status=RunStatus.DONE
    )
    limit = StaffLimit.objects.create(deed="refund", role=Role.CASHIER, store=riverside, amount_max=1)
    key, _secret = ApiKey.objects.create_key(name="Riverside partner")
    key.stores.set([riverside])
    inbound = InboundText.objects.create(
        gateway=gateway, phone=member.phone, text="Riverside hello", member=member
    )
    enqueue([draft_to(member, riverside)], at=NOON)
    rows: list[Model] = [
        riverside, chen, member, loaded_card, plan, reward, earning, rule, welcome, welcome.versions.get(), campaign, run, key,
        limit,
        inbound, Operation.objects.latest("pk"), MembershipEvent.objects.latest("pk"), Purchase.objects.get(),
        Message.objects.latest("pk"),
        StoreAcceptance.objects.create(issuer=Store.objects.create(name="Elsewhere"), server=riverside),
    ]  # fmt: skip
    return {row._meta.label: row for row in rows}


def draft_to(member: Any, store: Store) -> Draft:
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=store.pk,
        message_class=MessageClass.TRIGGER,
        text="Riverside greets",
        encoding="GSM-7",
        parts=1,
        cause=Cause.API,
        cause_id=1,
        timezone="Asia/Shanghai",
    )
