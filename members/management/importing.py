"""What the two import commands share: the store, the clock, the telling, the file of rejected rows."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.timezone import now

from members.domain import imports
from members.domain.ledger import Actor
from members.models import Store

REASONS_SHOWN = 10


class ImportCommand(BaseCommand):
    """Reads and triages a file, then puts in what is sound. Exit 1 only when the file cannot be taken at all."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV (UTF-8 or GB18030) or XLSX with a header row")
        parser.add_argument(
            "--store", default="", help="the store's name; may be left out when there is one store"
        )
        parser.add_argument("--rejects", type=Path, help="where to write the rows that do not go in")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and store nothing")
        parser.add_argument("--json", action="store_true", help="answer with one JSON object")

    def triage(self, table: imports.Table, store: Store, at: datetime, options: Any) -> imports.ImportPreview:
        """Which triage; said by the command."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        at = now()
        store = _store_named(options["store"])
        try:
            table = imports.read_file(options["file"])
            with transaction.atomic():
                preview = self.triage(table, store, at, options)
                buckets = preview.buckets
                if not options["dry_run"]:
                    buckets = dict(imports.apply(preview, actor=Actor("command:import"), at=at).buckets)
        except imports.FileUnreadable as problem:
            raise CommandError(str(problem.message)) from problem
        rejects = _write_rejects(preview, options) if preview.faults else None
        if options["json"]:
            answer = {
                "rows": len(table),
                **buckets,
                "rejects": str(rejects or ""),
                "notes": list(preview.notes),
            }
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self._tell(preview, buckets, rejects, would=options["dry_run"])

    def _tell(
        self, preview: imports.ImportPreview, buckets: dict[str, int], rejects: Path | None, *, would: bool
    ) -> None:
        words = {"new": "new", "updated": "updated", "unchanged": "already there"}
        words |= {"duplicate": "duplicates within the file", "error": "not imported"}
        told = ", ".join(
            f"{buckets[bucket]:,} {words[bucket]}" for bucket in imports.BUCKETS if buckets[bucket]
        )
        verb = "would be" if would else "are"
        self.stdout.write(f"{len(preview.table):,} rows: {told or 'nothing'}. All {verb} at {preview.store}.")
        for note in preview.notes:
            self.stdout.write(f"Note: {note}")
        for number in sorted(preview.faults)[:REASONS_SHOWN]:
            self.stdout.write(f"  row {number}: {preview.faults[number]}")
        if rejects:
            self.stdout.write(
                f"The {len(preview.faults):,} rows that do not go in, with the reasons: {rejects}"
            )


def _store_named(name: str) -> Store:
    stores = list(Store.objects.filter(name=name) if name else Store.objects.all()[:2])
    if len(stores) == 1:
        return stores[0]
    there = ", ".join(f"“{store}”" for store in Store.objects.all()[:20])
    problem = f"There is no store “{name}”." if name else "Say which store with --store NAME."
    raise CommandError(f"{problem} Stores: {there or 'none yet; make one in the back office'}.")


def _write_rejects(preview: imports.ImportPreview, options: Any) -> Path:
    """Private to its owner: it holds phones. Opens right in a spreadsheet (byte order mark)."""
    folder = settings.DATA_DIR / "imports"
    path: Path = options["rejects"] or folder / f"{options['file'].stem}-rejected.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8-sig"
    ) as out:
        out.write(preview.rejects())
    return path
