"""`manage.py verify_ledger`: do the ledger's promises hold?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from members.domain import freezing
from members.domain.verify import verify


class Command(BaseCommand):
    help = "Checks the ledger's promises. Exit 0 and a JSON summary, or 1 and the first broken account."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--account", type=int, action="append", help="only this account (may be repeated)")
        which.add_argument(
            "--since-last", action="store_true", help="only the accounts changed since the last time"
        )
        parser.add_argument("--freeze", action="store_true", help="freeze exactly the accounts that disagree")

    def handle(self, *args: Any, **options: Any) -> None:
        at = now()
        if options["account"]:
            report = verify(account_ids=options["account"])
            frozen = freezing.freeze(report.faults, at=at) if options["freeze"] else ()
        else:
            look = freezing.verify_changed if options["since_last"] else freezing.verify_all
            verified = look(at=at, is_freezing=options["freeze"])
            report, frozen = verified.report, verified.frozen
        answer = report.as_json() | ({"frozen": list(frozen)} if options["freeze"] else {})
        self.stdout.write(json.dumps(answer, ensure_ascii=False))
        if not report.is_sound:
            raise CommandError(str(report.faults[0]), returncode=1)
