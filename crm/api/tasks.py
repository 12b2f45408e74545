"""Celery's job for the API."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from crm.api.models import IdempotentRequest

KEPT = timedelta(days=30)


@shared_task
def forget_answers() -> dict[str, int]:
    """Drop the answers to writes of more than 30 days ago; the ledger itself remembers its keys for ever."""
    forgotten, _ = IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return {"forgotten": forgotten}
