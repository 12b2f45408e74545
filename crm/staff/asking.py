"""Asking for approval at the till: what a deed above one's limit shows, until a second person has said yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils.functional import Promise

from crm.staff.access import Access
from members.domain import approvals
from members.domain.ledger import ApprovalRequired
from members.models import Approval
from members.refusals import Refused


@dataclass(frozen=True)
class Asking:
    """Why a second person is needed, what was asked so far, and what is wrong with the question."""

    message: str | Promise = ""
    approval: Approval | None = None
    note: str = ""
    problem: str | Promise = ""


def asked_for_approval(
    request: HttpRequest, access: Access, refused: ApprovalRequired, at: datetime
) -> Asking:
    """What the till shows when the ledger wants a second person; the question itself once a reason was asked for.

    What is asked for is what the ledger refused, not what the browser says. A reason that stands in the form already
    is not to be written twice.
    """
    note = request.POST.get("approval_note")
    if note is None:
        return Asking(refused.message, note=request.POST.get("reason") or request.POST.get("note", ""))
    try:
        asked = approvals.ask(refused=refused, maker=access.staff, store=access.store, note=note, at=at)
    except Refused as problem:
        return Asking(refused.message, note=note, problem=problem.message)
    return Asking(refused.message, asked, note)


def shown_approval(request: HttpRequest, access: Access) -> Asking | None:
    """The approval this form came with, if it is one this person asked for."""
    try:
        public_id = UUID(request.POST.get("approval", ""))
    except ValueError:
        return None
    found = Approval.objects.filter(public_id=public_id, maker=access.staff).select_related("checker").first()
    return Asking(approval=found) if found else None
