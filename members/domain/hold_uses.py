"""What open holds do to lots. Only inside a deed of their card: its accounts are locked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from members.domain.allocation import OpenLot, Use
from members.enums import AccountKind, HoldStatus
from members.models import Hold, HoldUse, Operation
from members.refusals import Refused

_MOVE = """
UPDATE members_lot l SET held = l.held + %s * u.amount
FROM members_holduse u WHERE u.hold_id = %s AND u.lot_id = l.id
"""


class HoldEnded(Refused):
    """The hold was captured, released or has run out."""

    code = "hold_ended"
    field = "hold"


def set_aside(hold: Hold, uses: Sequence[Use]) -> None:
    """Write down what a new hold takes and hold it in its lots."""
    HoldUse.objects.bulk_create([HoldUse(hold=hold, lot_id=use.lot, amount=-use.amount) for use in uses])
    _move(hold, 1)


def end(hold: Hold, status: HoldStatus, operation: Operation, at: datetime) -> None:
    """End an open hold once and free its lots. Raises HoldEnded."""
    ended = Hold.objects.filter(pk=hold.pk, status=HoldStatus.OPEN).update(
        status=status, ended_at=at, ended_by=operation
    )
    if not ended:
        raise HoldEnded(_("This hold has ended already."))
    _move(hold, -1)


def lots_of(hold: Hold) -> list[OpenLot]:
    """The held parts of lots, as lots to spend: expiry does not touch them while the hold is open."""
    uses = HoldUse.objects.filter(hold=hold).select_related("lot__account", "lot__source").order_by("id")
    return [
        OpenLot(
            id=use.lot_id,
            kind=AccountKind(use.lot.account.kind),
            source=use.lot.source_id,
            remaining=use.amount,
            original=use.lot.original,
            paid_minor=use.lot.paid_minor,
            sold_at=use.lot.source.store_id,
            terms=use.lot.terms,
            expires_at=use.lot.expires_at,
        )
        for use in uses
    ]


def _move(hold: Hold, sign: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [sign, hold.pk])
