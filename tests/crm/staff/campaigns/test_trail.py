"""What sets a campaign in motion or halts it stands in the audit log, once; and is told as it came out."""

from __future__ import annotations

from datetime import time

from django.urls import reverse

from campaigns.enums import CampaignStatus, Timing
from campaigns.models import Campaign
from members.models import AuditEntry
from tests.conftest import NOON
from tests.crm.staff.campaigns.conftest import post, typed
from tests.crm.staff.conftest import text_of


def trail() -> list[tuple[str, str, str]]:
    """(kind, before, after) of every change of a status."""
    entries = AuditEntry.objects.filter(verb="changed").order_by("seq")
    return [(one.subject_type, one.before["status"], one.after["status"]) for one in entries]


def test_a_launch_is_written_down_once(manager, mei, approved, people):
    seen = typed(approved)["seen"]

    for _time in range(2):
        post(manager, "launch_campaign", approved, {"seen": seen})

    approved.refresh_from_db()
    assert trail() == [("campaign", "draft", approved.status)]
    assert AuditEntry.objects.get(verb="changed").staff == mei


def test_pausing_resuming_and_stopping_are_written_down(manager, sent_run):
    at_ten = {"timing": Timing.DAILY, "at_time": time(10), "launched_at": NOON}
    Campaign.objects.update(status=CampaignStatus.ACTIVE, **at_ten)

    for deed in ("pause_campaign", "pause_campaign", "resume_campaign"):
        post(manager, deed, sent_run.campaign)
    before = sent_run.status
    for _time in range(2):
        post(manager, "stop_run", sent_run)

    both = [("campaign", "active", "paused"), ("campaign", "paused", "active")]
    assert trail() == [*both, ("run", before, "stopped")]


def test_a_draft_is_not_said_to_be_paused(manager, approved):
    post(manager, "pause_campaign", approved)

    page = text_of(manager.get(reverse("staff:campaign_list")))

    assert "Nothing was changed." in page and "Paused: no new run" not in page
    assert trail() == []
