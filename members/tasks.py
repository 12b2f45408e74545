"""The schedule's jobs on members and value: one domain call each, a dict of counts out, safe to run twice."""

from celery import shared_task
from django.utils.timezone import now

from members.domain import events, expiry


@shared_task
def expire_value(limit: int = 1000) -> dict[str, int]:
    """Take expired value out of the ledger."""
    return expiry.expire_lots(at=now(), limit=limit)


@shared_task
def sweep_missed_signals(limit: int = 200) -> dict[str, int]:
    """Send events again to the receivers that failed on them."""
    return events.sweep_missed(at=now(), limit=limit)
