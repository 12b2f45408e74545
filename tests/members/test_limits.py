"""What a person may do alone: rolling sums under a lock, and nobody with their own account. Money in fen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.domain.adjusting import adjust
from members.domain.cards import open_card, recharge_card
from members.domain.enrolment import Consents, enrol_member, phone_hash
from members.domain.ledger import Actor, ApprovalRequired, OwnAccount, TenderPaid
from members.domain.limits import left_for, put_usual_limits
from members.domain.refunds import refund
from members.domain.rewards import redeem_points
from members.domain.spending import spend
from members.enums import AccountKind, ConsentSource, Role, TenderType
from members.models import (
    Account,
    Card,
    LimitedDeed,
    Operation,
    RechargePlan,
    Reward,
    Staff,
    StaffLimit,
    StaffRole,
    Store,
)
from tests.conftest import NOON, employ

BONUS, POINTS = AccountKind.BONUS, AccountKind.POINTS


def actor_of(staff: Staff) -> Actor:
    return Actor(scope=f"staff:{staff.pk}", staff_id=staff.pk)


def limit(
    deed: str = "adjust", *, amount: int | None = None, count: int | None = None, **more: Any
) -> StaffLimit:
    whose = {} if "staff" in more else {"role": Role.CASHIER}
    return StaffLimit.objects.create(deed=deed, amount_max=amount, count_max=count, **whose, **more)


Give = Callable[..., Any]


@pytest.fixture
def give(card: Card, riverside: Store, chen: Staff) -> Give:
    """Chen gives Li Lei bonus: `give(500)`; each time another form."""
    forms = iter(range(10**6))

    def _give(
        amount: int, *, by: Staff = chen, account: AccountKind = BONUS, store: Store = riverside
    ) -> Any:
        return adjust(
            actor=actor_of(by),
            key=f"give-{next(forms)}",
            at=NOON,
            store=store,
            card=card,
            account=account,
            amount=amount,
            reason="Waited too long",
        )

    return _give


def age_deeds(hours: float) -> None:
    """Let everything done so far be so many hours older, as the database sees it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE members_operation SET created_at = created_at - make_interval(secs => %s)", [hours * 3600]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def given_in_all(card: Card, kind: AccountKind = BONUS) -> int:
    return Account.objects.get(member=card.member, kind=kind).balance or 0


# --- the sum, not the single deed


def test_up_to_the_limit_a_cashier_gives_alone_and_not_a_fen_more(give, card):
    limit(amount=1000)
    give(600)
    give(400)

    with pytest.raises(ApprovalRequired) as refused:
        give(1)

    assert refused.value.facts["remaining"] == 0
    assert given_in_all(card) == 1000


def test_the_refusal_says_in_plain_words_what_is_left(give):
    limit(amount=1000)
    give(750)

    with pytest.raises(ApprovalRequired, match="¥2.50 is left") as refused:
        give(500)

    assert refused.value.code == "approval_required"
    assert refused.value.facts["remaining"] == 250


def test_taking_counts_like_giving(give):
    limit(amount=1000)
    give(600)

    with pytest.raises(ApprovalRequired):
        give(-500)


def test_the_number_of_deeds_is_limited_as_well(give):
    limit(count=2)
    give(1)
    give(1)

    with pytest.raises(ApprovalRequired, match="as often as you may"):
        give(1)


@pytest.mark.parametrize(
    ("window", "too_early", "late_enough"), [(1, 0.98, 1.01), (24, 23.9, 24.1), (720, 719, 721)]
)
def test_the_window_moves_with_the_clock(give, window, too_early, late_enough):
    limit(amount=1000, window_hours=window)
    give(1000)

    age_deeds(too_early)
    with pytest.raises(ApprovalRequired):
        give(1000)
    age_deeds(late_enough - too_early)
    give(1000)


def test_of_two_windows_the_narrower_counts(give):
    limit(amount=1000, window_hours=1)
    limit(amount=1500, window_hours=24)
    give(1000)
    age_deeds(2)

    with pytest.raises(ApprovalRequired) as refused:
        give(501)

    assert refused.value.facts["remaining"] == 500


def test_a_persons_own_limit_stands_in_place_of_their_roles(give, chen):
    limit(amount=100)
    limit(amount=1000, staff=chen)

    give(1000)
    with pytest.raises(ApprovalRequired):
        give(1)


def test_of_two_roles_the_higher_counts(give, chen, riverside):
    StaffRole.objects.create(staff=chen, store=riverside, role=Role.MANAGER)
    limit(amount=0)
    StaffLimit.objects.create(deed="adjust", role=Role.MANAGER, amount_max=5000)

    give(5000)
    with pytest.raises(ApprovalRequired):
        give(1)


def test_colleagues_do_not_use_up_each_others_limit(give, riverside):
    limit(amount=1000)
    give(1000)

    give(1000, by=employ(riverside, "lan", Role.CASHIER))


