"""The stage of the dispatch journeys: a real carrier, real gateway processes, a queue of real messages."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils.timezone import now

from members.domain.enrolment import phone_hash
from members.models import Member, Store
from messaging.domain.outbox import Draft, PermittedHours, enqueue
from messaging.enums import Cause, MessageClass
from messaging.models import Gateway, Message
from messaging.secrets import encrypt_secret
from tests.journeys import nursery
from tests.journeys.nursery import Born

ANY_HOUR = PermittedHours(datetime.min.time(), datetime.max.time(), 10_000, 10_000)


def wait_for(is_so: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer within so many seconds; says what never came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := is_so():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}; states {states()}")


def states() -> dict[str, int]:
    """How many messages stand where."""
    return dict(Message.objects.order_by().values_list("state").annotate(Count("pk")))


def zone_where_it_is(hour: int) -> str:
    """A time zone in which it is about this hour of the day now."""
    east = (hour - now().hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"


class Carrier:
    """The phone simulator in its own process, with its journal of everything it accepted."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "carrier.jsonl"
        words = ["-m", "crm.local.simulator", "--smsc-port", "0", "--http-port", "0"]
        self._process = nursery.start([*words, "--journal", str(self.journal)], log=2, is_read=True)
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self.smsc_port, self._http_port = said["smsc_port"], said["http_port"]
        self._reading = self.journal.open("rb")
        self._accepted: list[dict[str, Any]] = []
        self._begun = b""

    def accepted(self) -> list[dict[str, Any]]:
        """Everything it ever said yes to, one entry a part."""
        *lines, self._begun = (self._begun + self._reading.read()).split(
            b"\n"
        )  # the last may be half written
        self._accepted += map(json.loads, lines)
        return list(self._accepted)

    def post(self, path: str, **body: Any) -> Any:
        """Talk to its page."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._http_port}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def thread(self, phone: str) -> list[dict[str, Any]]:
        """What the handset shows, oldest first."""
        address = f"http://127.0.0.1:{self._http_port}/api/handsets/{phone}/messages"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.loads(answer.read())

    @property
    def page_url(self) -> str:
        """The page of handsets, for a browser."""
        return f"http://127.0.0.1:{self._http_port}/"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class GatewayProcesses:
    """`manage.py run_gateways` against the test database, as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self._log = (folder / "gateways.log").open("ab")
        self._running: list[Born] = []

    def start(self, *words: str) -> Born:
        """Start one and wait until it listens."""
        process = nursery.start(
            ["manage.py", "run_gateways", "--lease-seconds", "2", *words],
            env=os.environ | {"REGULARS_DATABASE_URL": database_url()},
            log=self._log.fileno(),
            is_read=True,
        )
        self._running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY gateways\n"
        return process

    def kill(self, process: Born) -> None:
        """As the kernel would: no last word."""
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self._running.remove(process)

    def stop(self, process: Born) -> int:
        """As an administrator would."""
        process.send_signal(signal.SIGTERM)
        self._running.remove(process)
        return process.wait(25)

    def stop_all(self) -> None:
        for process in list(self._running):
            self.kill(process)
        self._log.close()


def database_url() -> str:
    """The test database, for another process."""
    values = connection.get_connection_params()
    user, password = values.get("user", ""), values.get("password", "")
    return f"postgresql://{user}:{password}@{values['host']}:{values['port']}/{values['dbname']}"


def throw_gateways_out_of_the_database() -> None:
    """What a restart of the database does to its clients."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def open_gateway(carrier: Carrier, *, name: str = "Main", window: int = 50, rate: int = 0) -> Gateway:
    """A gateway to the carrier."""
    return Gateway.objects.create(
        name=name,
        host="127.0.0.1",
        port=carrier.smsc_port,
        system_id=name.lower(),
        secret=encrypt_secret("secret"),
        sender="1069012345",
        window=window,
        rate=rate,
    )


def crowd(store: Store, count: int) -> list[Member]:
    """Members who agreed to everything, written in bulk: 13900000000, 13900000001, …"""
    return Member.objects.bulk_create(
        Member(
            member_no=f"M{number:07d}",
            phone=f"+86139{number:08d}",
            phone_hash=phone_hash(f"+86139{number:08d}"),
            home_store=store,
            has_service_consent=True,
            has_marketing_consent=True,
        )
        for number in range(count)
    )


def queue(
    members: list[Member], message_class: MessageClass = MessageClass.MARKETING, *, run: int = 1, **more
) -> None:
    """A text for each of them, through the only door."""
    fields = {
        "text": "[Regulars] Hello, we are open today",
        "encoding": "GSM-7",
        "parts": 1,
        "timezone": zone_where_it_is(12),
    } | more
    drafts = [
        Draft(
            phone=member.phone,
            phone_hash=bytes(member.phone_hash),
            member_id=member.pk,
            store_id=member.home_store_id,
            message_class=message_class,
            cause=Cause.RUN,
            cause_id=run,
            **fields,
        )
        for member in members
    ]
    enqueue(drafts, at=now(), hours=ANY_HOUR)
