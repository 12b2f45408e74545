"""A refund gives seven days to what comes back, not to what it lay beside. Money in fen (1/100 yuan)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members.domain.cards import open_card
from members.domain.closing import close_card, quote
from members.domain.expiry import expire_lots
from members.domain.ledger import TenderPaid
from members.domain.refunds import RefundExceedsOriginal
from members.domain.services import ReturnExceedsTaken, return_service, sell_services, take_service
from members.domain.verify import verify
from members.enums import AccountKind, TenderType
from members.models import CardKind, CardProduct, Lot, RestoredLot, Reward, ServiceGroup
from tests.conftest import NOON

BONUS, POINTS = AccountKind.BONUS, AccountKind.POINTS
ENDS = NOON + timedelta(days=2)
WEEK = timedelta(days=7)


def lots(card, kind) -> list[tuple[int, object]]:
    """What is left, and until when."""
    of = Lot.objects.filter(account__member=card.member, account__kind=kind, remaining__gt=0)
    return list(of.order_by("id").values_list("remaining", "expires_at"))


def assert_sound() -> None:
    assert [str(fault) for fault in verify().faults] == []


def test_a_refund_of_a_fen_leaves_the_end_of_500_where_it_was(counter, card):
    counter.load(0, 50000, expires_at=ENDS)
    sale = counter.spend(10000).operation

    counter.refund(sale, 1)

    assert lots(card, BONUS) == [(40000, ENDS), (1, NOON + WEEK)]
    new = RestoredLot.objects.get()
    assert (new.lot.original, new.lot.source, new.left.source) == (1, new.left.source, new.left.source)
    assert_sound()


def test_a_fen_a_day_prolongs_a_fen_a_day(counter, card):
    counter.load(0, 50000, expires_at=ENDS)
    sale = counter.spend(10000).operation

    for day in range(3):
        counter.refund(sale, 1, at=NOON + timedelta(days=day))
    expire_lots(at=ENDS + timedelta(seconds=1))

    assert lots(card, BONUS) == [(1, NOON + timedelta(days=7 + day)) for day in range(3)]
    assert_sound()


def test_what_came_back_is_spent_and_refunded_like_any_other(counter, card):
    counter.load(0, 50000, expires_at=ENDS)
    sale = counter.spend(10000).operation
    counter.refund(sale, 4000)

    again = counter.spend(44000).operation
    assert counter.balance(BONUS) == 0
    counter.refund(again)

    assert lots(card, BONUS) == [(40000, NOON + WEEK), (4000, NOON + WEEK)]
    assert_sound()


def test_parts_apart_and_parts_within_never_come_to_more_than_the_bill(counter, card):
    counter.load(0, 50000, expires_at=ENDS)
    sale = counter.spend(10000).operation
    counter.refund(sale, 3000)
    counter.spend(40000)
    counter.refund(sale, 6000)

    with pytest.raises(RefundExceedsOriginal):
        counter.refund(sale, 1001)
    counter.refund(sale, 1000)

    assert counter.balance(BONUS) == 50000 - 40000
    assert_sound()


def test_value_whose_end_has_passed_is_not_revived_by_its_neighbour(counter, card):
    """Between midnight and the expiry run the rest still lies in the lot: only the part that comes back lives."""
    counter.load(0, 50000, expires_at=ENDS)
    sale = counter.spend(10000).operation
    late = ENDS + timedelta(minutes=1)

    counter.refund(sale, 2500, at=late)

    assert lots(card, BONUS) == [(40000, ENDS), (2500, late + WEEK)]
    assert expire_lots(at=late)["money_minor"] == 40000
    assert counter.balance(BONUS) == 2500
    assert_sound()


def test_an_end_far_off_stays_and_takes_its_value_back(counter, card):
    far = NOON + timedelta(days=30)
    counter.load(0, 50000, expires_at=far)
    sale = counter.spend(10000).operation

    counter.refund(sale, 1)

    assert lots(card, BONUS) == [(40001, far)]


def test_points_back_for_a_reward_live_a_week_and_the_others_do_not(counter, card):
    counter.load(100)
    counter.give_points(500, expires_at=ENDS)
    taken = counter.redeem(Reward.objects.create(name="Coffee", points=100)).operation

    counter.refund(taken)

    assert lots(card, POINTS) == [(400, ENDS), (100, NOON + WEEK)]
    with pytest.raises(RefundExceedsOriginal):
        counter.refund(taken)
    assert_sound()


def test_a_service_returned_lives_a_week_with_its_money(li_lei, at_till, riverside, books):
    """Three washes for 100.00, which three do not divide: the money that waits is 100.00 again to the fen."""
    product = CardProduct.objects.create(
        name="Washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=3,
        price_minor=10000,
        services_valid_days=1,
    )
    who = {"actor": at_till, "at": NOON, "store": riverside}
    card, _ = open_card(key="o", member=li_lei, product=product, **who)
    sell_services(key="s", card=card, tender=TenderPaid(TenderType.CASH, 10000), **who)
    taken = take_service(key="t", card=card, count=2, **who).operation

    one = return_service(key="r1", operation=taken, count=1, **who).operation
    with pytest.raises(ReturnExceedsTaken):
        return_service(key="r2", operation=taken, count=2, **who)

    left = Lot.objects.filter(account__card=card, remaining__gt=0).order_by("id")
    assert [(lot.remaining, lot.expires_at >= NOON + WEEK) for lot in left] == [(1, False), (1, True)]
    assert books(riverside, taken, one)["deferred"] == -3333
    assert quote(card, at=NOON).payout_minor == 6667
    assert_sound()


def test_a_card_closed_after_it_pays_what_the_bills_left(counter, card, at_till, riverside):
    """400.00 + 100.00 that end tomorrow; 250.00 spent and 50.00 of it back: pro rata 400 − 200 × 400 ÷ 500 = 240.00."""
    counter.load(40000, 10000, expires_at=ENDS)
    sale = counter.spend(25000).operation
    counter.refund(sale, 5000)

    found = quote(card, at=NOON)
    assert (found.payout_minor, found.bonus_minor) == (24000, 6000)
    close_card(
        actor=at_till, key="x", at=NOON, store=riverside, card=card, payout_minor=found.payout_minor, note=""
    )
    assert_sound()
