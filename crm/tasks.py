"""Celery's job for the project as a whole."""

from celery import shared_task
from django.core.management import call_command
from django.utils.timezone import now

from crm.reports.fraud import look
from members.domain import fraud


@shared_task
def clear_sessions() -> dict[str, int]:
    """Drop the sessions of staff and members that have run out."""
    call_command("clearsessions")
    return {}


@shared_task
def watch_fraud(days: int = 3) -> dict[str, int]:
    """Look for the twelve patterns in the last days and write down the new cases."""
    moment = now()
    return {"found": fraud.record(found=look(at=moment, days=days), at=moment)}
