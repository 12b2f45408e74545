"""A shop that plans campaigns: Mei writes, Ana may approve, three members may or may not be texted."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.domain import drafting, launching, runs
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind
from campaigns.models import Campaign, Run
from crm.staff.campaigns.plan_form import print_of, shown, values_of
from members.enums import Role
from members.models import Member, Staff, Store
from tests.conftest import NOON, employ

TEXT = {"en": "{name|Hello}, 20% off this week at {store}."}


@pytest.fixture
def ana(riverside: Store) -> Staff:
    """Ana, owner: the second pair of eyes."""
    return employ(riverside, "ana", Role.OWNER)


@pytest.fixture
def draft(riverside: Store, mei: Staff) -> Campaign:
    """Mei's promotion, written and not handed over."""
    campaign = drafting.create_draft(kind=CampaignKind.PUSH, store=riverside, name="Autumn", by=mei)
    return drafting.save_plan(campaign=campaign, audience=Audience(), wording=TEXT, changes={})


@pytest.fixture
def approved(draft: Campaign, mei: Staff, ana: Staff) -> Campaign:
    drafting.submit(campaign=draft, by=mei, at=NOON)
    drafting.approve(campaign=draft, by=ana, at=NOON)
    return draft


@pytest.fixture
def people(enrol) -> list[Member]:
    """Anna and Bao agreed; Cui did not."""
    return [
        enrol("13800138001", name="Anna", language="en"),
        enrol("13800138002", name="Bao", language="zh-hans"),
        enrol("13800138003", name="Cui", marketing=False),
    ]


@pytest.fixture
def sent_run(approved: Campaign, people: list[Member], mei: Staff) -> Run:
    """Autumn, launched at noon and expanded: two texts queued, one left out."""
    run = launching.launch(campaign=approved, by=mei, at=NOON)
    runs.freeze(run_id=run.pk)
    runs.expand(run_id=run.pk, chunk=0, at=NOON)
    run.refresh_from_db()
    return run


def typed(campaign: Campaign, **changes: str) -> dict[str, str]:
    """The composer's form as the page would send it, with some fields typed anew."""
    campaign.refresh_from_db()
    values = shown(values_of(campaign))
    plain = {name: "" if value in (None, False, []) else str(value) for name, value in values.items()}
    return plain | {"seen": print_of(campaign)} | changes


def post(client: Client, name: str, subject, fields=None):
    return client.post(reverse(f"staff:{name}", args=[subject.public_id]), fields or {})


def show(client: Client, name: str, subject, **query: str):
    return client.get(reverse(f"staff:{name}", args=[subject.public_id]), query)
