"""Whole phone numbers, one by one: who looked is written down, and nobody looks at more than thirty an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.ledger import Actor
from members.models import AuditEntry, AuditVerb, Member, Staff, Store
from members.refusals import Refused

PER_HOUR = 30
_HOUR = timedelta(hours=1)


class TooManyReveals(Refused):
    """Thirty numbers within an hour. `facts["wait_seconds"]` says when there is one more."""

    code = "too_many_reveals"


@transaction.atomic
def reveal(*, actor: Actor, member: Member, store: Store, at: datetime) -> str:
    """The whole number of one member. Locked: the person's row, so that many windows count together. Audited.

    Raises TooManyReveals; what was refused leaves no row.
    """
    if actor.staff_id is None:
        raise ValueError("numbers are shown to people of staff")
    Staff.objects.select_for_update(no_key=True).only("pk").get(pk=actor.staff_id)
    looked = AuditEntry.objects.filter(staff_id=actor.staff_id, verb=AuditVerb.PHONE_SHOWN)
    times = list(looked.order_by("-seq").values_list("at", flat=True)[:PER_HOUR])
    if len(times) == PER_HOUR and times[-1] > at - _HOUR:
        wait = int((times[-1] + _HOUR - at).total_seconds()) + 1
        said = _("You have looked at %(n)d numbers within an hour. Wait a while.") % {"n": PER_HOUR}
        raise TooManyReveals(said, wait_seconds=wait)
    audit.write(actor=actor, verb=AuditVerb.PHONE_SHOWN, subject=member, store=store, at=at)
    return member.phone
