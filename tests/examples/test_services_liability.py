"""Services owed are the deferred money, to the fen: sold, taken, returned, expired, and moved between cards."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db.models import Sum

from crm.reports.liability import liability
from members.domain import card_states, transfers
from members.domain.cards import open_card
from members.domain.expiry import expire_lots
from members.domain.ledger import TenderPaid
from members.domain.refunds import refund
from members.domain.services import sell_services, take_service
from members.enums import AccountKind, CardStatus, TenderType
from members.models import Card, CardKind, CardProduct, Entry, ServiceGroup
from tests.conftest import NOON

LATER = NOON + timedelta(days=400)


@pytest.fixture
def washes(db) -> CardProduct:
    """Seven washes for 100.00: a price that no wash divides evenly."""
    return CardProduct.objects.create(
        name="Seven washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=7,
        price_minor=10_000,
        full_price_minor=2_000,
        services_valid_days=90,
    )


@pytest.fixture
def bought(washes, at_till, riverside, enrol):
    """A member's card with seven washes, sold at Riverside."""

    def _bought(number: int = 0, at=NOON) -> Card:
        deed = {"actor": at_till, "at": at, "store": riverside}
        member = enrol(f"1380013820{number}", name=f"Washer {number}")
        card, _ = open_card(key=f"open{number}", member=member, product=washes, **deed)
        sell_services(key=f"sold{number}", card=card, tender=TenderPaid(TenderType.WECHAT, 10_000), **deed)
        return card

    return _bought


def deferred(stores, until=LATER) -> dict[int, int]:
    """What the DEFERRED entries of each store come to."""
    entries = Entry.objects.filter(account_kind=AccountKind.DEFERRED, operation__at__lt=until)
    sums = dict(entries.order_by().values_list("account__store").annotate(total=Sum("amount")))
    return {store.pk: sums.get(store.pk, 0) for store in stores}


def owed(stores, until=LATER) -> dict[int, int]:
    by_sold = liability(stores, until=until).by_sold
    return {store.pk: line.services_minor for store, line in by_sold.items()}


def test_each_wash_taken_lowers_what_is_owed_and_the_last_leaves_nothing(bought, at_till, riverside, hilltop):
    stores, card, seen = [riverside, hilltop], bought(), []
    for number in range(7):
        at = NOON + timedelta(days=number + 1)
        take_service(actor=at_till, key=f"t{number}", at=at, store=stores[number % 2], card=card)
        assert owed(stores) == deferred(stores)
        seen.append(owed(stores)[riverside.pk])

    assert seen == [8571, 7143, 5714, 4286, 2857, 1429, 0]


def test_a_wash_returned_is_owed_again(bought, at_till, riverside):
    card = bought()
    taken = take_service(actor=at_till, key="t", at=NOON, store=riverside, card=card, count=3).operation
    refund(actor=at_till, key="back", at=NOON, store=riverside, operation=taken)

    assert owed([riverside]) == deferred([riverside]) == {riverside.pk: 10_000}


def test_washes_that_ended_are_owed_no_longer(bought, at_till, riverside):
    card = bought()
    take_service(actor=at_till, key="t", at=NOON, store=riverside, card=card, count=2)
    expire_lots(at=NOON + timedelta(days=100))

    assert owed([riverside]) == deferred([riverside]) == {riverside.pk: 0}
    before = NOON + timedelta(days=50)
    assert owed([riverside], before) == deferred([riverside], before) == {riverside.pk: 7143}


def test_washes_moved_to_another_member_stay_owed_by_who_sold_them(bought, at_till, riverside, hilltop):
    stores, card, friend = [riverside, hilltop], bought(1), bought(2)
    deed = {"actor": at_till, "at": NOON, "store": riverside}
    take_service(key="t", card=card, count=2, **deed)
    offered = transfers.propose(
        is_confirmed=True, key="gift", card=card, receiver=friend.member, services=3, **deed
    )
    transfers.confirm(actor=at_till, at=NOON, transfer=offered)

    assert owed(stores) == deferred(stores)
    assert owed(stores)[riverside.pk] == 17143
    for number, holder in enumerate(Card.objects.filter(member=friend.member, status=CardStatus.ACTIVE)):
        left = holder.accounts.get(kind=AccountKind.SERVICES).balance
        at = NOON + timedelta(days=1)
        if left:
            take_service(actor=at_till, key=f"all{number}", at=at, store=hilltop, card=holder, count=left)
    assert owed(stores) == deferred(stores)
    assert owed(stores)[riverside.pk] == 2857  # the giver's last two


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_services_go_the_report_is_the_deferred_entries(
    seed, bought, at_till, riverside, hilltop
):
    rng, stores = random.Random(seed), [riverside, hilltop]
    cards, taken = [bought(number) for number in range(3)], []
    for step in range(30):
        at, store = NOON + timedelta(days=step), rng.choice(stores)
        deed = {"actor": at_till, "key": f"s{step}", "at": at, "store": store}
        number = rng.randrange(3)
        card = cards[number]
        left = card.accounts.get(kind=AccountKind.SERVICES).balance
        chance = rng.random()
        if chance < 0.25 and taken:
            refund(operation=taken.pop(rng.randrange(len(taken))), **deed)
        elif chance < 0.35 and left:
            offered = transfers.propose(
                is_confirmed=True,
                card=card,
                receiver=cards[(number + 1) % 3].member,
                services=rng.randint(1, left),
                **deed,
            )
            transfers.confirm(actor=at_till, at=at, transfer=offered)
        elif chance < 0.42 and left:
            card_states.freeze(actor=at_till, key=f"f{step}", at=at, store=card.store, card=card)
            card.refresh_from_db()
            card_states.replace_card(**deed | {"store": card.store}, card=card)
            cards[number] = Card.objects.filter(member=card.member, status=CardStatus.ACTIVE).latest("pk")
            taken = [one for one in taken if one.card_id != card.pk]
        elif left:
            taken.append(take_service(card=card, count=rng.randint(1, left), **deed).operation)
        assert owed(stores) == deferred(stores)
    expire_lots(at=LATER - timedelta(days=1))
    assert owed(stores) == deferred(stores) == {riverside.pk: 0, hilltop.pk: 0}
