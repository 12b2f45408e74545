"""`manage.py verify_audit`: is the audit log whole and as it was written?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.domain import audit


class Command(BaseCommand):
    help = "Follows the audit log's chain. Exit 0 and its head, or 1 and the numbers of the rows that do not follow."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head", default="", help="NUMBER:HASH noted elsewhere; proves that nothing was cut off since"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = audit.verify_chain(head=_head(options["head"]))
        answer = {"ok": report.is_sound, "rows": report.rows, "head": f"{report.head_seq}:{report.head_hash}"}
        self.stdout.write(json.dumps(answer | {"broken": list(report.broken)}))
        if not report.is_sound:
            raise CommandError(f"the audit log is broken at row {report.broken[0]}", returncode=1)


def _head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    number, _colon, found = text.partition(":")
    try:
        if len(bytes.fromhex(found)) != 32:
            raise ValueError
        return int(number), found
    except ValueError:
        raise CommandError("--head is NUMBER:HASH, as this command prints it") from None
