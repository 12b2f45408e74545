"""Celery's job for the project as a whole."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def clear_sessions() -> dict[str, int]:
    """Drop the sessions of staff and members that have run out."""
    call_command("clearsessions")
    return {}
