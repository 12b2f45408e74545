"""`manage.py verify_messages`: do the promises of the messages hold?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from messaging.domain.verify_messages import verify


class Command(BaseCommand):
    help = "Checks the promises of the messages. Exit 0 and a JSON summary, or 1 and what is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify(at=now())
        self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        if not report.is_sound:
            name, (total, first) = next(iter(report.broken.items()))
            raise CommandError(f"{name} is broken {total} times, first by {first}", returncode=1)
