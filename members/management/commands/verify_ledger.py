"""`manage.py verify_ledger`: do the ledger's promises hold?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.domain.verify import verify


class Command(BaseCommand):
    help = "Checks the ledger's promises. Exit 0 and a JSON summary, or 1 and the first broken account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", type=int, action="append", help="only this account (may be repeated)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify(account_ids=options["account"])
        self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        if not report.is_sound:
            raise CommandError(str(report.faults[0]), returncode=1)
