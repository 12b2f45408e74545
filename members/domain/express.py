"""The plain recharge and the plain bill in one statement: opened, decided, written, told and answered at once.

`ledger_express` (members/sql/express.sql) decides under the locks what `spending` and `cards` decide in Python. It is
asked only for deeds in which nothing has to be looked up in between; whatever turns out not to be plain leaves nothing
behind, gives None here, and takes the general road, which also says every refusal. Outside a transaction the deed is
one round trip: the statement is its own transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, transaction

from members.domain import earning, housebook, riders
from members.domain.bill_lines import rows_of
from members.domain.bills import bill_of
from members.domain.deeds import Outcome
from members.domain.earning import Award, Earnable
from members.domain.housebook import House
from members.domain.lately import CODE_WINDOW
from members.domain.ledger import Actor, TenderPaid
from members.domain.local_days import day_of, midnight_after
from members.domain.payments import Asked
from members.domain.plans import terms_of, why_not_now
from members.domain.recharge_limits import rules_of
from members.domain.riders import Coming, Ride
from members.domain.tiers import privileges_held
from members.enums import OperationKind
from members.event_types import BALANCES
from members.models import Card, MembershipEvent, Operation, RechargePlan, Store
from members.models.points import EarningOccasion

_LATER = frozenset(BALANCES) - {"card"}
_OF_BILL = _LATER | {"stored_value", "principal", "bonus"}


@dataclass(frozen=True)
class _Plain:
    """A deed as the general road would open it, and what is to be written."""

    kind: OperationKind
    actor: Actor
    key: str
    at: datetime
    store: Store
    card: Card
    request: dict[str, Any]
    amount_minor: int
    event: str
    facts: dict[str, Any]
    later: frozenset[str]
    plan: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def recharge(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    tender: TenderPaid,
    plan: RechargePlan | None,
    request: dict[str, Any],
) -> Outcome | None:
    """A recharge whose plan, if any, has no limit per member and no coupon. None: take the general road."""
    house, paid = housebook.kept(), tender.amount_minor
    if plan and not _is_plain_plan(plan, card, store, at, paid):
        return None
    rules = rules_of(house)
    if rules.identity_from_minor is not None and paid >= rules.identity_from_minor:
        return None
    occasion = EarningOccasion.RECHARGE
    earns = Earnable(card.member, card, store, at, net_minor=paid, occasion=occasion, house=house)
    awards = earning.awards_for(earns)
    if plan and plan.points:
        why = {"by": "plan", "plan": plan.name}
        awards.insert(0, earning.given(plan.points, card=card, store=store, at=at, why=why))
    bonus = plan.bonus_minor if plan else 0
    days = plan.bonus_valid_days if plan and bonus else None
    until = midnight_after(store, day_of(store, at) + timedelta(days=days)) if days else None
    written = {
        "paid": paid,
        "limit": rules.max_minor(is_registered=card.member.is_registered),
        "bonus": bonus,
        "bonus_until": until.isoformat() if until else None,
        "bonus_terms": terms_of(plan) if plan and bonus else None,
        "tenders": [_tender(tender)],
        "earnings": _earnings(paid, awards),
        "points": _points(awards),
        **_looked_up(earns),
    }
    facts = {"amount": paid, "bonus": bonus, "points": earning.total(awards)}
    return _do(
        _Plain(
            OperationKind.RECHARGE,
            actor,
            key,
            at,
            store,
            card,
            request,
            paid,
            "card_recharged",
            facts,
            _LATER,
            written,
        ),
        house,
    )


def bill(*, actor: Actor, key: str, at: datetime, store: Store, wanted: Asked, note: str) -> Outcome | None:
    """A bill without coupons, points or a hold. None: take the general road."""
    house, card = housebook.kept(), wanted.card
    privileges = privileges_held(card.member, at, house)
    if privileges is None or not wanted.is_plain:
        return None
    bill = privileges.off(bill_of(wanted.amount_minor, wanted.lines))
    if not bill.net_minor:
        return None
    is_one_amount = not wanted.lines and not bill.reductions
    earns = Earnable(
        card.member,
        card,
        store,
        at,
        net_minor=bill.net_minor if is_one_amount else bill.earning_minor(),
        lines=() if is_one_amount else bill.net_lines(),
        tier=privileges,
        house=house,
    )
    awards = earning.awards_for(earns)
    product, rest = card.product, wanted.rest
    code_above = house.code_above_minor if product.code_above_minor is None else product.code_above_minor
    written = {
        "bill": bill.net_minor,
        "discount": bill.discount_minor,
        "rest": {"type": rest.type, "reference": rest.reference} if rest else None,
        "card_max": wanted.card_minor,
        "order": product.spend_order,
        "code_above": None if wanted.is_confirmed or not code_above else code_above,
        "code_span": int(CODE_WINDOW.total_seconds()),
        "low_below": product.low_below_minor,
        "takes_others": house.takes_other_stores,
        "tenders": [_tender(tender) for tender in wanted.tenders],
        "earnings": _earnings(bill.net_minor, awards),
        "points": _points(awards),
        **_looked_up(earns),
    }
    if not is_one_amount:
        written |= {"lines": rows_of(bill), "names_goods": bool(wanted.lines)}
    facts = {
        "amount": bill.net_minor,
        "discount": bill.discount_minor,
        "points": earning.total(awards),
        "points_used": 0,
    }
    return _do(
        _Plain(
            OperationKind.SPEND,
            actor,
            key,
            at,
            store,
            card,
            wanted.request(),
            bill.net_minor,
            "card_spent",
            facts,
            _OF_BILL,
            written,
            note,
        ),
        house,
    )


def _looked_up(earns: Earnable) -> dict[str, Any]:
    """What was read of the member to reckon with: the deed is refused the express road when it is otherwise by then."""
    house = earns.house or housebook.kept()
    looked_up: dict[str, Any] = {}
    if house.tiers and earns.tier:
        looked_up["tier"] = {"held": earns.tier.tier.pk if earns.tier.tier else None}
    if any(rule.is_first_purchase for rule in house.earning_rules):
        looked_up["is_first"] = earns.is_first
    return looked_up


def _is_plain_plan(plan: RechargePlan, card: Card, store: Store, at: datetime, paid: int) -> bool:
    return (
        not plan.coupon_id
        and not plan.is_first_only
        and plan.per_member_max is None
        and paid == plan.pay_minor
        and not why_not_now(plan, card, store, at)
    )


def _tender(tender: TenderPaid) -> dict[str, Any]:
    return {"type": tender.type, "amount": tender.amount_minor, "reference": tender.reference}


def _points(awards: Sequence[Award]) -> list[dict[str, Any]]:
    """The lots of points, as `earning.legs_of` makes them."""
    lots: dict[tuple[datetime | None, datetime | None], int] = defaultdict(int)
    for award in awards:
        lots[award.active_from, award.expires_at] += award.points
    return [
        {
            "amount": amount,
            "active_from": active_from.isoformat() if active_from else None,
            "expires_at": expires_at.isoformat() if expires_at else None,
        }
        for (active_from, expires_at), amount in lots.items()
        if amount
    ]


def _earnings(amount_minor: int, awards: Sequence[Award]) -> list[dict[str, Any]]:
    if not awards or earning.is_plain(amount_minor, awards):
        return []
    return [{"rule": award.rule_id, "points": award.points, "why": award.why} for award in awards]


def _do(plain: _Plain, house: House) -> Outcome | None:
    payload = {**plain.facts, "card": f"…{plain.card.number[-4:]}"}
    coming = Coming(plain.event, plain.card.member, plain.store, plain.at, payload, plain.later)
    rides = riders.rides_for(coming)
    if rides is None:
        return None
    asked = plain.request | {
        "kind": str(plain.kind),
        "member": plain.card.member_id,
        "store": plain.store.pk,
    }
    deed = {
        "kind": plain.kind,
        "scope": plain.actor.scope,
        "key": plain.key,
        "request": asked,
        "store": plain.store.pk,
        "staff": plain.actor.staff_id,
        "member": plain.card.member_id,
        "card": plain.card.pk,
        "amount": plain.amount_minor,
        "note": plain.note,
        "at": plain.at.isoformat(),
        "approval": plain.actor.approval or None,
        "stamp": house.stamp,
    }
    answers = _ask(deed, plain.plan | {"event": plain.event, "told": payload}, rides)
    if answers is None:
        return None
    for ride, value in zip(rides, answers[1:], strict=True):
        ride.settle(value)
    return _outcome(plain, asked, answers[0])


def _ask(deed: dict[str, Any], plan: dict[str, Any], rides: Sequence[Ride]) -> Sequence[Any] | None:
    """What the deed's function and its rides answer; None when it was done before or is not plain after all."""
    columns = "".join(f", CASE WHEN d.answer IS NOT NULL THEN {ride.sql} END" for ride in rides)
    sql = f"SELECT d.answer{columns} FROM ledger_express(%s::jsonb, %s::jsonb) AS d(answer)"  # noqa: S608
    parameters = [value for ride in rides for value in ride.parameters]
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            with connection.cursor() as cursor:
                cursor.execute(sql, [*parameters, json.dumps(deed), json.dumps(plan)])
                row = cursor.fetchone()
    except OperationalError:
        raise
    except DatabaseError:
        return None
    if row[0] is None:
        return None
    return [json.loads(row[0]) if isinstance(row[0], str) else row[0], *row[1:]]


def _outcome(plain: _Plain, asked: dict[str, Any], answer: dict[str, Any]) -> Outcome:
    operation = Operation(
        id=answer["operation"],
        public_id=UUID(answer["public_id"]),
        kind=plain.kind,
        scope=plain.actor.scope,
        key=plain.key,
        request=asked,
        store_id=plain.store.pk,
        staff_id=plain.actor.staff_id,
        member_id=plain.card.member_id,
        card_id=plain.card.pk,
        amount_minor=plain.amount_minor,
        note=plain.note,
        at=plain.at,
    )
    operation._state.adding = False
    event = MembershipEvent(
        id=answer["event"],
        public_id=UUID(answer["event_public_id"]),
        type=plain.event,
        member=plain.card.member,
        store=plain.store,
        operation=operation,
        payload=answer["told"],
        source=operation.scope,
        key=f"operation:{operation.public_id}",
        at=plain.at,
    )
    event._state.adding = False
    return Outcome(operation, answer["balances"], event=event)
