"""Worked examples of value given to another member, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import timedelta

import pytest
from constance.test import override_config

from members.domain.cards import open_card, recharge_card
from members.domain.deeds import AmountRefused, CardNotUsable
from members.domain.ledger import Actor, OwnAccount, TenderPaid
from members.domain.recharge_limits import CardLimitReached
from members.domain.services import InsufficientServices, sell_services, take_service
from members.domain.spending import InsufficientBalance, spend
from members.domain.transfers import (
    TooFewPoints,
    TransferEnded,
    TransferRefused,
    confirm,
    decline,
    end_transfers,
    propose,
    withdraw,
)
from members.domain.verify import verify
from members.enums import AccountKind, CardStatus, TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    Entry,
    Lot,
    MembershipEvent,
    RechargePlan,
    ServiceGroup,
    TransferStatus,
)
from tests.conftest import NOON


@pytest.fixture
def han_mei(enrol):
    return enrol("13900139000", name="Han Mei", language="en")


@pytest.fixture
def by_hand(at_till: Actor, riverside) -> dict:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def rich_card(card: Card, by_hand) -> Card:
    """300.00 paid + 100.00 of bonus for 90 days, good for 50 % of a bill."""
    plan = RechargePlan.objects.create(
        name="300+100",
        pay_minor=30000,
        bonus_minor=10000,
        bonus_valid_days=90,
        bonus_share_max_percent=50,
    )
    recharge_card(key="r1", card=card, tender=TenderPaid(TenderType.CASH, 30000), plan=plan, **by_hand)
    return card


def offer(card, receiver, by_hand, key="p1", **asked):
    return propose(
        is_confirmed=True,
        key=key,
        card=card,
        receiver=receiver,
        **{"amount_minor": 20000, **asked},
        **by_hand,
    )


def balances(card: Card) -> tuple[int, int]:
    held = dict(card.accounts.values_list("kind", "balance"))
    return held["principal"], held["bonus"]


def assert_sound() -> None:
    assert verify().faults == ()


def test_nothing_moves_until_the_receiver_says_yes(rich_card, han_mei, by_hand):
    transfer = offer(rich_card, han_mei, by_hand)

    assert (balances(rich_card), transfer.status) == ((30000, 10000), TransferStatus.PROPOSED)
    assert not Entry.objects.filter(operation_kind="move_out").exists()


def test_200_of_300_plus_100_is_150_and_50_with_their_end_and_terms(rich_card, han_mei, by_hand, at_till):
    done = confirm(actor=at_till, at=NOON, transfer=offer(rich_card, han_mei, by_hand))

    theirs = Card.objects.get(member=han_mei)
    assert (balances(rich_card), balances(theirs)) == ((15000, 5000), (15000, 5000))
    old = Lot.objects.get(account__card=rich_card, account__kind="bonus")
    new = Lot.objects.get(account__card=theirs, account__kind="bonus")
    assert (new.expires_at, new.terms, new.source) == (old.expires_at, {"share_max_percent": 50}, old.source)
    paid = Lot.objects.get(account__card=theirs, account__kind="principal").paid_minor
    assert paid == 15000
    assert (done.status, done.sent.kind, done.received.kind) == ("done", "move_out", "move_in")
    told = {event.type: event.payload for event in MembershipEvent.objects.filter(type__startswith="value_")}
    assert (told["value_sent"]["to"], told["value_sent"]["balance"]) == ("Han Mei", 20000)
    assert (told["value_received"]["sender"], told["value_received"]["balance"]) == ("Li Lei", 20000)
    assert_sound()


def test_confirmed_twice_it_moves_once(rich_card, han_mei, by_hand, at_till):
    transfer = offer(rich_card, han_mei, by_hand)
    first = confirm(actor=at_till, at=NOON, transfer=transfer)
    second = confirm(actor=at_till, at=NOON, transfer=transfer)

    assert first.sent == second.sent
    assert balances(rich_card) == (15000, 5000)


def test_the_same_key_proposes_once(rich_card, han_mei, by_hand):
    assert offer(rich_card, han_mei, by_hand) == offer(rich_card, han_mei, by_hand)


def test_washes_and_points_go_over_and_the_money_waits_where_it_was_sold(li_lei, han_mei, by_hand, at_till):
    product = CardProduct.objects.create(
        name="Washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=3,
        price_minor=100,
        full_price_minor=50,
    )
    card, _ = open_card(key="o", member=li_lei, product=product, **by_hand)
    sell_services(key="s", card=card, tender=TenderPaid(TenderType.CASH, 100), **by_hand)
    take_service(key="t", card=card, **by_hand)

    confirm(actor=at_till, at=NOON, transfer=offer(card, han_mei, by_hand, amount_minor=0, services=2))
    theirs = Card.objects.select_related("product", "member").get(member=han_mei)
    take_service(key="t2", card=theirs, count=2, **by_hand)

    sales = Entry.objects.filter(account_kind__in=("sales", "deferred")).values_list("account_kind", "amount")
    assert sum(amount for kind, amount in sales if kind == "sales") == 100
    assert sum(amount for kind, amount in sales if kind == "deferred") == 0
    assert_sound()


def test_points_are_passed_on_with_their_end(rich_card, han_mei, by_hand, at_till):
    spend(key="s", card=rich_card, amount_minor=10000, **by_hand)
    ends = Lot.objects.get(account__kind="points").expires_at

    confirm(actor=at_till, at=NOON, transfer=offer(rich_card, han_mei, by_hand, amount_minor=0, points=60))

    got = Account.objects.get(member=han_mei, kind=AccountKind.POINTS)
    assert (got.balance, got.lots.get().expires_at) == (60, ends)
    assert_sound()


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"amount_minor": 40001}, InsufficientBalance),
        ({"amount_minor": 0, "services": 1}, InsufficientServices),
        ({"amount_minor": 0, "points": 1}, TooFewPoints),
        ({"amount_minor": 0}, TransferRefused),
        ({"amount_minor": -5}, AmountRefused),
        ({"amount_minor": "20"}, AmountRefused),
        ({"amount_minor": 10**9 + 1}, AmountRefused),
    ],
)
def test_what_cannot_be_passed_on_is_refused_at_once(rich_card, han_mei, by_hand, asked, refusal):
    with pytest.raises(refusal):
        offer(rich_card, han_mei, by_hand, **asked)


def test_nobody_gives_to_themselves(rich_card, li_lei, by_hand):
    with pytest.raises(TransferRefused):
        offer(rich_card, li_lei, by_hand)


def test_spent_meanwhile_it_is_refused_when_confirmed(rich_card, han_mei, by_hand, at_till):
    transfer = offer(rich_card, han_mei, by_hand, amount_minor=40000)
    spend(key="s", card=rich_card, amount_minor=100, **by_hand)

    with pytest.raises(InsufficientBalance):
        confirm(actor=at_till, at=NOON, transfer=transfer)

    assert not Card.objects.filter(member=han_mei).exists(), "no card is left behind"


def test_after_three_days_it_is_over(rich_card, han_mei, by_hand, at_till):
    transfer = offer(rich_card, han_mei, by_hand)
    later = NOON + timedelta(days=3)

    with pytest.raises(TransferEnded):
        confirm(actor=at_till, at=later, transfer=transfer)
    assert (end_transfers(at=later), end_transfers(at=later)) == (1, 0)
    transfer.refresh_from_db()
    assert transfer.status == TransferStatus.EXPIRED


@pytest.mark.parametrize("ending", [withdraw, decline])
def test_withdrawn_or_declined_it_cannot_be_confirmed(rich_card, han_mei, by_hand, at_till, ending):
    transfer = offer(rich_card, han_mei, by_hand)
    ending(at=NOON, transfer=transfer)
    ending(at=NOON, transfer=transfer)

    with pytest.raises(TransferEnded):
        confirm(actor=at_till, at=NOON, transfer=transfer)


def test_a_confirmed_one_cannot_be_withdrawn(rich_card, han_mei, by_hand, at_till):
    transfer = offer(rich_card, han_mei, by_hand)
    confirm(actor=at_till, at=NOON, transfer=transfer)

    with pytest.raises(TransferEnded):
        withdraw(at=NOON, transfer=transfer)


def test_a_frozen_card_gives_nothing(rich_card, han_mei, by_hand):
    Card.objects.filter(pk=rich_card.pk).update(status=CardStatus.FROZEN)

    with pytest.raises(CardNotUsable):
        offer(rich_card, han_mei, by_hand)


def test_staff_confirm_nothing_to_their_own_account(rich_card, han_mei, by_hand, chen, at_till):
    transfer = offer(rich_card, han_mei, by_hand)
    chen.member = han_mei
    chen.save()

    with pytest.raises(OwnAccount):
        confirm(actor=at_till, at=NOON, transfer=transfer)

    assert balances(rich_card) == (30000, 10000)


@override_config(CARD_RULES="cn")
def test_a_card_does_not_receive_above_the_law(rich_card, enrol, by_hand, at_till, riverside, product):
    nameless = enrol("13700137000", name="")
    theirs, _ = open_card(key="o9", member=nameless, product=product, **by_hand)
    recharge_card(key="r9", card=theirs, tender=TenderPaid(TenderType.CASH, 90000), **by_hand)
    transfer = offer(rich_card, nameless, by_hand)

    with pytest.raises(CardLimitReached) as refusal:
        confirm(actor=at_till, at=NOON, transfer=transfer)

    assert refusal.value.facts["limit_minor"] == 100000


def test_a_gift_out_of_many_recharges_keeps_their_order(card, by_hand, han_mei):
    """Ten recharges without an end, passed on in one deed: the first paid in is the first spent afterwards too."""
    for number in range(1, 11):
        paid = TenderPaid(TenderType.WECHAT, number * 100)
        recharge_card(key=f"r{number}", card=card, tender=paid, **by_hand)
    offer = propose(key="gift", card=card, receiver=han_mei, amount_minor=5500, is_confirmed=True, **by_hand)
    confirm(actor=by_hand["actor"], at=NOON, transfer=offer)

    arrived = Lot.objects.filter(account__member=han_mei, remaining__gt=0).order_by("id")

    assert [lot.original for lot in arrived] == [number * 100 for number in range(1, 11)]
