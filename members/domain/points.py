"""Points that no bill earned: for a birthday, an event, or given by a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import translation

from members.domain import earning, events, ledger
from members.domain.earning import Award, Earnable
from members.domain.earning_words import words
from members.domain.housebook import house
from members.domain.ledger import Actor, IdempotencyConflict, Told
from members.domain.local_days import day_of
from members.domain.tiers import privileges_of
from members.enums import AccountKind, CardStatus, OperationKind
from members.models import Account, Card, Member, MembershipEvent, Operation, Store
from members.models.points import EarningOccasion
from members.refusals import Refused

log = structlog.get_logger(__name__)
CLOCK = Actor(scope="birthdays")


@dataclass(frozen=True)
class Earned:
    """What points were earned by a deed."""

    operation: Operation
    points: int
    is_replay: bool = False


def earn_points(
    *, actor: Actor, key: str, at: datetime, store: Store, member: Member, awards: Sequence[Award]
) -> Earned:
    """Points come in without a bill. Publishes points_earned with its reason in the member's language.

    Raises ledger.IdempotencyConflict, ledger.OwnAccount, ledger.AccountFrozen.
    """
    points = earning.total(awards)
    with transaction.atomic():
        Account.objects.bulk_create(
            [Account(kind=AccountKind.POINTS, member=member, balance=0)], ignore_conflicts=True
        )
        deed = ledger.open_deed(
            kind=OperationKind.EARN,
            actor=actor,
            key=key,
            at=at,
            store_id=store.pk,
            member_id=member.pk,
            card_id=None,
            request={"points": points},
        )
        if deed.is_replay:
            return Earned(deed.operation, points, is_replay=True)
        payload = {
            "points": points,
            "reason": _reason(awards, member),
            "points_balance": deed.balances[AccountKind.POINTS] + points,
        }
        told = Told("points_earned", payload)
        posted = ledger.post(deed, earning.legs_of(deed, awards, store), told=told)
        earning.record(deed.operation, awards)
        _announce(deed.operation, member, store, posted.event_id, posted.event_public_id, payload)
        return Earned(deed.operation, points)


def earn_by_event(event: MembershipEvent) -> Earned | None:
    """The points that rules give for an event; None when no rule fits. The same event again earns nothing more."""
    member = event.member
    known = house()
    if not any(rule.event_type == event.type for rule in known.earning_rules):
        return None
    facts = Earnable(
        member,
        _card_of(member),
        event.store,
        event.at,
        tier=privileges_of(member, event.at, known),
        house=known,
        occasion=EarningOccasion.EVENT,
        event_type=event.type,
    )
    return _earn(facts, Actor(scope="events"), f"event:{event.public_id}")


def award_birthdays(*, at: datetime, limit: int = 1000) -> dict[str, int]:
    """The points that rules give to whoever has a birthday today, where their home store is. Once a year each.

    Safe to run twice, also at once: the key of a deed names the member and the year.
    """
    counts = {"members": 0, "points": 0}
    after = 0
    while due := _birthdays_without_points(at, after, limit):
        _award_page(due, at, counts)
        after = due[-1]
    return counts


def _award_page(due: Sequence[int], at: datetime, counts: dict[str, int]) -> None:
    cards: dict[int, Card] = {}
    for card in Card.objects.filter(member__in=due, status=CardStatus.ACTIVE).select_related("product"):
        cards.setdefault(card.member_id, card)
    for member in Member.objects.filter(pk__in=due).select_related("home_store").order_by("id"):
        store = member.home_store
        facts = Earnable(
            member,
            cards.get(member.pk),
            store,
            at,
            tier=privileges_of(member, at),
            occasion=EarningOccasion.BIRTHDAY,
        )
        try:
            earned = _earn(facts, CLOCK, f"birthday:{member.pk}:{day_of(store, at).year}")
        except Refused as refused:
            log.warning("birthday_points_refused", member_id=member.pk, code=refused.code)
            continue
        if earned and not earned.is_replay:
            counts["members"] += 1
            counts["points"] += earned.points


_BIRTHDAYS = """
SELECT m.id
FROM members_member m
JOIN members_store s ON s.id = m.home_store_id
CROSS JOIN LATERAL (SELECT (%(at)s AT TIME ZONE s.timezone)::date AS today) d
WHERE m.birthday IS NOT NULL AND m.status = 'active' AND m.id > %(after)s
  AND (to_char(m.birthday, 'MMDD') = to_char(d.today, 'MMDD')
       OR (to_char(m.birthday, 'MMDD') = '0229' AND to_char(d.today, 'MMDD') = '0228'
           AND to_char(d.today + 1, 'MMDD') = '0301'))
  AND NOT EXISTS (SELECT 1 FROM members_operation o
                  WHERE o.scope = 'birthdays' AND o.key = 'birthday:' || m.id || ':' || extract(year FROM d.today))
  AND EXISTS (SELECT 1 FROM members_earningrule r WHERE r.is_active AND r.occasion = 'birthday')
ORDER BY m.id LIMIT %(limit)s
"""


def _birthdays_without_points(at: datetime, after: int, limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_BIRTHDAYS, {"at": at, "after": after, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def _earn(facts: Earnable, actor: Actor, key: str) -> Earned | None:
    awards = earning.awards_for(facts)
    if not awards:
        return None
    try:
        return earn_points(
            actor=actor, key=key, at=facts.at, store=facts.store, member=facts.member, awards=awards
        )
    except IdempotencyConflict:  # earned before, by the rules as they were then
        earlier = Operation.objects.get(scope=actor.scope, key=key)
        return Earned(earlier, earlier.request["points"], is_replay=True)


def _card_of(member: Member) -> Card | None:
    cards = Card.objects.filter(member=member, status=CardStatus.ACTIVE)
    return cards.select_related("product").order_by("-id").first()


def _reason(awards: Iterable[Award], member: Member) -> str:
    with translation.override(member.language):
        return "; ".join(dict.fromkeys(words(award.why) for award in awards))


def _announce(
    operation: Operation,
    member: Member,
    store: Store,
    event_id: int | None,
    public_id: Any,
    payload: dict[str, Any],
) -> None:
    event = MembershipEvent(
        id=event_id,
        public_id=public_id,
        type="points_earned",
        member=member,
        store=store,
        operation=operation,
        payload=payload,
        source=operation.scope,
        key=f"operation:{operation.public_id}",
        at=operation.at,
    )
    event._state.adding = False
    events.announce(event, operation.at)
