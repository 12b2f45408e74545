"""`manage.py torture`: a send under kills, torn links and lost answers, judged by the carrier's journal."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.bench.database import bench_database
from crm.local.faults.send import Plan, send_under_faults


class Command(BaseCommand):
    help = "F1 of the reliability plan at its full size, and F3 (no receipts): on a database of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--texts", type=int, default=100_000)
        parser.add_argument("--kills", type=int, default=200)
        parser.add_argument("--resets", type=int, default=100)
        parser.add_argument("--dropped", type=int, default=100)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--no-receipts", action="store_true", help="F3: the carrier never reports back")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(
            texts=options["texts"],
            kills=options["kills"],
            resets=options["resets"],
            dropped=options["dropped"],
            seed=options["seed"],
            has_receipts=not options["no_receipts"],
        )
        with bench_database("torture", members=10, months=1), tempfile.TemporaryDirectory() as folder:
            figures = send_under_faults(plan, Path(folder))
        for name, value in asdict(figures).items():
            self.stdout.write(f"{name:<20} {value}")
        if figures.broken:
            raise CommandError(f"not clean: {', '.join(figures.broken)}; seed {plan.seed}")
