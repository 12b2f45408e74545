"""`manage.py bench NAME --json`: measure one goal of docs/performance.md against its limit, in one run."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

NAMES = ("growth", "ledger", "receipts", "send", "smpp", "trigger", "verify", "wakeup")


class Command(BaseCommand):
    help = "Measure a goal against its limit in the same run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which; all by default")
        parser.add_argument("--size", choices=("small", "standard", "large"), default="standard")
        parser.add_argument("--json", action="store_true", help="print one JSON object a bench")
        parser.add_argument(
            "--data",
            type=Path,
            default=settings.BASE_DIR.parent / "shared" / "data" / "cdnow",
            help="folder of members.csv and purchases.csv for `wakeup`",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in options["names"] or NAMES:
            result = import_module(f"crm.bench.{name}").measure(
                size=options["size"], data_dir=options["data"]
            )
            self.stdout.write(json.dumps(result) if options["json"] else _line(result))


def _line(result: dict[str, Any]) -> str:
    return (
        f"{result['name']:<10} {result['value']:>12} {result['unit']:<12} limit {result['limit']:>12}"
        f"  ratio {result['ratio']:>7}  goal {result.get('goal', '')}"
    )
