"""A send under kills, torn links and lost answers: who was texted how often, by the carrier's journal (F1)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from crm.bench.database import database_url
from crm.bench.wire import zone_where_it_is_noon
from crm.local.faults.link import FaultyLink
from crm.local.places import PROJECT
from members.domain.enrolment import phone_hash
from members.models import Member, Store
from messaging.domain.outbox import Draft, PermittedHours, enqueue
from messaging.domain.sweeps import sweep_messages
from messaging.enums import Cause, MessageClass
from messaging.models import Attempt, Gateway, Message, Waiting
from messaging.secrets import encrypt_secret
from messaging.states import State

ANY_HOUR = PermittedHours(datetime.min.time(), datetime.max.time(), 10**6, 10**6)
MIX = (MessageClass.MARKETING,) * 7 + (MessageClass.NOTIFICATION,) * 2 + (MessageClass.VERIFICATION,)
SETTLED = {State.DELIVERED, State.UNCERTAIN, State.UNKNOWN}


@dataclass(frozen=True)
class Plan:
    """How much, and how badly. Waits are a tenth of a house's."""

    texts: int
    kills: int
    resets: int
    dropped: int
    window: int = 10
    processes: int = 2
    seed: int = 1
    drain_seconds: float = 120
    has_receipts: bool = True

    @property
    def doubts_max(self) -> int:
        """A window for each kill and each torn link of each gateway, one for each answer that was lost."""
        return self.window * (self.kills + self.resets * self.processes) + self.dropped


@dataclass(frozen=True)
class Figures:
    """What came of it. A copy is a submit the carrier said yes to, by its own journal."""

    texts: int
    on_the_air: int
    lost_unseen: int
    marketing_twice: int
    notifications_twice: int
    code_copies_max: int
    doubts: int
    doubts_max: int
    doubts_left: int
    flagged_seconds: float
    stray: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether F1 holds."""
        return (
            not (self.lost_unseen or self.marketing_twice or self.notifications_twice or self.stray)
            and self.code_copies_max <= 2
            and self.doubts <= self.doubts_max
            and self.flagged_seconds <= 45
        )


def send_under_faults(plan: Plan, folder: Path) -> Figures:
    """Queue, send, hurt, drain, judge; on the database Django is pointed at."""
    started = time.monotonic()
    dice = random.Random(plan.seed)
    phones = _queue(plan)
    with _carrier(folder, plan.has_receipts) as (port, journal):
        link = FaultyLink(port)
        _open_gateways(plan, link.port)
        gateways = _Gateways(plan.processes, folder)
        try:
            _hurt(plan, dice, journal, link, gateways)
            flagged = _seconds_until(lambda: not Message.objects.filter(state=State.SUBMITTING).exists(), 60)
            _drain(plan)
        finally:
            gateways.stop()
            link.close()
        copies = journal.copies()
    return _judged(plan, phones, copies, flagged, time.monotonic() - started)


def _queue(plan: Plan) -> dict[str, MessageClass]:
    """A text to each of so many new members; gives the class by phone."""
    store = Store.objects.order_by("id")[0]
    at = now()
    classes = {f"+86139{number:08d}": MIX[number % len(MIX)] for number in range(plan.texts)}
    for start in range(0, plan.texts, 1000):
        some = list(classes.items())[start : start + 1000]
        members = Member.objects.bulk_create(
            Member(
                member_no=f"T{start + number:07d}",
                phone=phone,
                phone_hash=phone_hash(phone),
                home_store=store,
                has_service_consent=True,
                has_marketing_consent=True,
            )
            for number, (phone, _) in enumerate(some)
        )
        drafts = [_draft(member, classes[member.phone]) for member in members]
        enqueue(drafts, at=at, hours=ANY_HOUR)
    return classes


def _draft(member: Member, message_class: MessageClass) -> Draft:
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=member.home_store_id,
        message_class=message_class,
        text="[Regulars] Hello, we are open today",
        encoding="GSM-7",
        parts=1,
        cause=Cause.API,
        cause_id=member.pk,
        timezone=zone_where_it_is_noon(),
    )


class _Journal:
    """The carrier's book of what it accepted, read on from where it was read to."""

    def __init__(self, path: Path) -> None:
        self._path, self._read_to = path, 0
        self._copies: Counter[tuple[str, int]] = Counter()

    def copies(self) -> Counter[tuple[str, int]]:
        """By phone and part."""
        if self._path.exists():
            with self._path.open("rb") as book:
                book.seek(self._read_to)
                whole = book.read().rpartition(b"\n")[0]
            self._read_to += len(whole) + bool(whole)
            entries = [json.loads(line) for line in whole.splitlines()]
            self._copies.update((entry["to"], entry["part"]) for entry in entries)
        return self._copies


