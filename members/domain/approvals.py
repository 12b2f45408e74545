"""Four eyes: a deed above a person's limit is asked for, decided by somebody else, and done once.

The database binds the yes to what was asked and spends it (guard.sql, control.sql).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.ledger import ApprovalRequired, OwnAccount
from members.enums import Role
from members.models import Approval, ApprovalStatus, LimitedDeed, Member, Staff, StaffRole, Store
from members.refusals import Refused

VALID = timedelta(hours=24)
MAY_APPROVE = (Role.MANAGER, Role.OWNER)


class SelfApproval(Refused):
    """Whoever asked does not decide."""

    code = "self_approval"


class ApprovalClosed(Refused):
    """It was decided already, or its time is over."""

    code = "approval_closed"


class MayNotApprove(Refused):
    """Only who is in charge at the store decides."""

    code = "approval_forbidden"


class ReasonMissing(Refused):
    """A second person cannot judge what has no reason."""

    code = "reason_required"
    field = "note"


@transaction.atomic
def ask(*, refused: ApprovalRequired, maker: Staff, store: Store, note: str, at: datetime) -> Approval:
    """Ask for exactly the deed that was refused. The same question again is the same request. Audited."""
    payload = refused.facts["payload"]
    return ask_for(
        deed=LimitedDeed(refused.facts["deed"]),
        payload=payload,
        amount=refused.facts["amount"],
        maker=maker,
        store=store,
        member_id=payload.get("member"),
        note=note,
        at=at,
    )


@transaction.atomic
def ask_for(
    *,
    deed: LimitedDeed,
    payload: dict[str, object],
    amount: int,
    maker: Staff,
    store: Store,
    member_id: int | None = None,
    note: str,
    at: datetime,
) -> Approval:
    """Ask for a deed by what it asks of the ledger. Raises ReasonMissing."""
    if not note.strip():
        raise ReasonMissing(_("Say why: whoever approves it has to judge it."))
    waiting = Approval.objects.filter(
        maker=maker,
        store=store,
        deed=deed,
        payload=payload,
        status=ApprovalStatus.PENDING,
        expires_at__gt=at,
    )
    if earlier := waiting.first():
        return earlier
    approval = Approval.objects.create(
        deed=deed,
        payload=payload,
        payload_hash=b"",  # the database sets it
        amount=amount,
        store=store,
        member=Member.objects.filter(pk=member_id).first() if member_id else None,
        note=note.strip()[:200],
        maker=maker,
        asked_at=at,
        expires_at=at + VALID,
    )
    audit.write(
        actor=maker,
        verb="approval_asked",
        subject=approval,
        store=store,
        after={"deed": deed, "amount": amount, "note": approval.note},
        at=at,
    )
    return approval


@transaction.atomic
def decide(*, approval: Approval, checker: Staff, is_approved: bool, at: datetime) -> Approval:
    """Say yes or no, once. Locks the request. Audited.

    Raises SelfApproval, MayNotApprove, ApprovalClosed, and OwnAccount when the value is the checker's own.
    """
    asked = Approval.objects.select_for_update(of=("self",)).select_related("store").get(pk=approval.pk)
    if asked.maker_id == checker.pk:
        raise SelfApproval(_("Nobody approves what they asked for themselves."))
    if not checker.may(asked.store_id, *MAY_APPROVE):
        raise MayNotApprove(_("Only who is in charge at this store can decide this."))
    if asked.status != ApprovalStatus.PENDING:
        raise ApprovalClosed(_("This has been decided already."))
    if asked.expires_at <= at:
        raise ApprovalClosed(_("This was asked more than 24 hours ago. It has to be asked again."))
    if _is_about_own(checker.pk, asked):
        raise OwnAccount(_("You cannot do this on your own account. Ask a colleague."))
    asked.status = ApprovalStatus.APPROVED if is_approved else ApprovalStatus.REFUSED
    asked.checker, asked.decided_at = checker, at
    asked.save(update_fields=["status", "checker", "decided_at"])
    audit.write(
        actor=checker,
        verb="approved" if is_approved else "refused",
        subject=asked,
        store=asked.store,
        after={"deed": asked.deed, "amount": asked.amount, "maker": asked.maker_id},
        at=at,
    )
    return asked


def _is_about_own(staff_id: int, asked: Approval) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT control_is_about_own(%s, %s::jsonb)", [staff_id, json.dumps(asked.payload)])
        return bool(cursor.fetchone()[0])


def waiting_for(staff: Staff, *, at: datetime) -> int:
    """How many requests wait for this person's word, in every store they are in charge of; not their own."""
    waiting = Approval.objects.filter(status=ApprovalStatus.PENDING, expires_at__gt=at).exclude(maker=staff)
    if not staff.is_superuser:
        held = StaffRole.objects.filter(staff=staff, role__in=MAY_APPROVE)
        waiting = waiting.filter(store_id__in=held.values("store"))
    return waiting.count()
