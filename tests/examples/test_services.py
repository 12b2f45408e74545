"""Worked examples of count cards, to be read by an accountant. Money in fen (1/100 yuan)."""

from collections import Counter
from datetime import timedelta

import pytest
from constance.test import override_config

from members.domain.cards import WrongCard, open_card, recharge_card
from members.domain.deeds import AmountRefused, CardNotUsable
from members.domain.expiry import expire_lots
from members.domain.expiry_warnings import warn_expiring
from members.domain.ledger import Actor, TenderPaid
from members.domain.recharge_limits import CardLimitReached, ValidityRefused
from members.domain.resting import SharerRefused, SharersFull, add_sharer, pause, remove_sharer, resume
from members.domain.services import (
    CardPaused,
    CountRefused,
    InsufficientServices,
    NotSharer,
    ReturnExceedsTaken,
    return_service,
    sell_services,
    take_service,
)
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import (
    Account,
    Card,
    CardKind,
    CardProduct,
    Entry,
    Lot,
    MembershipEvent,
    ServiceGroup,
    StoreAcceptance,
)
from tests.conftest import NOON

CASH = TenderType.CASH


@pytest.fixture
def washes(db) -> CardProduct:
    """Ten washes for 1,000.00, three people may share; one wash costs 150.00 without the card."""
    return CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100000,
        full_price_minor=15000,
        services_valid_days=100,
        sharers_max=2,
    )


@pytest.fixture
def wash_card(li_lei, at_till: Actor, riverside, washes) -> Card:
    card, _ = open_card(
        actor=at_till, key="open-washes", at=NOON, store=riverside, member=li_lei, product=washes
    )
    return card


@pytest.fixture
def till(at_till: Actor, riverside, wash_card: Card):
    """The till's verbs on the count card with who, where and when filled in."""

    class Till:
        def sell(self, key: str = "sell", minor: int = 100000, **more):
            tender = TenderPaid(CASH, minor)
            return sell_services(
                **{"actor": at_till, "key": key, "at": NOON, "store": riverside, "card": wash_card, **more},
                tender=tender,
            )

        def take(self, key: str, count: int = 1, **more):
            named = {"actor": at_till, "key": key, "at": NOON, "store": riverside, "card": wash_card}
            return take_service(**{**named, **more}, count=count)

        def give_back(self, operation, key: str, count: int | None = None):
            return return_service(
                actor=at_till, key=key, at=NOON, store=riverside, operation=operation, count=count
            )

        def name(self, name: str):
            return add_sharer(actor=at_till, at=NOON, store=riverside, card=wash_card, name=name)

    return Till()


def entries(operation) -> list[tuple[str, int]]:
    return sorted(Entry.objects.filter(operation=operation).values_list("account_kind", "amount"))


def total(kind: AccountKind, store=None) -> int:
    lines = Entry.objects.filter(account_kind=kind)
    lines = lines.filter(account__store=store) if store else lines
    return sum(lines.values_list("amount", flat=True))


def left(card: Card) -> int:
    return Account.objects.get(card=card, kind=AccountKind.SERVICES).balance


def assert_sound() -> None:
    assert verify().faults == ()


def test_ten_washes_for_1000_are_money_that_waits(till, wash_card):
    outcome = till.sell()

    lot = outcome.operation.lots.get()
    assert entries(outcome.operation) == [
        ("deferred", 100000),
        ("services", 10),
        ("services_sold", -10),
        ("tender", -100000),
    ]
    assert (lot.original, lot.paid_minor) == (10, 100000)
    assert lot.expires_at.isoformat() == "2027-02-28T16:00:00+00:00", "the store's midnight after day 100"
    told = MembershipEvent.objects.get(type="services_sold").payload
    assert (told["service"], told["count"], told["amount"], told["services_left"]) == ("Wash", 10, 100000, 10)
    assert_sound()


def test_one_wash_taken_makes_100_of_sales(till, wash_card):
    till.sell()

    outcome = till.take("t1")

    assert entries(outcome.operation) == [
        ("deferred", -10000),
        ("sales", 10000),
        ("services", -1),
        ("services_served", 1),
    ]
    told = MembershipEvent.objects.get(type="service_taken").payload
    assert (told["count"], told["services_left"]) == (1, 9)
    assert_sound()


def test_three_washes_for_100_fen_are_33_34_33_and_nothing_is_lost(till, washes):
    CardProduct.objects.filter(pk=washes.pk).update(price_minor=100, services_count=3)
    washes.refresh_from_db()
    till_card = till  # the same till, a cheaper product
    wash_card_of(till_card, washes)
    sums = []

    for turn in range(3):
        outcome = till.take(f"t{turn}")
        sums.append(dict(entries(outcome.operation))["sales"])

    assert sums == [33, 34, 33]
    assert total(AccountKind.DEFERRED) == 0
    assert_sound()


