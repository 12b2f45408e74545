"""What the phones have received lately: the texts the rules would have sent for the history's events, settled."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from campaigns.domain import triggers
from campaigns.enums import Firing
from campaigns.models import RuleFiring, TriggerRule
from members.models import MembershipEvent
from messaging.domain import texts
from messaging.domain.outbox import recipient_zone
from messaging.enums import LIFETIME_SECONDS, PRIORITY, Cause, MessageClass
from messaging.models import Gateway, Message, TemplateVersion
from messaging.states import Reason, State

SHOWN = timedelta(days=60)


def write_past_texts(rules: list[TriggerRule], gateway: Gateway, now: datetime) -> int:
    """Firings and messages of the last sixty days, all final; says how many messages."""
    by_event = {rule.event_type: rule for rule in rules}
    events = list(
        MembershipEvent.objects.filter(type__in=by_event, at__gt=now - SHOWN)
        .select_related("member", "store")
        .order_by("at", "id")
    )
    firings = RuleFiring.objects.bulk_create(
        RuleFiring(
            rule=by_event[event.type], event=event, member=event.member, outcome=Firing.SENT, at=event.at
        )
        for event in events
    )
    versions: dict[tuple[int, str], TemplateVersion | None] = {}
    rng = random.Random(len(events))
    messages = []
    for firing, event in zip(firings, events, strict=True):
        sought = (by_event[event.type].template_id, event.member.language)
        if sought not in versions:
            versions[sought] = texts.approved_version(*sought)
        if version := versions[sought]:
            messages.append(
                _message(version, event, firing, gateway, rng.random() < 0.97, rng.uniform(0.4, 5))
            )
    Message.objects.bulk_create(messages, batch_size=1000)
    return len(messages)


def _message(
    version: TemplateVersion,
    event: MembershipEvent,
    firing: RuleFiring,
    gateway: Gateway,
    arrived: bool,
    seconds: float,
) -> Message:
    composed = triggers.preview(version, event)
    message_class = MessageClass(version.template.message_class)
    return Message(
        member=event.member,
        store=event.store,
        phone=event.member.phone,
        phone_hash=event.member.phone_hash,
        message_class=message_class,
        priority=PRIORITY[message_class],
        template_version=version,
        language=version.language,
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        cause=Cause.RULE,
        cause_id=firing.pk,
        event=event,
        timezone=recipient_zone(event.member, event.member.phone, event.store),
        state=State.DELIVERED if arrived else State.UNDELIVERED,
        reason=Reason.NONE if arrived else Reason.NOT_DELIVERED,
        due_at=event.at,
        expires_at=event.at + timedelta(seconds=LIFETIME_SECONDS[message_class]),
        created_at=event.at,
        gateway=gateway,
        attempts=1,
        submitted_at=event.at + timedelta(seconds=0.3),
        final_at=event.at + timedelta(seconds=seconds),
    )
