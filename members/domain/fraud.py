"""Cases of suspicion: written down once a subject and window, given to somebody, judged with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.enums import Role
from members.models import FraudCase, FraudState, Staff
from members.refusals import Refused

IN_CHARGE = (Role.MANAGER, Role.OWNER)
EVIDENCE_MAX = 200


class CaseRefused(Refused):
    """Only somebody in charge at the store, whom the case is not about, judges it."""

    code = "case_not_yours"


class CaseReasonMissing(Refused):
    """A judgement has a reason."""

    code = "reason_required"
    field = "note"


@dataclass(frozen=True)
class Finding:
    """A pattern found about one subject at one store in the window that begins on `from_on`."""

    pattern: str
    subject: str
    store_id: int
    from_on: date
    staff_id: int | None = None
    member_id: int | None = None
    amount_minor: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[int, ...] = ()


@transaction.atomic
def record(*, found: Sequence[Finding], at: datetime) -> int:
    """Write down what is new; how many there were. What was found before keeps its evidence and its judgement."""
    before = FraudCase.objects.count()
    FraudCase.objects.bulk_create(
        [
            FraudCase(
                pattern=one.pattern,
                subject=one.subject,
                store_id=one.store_id,
                from_on=one.from_on,
                staff_id=one.staff_id,
                member_id=one.member_id,
                amount_minor=one.amount_minor,
                facts=one.facts,
                evidence=list(one.evidence)[-EVIDENCE_MAX:],
                found_at=at,
            )
            for one in found
        ],
        ignore_conflicts=True,
    )
    return FraudCase.objects.count() - before


def assign(*, case: FraudCase, to: Staff | None, by: Staff) -> FraudCase:
    """Give an open case to somebody, or to nobody. Raises CaseRefused."""
    _check(case, by)
    if to is not None:
        _check(case, to)
    FraudCase.objects.filter(pk=case.pk, state=FraudState.OPEN).update(assigned_to=to)
    case.refresh_from_db()
    return case


def judge(*, case: FraudCase, state: FraudState, note: str, by: Staff, at: datetime) -> FraudCase:
    """Dismiss or confirm an open case, with a reason; audited. A judged case stays as it was judged.

    Raises CaseRefused, CaseReasonMissing.
    """
    _check(case, by)
    if not note.strip():
        raise CaseReasonMissing(_("Say why."))
    if state == FraudState.OPEN:
        raise CaseRefused(_("Dismiss the case or confirm it."))
    with transaction.atomic():
        moved = FraudCase.objects.filter(pk=case.pk, state=FraudState.OPEN).update(
            state=state, note=note.strip()[:300], decided_by=by, decided_at=at
        )
        case.refresh_from_db()
        if moved:
            after = {"state": state, "note": case.note, "pattern": case.pattern, "about": case.subject}
            audit.write(actor=by, verb="fraud_judged", subject=case, store=case.store, after=after, at=at)
    return case


def _check(case: FraudCase, by: Staff) -> None:
    if by.pk == case.staff_id or not by.may(case.store_id, *IN_CHARGE):
        raise CaseRefused(_("Only somebody in charge, whom the case is not about, may do this."))
