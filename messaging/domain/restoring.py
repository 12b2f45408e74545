"""A database that went back in time: noticed, and everything stopped until a person has looked.

Beat counts, in the database and, after the commit, in a file beside it. A count that is lower in the database than
in the file means that a backup was restored: texts it believes to be waiting may be on phones already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from members.domain import audit
from members.models import AuditVerb, Staff
from messaging.domain.outbox import nudge_on_commit
from messaging.enums import MessageClass
from messaging.models import Gateway, Heartbeat, Message, Pause, PauseReason
from messaging.states import Reason, State

HOUSE, BEAT = "house", "beat"
FILE = "heartbeat.json"
HELD_AT_ONCE = 10_000


@dataclass(frozen=True)
class Stopped:
    """What a restore stopped: marketing texts now held, and marketing that was on its way."""

    held: int
    on_its_way: int


def marker() -> Path:
    """The file that remembers how far the database had come."""
    return Path(settings.DATA_DIR) / FILE


@transaction.atomic
def tick(*, at: datetime) -> None:
    """Count on, and let the file follow once that is committed. Said by beat, each half minute."""
    Heartbeat.objects.update_or_create(name=BEAT, defaults={"at": at})
    house, _is_new = Heartbeat.objects.select_for_update().get_or_create(name=HOUSE, defaults={"at": at})
    Heartbeat.objects.filter(pk=HOUSE).update(count=F("count") + 1, at=at)
    said = {"identity": str(house.identity), "count": house.count + 1, "at": at.isoformat()}
    transaction.on_commit(lambda: _write(said), robust=True)


def _write(said: dict[str, object]) -> None:
    draft = marker().with_suffix(".new")
    draft.write_text(json.dumps(said))
    draft.replace(marker())


def went_back() -> bool:
    """Whether this database is an earlier state of the one the file knows. Another database is not."""
    try:
        known = json.loads(marker().read_text())
        identity, count = UUID(known["identity"]), int(known["count"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    house = Heartbeat.objects.filter(pk=HOUSE, identity=identity).first()
    return house is not None and house.count < count


def look(*, at: datetime) -> bool:
    """Stop everything if the database went back; said before a gateway process starts and at each tick of beat."""
    if Pause.objects.filter(reason=PauseReason.RESTORE).exists() or not went_back():
        return False
    after_restore(by=None, at=at)
    return True


def after_restore(*, by: Staff | None, at: datetime) -> Stopped:
    """Pause every gateway, end every lease, hold what marketing waits. Safe to say again. Audited.

    A process that still holds a gateway writes nothing more: its epoch is over. Codes, notices and answers go on when
    a person resumes them; marketing stays until it is released.
    """
    with transaction.atomic():
        for message_class in ("", MessageClass.MARKETING):
            Pause.objects.get_or_create(
                gateway=None,
                message_class=message_class,
                reason=PauseReason.RESTORE,
                defaults={"by": by, "at": at},
            )
        Gateway.objects.update(lease_epoch=F("lease_epoch") + 1, lease_owner="", lease_until=None)
        _catch_up()
    held = 0
    while (some := _hold_some(at)) is not None:
        held += some
    on_its_way = Message.objects.filter(
        state__in=[State.SUBMITTING, State.UNCERTAIN], message_class=MessageClass.MARKETING
    ).count()
    audit.write(
        actor=by,
        verb=AuditVerb.RESTORED,
        subject=("database", "house"),
        after={"marketing_held": held},
        at=at,
    )
    return Stopped(held, on_its_way)


def _catch_up() -> None:
    """From here on the database counts above the file again."""
    try:
        known = int(json.loads(marker().read_text())["count"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    Heartbeat.objects.filter(pk=HOUSE, count__lt=known).update(count=known)


@transaction.atomic
def _hold_some(at: datetime) -> int | None:
    """How many more are held now; None when none waits any more. What a stopped run wrote is cancelled instead."""
    waiting = Message.objects.filter(
        state__in=[State.QUEUED, State.RETRY_WAIT], message_class=MessageClass.MARKETING, created_at__lte=at
    )
    locked = waiting.select_for_update(skip_locked=True).values_list("pk", "state")[:HELD_AT_ONCE]
    rows = list(locked)
    if not rows:
        return None
    retrying = [pk for pk, state in rows if state == State.RETRY_WAIT]
    Message.objects.filter(pk__in=retrying).update(state=State.QUEUED)
    mine = Message.objects.filter(pk__in=[pk for pk, _state in rows])
    mine.filter(state=State.QUEUED).update(state=State.HELD, reason=Reason.RESTORED)
    return mine.filter(state=State.HELD).count()


@transaction.atomic
def resume(*, with_marketing: bool, by: Staff, at: datetime) -> None:
    """Let everything but marketing leave again; with `with_marketing`, also what marketing is written from now on and
    what was released. What is still held stays held. Audited.
    """
    rows = Pause.objects.filter(reason=PauseReason.RESTORE)
    gone = (rows if with_marketing else rows.filter(message_class="")).delete()[0]
    if gone:
        what = "all" if with_marketing else "all but marketing"
        audit.write(actor=by, verb=AuditVerb.TEXTS_RESUMED, subject=("database", what), at=at)
        nudge_on_commit()


def is_stopped() -> bool:
    """Whether anything still waits for a person's word after a restore."""
    return Pause.objects.filter(reason=PauseReason.RESTORE).exists()


def stopped() -> dict[str, datetime]:
    """Since when what still waits for a person's word: `all` and `marketing`."""
    rows = Pause.objects.filter(reason=PauseReason.RESTORE).values_list("message_class", "at")
    return {message_class or "all": at for message_class, at in rows}


def beat_age(at: datetime) -> float | None:
    """Seconds since beat last ticked; None if it never did."""
    last = Heartbeat.objects.filter(pk=BEAT).values_list("at", flat=True).first()
    return (at - last).total_seconds() if last else None


def clock_skew(at: datetime) -> float:
    """How many seconds the database's clock is ahead of ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return (cursor.fetchone()[0] - at).total_seconds()
