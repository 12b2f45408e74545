"""Value set aside for a booking or a deposit, to be read by an accountant. Money in fen (1/100 yuan)."""

from datetime import timedelta

import pytest

from members.domain.cards import open_card
from members.domain.expiry import expire_lots
from members.domain.hold_uses import HoldEnded
from members.domain.holds import HoldTimeRefused, expire_holds, release
from members.domain.spending import InsufficientBalance
from members.domain.verify import verify
from members.enums import AccountKind
from members.models import Hold, Lot, MembershipEvent
from tests.conftest import NOON

BONUS, PRINCIPAL = AccountKind.BONUS, AccountKind.PRINCIPAL
TOMORROW = NOON + timedelta(days=1)


def held() -> int:
    return sum(Lot.objects.values_list("held", flat=True))


def let_go(counter, hold, key="release"):
    return release(actor=counter.actor, key=key, at=NOON, store=counter.store, hold=hold)


def test_a_hold_leaves_the_balance_and_takes_what_can_be_spent(counter):
    counter.load(30000, 10000)

    hold = counter.hold(20000, TOMORROW, reason="Friday, 14:00").operation.hold
    with pytest.raises(InsufficientBalance) as refusal:
        counter.spend(20001)
    counter.spend(20000)

    told = MembershipEvent.objects.get(type="value_held").payload
    assert (hold.amount_minor, hold.reason, held()) == (20000, "Friday, 14:00", 20000)
    assert refusal.value.facts["available_minor"] == 20000
    assert (told["amount"], told["balance"]) == (20000, 40000)


def test_a_hold_is_captured_by_a_spend_and_what_is_left_of_it_is_free_again(counter):
    counter.load(30000)
    hold = counter.hold(20000, TOMORROW).operation.hold

    sale = counter.spend(15000, hold=hold).operation

    hold.refresh_from_db()
    assert (hold.status, hold.ended_by, held()) == ("captured", sale, 0)
    assert counter.balance(PRINCIPAL) == 15000
    counter.spend(15000)


def test_a_bill_above_the_hold_takes_the_hold_first_and_the_card_for_the_rest(counter):
    counter.load(20000, expires_at=NOON + timedelta(days=9))
    hold = counter.hold(20000, TOMORROW).operation.hold
    soonest = counter.load(5000, expires_at=NOON + timedelta(days=2)).lots.get()

    counter.spend(22000, hold=hold)

    soonest.refresh_from_db()
    assert (counter.balance(PRINCIPAL), soonest.remaining) == (3000, 3000)


def test_one_lot_held_in_part_pays_a_bill_from_both_parts(counter):
    counter.load(20000)
    hold = counter.hold(5000, TOMORROW).operation.hold

    counter.spend(20000, hold=hold)

    assert (counter.balance(PRINCIPAL), held()) == (0, 0)


def test_a_hold_ends_once(counter):
    counter.load(30000)
    hold = counter.hold(20000, TOMORROW).operation.hold
    counter.spend(1000, hold=hold)
    hold.refresh_from_db()

    with pytest.raises(HoldEnded):
        counter.spend(1000, hold=hold)
    with pytest.raises(HoldEnded):
        let_go(counter, hold)

    assert counter.balance(PRINCIPAL) == 29000


def test_a_hold_of_another_card_is_not_captured(counter, enrol, at_till, riverside, product):
    counter.load(30000)
    hold = counter.hold(20000, TOMORROW).operation.hold
    han = enrol("13900139000", name="Han Meimei")
    card, _ = open_card(actor=at_till, key="open-han", at=NOON, store=riverside, member=han, product=product)
    counter.card = card
    counter.load(30000)

    with pytest.raises(HoldEnded):
        counter.spend(1000, hold=hold)

    hold.refresh_from_db()
    assert hold.status == "open"


def test_a_release_frees_the_value_and_says_so_once(counter):
    counter.load(30000)
    hold = counter.hold(20000, TOMORROW).operation.hold

    first = let_go(counter, hold)
    second = let_go(counter, hold)

    assert (second.is_replay, second.operation) == (True, first.operation)
    assert MembershipEvent.objects.filter(type="hold_ended").count() == 1
    counter.spend(30000)


def test_a_hold_runs_out_by_itself(counter):
    counter.load(30000)
    counter.hold(20000, TOMORROW)

    early = expire_holds(at=TOMORROW - timedelta(seconds=1))
    counts = expire_holds(at=TOMORROW)
    again = expire_holds(at=TOMORROW)

    assert (early["expired"], counts["expired"], counts["money_minor"], again["expired"]) == (0, 1, 20000, 0)
    assert (Hold.objects.get().status, held()) == ("expired", 0)


def test_a_hold_past_its_time_captures_nothing(counter):
    counter.load(30000)
    hold = counter.hold(20000, TOMORROW).operation.hold

    with pytest.raises(HoldEnded):
        counter.spend(1000, hold=hold, at=TOMORROW)


def test_a_hold_keeps_value_from_expiring_and_lets_go_of_it_after(counter):
    """100.00 that end at 14:00, 60.00 held over it: 40.00 expire, the 60.00 stay, pay, or expire once released."""
    ends = NOON + timedelta(hours=2)
    counter.load(10000, expires_at=ends)
    hold = counter.hold(6000, TOMORROW).operation.hold

    first = expire_lots(at=ends)
    let_go(counter, hold)
    second = expire_lots(at=ends)

    assert (first["money_minor"], second["money_minor"]) == (4000, 6000)
    assert counter.balance(PRINCIPAL) == 0


def test_held_value_pays_after_its_own_end(counter):
    ends = NOON + timedelta(hours=2)
    counter.load(10000, expires_at=ends)
    hold = counter.hold(6000, TOMORROW).operation.hold
    expire_lots(at=ends)

    counter.spend(6000, hold=hold, at=ends + timedelta(hours=1))

    assert counter.balance(PRINCIPAL) == 0


def test_value_that_depends_on_the_bill_is_not_held(counter):
    counter.load(5000, 5000, bonus_terms={"share_max_percent": 50})

    with pytest.raises(InsufficientBalance) as refusal:
        counter.hold(5001, TOMORROW)

    assert refusal.value.facts["available_minor"] == 5000


def test_a_hold_ends_in_the_future(counter):
    counter.load(5000)

    with pytest.raises(HoldTimeRefused):
        counter.hold(1000, NOON)


def test_the_books_hold_with_open_and_ended_holds(counter):
    counter.load(30000, 10000)
    counter.hold(7777, TOMORROW)
    captured = counter.hold(5555, TOMORROW).operation.hold
    counter.spend(9999, hold=captured)

    assert [str(fault) for fault in verify().faults] == []
