"""The plain deeds in one statement write, tell and answer exactly what the general road does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import signals
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import SpendOrder, TenderType
from members.models import (
    Card,
    CardProduct,
    Entry,
    Lot,
    LotUse,
    Member,
    MembershipEvent,
    RechargePlan,
    Store,
    Tender,
)
from members.refusals import Refused
from tests.conftest import NOON

CASH = TenderPaid(TenderType.CASH, 0)


@contextmanager
def general_road() -> Iterator[None]:
    """Somebody listens who has to be told the usual way: then no deed is one statement."""

    def listen(**_: Any) -> None:
        """Hears of the deed."""

    for signal in (signals.card_spent, signals.card_recharged):
        signal.connect(listen)
    try:
        yield
    finally:
        for signal in (signals.card_spent, signals.card_recharged):
            signal.disconnect(listen)


@pytest.fixture
def twins(
    riverside: Store, product: CardProduct, at_till: Actor, enrol: Callable[..., Member]
) -> Callable[[], tuple[Card, Card]]:
    """Two people with empty cards of the same product."""

    def pair() -> tuple[Card, Card]:
        number = Card.objects.count()
        cards = []
        for nth in range(2):
            member = enrol(f"139{number * 2 + nth:08}", name="Han Mei", language="en")
            key = f"open-{number}-{nth}"
            card, _ = open_card(
                actor=at_till, key=key, at=NOON, store=riverside, member=member, product=product
            )
            cards.append(card)
        return cards[0], cards[1]

    return pair


def written(card: Card) -> dict[str, Any]:
    """All that stands of a card, apart from numbers only one of two cards can have."""
    deeds = {
        pk: place
        for place, pk in enumerate(card.member.operations.order_by("id").values_list("id", flat=True))
    }
    lots = list(Lot.objects.filter(account__member=card.member).order_by("id"))
    places = {lot.pk: place for place, lot in enumerate(lots)}
    entries = Entry.objects.filter(operation__in=deeds).order_by("id")
    uses = LotUse.objects.filter(lot__in=places).order_by("id")
    tenders = Tender.objects.filter(operation__in=deeds).order_by("id")
    events = MembershipEvent.objects.filter(operation__in=deeds).order_by("id")
    return {
        "entries": [
            (deeds[e.operation_id], e.account_kind, e.unit, e.amount, e.seq, e.balance_after) for e in entries
        ],
        "lots": [
            (
                deeds[lot.operation_id],
                lot.original,
                lot.remaining,
                lot.paid_minor,
                lot.terms,
                lot.active_from,
                lot.expires_at,
            )
            for lot in lots
        ],
        "uses": [(places[use.lot_id], use.entry.account_kind, use.amount) for use in uses],
        "tenders": [(deeds[t.operation_id], t.type, t.amount_minor, t.reference) for t in tenders],
        "told": [(event.type, {**event.payload, "card": ""}) for event in events],
        "facts": (card.member.facts.visits, card.member.facts.spend_minor, card.member.facts.last_visit_at),
    }


DEED = st.one_of(
    st.tuples(st.just("recharge"), st.integers(1, 50_000)),
    st.tuples(st.just("plan"), st.sampled_from([0, 1])),
    st.tuples(st.just("spend"), st.integers(1, 60_000)),
    st.tuples(st.just("rest"), st.integers(1, 60_000)),
    st.tuples(st.just("later"), st.integers(1, 40)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.sampled_from(SpendOrder), deeds=st.lists(DEED, max_size=12))
def test_both_roads_write_the_same(twins, at_till, riverside, product, order, deeds):
    plans = [
        RechargePlan.objects.get_or_create(
            name="100+20", pay_minor=10_000, bonus_minor=2_000, bonus_valid_days=30
        )[0],
        RechargePlan.objects.get_or_create(name="70+7", pay_minor=7_000, bonus_minor=777, points=30)[0],
    ]
    CardProduct.objects.update(spend_order=order)
    product.spend_order = order
    quick, slow = twins()
    answers: dict[int, list[Any]] = {quick.pk: [], slow.pk: []}

    def do(card: Card) -> None:
        at = NOON
        for number, (what, amount) in enumerate(deeds):
            here = {
                "actor": at_till,
                "key": f"{card.pk}-{number}",
                "at": at,
                "store": riverside,
                "card": card,
            }
            try:
                if what == "later":
                    at += timedelta(days=amount)
                    continue
                if what == "recharge":
                    done = recharge_card(tender=TenderPaid(TenderType.CASH, amount), **here)
                elif what == "plan":
                    tender = TenderPaid(TenderType.CASH, plans[amount].pay_minor)
                    done = recharge_card(tender=tender, plan=plans[amount], **here)
                else:
                    done = spend(amount_minor=amount, rest=CASH if what == "rest" else None, **here)
            except Refused as refused:
                answers[card.pk].append((refused.code, refused.facts))
            else:
                answers[card.pk].append(done.balances)

    do(quick)
    with general_road():
        do(slow)

    assert answers[quick.pk] == answers[slow.pk]
    assert written(quick) == written(slow)


def test_a_plain_deed_is_one_statement(loaded_card, at_till, riverside, django_assert_num_queries):
    here = {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card}
    spend(key="first", amount_minor=100, **here)

    with django_assert_num_queries(3):  # the statement, in a savepoint of the test's transaction
        spend(key="second", amount_minor=100, **here)


def test_a_used_key_and_a_used_payment_take_the_general_road(loaded_card, at_till, riverside):
    paid = TenderPaid(TenderType.WECHAT, 500, "wx-9")
    here = {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card}
    first = recharge_card(key="once", tender=paid, **here)

    again = recharge_card(key="once", tender=paid, **here)
    with pytest.raises(Refused) as refused:
        recharge_card(key="twice", tender=paid, **here)

    assert again.is_replay
    assert again.operation.pk == first.operation.pk
    assert refused.value.code == "payment_ref_used"
