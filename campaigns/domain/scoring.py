"""The score, fitted to a store's own history. Imported only by those who score: see `wakeup.assess_store`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from django.db import connection

from campaigns.cadence.fitting import fit
from campaigns.cadence.statistics import Visits
from campaigns.cadence.wakeup import WakeUp, assess
from members.models import Store

_EPOCH = date(1970, 1, 1)

_VISITS = """
SELECT p.member_id, (p.at AT TIME ZONE %(zone)s)::date - DATE '1970-01-01'
FROM members_purchase p
WHERE p.store_id = %(store)s AND p.at <= %(as_of)s
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Assessment:
    """A store's members with a visit, and what the score says of each; rows go together."""

    member_ids: np.ndarray
    wake: WakeUp

    def of_the_due(self) -> Assessment:
        """Only the rows of those who are due: all that a choice needs, and much smaller to keep."""
        due = self.wake.is_due
        wake = replace(self.wake, **{name: values[due] for name, values in vars(self.wake).items()})
        return Assessment(self.member_ids[due], wake)


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