def wash_card_of(till, washes) -> None:
    card = Card.objects.select_related("product").get(product=washes)
    till.sell(minor=100, card=card)


def test_a_wash_returned_waits_again_and_the_whole_still_adds_up(till, wash_card, washes):
    CardProduct.objects.filter(pk=washes.pk).update(price_minor=100, services_count=3)
    till.sell(minor=100, card=Card.objects.select_related("product").get(pk=wash_card.pk))
    first = till.take("t1").operation
    till.take("t2")

    till.give_back(first, "b1")
    till.take("t3", count=2)

    assert left(wash_card) == 0
    assert (total(AccountKind.DEFERRED), total(AccountKind.SALES)) == (0, 100)
    assert MembershipEvent.objects.get(type="service_returned").payload["count"] == 1
    assert_sound()


def test_two_of_three_washes_returned_and_no_more_than_were_taken(till, wash_card):
    till.sell()
    taken = till.take("t1", count=3).operation
    till.give_back(taken, "b1", 2)

    with pytest.raises(ReturnExceedsTaken) as refusal:
        till.give_back(taken, "b2", 2)

    assert refusal.value.facts["returnable"] == 1
    assert left(wash_card) == 9


def test_a_recharge_is_no_service_to_return(till, loaded_card):
    with pytest.raises(ReturnExceedsTaken):
        till.give_back(loaded_card.operation_set.get(kind="recharge"), "b1")


def test_a_wash_sold_here_and_taken_there_is_owed_to_them(till, wash_card, hilltop, wang, riverside):
    till.sell()
    at_hilltop = Actor(scope=f"staff:{wang.pk}", staff_id=wang.pk)

    outcome = till.take("t1", count=2, store=hilltop, actor=at_hilltop)

    lines = Entry.objects.filter(operation=outcome.operation).exclude(account__store=None)
    assert sorted(lines.values_list("account__store__name", "account_kind", "amount")) == [
        ("Hilltop", "sales", 20000),
        ("Hilltop", "services_served", 2),
        ("Hilltop", "settlement", -20000),
        ("Riverside", "deferred", -20000),
        ("Riverside", "settlement", 20000),
    ]
    assert_sound()


def test_a_store_that_does_not_take_the_services_says_so(till, wash_card, hilltop, riverside):
    StoreAcceptance.objects.create(issuer=riverside, server=hilltop, takes_services=False)
    till.sell()

    with pytest.raises(InsufficientServices) as refusal:
        till.take("t1", store=hilltop)

    assert "honoured" in str(refusal.value) and refusal.value.facts["left"] == 0


def test_services_bound_to_their_store_are_taken_only_there(till, wash_card, washes, hilltop, riverside):
    washes.stores.add(riverside)
    till.sell()

    with pytest.raises(InsufficientServices):
        till.take("t1", store=hilltop)
    till.take("t2")

    assert left(wash_card) == 9


def test_the_lot_that_ends_first_is_taken_first(till, wash_card):
    till.sell("s1")
    later = till.sell("s2", at=NOON + timedelta(days=5)).operation

    till.take("t1", count=10, at=NOON + timedelta(days=6))

    assert later.lots.get().remaining == 10


def test_the_eleventh_wash_is_refused_and_says_how_many_are_left(till):
    till.sell()
    till.take("t1", count=8)

    with pytest.raises(InsufficientServices) as refusal:
        till.take("t2", count=3)

    assert refusal.value.facts["left"] == 2


@pytest.mark.parametrize("count", [0, -1, 1001, True, 1.5, "1"])
def test_numbers_of_services_that_are_none(till, count):
    with pytest.raises(CountRefused):
        till.take("t1", count=count)


def test_services_are_sold_at_their_price_only(till):
    with pytest.raises(AmountRefused):
        till.sell(minor=99999)


def test_a_count_card_cannot_be_recharged_and_a_house_card_has_no_services(
    till, wash_card, card, at_till, riverside
):
    with pytest.raises(WrongCard):
        recharge_card(
            actor=at_till, key="r", at=NOON, store=riverside, card=wash_card, tender=TenderPaid(CASH, 100)
        )
    with pytest.raises(WrongCard):
        till.take("t", card=card)


def test_the_same_key_takes_one_wash(till, wash_card):
    till.sell()
    first = till.take("t1")
    second = till.take("t1")

    assert (second.is_replay, second.operation) == (True, first.operation)
    assert left(wash_card) == 9


