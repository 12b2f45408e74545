"""`manage.py after_restore`: said once after a backup was restored, before the gateway processes start."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.timezone import now

from messaging.domain.restoring import after_restore


class Command(BaseCommand):
    help = "Pauses all sending and holds the marketing that may have gone out already. Released on the staff web."

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = after_restore(by=None, at=now())
        said = {"paused": True, "marketing_held": stopped.held, "marketing_on_its_way": stopped.on_its_way}
        self.stdout.write(json.dumps(said))
