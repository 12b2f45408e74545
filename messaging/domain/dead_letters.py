"""What stands still and may need a person: set aside, in doubt, held after a restore. Released only where the state
table and the rules of the class allow: marketing that may have gone out never goes out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from members.domain import audit
from members.models import AuditVerb, Staff, Store
from messaging.domain.outbox import nudge_on_commit
from messaging.enums import Cause, MessageClass
from messaging.models import Attempt, Message, Waiting
from messaging.states import Reason, State

VISIBLE_AFTER = timedelta(seconds=45)
COPIES_MAX = 2
RELEASED_MAX = 5_000
MAY_BE_OUT = ("uncertain", "accepted")


@dataclass(frozen=True)
class Done:
    """How many texts were moved, how many of those asked for were not because a rule forbids it, and how many were
    cancelled instead because what they belong to had been stopped.
    """

    moved: int
    kept: int
    cancelled: int = 0


def quarantined() -> QuerySet[Message]:
    """Set aside after three processes died with it."""
    return _standing(State.QUARANTINED)


def held_after_restore() -> QuerySet[Message]:
    """Marketing that the database says is waiting, and that may have gone out before the restore."""
    return _standing(State.HELD).filter(reason=Reason.RESTORED)


def in_doubt(at: datetime) -> QuerySet[Message]:
    """No answer for longer than 45 seconds."""
    return _standing(State.UNCERTAIN).filter(submitted_at__lte=at - VISIBLE_AFTER)


def never_known() -> QuerySet[Message]:
    """Nobody will know whether they went out."""
    return _standing(State.UNKNOWN)


def never_reported() -> QuerySet[Message]:
    """Taken by a carrier that never said what became of them."""
    return _standing(State.NO_RECEIPT)


def _standing(state: State) -> QuerySet[Message]:
    """Messages have no index of their states: found where they were written down when they came there."""
    return Message.objects.filter(state=state, pk__in=Waiting.objects.filter(state=state).message_ids())


def releasable(rows: QuerySet[Message], at: datetime) -> QuerySet[Message]:
    """Those of `rows` that may go back to the queue now."""
    tried = (
        Attempt.objects.filter(message=OuterRef("pk"), outcome__in=MAY_BE_OUT)
        .order_by()
        .values("message")
        .annotate(total=Count("id"))
        .values("total")
    )
    copies = Coalesce(Subquery(tried), 0)
    is_second_copy_allowed = (
        ~Q(message_class=MessageClass.MARKETING) & ~Q(cause=Cause.REPLY) & Q(copies__lt=COPIES_MAX)
    )
    return rows.annotate(copies=copies).filter(
        Q(state=State.HELD, reason=Reason.RESTORED)
        | Q(state=State.QUARANTINED, copies=0)
        | (Q(state__in=[State.QUARANTINED, State.UNCERTAIN]) & is_second_copy_allowed),
        expires_at__gt=at,
    )


@transaction.atomic
def release(*, ids: Sequence[int], stores: Iterable[Store], by: Staff, at: datetime) -> Done:
    """Put these texts of these stores back into the queue, as far as their rules allow. Audited.

    Marketing that was tried is never among them; a restored one is, once: that is the person's word for it.
    """
    mine = Message.objects.filter(pk__in=list(ids)[:RELEASED_MAX], store__in=list(stores))
    allowed = releasable(mine, at).values_list("pk", flat=True)
    locked = (
        Message.objects.filter(
            pk__in=list(allowed), state__in=[State.HELD, State.QUARANTINED, State.UNCERTAIN]
        )
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    let_go = Message.objects.filter(pk__in=list(locked))
    touched = let_go.update(state=State.QUEUED, reason=Reason.NONE, due_at=at, final_at=None)
    moved = let_go.filter(
        state=State.QUEUED
    ).count()  # what a stopped run wrote is cancelled as it comes back
    if touched:
        audit.write(
            actor=by,
            verb=AuditVerb.TEXTS_RELEASED,
            subject=("messages", "dead letters"),
            after={"texts": moved, "cancelled": touched - moved} if touched > moved else {"texts": moved},
            at=at,
        )
        nudge_on_commit()
    return Done(moved, len(ids) - touched, touched - moved)


@transaction.atomic
def give_up(*, ids: Sequence[int], stores: Iterable[Store], by: Staff, at: datetime) -> Done:
    """Cancel texts that are set aside or held after a restore; they are not sent. Audited."""
    locked = (
        Message.objects.filter(pk__in=list(ids)[:RELEASED_MAX], store__in=list(stores))
        .filter(Q(state=State.QUARANTINED) | Q(state=State.HELD, reason=Reason.RESTORED))
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    moved = Message.objects.filter(pk__in=list(locked)).update(
        state=State.CANCELLED, reason=Reason.STOPPED, final_at=at
    )
    if moved:
        audit.write(
            actor=by,
            verb=AuditVerb.TEXTS_DROPPED,
            subject=("messages", "dead letters"),
            after={"texts": moved},
            at=at,
        )
    return Done(moved, len(ids) - moved)