def test_a_named_sharer_takes_a_wash_and_a_stranger_does_not(till, wash_card, enrol, product, washes):
    till.sell()
    wife = till.name("Han Mei")
    gone = till.name("Li Tao")
    remove_sharer(actor=Actor("staff:0"), at=NOON, store=wash_card.store, sharer=gone)

    outcome = till.take("t1", sharer=wife)

    assert outcome.operation.note == "Han Mei"
    with pytest.raises(NotSharer):
        till.take("t2", sharer=gone)


def test_only_so_many_people_share_a_card(till, wash_card):
    till.name("Han Mei")
    till.name("Li Tao")
    assert till.name("Han Mei").pk == wash_card.sharers.get(name="Han Mei").pk, "named once"

    with pytest.raises(SharersFull):
        till.name("Wu Fang")
    with pytest.raises(SharerRefused):
        till.name("   ")


def test_a_pause_of_40_days_moves_the_end_by_40_days(till, wash_card, at_till, riverside):
    before = till.sell().operation.lots.get().expires_at
    rest = {"actor": at_till, "store": riverside, "card": wash_card}

    pause(at=NOON + timedelta(days=1), **rest)
    with pytest.raises(CardPaused):
        till.take("t1", at=NOON + timedelta(days=2))
    ended = resume(at=NOON + timedelta(days=41), **rest)

    assert Lot.objects.get(account__card=wash_card).expires_at == before + timedelta(days=40)
    assert ended.moved_days == 40
    till.take("t2", at=NOON + timedelta(days=110))


def test_pausing_twice_is_one_pause_and_resuming_twice_moves_the_end_once(
    till, wash_card, at_till, riverside
):
    before = till.sell().operation.lots.get().expires_at
    rest = {"actor": at_till, "store": riverside, "card": wash_card}

    first, second = (pause(at=NOON + timedelta(days=day), **rest) for day in (1, 2))
    for day in (11, 12):
        resume(at=NOON + timedelta(days=day), **rest)

    assert first == second
    assert Lot.objects.get(account__card=wash_card).expires_at == before + timedelta(days=10)


def test_a_card_that_never_rested_cannot_be_resumed(wash_card, at_till, riverside):
    with pytest.raises(CardPaused):
        resume(actor=at_till, at=NOON, store=riverside, card=wash_card)


def test_only_a_count_card_can_rest(card, at_till, riverside):
    with pytest.raises(CardNotUsable):
        pause(actor=at_till, at=NOON, store=riverside, card=card)


def test_services_that_end_take_their_money_with_them_to_breakage(till, wash_card):
    till.sell()
    till.take("t1", count=3)

    counts = expire_lots(at=NOON + timedelta(days=102))

    assert (counts["services"], counts["deeds"]) == (7, 1)
    assert (total(AccountKind.DEFERRED), total(AccountKind.BREAKAGE)) == (0, 70000)
    assert total(AccountKind.SERVICES_BREAKAGE) == 7
    assert expire_lots(at=NOON + timedelta(days=102))["deeds"] == 0
    assert_sound()


def test_nothing_of_a_paused_card_ends(till, wash_card, at_till, riverside):
    till.sell()
    pause(actor=at_till, at=NOON, store=riverside, card=wash_card)

    assert warn_expiring(at=NOON + timedelta(days=95)) == {"members": 0}
    assert expire_lots(at=NOON + timedelta(days=200))["deeds"] == 0

    resume(actor=at_till, at=NOON + timedelta(days=200), store=riverside, card=wash_card)
    assert warn_expiring(at=NOON + timedelta(days=295)) == {"members": 1}
    assert expire_lots(at=NOON + timedelta(days=299))["deeds"] == 0
    assert expire_lots(at=NOON + timedelta(days=302))["services"] == 10


@override_config(CARD_RULES="cn")
def test_the_law_on_count_cards_is_said_with_its_source(till, washes, wash_card):
    with pytest.raises(ValidityRefused) as refusal:
        till.sell()
    assert "单用途商业预付卡管理办法" in str(refusal.value)

    CardProduct.objects.filter(pk=washes.pk).update(services_valid_days=None, price_minor=500001)
    dear = Card.objects.select_related("product", "member").get(pk=wash_card.pk)
    with pytest.raises(CardLimitReached) as limit:
        till.sell(minor=500001, card=dear)
    assert limit.value.facts["limit_minor"] == 500000


def test_every_deed_is_told_once(till):
    till.sell()
    taken = till.take("t1").operation
    till.give_back(taken, "b1")

    told = Counter(MembershipEvent.objects.filter(operation__isnull=False).values_list("type", flat=True))
    assert told == {"card_opened": 1, "services_sold": 1, "service_taken": 1, "service_returned": 1}
