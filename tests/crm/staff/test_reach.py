"""Who holds a role in one store and another, or none, in the next: what lists over several stores hold for them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.domain import drafting
from campaigns.domain.launching import budget_subject
from campaigns.enums import CampaignKind
from members.enums import Role
from members.models import AuditEntry, Store
from messaging.domain import budgets
from messaging.domain.outbox import enqueue
from messaging.models import Alert, AlertKind, Budget, Message
from tests.conftest import NOON, Enrol, employ
from tests.crm.admin.conftest import draft_to
from tests.crm.staff.conftest import at_work, queries_of, text_of
from tests.house.test_store_scope_walk import sent_campaign


@pytest.fixture
def olga(riverside: Store, hilltop: Store) -> Client:
    """Olga's browser at Riverside, which she owns; at Hilltop she helps out as a cashier."""
    both = employ(riverside, "olga", Role.OWNER)
    both.roles.create(store=hilltop, role=Role.CASHIER)
    browser = at_work(both)
    browser.post(reverse("staff:choose_store"), {"store": riverside.pk})
    return browser


def told(response: Any) -> str:
    return b"".join(response.streaming_content if response.streaming else [response.content]).decode()


def test_members_are_taken_away_only_from_stores_where_one_may(olga, hilltop, enrol: Enrol):
    enrol("13800138001", name="Rita Riverside")
    enrol("13800138002", name="Hana Hilltop", store=hilltop)

    shown, taken = (told(olga.get(reverse(f"staff:{name}"))) for name in ("member_list", "export_members"))

    assert "Hana Hilltop" in shown and "Rita Riverside" in taken
    assert "Hana Hilltop" not in taken


def test_texts_are_taken_away_only_from_stores_where_one_may(olga, hilltop, enrol: Enrol):
    hana = enrol("13800138002", name="Hana", store=hilltop)
    enqueue([draft_to(hana, hilltop)], at=NOON)
    Message.objects.update(text="Hello from the hill", created_at=NOON)
    asked = {"store": str(hilltop.public_id), "since": "2026-11-01"}

    shown, taken = (told(olga.get(reverse(f"staff:{n}"), asked)) for n in ("message_list", "export_messages"))

    assert "Hello from the hill" in shown
    assert "Hello from the hill" not in taken


def test_a_statement_is_taken_away_only_from_a_store_where_one_may(olga, hilltop, enrol: Enrol):
    hana = enrol("13800138002", name="Hana", store=hilltop)
    where = reverse("staff:statement_file", args=[hana.public_id])

    page = told(olga.get(reverse("staff:member_detail", args=[hana.public_id])))

    assert olga.get(where).status_code == 403
    assert where not in page


def test_alerts_are_of_the_stores_one_watches_over(olga, hilltop, riverside):
    for store in (hilltop, riverside):
        facts = {"budget": f"The cap of {store.name}", "percent": 100}
        Alert.objects.create(
            kind=AlertKind.BUDGET_FULL,
            subject=store.name,
            store=store,
            facts=facts,
            opened_at=NOON,
            seen_at=NOON,
        )

    for name in ("alert_list", "gateway_board"):
        page = told(olga.get(reverse(f"staff:{name}")))
        assert "The cap of Riverside" in page and "The cap of Hilltop" not in page


def test_the_budget_of_a_campaign_is_ended_by_an_owner_of_its_store(olga, hilltop, wang):
    campaign = drafting.create_draft(kind=CampaignKind.PUSH, store=hilltop, name="Hilltop spring", by=wang)
    cap = {"scope": "campaign", "subject": budget_subject(campaign), "period": "month", "amount_minor": 100}
    budget = budgets.set_budget(**cap, protected_percent=0, by=wang, at=NOON)

    ended = olga.post(reverse("staff:end_budget", args=[budget.public_id]))

    assert ended.status_code == 404
    assert Budget.objects.get().until_at is None
    assert "Hilltop spring" not in told(olga.get(reverse("staff:money_budget")))


def test_the_budgets_are_asked_for_at_once_however_many_campaigns_have_one(olga, riverside, mei):
    def budgeted(name: str) -> None:
        campaign = drafting.create_draft(kind=CampaignKind.PUSH, store=riverside, name=name, by=mei)
        cap = {"scope": "campaign", "subject": budget_subject(campaign), "period": "month"}
        budgets.set_budget(**cap, amount_minor=100, protected_percent=0, by=mei, at=NOON)

    where = reverse("staff:money_budget")
    budgeted("one")
    one = queries_of(olga, where)
    for name in ("two", "three"):
        budgeted(name)

    assert queries_of(olga, where) == one


@pytest.mark.parametrize("role", list(Role))
def test_nobodys_menu_leads_to_a_closed_door(riverside, hilltop, role):
    person = employ(riverside, "person", role)
    person.roles.create(store=hilltop, role=Role.OWNER)
    browser = at_work(person)
    browser.post(reverse("staff:choose_store"), {"store": riverside.pk})

    menu = browser.get(reverse("staff:till")).context["staff_nav"]

    assert {
        link.url: code for link in menu if (code := browser.get(link.url, follow=True).status_code) != 200
    } == {}


def test_an_auditor_opens_no_drawer(auditor):
    assert auditor.post(reverse("staff:money_shifts"), {"opening": "10"}).status_code == 403


def test_taking_recipients_away_is_written_down(manager, riverside, mei, chen):
    run = sent_campaign(riverside, mei, chen)

    told(manager.get(reverse("staff:export_recipients", args=[run.public_id]), {"show": "sent"}))

    entry = AuditEntry.objects.get(verb="exported")
    assert (entry.subject_type, entry.after) == ("run", {"what": "recipients", "asked": {"show": "sent"}})


def test_a_text_called_campaign_is_found_again(manager):
    form = {
        "name": "Campaign spring",
        "message_class": "notification",
        "event_type": "card_spent",
        "text_en": "Hello {name|there}",
    }

    for _time in range(2):
        saved = manager.post(reverse("staff:text_new"), form)
        assert manager.get(saved["Location"]).status_code == 200

    assert text_of(manager.get(reverse("staff:text_list"))).count("Campaign spring") >= 2
