"""From a fact to a text: every rule of an event answers it once, in one statement that is its own savepoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from campaigns.domain import rulebook
from campaigns.domain.rulebook import Outdated, Page, Rule
from campaigns.enums import Firing
from campaigns.models import RuleFiring
from members.domain.riders import Coming
from members.models import MembershipEvent
from messaging.domain import outbox, texts
from messaging.domain.outbox import PermittedHours
from messaging.domain.texts import Composed, Wording
from messaging.enums import LIFETIME_SECONDS, PRIORITY, MessageClass
from messaging.models import TemplateVersion
from messaging.states import Reason

_FIRE = (
    "SELECT verdict, explanation FROM rule_fire(%s::uuid, %s, %s, %s, %s, %s, %s::timestamptz, %s, %s::bytea, %s,"
    " %s::smallint, %s, %s, %s, %s, %s::smallint, %s, %s, %s::timestamptz, %s::time, %s::time, %s, %s)"
)
READINGS_MAX = 5


class RuleBroken(Exception):
    """The database refused what a rule did; nothing of it is written. Says the rule and the SQLSTATE."""


def fire(event: MembershipEvent) -> None:
    """Let every rule of the event answer it, once. A rule that breaks stops no other rule, and not the deed.

    Raises the first failure after all rules had their turn; the sweep then fires the event again, and
    (rule, event) being unique keeps those that worked from speaking twice. Rules that have changed since this
    process read them are read again; whatever commits before the firing counts.
    """
    page = rulebook.page_of(event.type, event.store_id)
    for _reading in range(READINGS_MAX):
        try:
            return _answer(event, page)
        except Outdated:
            page = rulebook.read(event.type, event.store_id)
    raise Outdated


def _answer(event: MembershipEvent, page: Page) -> None:
    failures = []
    for rule in page.rules:
        try:
            _fire(rule, event, page)
        except Outdated:
            raise
        except Exception as failure:
            failures.append(failure)
    if failures or not page.rules:
        rulebook.check(page)  # nothing was fired that would have told
    if failures:
        raise failures[0]


def _fire(rule: Rule, event: MembershipEvent, page: Page) -> None:
    """Write what the rule does about the event. Raises Outdated, RuleBroken; a text that cannot be made, its error."""
    wording = texts.preferred(rule.wordings, event.member.language)
    composed = said(wording, event) if wording else None
    with connection.cursor() as cursor:
        cursor.execute(_FIRE, _parameters(rule, event, page, wording, composed))
        verdict, explanation = cursor.fetchone()
    if verdict == Firing.SENT:
        outbox.nudge_on_commit()
    elif verdict == "old":
        raise Outdated
    elif verdict == "broken":
        raise RuleBroken(rule.id, explanation)


def _parameters(
    rule: Rule, event: MembershipEvent, page: Page, wording: Wording | None, composed: Composed | None
) -> list[Any]:
    member, at, message_class = event.member, event.at, rule.message_class
    hours = _hours(message_class)
    return [
        page.stamp,
        rule.id,
        rule.dedupe_seconds,
        event.pk,
        member.pk,
        event.store_id,
        at,
        member.phone,
        bytes(member.phone_hash),
        message_class.value,
        PRIORITY[message_class],
        wording.version_id if wording else None,
        wording.language if wording else "",
        composed.text if composed else None,
        composed.encoding if composed else "",
        composed.parts if composed else 0,
        composed.refusal.value if composed else Reason.NOT_APPROVED.value,
        outbox.recipient_zone(member, member.phone, event.store),
        at + timedelta(seconds=LIFETIME_SECONDS[message_class]),
        hours.opens,
        hours.closes,
        hours.per_day,
        hours.per_month,
    ]


def _hours(message_class: MessageClass) -> PermittedHours:
    """When such a text may leave. Asking is the only statement here outside `rule_fire`: it has its own savepoint."""
    if message_class != MessageClass.MARKETING:
        return outbox.hours_for(message_class)
    with transaction.atomic():
        return outbox.permitted_hours()


def said(
    wording: Wording, event: MembershipEvent | Coming, written: Mapping[str, str] | None = None
) -> Composed:
    """The text this wording makes of this event: in its language and the store's time zone."""
    member, store = event.member, event.store
    payload = {
        **event.payload,
        "name": member.name,
        "store": store.name,
        "store_phone": store.phone,
        "at": event.at,
    }
    return wording.compose(
        payload,
        signature=store.sms_signature,
        phone=member.phone,
        timezone=store.timezone,
        written=written,
    )


def preview(version: TemplateVersion, event: MembershipEvent) -> Composed:
    """The text this version makes of this event, as the member would read it."""
    return said(texts.wording_of(version), event)


def firings_of(events: Sequence[MembershipEvent]) -> dict[int, list[RuleFiring]]:
    """What the rules did about each of these events, by event id; one query."""
    found: dict[int, list[RuleFiring]] = {}
    for firing in RuleFiring.objects.filter(event__in=events).select_related("rule").order_by("id"):
        found.setdefault(firing.event_id, []).append(firing)
    return found
