"""Who may open which campaign page: planners write, auditors read, cashiers and strangers stay out."""

import pytest
from django.urls import reverse

from campaigns.domain.runs import progress
from campaigns.models import Campaign
from crm.staff.campaigns.urls import urlpatterns
from members.enums import Role
from tests.conftest import employ
from tests.crm.staff.campaigns.conftest import post, show, typed
from tests.crm.staff.conftest import at_work

READ = {
    "campaign_list",
    "campaign_detail",
    "run_detail",
    "run_progress",
    "run_recipients",
    "export_recipients",
}
POSTED = {
    "create_campaign",
    "save_plan",
    "submit_text",
    "approve_text",
    "ask_launch",
    "launch_campaign",
    "pause_campaign",
    "resume_campaign",
    "copy_campaign",
    "stop_run",
}


def opened(client, pattern, campaign, run):
    route = str(pattern.pattern)
    subject = [campaign.public_id] if "campaign" in route else [run.public_id] if "run>" in route else []
    address = reverse(f"staff:{pattern.name}", args=subject)
    return client.post(address) if pattern.name in POSTED else client.get(address)


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_a_cashier_opens_no_campaign_page(cashier, sent_run, pattern):
    assert opened(cashier, pattern, sent_run.campaign, sent_run).status_code == 403


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_a_stranger_finds_nothing_here(stranger, sent_run, pattern):
    assert opened(stranger, pattern, sent_run.campaign, sent_run).status_code == 403


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_the_owner_of_another_store_finds_none_of_this_one(hilltop, sent_run, pattern):
    owner = at_work(employ(hilltop, "olga", Role.OWNER))

    response = opened(owner, pattern, sent_run.campaign, sent_run)

    if pattern.name == "campaign_list":
        assert sent_run.campaign.name not in response.content.decode()
    elif pattern.name == "create_campaign":
        assert response.status_code == 400  # it names no kind
    else:
        assert response.status_code == 404
    sent_run.refresh_from_db()
    assert progress(sent_run).by_state == {"queued": 2, "suppressed": 1}


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_an_auditor_reads_and_changes_nothing(auditor, sent_run, pattern):
    expected = 200 if pattern.name in READ else 403

    assert opened(auditor, pattern, sent_run.campaign, sent_run).status_code == expected


def test_one_works_in_one_store_at_a_time(hilltop, riverside, draft):
    both = employ(hilltop, "olga", Role.OWNER)
    both.roles.create(store=riverside, role=Role.CASHIER)
    browser = at_work(both)

    assert show(browser, "campaign_plan", draft).status_code == 404
    browser.post(reverse("staff:choose_store"), {"store": riverside.pk, "next": "/"})
    assert post(browser, "save_plan", draft, typed(draft, name="Mine")).status_code == 403
    assert Campaign.objects.get(pk=draft.pk).name == "Autumn"
