"""The plain deeds in one statement write, tell and answer exactly what the general road does.

`REGULARS_TORTURE=1` tries 500 histories instead of 20.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from constance import config
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import signals
from members.domain.bills import Line
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import Actor, TenderPaid
from members.domain.spending import spend
from members.enums import AccountKind, SpendOrder, TenderType
from members.models import (
    BillLine,
    Card,
    CardProduct,
    Earning,
    EarningRule,
    Entry,
    GoodsCategory,
    Lot,
    LotUse,
    Member,
    MembershipEvent,
    RechargePlan,
    Store,
    StoreAcceptance,
    Tender,
    Tier,
    TierEntry,
    TierScheme,
)
from members.refusals import Refused
from tests.conftest import NOON

CASH = TenderPaid(TenderType.CASH, 0)
IS_TORTURE = os.environ.get("REGULARS_TORTURE") == "1"


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


@pytest.fixture
def chain(riverside: Store) -> list[Store]:
    """Two more stores of the house. All three have their books: a deed that opens some takes the general road."""
    more = [
        Store.objects.create(name=name, timezone=riverside.timezone, sms_signature=name)
        for name in ("Hill", "Lake")
    ]
    kinds = ("sales", "tender", "bonus_cost", "points_cost", "settlement")
    legs = [{"store": store.pk, "kind": kind, "amount": 0} for store in (riverside, *more) for kind in kinds]
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_counters(%s::jsonb)", [json.dumps(legs)])
    return more


@pytest.fixture
def plans(riverside: Store, chain: list[Store]) -> list[RechargePlan]:
    """Plans with a bonus that ends, with points, for some stores, for a share of a bill, for goods."""
    made = [
        RechargePlan(name="100+20", pay_minor=10_000, bonus_minor=2_000, bonus_valid_days=30),
        RechargePlan(name="70+7", pay_minor=7_000, bonus_minor=777, points=30),
        RechargePlan(name="50+50 here", pay_minor=5_000, bonus_minor=5_000, bonus_valid_days=60),
        RechargePlan(name="90+30 in part", pay_minor=9_000, bonus_minor=3_000, bonus_share_max_percent=33),
        RechargePlan(name="40+40 for colour", pay_minor=4_000, bonus_minor=4_000),
    ]
    RechargePlan.objects.bulk_create(made)
    made[2].bonus_stores.set([riverside, chain[0]])
    made[4].bonus_categories.set([GoodsCategory.objects.create(name="Colour")])
    return made


def say(
    riverside: Store, chain: list[Store], takes_others: bool, words: list[tuple[bool, bool] | None]
) -> None:
    """What the house says of value of other stores, and what Hill and Lake say of Riverside's."""
    config.ACCEPTS_OTHER_STORES = takes_others
    StoreAcceptance.objects.all().delete()
    for store, word in zip(chain, words, strict=True):
        if word:
            StoreAcceptance.objects.create(
                issuer=riverside, server=store, takes_principal=word[0], takes_bonus=word[1]
            )


def loyalty(has_tiers: bool) -> None:
    """A scheme with a discount and more points, if any, and points for a first purchase."""
    EarningRule.objects.get_or_create(name="Welcome", points=50, effect="extra", is_first_purchase=True)
    scheme, _ = TierScheme.objects.update_or_create(name="House", defaults={"is_active": has_tiers})
    for name, threshold, percent, points in (("Silver", 20_000, 0, 130), ("Gold", 50_000, 7, 150)):
        gives = {"threshold": threshold, "discount_percent": percent, "points_percent": points}
        Tier.objects.get_or_create(scheme=scheme, name=name, defaults=gives)


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
    of_bills = BillLine.objects.filter(operation__in=deeds).order_by("operation", "position")
    earned = Earning.objects.filter(operation__in=deeds).order_by("id")
    moves = TierEntry.objects.filter(member=card.member).order_by("id")
    return {
        "lines": [
            (deeds[row.operation_id], row.position, row.kind, row.amount_minor, row.label, row.category_id)
            for row in of_bills
        ],
        "earned": [(deeds[row.operation_id], row.rule_id, row.points, row.why) for row in earned],
        "moves": [(move.tier_before_id, move.tier_id, move.figure) for move in moves],
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
    st.tuples(st.just("plan"), st.integers(0, 4)),
    st.tuples(st.just("spend"), st.integers(1, 60_000)),
    st.tuples(st.just("rest"), st.integers(1, 60_000)),
    st.tuples(st.just("later"), st.integers(1, 40)),
    st.tuples(st.just("go to"), st.sampled_from([0, 1, 2])),
)
# goods on a bill: what they cost, whether they are for colour, whether they are reduced already
GOODS = st.lists(st.tuples(st.integers(1, 9_000), st.booleans(), st.booleans()), min_size=1, max_size=4)
DEED |= st.tuples(st.just("goods"), GOODS)
# what a pair of stores says of principal and bonus; None says nothing
WORD = st.one_of(st.none(), st.tuples(st.booleans(), st.booleans()))


