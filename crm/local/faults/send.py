"""A send under kills, torn links and lost answers: who was texted how often, by the carrier's journal (F1)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.utils.timezone import now

from crm.bench.wire import zone_where_it_is_noon
from crm.local.faults.carrier import Carrier, Journal
from crm.local.faults.judge import Figures, judge
from crm.local.faults.link import FaultyLink
from crm.local.faults.processes import Gateways, Start, run_gateways
from members.domain.enrolment import phone_hash
from members.models import Member, Store
from messaging.domain.outbox import Draft, PermittedHours, enqueue
from messaging.domain.sweeps import sweep_messages
from messaging.enums import Cause, MessageClass
from messaging.models import Gateway, Message
from messaging.secrets import encrypt_secret
from messaging.states import State

ANY_HOUR = PermittedHours(datetime.min.time(), datetime.max.time(), 10**6, 10**6)
MIX = (MessageClass.MARKETING,) * 7 + (MessageClass.NOTIFICATION,) * 2 + (MessageClass.VERIFICATION,)
SETTLED = {State.DELIVERED, State.UNCERTAIN, State.UNKNOWN}


@dataclass(frozen=True)
class Plan:
    """How much, and how badly. Waits are a tenth of a house's.

    `takeovers` are leases that run out under a process which does not notice. `queued_times`: a job that makes the texts may run more than once. `rate` 0 is as fast as it goes.
    """

    texts: int
    kills: int
    resets: int
    dropped: int
    window: int = 10
    rate: int = 0
    processes: int = 2
    gateways: int = 2
    takeovers: int = 0
    queued_times: int = 1
    seed: int = 1
    mix: tuple[MessageClass, ...] = MIX
    settle_seconds: float = 4  # receipts of lost answers, repeated to the next bind, and two sweeps
    drain_seconds: float = 120
    answer_delay_ms: int = 0
    receipt_delay_ms: int = 400
    has_receipts: bool = True

    @property
    def doubts_max(self) -> int:
        """A window for each kill, takeover and torn link of each gateway, one for each answer that was lost."""
        return self.window * (self.kills + self.takeovers + self.resets * self.gateways) + self.dropped


def send_under_faults(
    plan: Plan, folder: Path, *, carrier: Carrier | None = None, start: Start | None = None
) -> Figures:
    """Queue, send, hurt, drain, judge; on the database Django is pointed at.

    `start` starts a gateway process: `manage.py run_gateways` unless told otherwise.
    """
    if carrier is None:
        with Carrier(folder) as own:
            return send_under_faults(plan, folder, carrier=own, start=start)
    started = time.monotonic()
    phones = _queue(plan)
    journal = carrier.begin(
        lose_receipts=not plan.has_receipts,
        answer_delay_ms=plan.answer_delay_ms,
        receipt_delay_ms=plan.receipt_delay_ms,
    )
    link = FaultyLink(carrier.port)
    _open_gateways(plan, link.port)
    gateways = Gateways(plan.processes, start or run_gateways(folder), folder / "gateways.log")
    try:
        _hurt(plan, journal, link, gateways)
        flagged = _seconds_until(lambda: not Message.objects.filter(state=State.SUBMITTING).exists(), 60)
        _drain(plan)
    finally:
        gateways.stop()
        link.close()
    if not plan.has_receipts:
        _pass_72_hours()
    return judge(
        phones,
        journal.copies(),
        doubts_max=plan.doubts_max,
        has_receipts=plan.has_receipts,
        flagged_seconds=flagged,
        seconds=time.monotonic() - started,
    )


def _queue(plan: Plan) -> dict[str, MessageClass]:
    """A text to each of so many new members; gives the class by phone."""
    store = Store.objects.order_by("id")[0]
    at = now()
    classes = {f"+86139{number:08d}": plan.mix[number % len(plan.mix)] for number in range(plan.texts)}
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
        for turn in range(plan.queued_times):
            drafts = [_draft(member, classes[member.phone], "!" * turn) for member in members]
            enqueue(drafts, at=at, hours=ANY_HOUR)
    return classes


def _draft(member: Member, message_class: MessageClass, mark: str) -> Draft:
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=member.home_store_id,
        message_class=message_class,
        text=f"[Regulars] Hello, we are open today{mark}",
        encoding="GSM-7",
        parts=1,
        cause=Cause.API,
        cause_id=member.pk,
        timezone=zone_where_it_is_noon(),
    )


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
            rate=plan.rate,
        )
        for number in range(plan.gateways)
    )


def _has_share(journal: Journal, share: float) -> bool:
    return journal.copies().total() >= share


def _hurt(plan: Plan, journal: Journal, link: FaultyLink, gateways: Gateways) -> None:
    """Spread the faults over the send, each at its share of the texts."""
    dice = random.Random(plan.seed)  # nosec B311: no secret
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
        time.sleep(plan.settle_seconds)
    sweep_messages(at=now(), resend_seconds=0)
    ends = SETTLED if plan.has_receipts else SETTLED | {State.ACCEPTED}
    _seconds_until(lambda: not Message.objects.exclude(state__in=ends).exists(), plan.drain_seconds)


def _pass_72_hours() -> None:
    """Nobody is waited for any longer."""
    while any(sweep_messages(at=now() + timedelta(hours=73))[rule] for rule in ("uncertain", "no_receipt")):
        pass


def _seconds_until(is_so: Callable[[], bool], most: float) -> float:
    started = time.monotonic()
    while not is_so() and time.monotonic() - started < most:
        time.sleep(0.05)
    return time.monotonic() - started
