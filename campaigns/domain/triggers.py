"""From a fact to a text: the trigger rules of an event, each with its own savepoint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from campaigns.enums import Firing
from campaigns.models import RuleFiring, TriggerRule
from members.domain.events import event_type
from members.models import MembershipEvent
from messaging.domain import outbox, texts
from messaging.domain.outbox import Draft, Enqueued
from messaging.enums import Cause, MessageClass
from messaging.models import TemplateVersion
from messaging.states import Reason, State


def rules_for(event: MembershipEvent) -> list[TriggerRule]:
    """The rules that are on for this event: the store's own if it has any, else those of every store."""
    rules = list(
        TriggerRule.objects.filter(Q(store=None) | Q(store_id=event.store_id), event_type=event.type)
        .select_related("template")
        .order_by("id")
    )
    own = [rule for rule in rules if rule.store_id]
    return [rule for rule in own or rules if rule.is_on]


def fire(event: MembershipEvent) -> list[RuleFiring]:
    """Let every rule of the event answer it, once. A rule that breaks stops no other rule.

    Raises the first failure after all rules had their turn; the sweep then fires the event again, and
    (rule, event) being unique keeps those that worked from speaking twice.
    """
    with transaction.atomic():
        rules = rules_for(event)
        if len(rules) == 1:
            return [_fire(rules[0], event)]
    firings, failures = [], []
    for rule in rules:
        try:
            with transaction.atomic():
                firings.append(_fire(rule, event))
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return firings


def _fire(rule: TriggerRule, event: MembershipEvent) -> RuleFiring:
    firing = RuleFiring(rule=rule, event=event, member_id=event.member_id, outcome=Firing.SENT, at=event.at)
    if not _claim(firing):
        return RuleFiring.objects.get(rule=rule, event=event)
    reason = Reason.DUPLICATE if _spoke_lately(rule, event, firing) else _send(rule, event, firing)
    if reason:
        firing.outcome, firing.reason = Firing.NOT_SENT, reason
        firing.save(update_fields=["outcome", "reason"])
    return firing


_CLAIM = """
INSERT INTO campaigns_rulefiring (rule_id, event_id, member_id, outcome, reason, at)
VALUES (%s, %s, %s, %s, '', %s) ON CONFLICT (rule_id, event_id) DO NOTHING RETURNING id
"""


def _claim(firing: RuleFiring) -> bool:
    """Write the firing; whether this event is new to this rule. One statement, no savepoint."""
    values: list[Any] = [firing.rule_id, firing.event_id, firing.member_id, str(firing.outcome), firing.at]
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    firing.pk = row[0] if row else None
    firing._state.adding = row is None
    return row is not None


def _spoke_lately(rule: TriggerRule, event: MembershipEvent, firing: RuleFiring) -> bool:
    if not rule.dedupe_seconds:
        return False
    since = event.at - timedelta(seconds=rule.dedupe_seconds)
    earlier = RuleFiring.objects.filter(
        rule=rule, member_id=event.member_id, outcome=Firing.SENT, at__gt=since
    )
    return earlier.exclude(pk=firing.pk).exists()


def _send(rule: TriggerRule, event: MembershipEvent, firing: RuleFiring) -> Reason:
    """Queue the rule's text. Returns why it will not be sent, or nothing."""
    version = texts.approved_version(rule.template_id, event.member.language)
    if version is None:
        return Reason.NOT_APPROVED
    enqueued = outbox.enqueue([_draft(version, event, firing)], at=event.at)[0]
    return _why_not(enqueued)


def _why_not(enqueued: Enqueued) -> Reason:
    return enqueued.reason if enqueued.state in (State.SUPPRESSED, State.EXPIRED) else Reason.NONE


def _draft(version: TemplateVersion, event: MembershipEvent, firing: RuleFiring) -> Draft:
    member, store = event.member, event.store
    composed = preview(version, event)
    return Draft(
        phone=member.phone,
        phone_hash=bytes(member.phone_hash),
        member_id=member.pk,
        store_id=store.pk,
        message_class=MessageClass(version.template.message_class),
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        refusal=composed.refusal,
        cause=Cause.RULE,
        cause_id=firing.pk,
        event_id=event.pk,
        version_id=version.pk,
        language=version.language,
        timezone=outbox.recipient_zone(member, member.phone, store),
    )


def preview(version: TemplateVersion, event: MembershipEvent) -> texts.Composed:
    """The text this version makes of this event, as the member would read it."""
    member, store = event.member, event.store
    values = values_of(event, version)
    return texts.compose(version, values, signature=store.sms_signature, phone=member.phone)


def values_of(event: MembershipEvent, version: TemplateVersion) -> dict[str, str]:
    """The placeholders this wording uses, in its language and the store's time zone."""
    member, store = event.member, event.store
    payload = {
        **event.payload,
        "name": member.name,
        "store": store.name,
        "store_phone": store.phone,
        "at": event.at,
    }
    said = texts.said_by(version, event_type(event.type).placeholders)
    return texts.formatted(payload, said, language=version.language, timezone=store.timezone)


def firings_of(events: Sequence[MembershipEvent]) -> dict[int, list[RuleFiring]]:
    """What the rules did about each of these events, by event id; one query."""
    found: dict[int, list[RuleFiring]] = {}
    for firing in RuleFiring.objects.filter(event__in=events).select_related("rule").order_by("id"):
        found.setdefault(firing.event_id, []).append(firing)
    return found
