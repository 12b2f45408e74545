"""A run in numbers: how far it is, how fast, what it cost, what came back. A fixed number of queries, any size."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum

from campaigns.domain import runs
from campaigns.domain.runs import Progress
from campaigns.enums import RunStatus
from campaigns.models import Run
from crm.reports.overview import SENT
from messaging.enums import Cause
from messaging.models import Gateway, InboundText, Message
from messaging.states import Reason, State

FAILED = frozenset({State.UNDELIVERED, State.NO_RECEIPT, State.UNKNOWN, State.REJECTED, State.QUARANTINED})
LEAVING = frozenset({State.HELD, State.QUEUED, State.SUBMITTING, State.RETRY_WAIT})
AWAITED = frozenset({State.ACCEPTED, State.UNCERTAIN})
NEVER_LEFT = frozenset({State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.REJECTED})
RECENTLY = timedelta(seconds=10)


@dataclass(frozen=True)
class Figures:
    """Where a run stands; `rate` is texts a second.

    `resting` texts wait: `capped` of them until their number may have another marketing text (the first at
    `capped_until`), the others for permitted hours (the first at `rests_until`).
    """

    run: Run
    progress: Progress
    parts: int
    cost_minor: int
    rate: float
    resting: int
    rests_until: datetime | None
    capped: int
    capped_until: datetime | None
    replies: int = 0
    opt_outs: int = 0
    states: dict[str, int] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        return self._count(SENT)

    @property
    def delivered(self) -> int:
        return self._count({State.DELIVERED})

    @property
    def failed(self) -> int:
        return self._count(FAILED)

    @property
    def awaited(self) -> int:
        """Handed to the carrier, receipt not here yet."""
        return self._count(AWAITED)

    @property
    def left_out(self) -> int:
        return sum(self.progress.left_out.values())

    @property
    def planned(self) -> int:
        """Texts that left or may still leave."""
        return self.progress.recipients - self.left_out

    @property
    def leaving(self) -> int:
        """Texts that are not with a carrier yet; those of a stopped run that were never made do not count."""
        made = self._count(LEAVING)
        return made if self.run.status == RunStatus.STOPPED else made + self.progress.waiting

    @property
    def for_hours(self) -> int:
        """Of those that wait, how many wait for permitted hours."""
        return self.resting - self.capped

    @property
    def pace(self) -> float:
        """Texts a second just now; 0 as soon as nothing is left that could leave, however fast it went."""
        return self.rate if self.leaving > self.resting else 0

    @property
    def seconds_left(self) -> int | None:
        """At the present pace, for what need not wait; None when nothing moves."""
        return round((self.leaving - self.resting) / self.pace) if self.pace else None

    @property
    def stoppable(self) -> int:
        """Texts that a stop would keep from leaving."""
        unmade = 0 if self.run.status == RunStatus.STOPPED else self.progress.waiting
        return unmade + self._count(runs.STOPPABLE)

    @property
    def may_stop(self) -> bool:
        return self.run.status in (RunStatus.FREEZING, RunStatus.SENDING) or (
            self.run.status == RunStatus.DONE and self.stoppable > 0
        )

    def refresh_seconds(self, at: datetime) -> int:
        """When to look again: each second while texts leave, slower for receipts, 0 when all is settled."""
        if self.run.status in (RunStatus.FREEZING, RunStatus.SENDING) or self.leaving > self.resting:
            return 1
        if not self.leaving and not self.awaited:
            return 0
        if self.resting or at - self.run.started_at > timedelta(hours=1):
            return 60
        return 2 if at - self.run.started_at < timedelta(minutes=5) else 10

    def _count(self, states: Any) -> int:
        return sum(self.progress.by_state.get(state, 0) for state in states)


def figures_of(run: Run, *, at: datetime) -> Figures:
    """Everything the run page counts; six queries."""
    progress = runs.progress(run)
    own = messages_of(run)
    rests = Q(state=State.QUEUED, due_at__gt=at)
    is_capped = rests & Q(reason=Reason.FREQUENCY)
    moving = own.aggregate(
        lately=Count("id", filter=Q(submitted_at__gt=at - RECENTLY)),
        resting=Count("id", filter=rests),
        rests_until=Min("due_at", filter=rests & ~Q(reason=Reason.FREQUENCY)),
        capped=Count("id", filter=is_capped),
        capped_until=Min("due_at", filter=is_capped),
    )
    parts, cost = _cost(own)
    back = inbound_of(run).aggregate(all=Count("id"), out=Count("id", filter=Q(intent="opt_out")))
    return Figures(
        run=run,
        progress=progress,
        parts=parts,
        cost_minor=cost,
        rate=moving["lately"] / RECENTLY.total_seconds(),
        resting=moving["resting"],
        rests_until=moving["rests_until"],
        capped=moving["capped"],
        capped_until=moving["capped_until"],
        replies=back["all"],
        opt_outs=back["out"],
    )


def messages_of(run: Run) -> QuerySet[Message]:
    """The texts of a run."""
    return Message.objects.filter(cause=Cause.RUN, cause_id=run.pk)


def inbound_of(run: Run) -> QuerySet[InboundText]:
    """What the run's recipients have written since it started."""
    return InboundText.objects.filter(
        received_at__gte=run.started_at, member__in=run.recipients.values("member")
    )


def reasons(figures: Figures) -> list[tuple[Reason, int]]:
    """Why recipients got no text, the most frequent first."""
    counted = sorted(figures.progress.left_out.items(), key=lambda row: (-row[1], row[0]))
    return [(Reason(reason), total) for reason, total in counted]


def _cost(own: QuerySet[Message]) -> tuple[int, int]:
    """Parts handed over and their price in minor units, at each gateway's price of today."""
    sent = own.filter(state__in=SENT).order_by().values_list("gateway_id").annotate(total=Sum("parts"))
    parts: dict[int | None, int] = dict(sent)
    prices = dict(Gateway.objects.filter(pk__in=[pk for pk in parts if pk]).values_list("id", "price_minor"))
    return sum(parts.values()), sum(total * prices.get(gateway or 0, 0) for gateway, total in parts.items())
