"""The wake-up programme: who has stayed away longer than is usual for them, and is still worth a text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from campaigns.cadence.fitting import fit
from campaigns.cadence.statistics import Visits
from campaigns.cadence.wakeup import WakeUp, assess
from campaigns.models import Recipient, Run
from members.models import Member, Store

REST = timedelta(days=14)
_EPOCH = date(1970, 1, 1)

_VISITS = """
SELECT p.member_id, (p.at AT TIME ZONE %(zone)s)::date - DATE '1970-01-01'
FROM members_purchase p
WHERE p.store_id = %(store)s AND p.at <= %(as_of)s
GROUP BY 1, 2
"""
_HEARD = """
SELECT r.member_id, count(*)
FROM campaigns_recipient r
JOIN campaigns_run n ON n.id = r.run_id
JOIN members_memberfacts f ON f.member_id = r.member_id
WHERE n.campaign_id = %(campaign)s AND n.id IS DISTINCT FROM %(run)s
  AND (f.last_visit_at IS NULL OR n.as_of > f.last_visit_at)
GROUP BY 1
"""


@dataclass(frozen=True)
class Assessment:
    """A store's members with a visit, and what the score says of each; rows go together."""

    member_ids: np.ndarray
    wake: WakeUp


def assess_store(store: Store, *, as_of: datetime) -> Assessment | None:
    """Fit the score to the store's own history up to a moment, and assess every member. None without history."""
    visits = visits_of(store, as_of=as_of)
    if not len(visits.member_ids):
        return None
    day = (as_of.astimezone(store.zone).date() - _EPOCH).days
    model = fit(visits, day)
    return Assessment(visits.member_ids, assess(visits.statistics(day), model))


def visits_of(store: Store, *, as_of: datetime) -> Visits:
    """Every member's days of purchase up to a moment; days are the store's, counted from 1970-01-01."""
    with connection.cursor() as cursor:
        cursor.execute(_VISITS, {"zone": store.timezone, "store": store.pk, "as_of": as_of})
        rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    return Visits.from_purchases(rows[:, 0], rows[:, 1])


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
    due = np.flatnonzero(wake.is_due)
    due = due[np.argsort(-wake.priority[due], kind="stable")]
    allowed = set(members.values_list("id", flat=True)) - _resting(run)
    heard = _heard(run)
    ids = assessment.member_ids
    return [
        (member, float(wake.priority[row]))
        for row in due
        if (member := int(ids[row])) in allowed and heard.get(member, 0) < wake.band[row]
    ]


def _resting(run: Run) -> set[int]:
    """Members this programme spoke to in the last two weeks."""
    lately = Recipient.objects.filter(
        run__campaign=run.campaign, run__as_of__gt=run.as_of - REST, run__as_of__lte=run.as_of
    )
    return set(lately.exclude(run_id=run.pk).values_list("member_id", flat=True))


def _heard(run: Run) -> dict[int, int]:
    """How often this programme has spoken to each member since their last visit."""
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, {"campaign": run.campaign_id, "run": run.pk})
        return dict(cursor.fetchall())
