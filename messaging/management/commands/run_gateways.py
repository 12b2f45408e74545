"""`manage.py run_gateways`: hand queued texts to the gateways and take in their receipts and answers."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.timezone import now

from messaging.domain import restoring
from messaging.domain.dispatch.process import GatewayProcess, Timing


class Command(BaseCommand):
    help = (
        "Sends queued texts and receives receipts and replies. Any number may run; SIGTERM drains and stops."
    )

    requires_system_checks = []  # they load the pages, which are not this process's business

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lease-seconds", type=float, default=Timing.lease_seconds)
        parser.add_argument("--answer-seconds", type=float, default=Timing.answer_seconds)

    def handle(self, *args: Any, **options: Any) -> None:
        restoring.look(at=now())
        timing = Timing(options["lease_seconds"], options["answer_seconds"])
        asyncio.run(self._run(timing))

    async def _run(self, timing: Timing) -> None:
        await GatewayProcess(timing, self._say_ready).run()

    def _say_ready(self) -> None:
        self.stdout.write("READY gateways")
        self.stdout.flush()
