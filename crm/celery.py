"""The Celery application: coarse jobs only (a chunk, a run); beat only ticks. See docs/schedule.md."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
app = Celery("regulars")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["campaigns", "messaging", "members", "crm", "crm.api"])
