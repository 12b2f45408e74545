"""The demo's drawers and days: a week counted and signed with one difference, and two cases on the fraud board."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection

from crm.reports.fraud import look
from members.domain import days, fraud
from members.domain.cards import recharge_card
from members.domain.day_figures import span_of
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import CardStatus, TenderType
from members.models import Card, CardKind, FraudPattern, Operation, Shift, Staff, Store

FLOAT_MINOR, MISSING_MINOR = 30_000, 1_200
SIGNED_DAYS = 7
SHOWN = (FraudPattern.REPEATED_CREDITS, FraudPattern.ELSEWHERE_AT_ONCE)
# Every drawer of the past held what it should have; one statement for a year of them. One that gave back more than came
# in began with so much more, in hundreds.
_COUNT = """
UPDATE members_shift SET opening_minor = due.opening, expected_minor = due.opening + due.taken,
       counted_minor = due.opening + due.taken, closed_at = due.ends, closed_by_id = coalesce(staff_id, %(closer)s)
FROM (SELECT s.id, coalesce(sum(t.amount_minor), 0) AS taken,
             coalesce(s.opening_minor, greatest(%(float)s, ceil(sum(t.amount_minor) / -10000.0) * 10000)) AS opening,
             greatest((s."on" + 1)::timestamp AT TIME ZONE store.timezone - interval '90 minutes', max(s.opened_at))
               AS ends
      FROM members_shift s JOIN members_store store ON store.id = s.store_id
      LEFT JOIN members_tender t ON t.shift_id = s.id
      WHERE s.closed_at IS NULL AND s."on" < (%(at)s AT TIME ZONE store.timezone)::date
      GROUP BY s.id, store.id) AS due
WHERE due.id = members_shift.id"""


def plant_stories(stores: Sequence[Store], staff: dict[str, Staff], *, at: datetime) -> None:
    """Yesterday a card was credited four times, and another spent across the town minutes after its recharge."""
    first, second = _quiet_cards(at)
    opens, _closes = span_of(stores[0], days.business_day(stores[0], at) - timedelta(days=1))
    cashier, lantern = staff["cashier"], staff["lantern"]
    for number in range(4):
        moment = opens + timedelta(hours=15, minutes=9 * number)
        _recharge(first, stores[0], cashier, 20_000, f"story-{number}", moment)
    moment = opens + timedelta(hours=17)
    _recharge(second, stores[0], cashier, 100_000, "story-far", moment)
    spend(
        actor=_actor(lantern),
        key="story-spent",
        at=moment + timedelta(minutes=7),
        store=stores[1],
        card=second,
        amount_minor=88_000,
    )


def _quiet_cards(at: datetime) -> list[Card]:
    """Two cards of the first stores that nothing has happened on for three days."""
    lately = Operation.objects.filter(at__gte=at - timedelta(days=3), card__isnull=False)
    cards = Card.objects.filter(status=CardStatus.ACTIVE, product__kind=CardKind.STORED_VALUE)
    quiet = cards.exclude(pk__in=lately.values("card")).select_related("member", "store", "product")
    return list(quiet.order_by("pk")[:2])


def _recharge(card: Card, store: Store, by: Staff, minor: int, key: str, at: datetime) -> None:
    paid = TenderPaid(TenderType.WECHAT, minor, key)
    recharge_card(actor=_actor(by), key=key, at=at, store=store, card=card, tender=paid)


def _actor(staff: Staff) -> Actor:
    return Actor(f"staff:{staff.pk}", staff.pk)


def sign_days(stores: Sequence[Store], staff: dict[str, Staff], *, at: datetime) -> None:
    """Count the drawers of the past, sign the week before yesterday, look for fraud. Yesterday waits for a signature."""
    owner, manager = staff["owner"], staff["manager"]
    _miss_cash(stores[0], manager, at)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"float": FLOAT_MINOR, "closer": owner.pk, "at": at})
    for store in stores:
        signer = manager if manager.may(store.pk, *days.IN_CHARGE) else owner
        for back in range(SIGNED_DAYS + 1, 1, -1):
            _sign(store, days.business_day(store, at) - timedelta(days=back), signer)
    fraud.record(found=[found for found in look(at=at) if found.pattern in SHOWN], at=at)


def _miss_cash(store: Store, manager: Staff, at: datetime) -> None:
    """The latest drawer of the week that is signed was twelve short."""
    last = days.business_day(store, at) - timedelta(days=2)
    shift = Shift.objects.filter(store=store, on__lte=last, closed_at=None).order_by("-on", "pk").first()
    if shift is None:
        return
    counted = days.Count(max(days.expected_minor(shift) - MISSING_MINOR, 0))
    note = "Change given wrongly 找错零钱"
    ends = span_of(store, shift.on)[1] - timedelta(hours=2)
    days.close_shift(shift=shift, count=counted, by=manager, at=ends, opening_minor=FLOAT_MINOR, note=note)


def _sign(store: Store, on: date, signer: Staff) -> None:
    days.close_day(store=store, on=on, by=signer, at=span_of(store, on)[1] - timedelta(hours=1))
