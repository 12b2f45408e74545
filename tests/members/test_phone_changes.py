"""A phone number changes hands slowly: told to the old one, stopped from it, and no large spend for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members.domain.card_states import replace_card
from members.domain.cards import open_card, recharge_card
from members.domain.closing import close_card, refund_recharge
from members.domain.enrolment import PhoneTaken, PhoneUnusable
from members.domain.holds import authorise
from members.domain.ledger import Actor, ApprovalRequired, OwnAccount, TenderPaid
from members.domain.merging import merge
from members.domain.phone_changes import (
    CoolingOff,
    PhoneChangeEnded,
    PhoneChangeForbidden,
    PhoneChangeWaits,
    PhoneUnchanged,
    apply_due,
    change_phone,
    spend_limit_minor,
    stop,
)
from members.domain.refunds import refund
from members.domain.services import sell_services, take_service
from members.domain.spending import spend
from members.enums import CardStatus, ConsentSource, OperationKind, Role, TenderType
from members.models import (
    AuditEntry,
    Card,
    CardKind,
    CardProduct,
    LimitedDeed,
    Member,
    MembershipEvent,
    Operation,
    PhoneChangeStatus,
    ServiceGroup,
    StaffLimit,
)
from members.refusals import Refused
from messaging.domain import suppressions
from messaging.models import Suppression
from tests.conftest import NOON

NEW = "13900139000"
PORTAL = Actor("portal")
DAY = timedelta(hours=24)


@pytest.fixture
def in_charge(mei) -> Actor:
    return Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)


@pytest.fixture
def ask(in_charge, riverside, li_lei):
    """Mei writes down a new number for Li Lei, who has lost the old one."""

    def _ask(phone: str = NEW, *, key: str = "c1", actor: Actor = in_charge, at=NOON, **more):
        said = {"reason": "Phone lost", **more}
        return change_phone(actor=actor, key=key, at=at, store=riverside, member=li_lei, phone=phone, **said)

    return _ask


def pay(card: Card, minor: int, at, at_till: Actor, riverside):
    fresh = Card.objects.select_related("member", "product").get(pk=card.pk)
    key = f"pay-{minor}-{at.isoformat()}"
    return spend(actor=at_till, key=key, at=at, store=riverside, card=fresh, amount_minor=minor)


def test_with_the_code_of_the_old_number_it_is_done_at_once(ask, li_lei):
    change = ask(actor=PORTAL, reason="", is_confirmed_by_old=True)

    assert change.status == PhoneChangeStatus.DONE
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613900139000"
    assert MembershipEvent.objects.get(type="phone_changed").payload == {
        "old_phone": "+86 138****8000",
        "new_phone": "+86 139****9000",
    }


def test_without_it_the_number_stays_for_24_hours_and_the_old_one_is_told(ask, li_lei):
    change = ask()

    assert apply_due(at=NOON + DAY - timedelta(seconds=1)) == {"done": 0, "stopped": 0}
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613800138000"
    told = MembershipEvent.objects.select_related("member").get(type="phone_change_asked")
    assert told.member.phone == "+8613800138000"
    assert apply_due(at=NOON + DAY) == {"done": 1, "stopped": 0}
    assert apply_due(at=NOON + DAY) == {"done": 0, "stopped": 0}
    change.refresh_from_db()
    assert (change.status, change.new_phone) == (PhoneChangeStatus.DONE, "")
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613900139000"


def test_takeover_change_phone_log_in_redeem_at_once_is_refused_for_24_hours(
    ask, loaded_card, at_till, riverside
):
    ask(actor=PORTAL, reason="", is_confirmed_by_old=True)

    for later in (timedelta(0), DAY - timedelta(seconds=1)):
        with pytest.raises(CoolingOff) as refused:
            pay(loaded_card, 20001, NOON + later, at_till, riverside)
        assert refused.value.code == "cooling_off"
        assert refused.value.facts == {"limit_minor": 20000}
    assert pay(loaded_card, 20000, NOON, at_till, riverside).balance_minor == 30000
    assert pay(loaded_card, 20001, NOON + DAY, at_till, riverside).balance_minor == 9999


def test_while_it_waits_and_a_day_after_a_large_spend_and_a_large_hold_are_refused(
    ask, loaded_card, at_till, riverside
):
    ask()

    with pytest.raises(CoolingOff):
        pay(loaded_card, 30000, NOON, at_till, riverside)
    apply_due(at=NOON + DAY)
    with pytest.raises(CoolingOff):
        pay(loaded_card, 30000, NOON + DAY + timedelta(hours=23), at_till, riverside)
    fresh = Card.objects.select_related("member", "product").get(pk=loaded_card.pk)
    with pytest.raises(CoolingOff):
        authorise(
            actor=at_till,
            key="hold",
            at=NOON + DAY,
            store=riverside,
            card=fresh,
            amount_minor=30000,
            until=NOON + 3 * DAY,
        )
    assert pay(loaded_card, 30000, NOON + 2 * DAY, at_till, riverside).balance_minor == 20000


@pytest.fixture
def washes(li_lei, at_till, riverside) -> Card:
    """Five washes at 150.00."""
    product = CardProduct.objects.create(
        name="Five washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=5,
        price_minor=75_000,
        full_price_minor=16_000,
    )
    deed = {"actor": at_till, "at": NOON - DAY, "store": riverside}
    card, _ = open_card(key="open-washes", member=li_lei, product=product, **deed)
    sell_services(key="sell-washes", card=card, tender=TenderPaid(TenderType.CASH, 75_000), **deed)
    return card


def test_services_count_by_their_price(ask, washes, loaded_card, at_till, riverside):
    ask()

    def wash(key: str, at=NOON):
        fresh = Card.objects.select_related("member", "product").get(pk=washes.pk)
        return take_service(actor=at_till, key=key, at=at, store=riverside, card=fresh)

    wash("first")
    with pytest.raises(CoolingOff):
        wash("second")
    with pytest.raises(CoolingOff):
        pay(loaded_card, 5_001, NOON, at_till, riverside)
    pay(loaded_card, 5_000, NOON, at_till, riverside)
    wash("two days later", NOON + 2 * DAY)


def test_a_payout_counts_and_a_large_one_waits(ask, loaded_card, in_charge, at_till, riverside):
    ask()
    common = {"actor": in_charge, "store": riverside}

    def fresh() -> Card:
        return Card.objects.select_related("member", "product", "store").get(pk=loaded_card.pk)

    with pytest.raises(CoolingOff):
        close_card(key="close", at=NOON, card=fresh(), **common)
    recharge = Operation.objects.get(card=loaded_card, kind=OperationKind.RECHARGE)
    with pytest.raises(CoolingOff):
        refund_recharge(key="back", at=NOON, operation=recharge, **common)
    assert fresh().status == CardStatus.ACTIVE

    pay(loaded_card, 20_000, NOON, at_till, riverside)
    close_card(key="later", at=NOON + 2 * DAY, card=fresh(), **common)
    assert fresh().status == CardStatus.CLOSED


def test_nobody_is_asked_to_approve_a_payout_that_would_be_refused_after_it(
    ask, loaded_card, in_charge, at_till, riverside
):
    for deed in LimitedDeed:
        StaffLimit.objects.create(deed=deed, role=Role.MANAGER, amount_max=100)
    recharge = Operation.objects.get(card=loaded_card, kind=OperationKind.RECHARGE)
    common = {"actor": in_charge, "at": NOON, "store": riverside}

    def payouts(why: type[Refused]) -> None:
        card = Card.objects.select_related("member", "product", "store").get(pk=loaded_card.pk)
        with pytest.raises(why):
            close_card(key="close", card=card, **common)
        with pytest.raises(why):
            refund_recharge(key="back", operation=recharge, **common)

    payouts(ApprovalRequired)
    ask()
    recharge = Operation.objects.get(pk=recharge.pk)
    payouts(CoolingOff)


def test_what_was_paid_out_leaves_less_to_spend(ask, loaded_card, in_charge, at_till, riverside):
    second = recharge_card(
        actor=at_till, key="second", at=NOON - DAY, store=riverside, card=loaded_card,
        tender=TenderPaid(TenderType.CASH, 15_000),
    )  # fmt: skip
    ask()

    refund_recharge(actor=in_charge, key="back", at=NOON, store=riverside, operation=second.operation)

    with pytest.raises(CoolingOff):
        pay(loaded_card, 5_001, NOON, at_till, riverside)
    pay(loaded_card, 5_000, NOON, at_till, riverside)


def test_stopped_from_the_old_phone_it_never_happens_and_the_limit_ends(
    ask, li_lei, loaded_card, at_till, riverside
):
    change = ask()

    stop(actor=PORTAL, at=NOON, change=change)

    assert apply_due(at=NOON + 2 * DAY) == {"done": 0, "stopped": 0}
    fresh = Member.objects.get(pk=li_lei.pk)
    assert (fresh.phone, spend_limit_minor(fresh, NOON)) == ("+8613800138000", None)
    assert pay(loaded_card, 30000, NOON, at_till, riverside).balance_minor == 20000


def test_stopping_a_second_change_leaves_the_limit_of_the_first(ask, li_lei):
    ask(actor=PORTAL, reason="", is_confirmed_by_old=True, key="first")
    second = ask("13700137000", key="second", at=NOON + timedelta(hours=1))

    stop(actor=PORTAL, at=NOON + timedelta(hours=2), change=second)

    assert Member.objects.get(pk=li_lei.pk).cooling_until == NOON + DAY


def test_a_change_that_was_done_cannot_be_stopped(ask):
    change = ask(actor=PORTAL, reason="", is_confirmed_by_old=True)

    with pytest.raises(PhoneChangeEnded):
        stop(actor=PORTAL, at=NOON, change=change)


def test_a_cashier_alone_cannot_ask_without_the_code(ask, at_till):
    with pytest.raises(PhoneChangeForbidden):
        ask(actor=at_till)


def test_another_system_cannot_ask_without_the_code(ask):
    with pytest.raises(PhoneChangeForbidden):
        ask(actor=Actor("api:partner"))


def test_the_manager_says_why(ask):
    with pytest.raises(PhoneChangeForbidden):
        ask(reason=" ")


def test_nobody_changes_their_own_number_as_staff(ask, mei, li_lei):
    mei.member = li_lei
    mei.save()

    with pytest.raises(OwnAccount):
        ask()


@pytest.mark.parametrize("phone", ["", "021 5555 0100", "138001380"])
def test_a_number_that_cannot_be_texted_is_refused(ask, phone):
    with pytest.raises(PhoneUnusable):
        ask(phone)


def test_the_number_of_another_member_is_refused(ask, enrol):
    enrol(NEW, name="Han Meimei")

    with pytest.raises(PhoneTaken):
        ask()


def test_the_same_number_is_no_change(ask):
    with pytest.raises(PhoneUnchanged):
        ask("138 0013 8000")


def test_one_change_waits_at_a_time(ask):
    ask(key="c1")

    with pytest.raises(PhoneChangeWaits):
        ask("13700137000", key="c2")


def test_the_same_key_is_the_same_change(ask):
    assert ask(key="c1").pk == ask(key="c1").pk


def test_a_number_taken_meanwhile_stops_the_change(ask, enrol, li_lei):
    ask()
    enrol(NEW, name="Han Meimei")

    assert apply_due(at=NOON + DAY) == {"done": 0, "stopped": 1}
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613800138000"


def test_a_no_to_texts_goes_with_the_person_and_stays_with_the_old_number(ask, li_lei):
    old = bytes(li_lei.phone_hash)
    suppressions.suppress(old, ConsentSource.TEXT, at=NOON)

    ask(actor=PORTAL, reason="", is_confirmed_by_old=True)

    fresh = Member.objects.get(pk=li_lei.pk)
    standing = Suppression.objects.filter(lifted_at=None)
    assert {bytes(one.phone_hash) for one in standing} == {old, bytes(fresh.phone_hash)}
    assert not fresh.has_marketing_consent


def test_the_log_keeps_no_whole_number(ask):
    ask()

    written = str(list(AuditEntry.objects.values_list("subject", "before", "after")))
    assert "13800138000" not in written
    assert "13900139000" not in written


def test_an_unchanged_member_costs_no_query(li_lei, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert spend_limit_minor(li_lei, NOON) is None


def test_value_that_only_changes_its_card_has_not_left_the_member(ask, loaded_card, at_till, riverside):
    ask(actor=PORTAL, reason="", is_confirmed_by_old=True)
    sale = pay(loaded_card, 5000, NOON, at_till, riverside).operation

    new = replace_card(actor=at_till, key="lost", at=NOON, store=riverside, card=loaded_card).card
    refund(actor=at_till, key="back", at=NOON, store=riverside, operation=sale)

    assert pay(new, 15000, NOON, at_till, riverside).balance_minor == 35000
    with pytest.raises(CoolingOff):
        pay(new, 1, NOON, at_till, riverside)


def test_a_merge_does_not_end_the_days_of_small_spends(
    ask, loaded_card, at_till, in_charge, riverside, enrol, li_lei
):
    ask(actor=PORTAL, reason="", is_confirmed_by_old=True)
    double = enrol("13700137000", name="Lei Li")

    merge(
        actor=in_charge, key="m", at=NOON, store=riverside, kept=double, merged=li_lei, reason="Same person"
    )

    theirs = Card.objects.get(member=double)
    with pytest.raises(CoolingOff):
        pay(theirs, 20001, NOON, at_till, riverside)
    assert pay(theirs, 20001, NOON + DAY, at_till, riverside).balance_minor == 29999


def test_one_change_after_the_other_does_not_begin_the_days_of_small_spends_anew(
    ask, loaded_card, at_till, riverside
):
    """Whoever holds the new number has its codes too, and could ask for the next number with them."""
    by_code = {"actor": PORTAL, "reason": "", "is_confirmed_by_old": True}
    ask(NEW, key="c1", **by_code)
    pay(loaded_card, 20000, NOON, at_till, riverside)

    ask("13900139001", key="c2", at=NOON + timedelta(minutes=1), **by_code)

    with pytest.raises(CoolingOff):
        pay(loaded_card, 1, NOON + timedelta(minutes=2), at_till, riverside)


def test_what_was_spent_before_a_change_does_not_count_even_after_an_earlier_one_that_is_over(
    ask, loaded_card, at_till, riverside
):
    by_code = {"actor": PORTAL, "reason": "", "is_confirmed_by_old": True}
    ask(NEW, key="c1", **by_code)
    pay(loaded_card, 10000, NOON + DAY, at_till, riverside)
    later = NOON + DAY + timedelta(minutes=1)

    ask("13900139001", key="c2", at=later, **by_code)

    assert pay(loaded_card, 20000, later, at_till, riverside).balance_minor == 20000


@pytest.fixture
def double(enrol) -> Member:
    """Li Lei, enrolled a second time."""
    return enrol("13700137000", name="Lei Li")


def test_what_either_spent_counts_after_a_merge(
    ask, double, loaded_card, at_till, in_charge, riverside, li_lei
):
    ask(actor=PORTAL, reason="", is_confirmed_by_old=True)
    pay(loaded_card, 15000, NOON, at_till, riverside)

    merge(
        actor=in_charge, key="m", at=NOON, store=riverside, kept=double, merged=li_lei, reason="Same person"
    )

    theirs = Card.objects.get(member=double)
    with pytest.raises(CoolingOff):
        pay(theirs, 5001, NOON, at_till, riverside)
    assert pay(theirs, 5000, NOON, at_till, riverside).balance_minor == 30000


def test_a_change_asked_for_and_stopped_after_a_merge_does_not_end_the_limit_that_came_with_it(
    ask, double, loaded_card, at_till, in_charge, riverside, li_lei
):
    ask(actor=PORTAL, reason="", is_confirmed_by_old=True)
    merge(
        actor=in_charge, key="m", at=NOON, store=riverside, kept=double, merged=li_lei, reason="Same person"
    )
    said = {"store": riverside, "member": double, "phone": "13700137001", "reason": "Lost"}
    change = change_phone(actor=in_charge, key="c2", at=NOON, **said)

    stop(actor=in_charge, at=NOON, change=change)

    assert Member.objects.get(pk=double.pk).cooling_until == NOON + DAY