@settings(max_examples=500 if IS_TORTURE else 20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.sampled_from(SpendOrder),
    deeds=st.lists(DEED, max_size=12),
    takes_others=st.booleans(),
    words=st.lists(WORD, min_size=2, max_size=2),
    has_tiers=st.booleans(),
)
def test_both_roads_write_the_same(
    twins, at_till, riverside, chain, product, plans, order, deeds, takes_others, words, has_tiers
):
    say(riverside, chain, takes_others, words)
    loyalty(has_tiers)
    colour = GoodsCategory.objects.get()
    CardProduct.objects.update(spend_order=order)
    product.spend_order = order
    quick, slow = twins()
    answers: dict[int, list[Any]] = {quick.pk: [], slow.pk: []}

    def do(card: Card) -> None:
        at, store = NOON, riverside
        for number, (what, amount) in enumerate(deeds):
            here = {
                "actor": at_till,
                "key": f"{card.pk}-{number}",
                "at": at,
                "store": store,
                "card": card,
            }
            try:
                if what == "later":
                    at += timedelta(days=amount)
                    continue
                if what == "go to":
                    store = [riverside, *chain][amount]
                    continue
                if what == "recharge":
                    done = recharge_card(tender=TenderPaid(TenderType.CASH, amount), **here)
                elif what == "plan":
                    tender = TenderPaid(TenderType.CASH, plans[amount].pay_minor)
                    done = recharge_card(tender=tender, plan=plans[amount], **here)
                elif what == "goods":
                    lines = [
                        Line(minor, "Goods", colour.pk if is_colour else None, is_reduced)
                        for minor, is_colour, is_reduced in amount
                    ]
                    total = sum(line.amount_minor for line in lines)
                    done = spend(amount_minor=total, lines=lines, rest=CASH, **here)
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


def test_a_bill_with_value_of_another_store_is_one_statement_too(
    loaded_card, at_till, riverside, chain, plans, django_assert_num_queries
):
    """10.00 of Riverside's value are owed to Hill."""
    hill = chain[0]
    say(riverside, chain, True, [None, None])
    recharge_card(
        actor=at_till,
        key="bonus",
        at=NOON,
        store=riverside,
        card=loaded_card,
        plan=plans[3],
        tender=TenderPaid(TenderType.CASH, 9_000),
    )
    here = {"actor": at_till, "at": NOON, "store": hill, "card": loaded_card}
    spend(key="first", amount_minor=1_000, **here)

    with django_assert_num_queries(3):  # the statement, in a savepoint of the test's transaction
        done = spend(key="second", amount_minor=1_000, **here)

    between = Entry.objects.filter(operation=done.operation, account_kind=AccountKind.SETTLEMENT)
    assert {entry.account.store: entry.amount for entry in between} == {riverside: 1_000, hill: -1_000}


def test_a_bill_of_a_member_with_a_tier_is_one_look_and_one_statement(
    loaded_card, at_till, riverside, chain, django_assert_num_queries
):
    """Gold takes 7 % off: 100.00 become 93.00 and earn half as many points again. What moves nobody is told nobody."""
    loyalty(has_tiers=True)
    here = {"actor": at_till, "at": NOON, "store": riverside, "card": loaded_card}
    spend(key="rises", amount_minor=60_000, rest=CASH, **here)
    recharge_card(key="loads", tender=TenderPaid(TenderType.CASH, 50_000), **here)
    spend(key="first", amount_minor=1_000, **here)

    with django_assert_num_queries(5):  # the tier held, whether it is the first purchase, and the statement
        done = spend(key="second", amount_minor=10_000, **here)

    assert done.operation.amount_minor == 9_300
    assert [line.amount_minor for line in done.operation.bill_lines.all()] == [10_000, -700]
    assert TierEntry.objects.count() == 1


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
