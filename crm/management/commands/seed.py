"""`manage.py seed`: the demo, or as many made-up members as a measurement needs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from crm.seeding.demo import seed_demo
from crm.seeding.synthetic import seed_synthetic


class Command(BaseCommand):
    help = "Fills the database: --demo for three lively shops, or --members N --months M for measurements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="three shops with a year of history")
        parser.add_argument("--members", type=int, default=0, help="how many made-up members")
        parser.add_argument("--months", type=int, default=12, help="how long their history is")
        parser.add_argument("--seed", type=int, default=1, help="the same number gives the same data")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["demo"] == bool(options["members"]):
            raise CommandError("Say --demo, or --members N.")
        if options["demo"]:
            self._demo()
            return
        if not (1 <= options["members"] <= 5_000_000 and 1 <= options["months"] <= 120):
            raise CommandError("--members is 1 to 5,000,000 and --months is 1 to 120.")
        counts = seed_synthetic(
            members=options["members"], months=options["months"], seed=options["seed"], at=now()
        )
        self.stdout.write(_told(counts))

    def _demo(self) -> None:
        counts = seed_demo(at=now())
        if counts is None:
            self.stdout.write(
                "There is a store already: the demo is only for an empty database. Nothing was done."
            )
        else:
            self.stdout.write(f"{_told(counts)}. Log-ins: demo.json in the data folder.")


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
