"""A run under way: recipients frozen, expanded in chunks, watched, stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count

from campaigns.domain import wakeup
from campaigns.domain.audiences import Audience
from campaigns.enums import CampaignKind, CampaignStatus, RunStatus, Timing
from campaigns.models import Campaign, Run, RunChunk
from members.enums import STORED_VALUE, AccountKind
from members.models import Account, Member, MemberStatus, Staff, Store
from messaging.domain import budgets, outbox, texts
from messaging.domain.outbox import Said
from messaging.domain.texts import Wording
from messaging.enums import Cause, MessageClass
from messaging.models import Message, TemplateVersion
from messaging.states import Reason, State

CHUNK_SIZE = 1000
STOPPABLE = (State.HELD, State.QUEUED, State.RETRY_WAIT)


@dataclass(frozen=True)
class Progress:
    """Where a run stands: messages by state, those left out by reason, recipients not expanded yet."""

    recipients: int
    waiting: int
    by_state: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    parts: int = 0

    @property
    def sent(self) -> int:
        """Handed to a carrier and not refused."""
        return sum(self.by_state.get(state, 0) for state in _SENT)

    @property
    def delivered(self) -> int:
        return self.by_state.get(State.DELIVERED, 0)

    @property
    def settled(self) -> int:
        """Recipients whose text needs nothing more from us."""
        busy = sum(self.by_state.get(state, 0) for state in (*STOPPABLE, State.SUBMITTING))
        return self.recipients - self.waiting - busy

    @property
    def percent(self) -> int:
        return 100 if not self.recipients else self.settled * 100 // self.recipients


_SENT = (State.ACCEPTED, State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT, State.UNCERTAIN, State.UNKNOWN)


@transaction.atomic
def freeze(*, run_id: int) -> dict[str, int]:
    """Write down the run's recipients and chunks. Done once: the run row is locked and its status moves."""
    run = _locked(run_id, RunStatus.FREEZING)
    if run is None:
        return {"recipients": 0, "chunks": 0}
    total = _write_recipients(run)
    chunks = -(-total // CHUNK_SIZE)
    RunChunk.objects.bulk_create([RunChunk(run=run, number=number) for number in range(chunks)])
    run.recipients_total, run.chunks_total = total, chunks
    run.status = RunStatus.SENDING
    run.save()
    if not chunks:
        _finish(run, run.started_at)
    return {"recipients": total, "chunks": chunks}


_WRITE_RECIPIENTS = """
INSERT INTO campaigns_recipient (run_id, member_id, phone, chunk, score)
SELECT %s, chosen.id, chosen.phone, (row_number() OVER (ORDER BY chosen.id) - 1) / {size}, {score}
FROM ({members}) chosen (id, phone) {scores}
ORDER BY chosen.id
ON CONFLICT (run_id, phone) DO NOTHING
"""


def _write_recipients(run: Run) -> int:
    """The chosen in one statement, in chunks by id; nobody's row leaves the database. Gives how many they are."""
    campaign = run.campaign
    members = Audience.from_json(campaign.audience).members(campaign.store, at=run.as_of)
    words = {"score": "NULL", "scores": ""}
    parameters: list[Any] = []
    if campaign.kind == CampaignKind.WAKEUP:
        scores = wakeup.choose(run, members)
        members = Member.objects.current().filter(pk__in=[pk for pk, _score in scores])
        words = {
            "score": "s.score",
            "scores": "JOIN unnest(%s::bigint[], %s::float8[]) s (id, score) ON s.id = chosen.id",
        }
        parameters = [[pk for pk, _score in scores], [score for _pk, score in scores]]
    rows = members.order_by().values_list("id", "phone").distinct()
    try:
        asked, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return 0
    statement = _WRITE_RECIPIENTS.format(size=CHUNK_SIZE, members=asked, **words)
    with connection.cursor() as cursor:
        cursor.execute(statement, [run.pk, *values, *parameters])
        return int(cursor.rowcount)


@transaction.atomic
def expand(*, run_id: int, chunk: int, at: datetime) -> dict[str, int]:
    """Turn one chunk's recipients into messages, all or none, once: the chunk row is locked and marked.

    A stopped run expands nothing. Killed in the middle, it leaves nothing; run again, it goes on.
    """
    row = (
        RunChunk.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(run_id=run_id, number=chunk, expanded_at=None)
        .first()
    )
    run = Run.objects.select_related("campaign__store").get(pk=run_id)
    if row is None or run.status != RunStatus.SENDING:
        return {"queued": 0, "left_out": 0}
    said = _said(run, chunk, at)
    # The store's row too: two runs of a store do not expand at once, or each would miss the other's text to a phone
    # when it counts how many the phone has had. A member is of one store. Composed is before, beside another chunk.
    run = Run.objects.select_for_update(no_key=True).select_related("campaign__store").get(pk=run_id)
    if run.status != RunStatus.SENDING:
        return {"queued": 0, "left_out": 0}
    by_state = outbox.enqueue_members(
        said,
        store_id=run.campaign.store_id,
        message_class=MessageClass.MARKETING,
        cause=Cause.RUN,
        cause_id=run.pk,
        at=at,
        is_personal=run.campaign.kind == CampaignKind.WAKEUP,
    )
    row.expanded_at = at
    row.save()
    if not run.chunks.filter(expanded_at=None).exists():
        _finish(run, at)
    queued = by_state.get(State.QUEUED, 0)
    return {"queued": queued, "left_out": len(said) - queued}


def _said(run: Run, chunk: int, at: datetime) -> list[Said]:
    """What each recipient of a chunk would read, or the reason there is nothing; rows, never models."""
    campaign, store = run.campaign, run.campaign.store
    wordings = texts.approved_wordings([campaign.template_id or 0]).get(campaign.template_id or 0, {})
    if campaign.wording:  # a language taken out of the plan is not said, though it was approved once
        wordings = {language: said for language, said in wordings.items() if language in campaign.wording}
    asks_visits = _asks(wordings.values(), "last_visit", "days_away")
    columns = (*_ROW, "member__facts__last_visit_at") if asks_visits else _ROW
    rows = list(run.recipients.filter(chunk=chunk).order_by("id").values_list(*columns))
    asks_holdings = _asks(wordings.values(), "balance", "points_balance")
    held = holdings_of([row[0] for row in rows]) if asks_holdings else {}
    same: dict[str, object] = {"store": store.name, "store_phone": store.phone}
    chosen = {language: texts.preferred(wordings, language) for language in {row[4] for row in rows}}
    said = []
    for member_id, phone, phone_hash, name, language, timezone, status, *visit in rows:
        zone = outbox.zone_of(phone, said=timezone, store=store.timezone)
        whose, wording = (member_id, phone, phone_hash), chosen[language]
        is_merged = (
            status == MemberStatus.MERGED
        )  # since the run was frozen: the one they became is asked instead
        if wording is None or is_merged:
            why = Reason.DUPLICATE if is_merged else Reason.NOT_APPROVED
            said.append(Said(*whose, None, "", "", "UCS-2", 1, why.value, zone))
            continue
        payload: dict[str, object] = same | {"name": name}
        if asks_visits or asks_holdings:
            last = visit[0] if visit else None
            payload = _payload(store, name, last, held.get(member_id, NOTHING_HELD), at)
        text, encoding, parts, refusal = wording.compose(
            payload, signature=store.sms_signature, phone=phone, timezone=store.timezone
        )
        which = (wording.version_id, wording.language)
        said.append(Said(*whose, *which, text, encoding, parts, refusal.value, zone))
    return said


_ROW = (
    "member_id",
    "member__phone",
    "member__phone_hash",
    "member__name",
    "member__language",
    "member__timezone",
    "member__status",
)
NOTHING_HELD = {"balance": 0, "points": 0}


def _asks(wordings: Iterable[Wording], *names: str) -> bool:
    return any(wording.says(*names) for wording in wordings)


def compose(
    campaign: Campaign, member: Member, version: TemplateVersion, held: dict[str, int], at: datetime
) -> texts.Composed:
    """What this member would read."""
    store = campaign.store
    last = member.facts.last_visit_at if hasattr(member, "facts") else None
    return texts.wording_of(version).compose(
        _payload(store, member.name, last, held, at),
        signature=store.sms_signature,
        phone=member.phone,
        timezone=store.timezone,
    )


def _payload(
    store: Store, name: str, last_visit_at: datetime | None, held: Mapping[str, int], at: datetime
) -> dict[str, object]:
    return {
        "name": name,
        "store": store.name,
        "store_phone": store.phone,
        "balance": held.get("balance", 0),
        "points_balance": held.get("points", 0),
        "last_visit": last_visit_at.astimezone(store.zone).date().isoformat() if last_visit_at else "",
        "days_away": (at - last_visit_at).days if last_visit_at else "",
    }


def holdings(members: Sequence[Member]) -> dict[int, dict[str, int]]:
    """Stored value and points of each member, by member id; one query."""
    return holdings_of([member.pk for member in members])


def holdings_of(member_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """`holdings` for whoever has only the ids."""
    held: dict[int, dict[str, int]] = {member_id: dict(NOTHING_HELD) for member_id in member_ids}
    accounts = Account.objects.filter(member__in=member_ids).values_list("member_id", "kind", "balance")
    for member_id, kind, balance in accounts:
        name = "points" if kind == AccountKind.POINTS else "balance"
        if kind in (*STORED_VALUE, AccountKind.POINTS):
            held[member_id][name] += balance or 0
    return held


@transaction.atomic
def stop(*, run: Run, by: Staff, at: datetime) -> int:
    """Stop a run: no chunk is expanded any more, what still waits is cancelled. Gives how many texts that were.

    What a carrier has already accepted cannot be called back. What is on its way to one just now either gets there or
    comes back to wait, and then is cancelled at once (campaigns/sql/stopped_runs.sql).
    """
    Run.objects.select_for_update().get(pk=run.pk)  # waits for texts that are coming back
    moved = Run.objects.filter(pk=run.pk, status__in=[RunStatus.FREEZING, RunStatus.SENDING, RunStatus.DONE])
    moved.update(status=RunStatus.STOPPED, stopped_by=by, finished_at=at)
    budgets.close_purse(cause=Cause.RUN, cause_id=run.pk, at=at)
    return _cancel_waiting([run.pk], at)


@transaction.atomic
def cancel_returned(*, at: datetime, within: timedelta = timedelta(hours=1)) -> int:
    """Cancel what somebody was at when its run was stopped, and left waiting as it was: for the sweep."""
    stopped = Run.objects.filter(status=RunStatus.STOPPED, finished_at__gt=at - within)
    return _cancel_waiting(list(stopped.values_list("id", flat=True)), at)


def _cancel_waiting(run_ids: Sequence[int], at: datetime) -> int:
    """Waits for nobody: a text that a gateway holds at this moment is left to it."""
    waiting = Message.objects.filter(cause=Cause.RUN, cause_id__in=run_ids, state__in=STOPPABLE)
    locked = waiting.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True)
    return Message.objects.filter(pk__in=list(locked)).update(
        state=State.CANCELLED, reason=Reason.STOPPED, final_at=at
    )


def progress(run: Run) -> Progress:
    """Where the run stands now; two aggregates, whatever its size."""
    own = Message.objects.filter(cause=Cause.RUN, cause_id=run.pk)
    rows = list(own.order_by().values_list("state", "reason").annotate(total=Count("id")))
    by_state: dict[str, int] = {}
    left_out: dict[str, int] = {}
    for state, reason, total in rows:
        by_state[state] = by_state.get(state, 0) + total
        if state in (State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.REJECTED):
            left_out[reason] = left_out.get(reason, 0) + total
    expanded = sum(by_state.values())
    return Progress(run.recipients_total, max(run.recipients_total - expanded, 0), by_state, left_out)


def unexpanded(*, at: datetime, after: timedelta = timedelta(seconds=30)) -> Iterable[tuple[int, int]]:
    """(run, chunk) pairs that should have been expanded by now: for the sweep."""
    late = RunChunk.objects.filter(
        expanded_at=None, run__status=RunStatus.SENDING, run__started_at__lt=at - after
    )
    return list(late.order_by("run_id", "number").values_list("run_id", "number")[:1000])


def unfrozen(*, at: datetime, after: timedelta = timedelta(seconds=30)) -> list[int]:
    """Runs that should have been frozen by now: for the sweep."""
    late = Run.objects.filter(status=RunStatus.FREEZING, started_at__lt=at - after)
    return list(late.values_list("id", flat=True))


def _locked(run_id: int, status: RunStatus) -> Run | None:
    return (
        Run.objects.select_for_update(of=("self",))
        .select_related("campaign__store")
        .filter(pk=run_id, status=status)
        .first()
    )


def _finish(run: Run, at: datetime) -> None:
    run.status, run.finished_at = RunStatus.DONE, at
    run.save()
    budgets.close_purse(cause=Cause.RUN, cause_id=run.pk, at=at)
    if run.campaign.timing in (Timing.NOW, Timing.ONCE):
        Campaign.objects.filter(pk=run.campaign_id, status=CampaignStatus.ACTIVE).update(
            status=CampaignStatus.ENDED
        )