def test_a_limit_of_one_store_leaves_the_other_alone(give, chen, riverside, hilltop, card):
    StaffRole.objects.create(staff=chen, store=hilltop, role=Role.CASHIER)
    limit(amount=1000, store=riverside)
    limit(amount=5000, store=hilltop)
    give(1000)

    give(5000, store=hilltop)
    with pytest.raises(ApprovalRequired):
        give(1)


def test_a_limit_of_every_store_sums_over_the_stores(give, chen, hilltop):
    StaffRole.objects.create(staff=chen, store=hilltop, role=Role.CASHIER)
    limit(amount=1000)
    give(700)

    with pytest.raises(ApprovalRequired) as refused:
        give(301, store=hilltop)

    assert refused.value.facts["remaining"] == 300


def test_points_have_a_limit_of_their_own(give):
    limit(amount=1000)
    limit("adjust_points", amount=50)
    give(1000)
    give(50, account=POINTS)

    with pytest.raises(ApprovalRequired):
        give(1, account=POINTS)


def test_without_any_limit_only_an_owner_makes_value_alone(give, riverside, card):
    with pytest.raises(ApprovalRequired):
        give(1)

    give(90000, by=employ(riverside, "olga", Role.OWNER))
    assert given_in_all(card) == 90000


def test_refunds_are_summed_over_sales(loaded_card, riverside, mei):
    StaffLimit.objects.create(deed="refund", role=Role.MANAGER, amount_max=5000)
    common = {"actor": actor_of(mei), "at": NOON, "store": riverside}
    sales = [spend(key=f"s{n}", card=loaded_card, amount_minor=4000, **common).operation for n in range(2)]
    refund(key="r0", operation=sales[0], **common)

    with pytest.raises(ApprovalRequired) as refused:
        refund(key="r1", operation=sales[1], **common)

    assert refused.value.facts["remaining"] == 1000
    refund(key="r2", operation=sales[1], amount_minor=1000, **common)


def test_recharges_with_a_plan_are_limited_and_others_are_not(card, riverside, chen):
    limit("recharge", amount=50000)
    plan = RechargePlan.objects.create(name="500", pay_minor=50000, bonus_minor=8000)
    common = {"actor": actor_of(chen), "at": NOON, "store": riverside, "card": card}
    cash = TenderPaid(TenderType.CASH, 50000)
    recharge_card(key="one", plan=plan, tender=cash, **common)

    with pytest.raises(ApprovalRequired):
        recharge_card(key="two", plan=plan, tender=cash, **common)
    recharge_card(key="three", tender=cash, **common)


def test_a_refused_deed_leaves_nothing_and_its_key_free(give, card, chen, riverside):
    limit(amount=100)
    before = Operation.objects.count()

    with pytest.raises(ApprovalRequired):
        give(101)

    assert Operation.objects.count() == before
    assert given_in_all(card) == 0


def test_a_repeat_gets_its_first_answer_although_the_limit_is_used_up(card, chen, riverside):
    limit(amount=1000)
    asked = {"actor": actor_of(chen), "key": "one", "at": NOON, "store": riverside, "card": card}
    first = adjust(account=BONUS, amount=1000, reason="Goodwill", **asked)

    again = adjust(account=BONUS, amount=1000, reason="Goodwill", **asked)

    assert again.is_replay and again.operation == first.operation


def test_what_is_left_can_be_shown_before(give, chen, riverside):
    limit(amount=1000, count=5)
    give(300)

    left = left_for(staff_id=chen.pk, store_id=riverside.pk, deed=LimitedDeed.ADJUST)
    free = left_for(staff_id=chen.pk, store_id=riverside.pk, deed=LimitedDeed.REFUND)

    assert (left.is_limited, left.amount, left.count) == (True, 700, 4)
    assert (free.is_limited, free.amount, free.count) == (False, None, None)


def test_the_usual_limits_are_put_in_once(db):
    assert put_usual_limits() > 8
    assert put_usual_limits() == 0


@pytest.mark.parametrize(
    "row",
    [
        {"deed": "refund", "amount_max": 100},
        {"deed": "refund", "role": "cashier"},
        {"deed": "refund", "role": "cashier", "amount_max": -1},
        {"deed": "refund", "role": "cashier", "amount_max": 1, "window_hours": 7},
    ],
    ids=["nobody's", "says nothing", "below zero", "odd window"],
)
def test_the_database_refuses_a_limit_that_means_nothing(db, row):
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffLimit.objects.create(**row)