@contextmanager
def _carrier(folder: Path, has_receipts: bool) -> Iterator[tuple[int, _Journal]]:
    path = folder / "carrier.jsonl"
    words = ["--smsc-port", "0", "--http-port", "0", "--fsync", "--journal", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "crm.local.simulator", *words], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        mood = json.dumps({"lose_receipts": not has_receipts}).encode()
        page = f"http://127.0.0.1:{said['http_port']}/api/carrier"
        urllib.request.urlopen(  # nosec B310: our own simulator on this machine
            urllib.request.Request(page, mood, {"Content-Type": "application/json"}), timeout=10
        ).close()
        yield said["smsc_port"], _Journal(path)
    finally:
        process.kill()
        process.wait()


def _open_gateways(plan: Plan, port: int) -> None:
    Gateway.objects.update(is_active=False)
    Gateway.objects.bulk_create(
        Gateway(
            name=f"Torture {port} {number}",
            host="127.0.0.1",
            port=port,
            system_id=f"torture{number}",
            secret=encrypt_secret("torture"),
            sender="1069012345",
            window=plan.window,
        )
        for number in range(plan.processes)
    )


class _Gateways:
    """`manage.py run_gateways`, killed as the kernel kills and started again at once."""

    def __init__(self, count: int, folder: Path) -> None:
        self._log = (folder / "gateways.log").open("ab")
        self.running = [self._start() for _ in range(count)]

    def kill(self, number: int) -> None:
        """No last word."""
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait(10)
        self.running[number] = self._start()

    def stop(self) -> None:
        """All of them, politely."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(30)
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        words = ["run_gateways", "--lease-seconds", "2", "--answer-seconds", "3"]
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=os.environ | {"REGULARS_DATABASE_URL": database_url(), "REGULARS_LOG_LEVEL": "ERROR"},
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )


def _has_share(journal: _Journal, share: float) -> bool:
    return journal.copies().total() >= share


def _hurt(plan: Plan, dice: random.Random, journal: _Journal, link: FaultyLink, gateways: _Gateways) -> None:
    """Spread the faults over the send, each at its share of the texts."""
    faults = ["kill"] * plan.kills + ["reset"] * plan.resets + ["drop"] * plan.dropped
    dice.shuffle(faults)
    for number, fault in enumerate(faults, 1):
        share = plan.texts * 0.9 * number / (len(faults) + 1)
        _seconds_until(partial(_has_share, journal, share), 120)
        if fault == "kill":
            gateways.kill(dice.randrange(plan.processes))
        elif fault == "reset":
            link.reset()
        else:
            link.drop_answers(1)
    _seconds_until(
        lambda: not Message.objects.filter(state__in=[State.QUEUED, State.RETRY_WAIT]).exists(),
        plan.drain_seconds,
    )


def _drain(plan: Plan) -> None:
    """Let receipts resolve what they can; then what may be repeated is, and what may not stays visible."""
    if plan.has_receipts:
        _seconds_until(lambda: not Message.objects.filter(state=State.ACCEPTED).exists(), plan.drain_seconds)
        time.sleep(4)  # receipts of lost answers, repeated to the next bind, and two sweeps
    sweep_messages(at=now(), resend_seconds=0)
    ends = SETTLED if plan.has_receipts else SETTLED | {State.ACCEPTED}
    _seconds_until(lambda: not Message.objects.exclude(state__in=ends).exists(), plan.drain_seconds)


def _seconds_until(is_so: Callable[[], bool], most: float) -> float:
    started = time.monotonic()
    while not is_so() and time.monotonic() - started < most:
        time.sleep(0.05)
    return time.monotonic() - started


def _judged(
    plan: Plan, phones: dict[str, MessageClass], copies: Counter[Any], flagged: float, seconds: float
) -> Figures:
    times = {f"+{to}": count for (to, _), count in copies.items()}
    states = dict(Message.objects.values_list("phone", "state"))
    twice = Counter(phones[phone] for phone, count in times.items() if count > 1)
    unseen = [
        phone
        for phone in phones
        if phone not in times and states[phone] not in (State.UNCERTAIN, State.UNKNOWN)
    ]
    in_chunks = {
        pk for ids in Waiting.objects.filter(state="queued").values_list("ids", flat=True) for pk in ids
    }
    queued = set(Message.objects.filter(state=State.QUEUED).values_list("pk", flat=True))
    codes = [count for phone, count in times.items() if phones[phone] == MessageClass.VERIFICATION]
    return Figures(
        texts=plan.texts,
        on_the_air=len(times),
        lost_unseen=len(unseen),
        marketing_twice=twice[MessageClass.MARKETING],
        notifications_twice=twice[MessageClass.NOTIFICATION],
        code_copies_max=max(codes, default=0),
        doubts=Attempt.objects.filter(outcome="uncertain").count()
        + Attempt.objects.filter(outcome="accepted", raw_status="process lost").count(),
        doubts_max=plan.doubts_max,
        doubts_left=sum(state in (State.UNCERTAIN, State.UNKNOWN) for state in states.values()),
        flagged_seconds=round(flagged, 1),
        stray=len(queued - in_chunks),
        seconds=round(seconds, 1),
    )
