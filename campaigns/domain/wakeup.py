"""The wake-up programme: who has stayed away longer than is usual for them, and is still worth a text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.enums import RunStatus
from campaigns.models import Recipient, Run
from members.models import Member, Store
from messaging.enums import Cause
from messaging.models import Message
from messaging.states import State

if TYPE_CHECKING:
    from campaigns.domain.scoring import Assessment

REST = timedelta(days=14)

_HEARD = """
SELECT r.member_id, count(*)
FROM campaigns_recipient r
JOIN campaigns_run n ON n.id = r.run_id
JOIN members_memberfacts f ON f.member_id = r.member_id
WHERE n.campaign_id = %(campaign)s AND n.id IS DISTINCT FROM %(run)s
  AND (f.last_visit_at IS NULL OR n.as_of > f.last_visit_at)
  AND (n.status <> 'stopped' OR EXISTS (
    SELECT FROM messaging_message t
    WHERE t.cause = 'run' AND t.cause_id = n.id AND t.phone = r.phone AND t.state <> 'cancelled'))
GROUP BY 1
"""


def assess_store(store: Store, *, as_of: datetime) -> Assessment | None:
    """Fit the score to the store's own history up to a moment, and assess every member. None without history."""
    # The only way to the score: numpy and scipy cost a process that never scores 1 s of its start and 50 MB.
    from campaigns.domain import scoring

    return scoring.assess_store(store, as_of=as_of)


def choose(
    run: Run, members: QuerySet[Member], assessment: Assessment | None = None
) -> list[tuple[int, float]]:
    """The members to wake in this run with their priority (expected visits at stake), highest first.

    The run may be one that is not kept, to look ahead; an `assessment` of its store at that moment is not made again.

    A ladder of three: each band a member drifts into is worth one text, never two within two weeks; a visit
    starts the ladder anew. Who is not late against their own cadence, or past the last band, is left in peace.
    """
    assessment = assessment or assess_store(run.campaign.store, as_of=run.as_of)
    if assessment is None:
        return []
    wake = assessment.wake
    due = wake.is_due.nonzero()[0]
    due = due[(-wake.priority[due]).argsort(kind="stable")]
    allowed = set(members.values_list("id", flat=True)) - _resting(run)
    heard = _heard(run)
    ids = assessment.member_ids
    return [
        (member, float(wake.priority[row]))
        for row in due
        if (member := int(ids[row])) in allowed and heard.get(member, 0) < wake.band[row]
    ]


def _resting(run: Run) -> set[int]:
    """Members this programme spoke to in the last two weeks; not those whom a stopped run never reached."""
    texts = Message.objects.filter(cause=Cause.RUN, cause_id=OuterRef("run_id"), phone=OuterRef("phone"))
    lately = Recipient.objects.filter(
        ~Q(run__status=RunStatus.STOPPED) | Exists(texts.exclude(state=State.CANCELLED)),
        run__campaign=run.campaign,
        run__as_of__gt=run.as_of - REST,
        run__as_of__lte=run.as_of,
    )
    return set(lately.exclude(run_id=run.pk).values_list("member_id", flat=True))


def _heard(run: Run) -> dict[int, int]:
    """How often this programme has spoken to each member since their last visit, as `_resting` counts it."""
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, {"campaign": run.campaign_id, "run": run.pk})
        return dict(cursor.fetchall())
