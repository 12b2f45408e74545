"""What stands before the state machine begins: two stores, their offers, two members with their cards."""

from __future__ import annotations

from dataclasses import dataclass

from members.domain.cards import open_card
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor
from members.enums import ConsentSource
from members.models import Card, CardKind, CardProduct, Member, RechargePlan, Reward, ServiceGroup, Store
from tests.conftest import NOON
from tests.members.oracle import Books

# paid, bonus, days of the bonus, points
PLANS = ((30000, 6000, 30, 0), (100000, 33333, None, 500), (9999, 1, 3, 7), (5000, 5001, 9, 0))
SHORT = 3
REWARDS = (1, 50, 700)
SERVICES, PRICE, FULL_PRICE, SERVICES_DAYS = 7, 9999, 1700, 20
POINTS_DAYS, PENDING_DAYS = 40, 5
TILL = Actor(scope="till")


@dataclass
class Person:
    """A member with a card of value and a count card, and what the accountant keeps about them."""

    member: Member
    card: Card
    washes: Card
    books: Books


@dataclass
class Ground:
    """What stands before any example: two stores, their offers, two members with their cards."""

    stores: list[Store]
    members: list[tuple[Member, Card, Card]]
    plans: list[RechargePlan]
    rewards: list[Reward]
    reads: str


def lay_ground() -> Ground:
    stores = [Store.objects.create(name=name, sms_signature="常客") for name in ("Corner", "Harbour")]
    value = CardProduct.objects.create(name="Machine card", points_valid_days=POINTS_DAYS)
    washes = CardProduct.objects.create(
        name="Machine washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Machine wash"),
        services_count=SERVICES,
        price_minor=PRICE,
        full_price_minor=FULL_PRICE,
        services_valid_days=SERVICES_DAYS,
    )
    members = []
    for name, phone in (("Li Lei", "13800138099"), ("Han Mei", "13900139099")):
        said = {"actor": TILL, "at": NOON, "store": stores[0]}
        consents = Consents(True, True, "2026-11", ConsentSource.TILL)
        member = enrol_member(key=f"enrol {name}", phone=phone, consents=consents, name=name, **said)
        first, _ = open_card(key=f"value {name}", member=member, product=value, **said)
        second, _ = open_card(key=f"washes {name}", member=member, product=washes, **said)
        members.append((member, first, second))
    return Ground(
        stores,
        members,
        [
            RechargePlan.objects.create(
                name=f"Plan {place}", pay_minor=paid, bonus_minor=bonus, bonus_valid_days=days, points=points
            )
            for place, (paid, bonus, days, points) in enumerate(PLANS)
        ],
        [Reward.objects.create(name=f"Reward {points}", points=points) for points in REWARDS],
        all_that_is_read([each[0] for each in members], stores),
    )


def all_that_is_read(members: list[Member], stores: list[Store]) -> str:
    return f"""
    SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;
    SELECT a.member_id, a.kind, s.store_id, l.remaining, l.held, l.paid_minor, l.active_from, l.expires_at
    FROM members_account a JOIN members_lot l ON l.account_id = a.id JOIN members_operation s ON s.id = l.source_id
    WHERE a.member_id IN ({", ".join(str(member.pk) for member in members)}) AND l.remaining > 0;
    SELECT a.store_id, a.kind, (CASE a.kind WHEN 'tender' THEN -sum(e.amount) ELSE sum(e.amount) END)::bigint
    FROM members_account a JOIN members_entry e ON e.account_id = a.id
    WHERE a.store_id IN ({", ".join(str(store.pk) for store in stores)}) AND a.member_id IS NULL
      AND a.kind IN ('tender', 'deferred', 'sales', 'breakage', 'bonus_cost', 'kept', 'settlement')
    GROUP BY a.store_id, a.kind HAVING sum(e.amount) <> 0
    """
