"""Whose campaigns these are: those of the store one works in. Any other does not exist here: 404.

What sets one in motion or halts it goes into the audit log.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from campaigns.models import Campaign, Run
from crm.staff.access import access_of
from members.domain import audit
from members.enums import Role
from members.models import AuditVerb, Staff

PLANNERS = (Role.MARKETER, Role.MANAGER, Role.OWNER)
READERS = (*PLANNERS, Role.AUDITOR)


def campaigns_of(request: HttpRequest) -> QuerySet[Campaign]:
    """The campaigns of the current store."""
    return Campaign.objects.filter(store=access_of(request).store)


def campaign_or_404(request: HttpRequest, campaign: UUID) -> Campaign:
    """One campaign of the current store."""
    found = campaigns_of(request).select_related("store", "template", "created_by", "launched_by")
    return get_object_or_404(found, public_id=campaign)


def run_or_404(request: HttpRequest, run: UUID) -> Run:
    """One run of a campaign of the current store."""
    found = Run.objects.filter(campaign__store=access_of(request).store)
    return get_object_or_404(found.select_related("campaign__store", "stopped_by"), public_id=run)


def may_plan(request: HttpRequest) -> bool:
    """Whether this person may change, approve and launch; a reader may only look."""
    return access_of(request).may(*PLANNERS)


def audit_status(subject: Campaign | Run, *, before: str, by: Staff, at: datetime) -> None:
    """Write down that a campaign was launched, paused or resumed, or a run stopped."""
    store = subject.store if isinstance(subject, Campaign) else subject.campaign.store
    audit.write(
        actor=by,
        verb=AuditVerb.CHANGED,
        subject=subject,
        store=store,
        before={"status": before},
        after={"status": subject.status},
        at=at,
    )
