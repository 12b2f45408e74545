"""Celery's edge of messaging: ids in, one domain call, a dict of counts out."""

from celery import shared_task
from django.utils.timezone import now

from messaging.domain.sweeps import sweep_messages as _sweep_messages


@shared_task
def sweep_messages() -> dict[str, int]:
    """The same sweep as the gateway process runs, for when none is running. Beat ticks it each 15 seconds."""
    return _sweep_messages(at=now())