def test_two_limits_of_the_same_kind_cannot_stand_side_by_side(db):
    limit(amount=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        limit(amount=2)


def test_a_spend_asks_nothing_more_although_there_are_limits(loaded_card, riverside, chen):
    """The guard is part of ledger_open: no further round trip, with or without limits."""

    def queries(key: str) -> int:
        with CaptureQueriesContext(connection) as asking:
            spend(actor=actor_of(chen), key=key, at=NOON, store=riverside, card=loaded_card, amount_minor=100)
        return len(asking)

    queries("the first of a process asks more")
    before = queries("a")
    put_usual_limits()
    assert queries("b") == before


# --- 500 ways to split one sum


@settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(parts=st.lists(st.integers(1, 700), min_size=1, max_size=6), maximum=st.integers(0, 1500))
def test_however_a_sum_is_split_no_more_than_the_limit_is_given(give, card, parts, maximum):
    with transaction.atomic():
        limit(amount=maximum)
        accepted = 0
        for part in parts:
            try:
                give(part)
                assert accepted + part <= maximum
                accepted += part
            except ApprovalRequired as refused:
                assert accepted + part > maximum
                assert refused.facts["remaining"] == maximum - accepted
        assert given_in_all(card) == accepted <= maximum
        transaction.set_rollback(True)


# --- own account: six ways to be somebody, every kind of deed, three accounts


def _recharge(card: Card, common: dict[str, Any]) -> None:
    recharge_card(card=card, tender=TenderPaid(TenderType.CASH, 100), **common)


def _spend(card: Card, common: dict[str, Any]) -> None:
    spend(card=card, amount_minor=100, **common)


def _refund(card: Card, common: dict[str, Any]) -> None:
    refund(operation=Operation.objects.filter(kind="spend", card=card).latest("pk"), **common)


def _redeem(card: Card, common: dict[str, Any]) -> None:
    redeem_points(card=card, reward=Reward.objects.get(), **common)


def _give_bonus(card: Card, common: dict[str, Any]) -> None:
    adjust(card=card, account=BONUS, amount=100, reason="Goodwill", **common)


def _take_bonus(card: Card, common: dict[str, Any]) -> None:
    adjust(card=card, account=BONUS, amount=-100, reason="Goodwill", **common)


def _give_points(card: Card, common: dict[str, Any]) -> None:
    adjust(card=card, account=POINTS, amount=10, reason="Goodwill", **common)


def _open(card: Card, common: dict[str, Any]) -> None:
    open_card(member=card.member, product=card.product, **common)


DEEDS = (_recharge, _spend, _refund, _redeem, _give_bonus, _take_bonus, _give_points, _open)
WHO = (*Role, "superuser")


@pytest.fixture
def three_accounts(db, riverside, product, at_till) -> dict[str, Card]:
    """A card each, with a sale on it, of: the person's own member, a member on their phone, anybody else."""
    cards = {}
    Reward.objects.create(name="Tea", points=1)
    for place, whose in enumerate(("own", "phone", "other")):
        consents = Consents(True, True, "2026-11", ConsentSource.TILL)
        member = enrol_member(
            actor=at_till, key=whose, at=NOON, store=riverside, phone=f"1380013800{place}", consents=consents
        )
        common = {"actor": Actor("house"), "at": NOON, "store": riverside}
        card, _outcome = open_card(key=f"o-{whose}", member=member, product=product, **common)
        recharge_card(key=f"r-{whose}", card=card, tender=TenderPaid(TenderType.CASH, 50000), **common)
        spend(key=f"s-{whose}", card=card, amount_minor=5000, **common)
        adjust(key=f"a-{whose}", card=card, account=BONUS, amount=900, reason="Goodwill", **common)
        cards[whose] = card
    return cards


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__.strip("_"))
@pytest.mark.parametrize("who", WHO)
def test_nobody_deals_with_their_own_account(three_accounts, riverside, who, deed):
    person = employ(riverside, "pat", *([] if who == "superuser" else [Role(who)]))
    person.is_superuser = who == "superuser"
    person.member = three_accounts["own"].member
    person.phone_hash = phone_hash("+8613800138001")
    person.save()
    for kind in ("adjust", "adjust_points"):
        StaffLimit.objects.create(deed=kind, staff=person, amount_max=10**6)

    for whose in ("own", "phone"):
        with pytest.raises(OwnAccount), transaction.atomic():
            deed(
                three_accounts[whose],
                {"actor": actor_of(person), "key": whose, "at": NOON, "store": riverside},
            )
    before = Operation.objects.count()
    deed(three_accounts["other"], {"actor": actor_of(person), "key": "other", "at": NOON, "store": riverside})

    assert Operation.objects.count() == before + 1


def test_a_member_without_staff_is_nobodys_own(card, chen, riverside):
    """A person of staff with neither member nor phone on record is not taken for everybody."""
    assert chen.member_id is None and chen.phone_hash is None
    recharge_card(
        actor=actor_of(chen), key="k", at=NOON, store=riverside, card=card, tender=TenderPaid("cash", 100)
    )
