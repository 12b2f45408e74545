"""A list of members taken away as a file: above a few rows a second person says yes, once, to exactly this list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from constance import config
from django.db import transaction

from members.domain.approvals import MAY_APPROVE
from members.domain.ledger import ApprovalInvalid
from members.models import Approval, ApprovalStatus, LimitedDeed, Staff

_NOT_YET = {
    ApprovalStatus.PENDING: "approval_waiting",
    ApprovalStatus.REFUSED: "approval_refused",
    ApprovalStatus.USED: "approval_used",
}


def needs_second(rows: int) -> bool:
    """Whether so many members are taken away only with a second person's yes."""
    return rows > int(config.EXPORT_ROWS_ALONE)


def payload_of(*, store_ids: list[int], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a yes is bound to: the list's filters, and the stores it reaches."""
    return {"export": "members", "asked": dict(asked), "stores": sorted(store_ids)}


def asked_before(*, maker: Staff, payload: Mapping[str, Any], at: datetime) -> Approval | None:
    """The newest question of this person for this list that is not used or over."""
    open_states = (ApprovalStatus.PENDING, ApprovalStatus.APPROVED, ApprovalStatus.REFUSED)
    mine = Approval.objects.filter(
        maker=maker, deed=LimitedDeed.EXPORT, payload=payload, status__in=open_states, expires_at__gt=at
    )
    return mine.select_related("checker").order_by("-pk").first()


@transaction.atomic
def use(*, maker: Staff, approval: UUID, payload: Mapping[str, Any], at: datetime) -> Approval:
    """Use up a yes to this list. Locked: the approval. Raises ApprovalInvalid, its code says why."""
    given = (
        Approval.objects.select_for_update(of=("self",))
        .select_related("checker")
        .filter(public_id=approval, maker=maker, deed=LimitedDeed.EXPORT)
        .first()
    )
    if given is None or given.payload != payload:
        raise ApprovalInvalid("approval_mismatch")
    if given.status in _NOT_YET:
        raise ApprovalInvalid(_NOT_YET[ApprovalStatus(given.status)])
    if given.expires_at <= at:
        raise ApprovalInvalid("approval_expired")
    if (
        given.checker is None
        or not given.checker.is_active
        or not given.checker.may(given.store_id, *MAY_APPROVE)
    ):
        raise ApprovalInvalid("approval_withdrawn")
    given.status, given.used_at = ApprovalStatus.USED, at
    given.save(update_fields=["status", "used_at"])
    return given
