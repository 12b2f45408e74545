"""`manage.py import_members FILE`: members from another system, without texting anybody."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from members.domain import imports
from members.management.importing import ImportCommand
from members.models import Store


class Command(ImportCommand):
    help = (
        "Imports members (member_no, phone, name, birthday, tags, gender, language) from a CSV or XLSX file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--consent",
            default="",
            metavar="WORDING",
            help="attests that a yes in service_consent / marketing_consent was given under this wording version",
        )

    def triage(self, table: imports.Table, store: Store, at: datetime, options: Any) -> imports.ImportPreview:
        return imports.triage_members(table, store=store, at=at, wording_version=options["consent"])
