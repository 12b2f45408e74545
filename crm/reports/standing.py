"""What stands still: how much of each kind, and the rows. Each question is answered by a partial index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from members.models import MissedSignal, Store
from messaging.domain import dead_letters
from messaging.models import InboundText, Message, Receipt

ORPHAN_AFTER = timedelta(hours=1)
UNHANDLED_AFTER = timedelta(minutes=1)


def texts(kind: str, stores: Sequence[Store], *, at: datetime) -> QuerySet[Message]:
    """The texts of a kind in these stores: quarantined, restored, uncertain, unknown or no_receipt."""
    rows = {
        "quarantined": dead_letters.quarantined,
        "restored": dead_letters.held_after_restore,
        "uncertain": lambda: dead_letters.in_doubt(at),
        "unknown": dead_letters.never_known,
        "no_receipt": dead_letters.never_reported,
    }[kind]()
    return rows.filter(store__in=stores)


def orphans(*, at: datetime) -> QuerySet[Receipt]:
    """Delivery reports that name a text we do not know, an hour on."""
    return Receipt.objects.filter(matched_at=None, received_at__lt=at - ORPHAN_AFTER)


def unhandled(stores: Sequence[Store], *, at: datetime) -> QuerySet[InboundText]:
    """Texts of members of these stores that nothing has answered or sorted yet."""
    late = InboundText.objects.filter(handled_at=None, received_at__lt=at - UNHANDLED_AFTER)
    return late.filter(member__home_store__in=stores)


def missed(stores: Sequence[Store]) -> QuerySet[MissedSignal]:
    """Facts of these stores on which a receiver failed and that the sweep has not settled yet."""
    return MissedSignal.objects.filter(settled_at=None, event__store__in=stores)
