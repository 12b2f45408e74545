"""Letting texts wait: those of a gateway, of a class, or all. The claim passes over them; nothing is cancelled."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count

from members.domain import audit
from members.models import AuditVerb, Staff
from messaging.domain.outbox import nudge_on_commit
from messaging.enums import PRIORITY, MessageClass
from messaging.models import Gateway, Message, Pause, PauseReason, Waiting
from messaging.states import State


@transaction.atomic
def pause(*, gateway: Gateway | None, message_class: str, by: Staff, at: datetime) -> int:
    """Let them wait from now on. Gives how many queued texts that are. Twice changes nothing. Audited.

    What was claimed in this instant still leaves.
    """
    _row, is_new = Pause.objects.get_or_create(
        gateway=gateway, message_class=message_class, reason=PauseReason.PERSON, defaults={"by": by, "at": at}
    )
    waiting = queued(message_class)
    if is_new:
        _note(AuditVerb.TEXTS_PAUSED, gateway, message_class, waiting, by, at)
    return waiting


@transaction.atomic
def resume(*, gateway: Gateway | None, message_class: str, by: Staff, at: datetime) -> int:
    """Let them leave again. Gives how many texts had waited. A pause after a restore is not lifted here. Audited."""
    rows = Pause.objects.filter(
        gateway=gateway, message_class=message_class, reason=PauseReason.PERSON
    ).delete()[0]
    waiting = queued(message_class)
    if rows:
        _note(AuditVerb.TEXTS_RESUMED, gateway, message_class, waiting, by, at)
        nudge_on_commit()
    return waiting


def queued(message_class: str = "") -> int:
    """How many texts of a class, or of all, are queued now: found where they wait."""
    priorities = [PRIORITY[MessageClass(message_class)]] if message_class else list(PRIORITY.values())
    waiting = Waiting.objects.filter(state=State.QUEUED, priority__in=priorities).message_ids()
    found = Message.objects.filter(state=State.QUEUED, pk__in=waiting)
    return found.order_by().aggregate(total=Count("id"))["total"]


def paused_priorities(gateway: int | None = None) -> set[int]:
    """The priorities that may not leave now: by this gateway, or by any."""
    rows = Pause.objects.all()
    stopped: set[int] = set()
    for row in rows:
        if row.gateway_id is None or row.gateway_id == gateway:
            classes = [row.message_class] if row.message_class else list(MessageClass)
            stopped |= {PRIORITY[MessageClass(name)] for name in classes}
    return stopped


def _note(
    verb: AuditVerb, gateway: Gateway | None, message_class: str, waiting: int, by: Staff, at: datetime
) -> None:
    subject = gateway or ("class", message_class or "all")
    audit.write(actor=by, verb=verb, subject=subject, after={"queued": waiting}, at=at)
