"""`manage.py import_purchases FILE --store NAME`: past purchases, without texting anybody."""

from datetime import datetime
from typing import Any

from members.domain import imports
from members.management.importing import ImportCommand
from members.models import Store


class Command(ImportCommand):
    help = "Imports past purchases (member_no or phone, date, items, amount, ref) from a CSV or XLSX file."

    def triage(self, table: imports.Table, store: Store, at: datetime, options: Any) -> imports.ImportPreview:
        return imports.triage_purchases(table, store=store, at=at)
