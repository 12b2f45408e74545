"""Worked examples of coupons, to be read by an accountant. Money in fen (1/100 yuan)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from members.domain import coupons
from members.domain.bills import Line
from members.domain.coupon_codes import (
    ALPHABET,
    CouponUnknown,
    TooManyCodes,
    find_coupon,
    new_code,
    read_code,
)
from members.domain.coupon_ends import end_coupons, warn_of_ends
from members.domain.coupons import CouponDoesNotFit, CouponNotIssued, CouponNotOpen, price
from members.domain.ledger import Actor, Leg, OwnAccount, open_deed, post
from members.enums import AccountKind, OperationKind
from members.models import (
    Card,
    Coupon,
    CouponDefinition,
    CouponUse,
    GoodsCategory,
    Member,
    MembershipEvent,
    Operation,
    Store,
)
from tests.conftest import NOON

BILL = [Line(20000)]


def define(**more) -> CouponDefinition:
    """Money off, 20.00 unless said otherwise."""
    values = {"name": "20 off", "off_minor": 2000} | more
    stores, categories = values.pop("stores", ()), values.pop("categories", ())
    definition = CouponDefinition.objects.create(**values)
    definition.stores.set(stores)
    definition.categories.set(categories)
    return definition


@pytest.fixture
def give(at_till: Actor, riverside: Store, li_lei: Member):
    """Give Li Lei a coupon at noon on Friday, 20 November."""

    def _give(definition: CouponDefinition, key: str = "", **more) -> Coupon:
        asked = {"member": li_lei, "actor": at_till, "at": NOON, "store": riverside} | more
        return coupons.issue(definition=definition, key=key or f"gift of {definition.name}", **asked)

    return _give


@pytest.fixture
def off(riverside: Store, li_lei: Member):
    """What a coupon takes off a bill of 200.00, or of the lines given."""

    def _off(coupon: Coupon, lines=BILL, **more) -> int:
        asked = {"store": riverside, "member": li_lei, "at": NOON} | more
        return price(coupon, lines, **asked).amount_minor

    return _off


@pytest.fixture
def bill(at_till: Actor, riverside: Store, loaded_card: Card):
    """A spend of 100.00 from Li Lei's card with a coupon used on it, in one transaction; and its refund."""

    class Bill:
        def open(self, key: str, kind=OperationKind.SPEND, at=NOON, **more):
            return open_deed(
                kind=kind,
                actor=at_till,
                key=key,
                at=at,
                store_id=riverside.pk,
                member_id=loaded_card.member_id,
                card_id=loaded_card.pk,
                request={},
                lots_of=(AccountKind.PRINCIPAL,),
                amount_minor=10000,
                **more,
            )

        def use(
            self, coupon: Coupon, key: str = "bill", *, off_minor: int = 2000, at=NOON, **more
        ) -> Operation:
            with transaction.atomic():
                deed = self.open(key, at=at)
                operation = deed.operation
                coupons.use(coupon, operation, at, amount_minor=off_minor, **more)
            return operation

        def refund(self, spend: Operation, key: str = "back", at=NOON) -> list[Coupon]:
            with transaction.atomic():
                deed = self.open(key, OperationKind.REFUND, at, reverses_id=spend.pk)
                return coupons.restore(deed.operation, at)

    return Bill()


def refusal(call, *args, **more) -> str:
    with pytest.raises(CouponDoesNotFit) as refused:
        call(*args, **more)
    return str(refused.value.message)


# What a coupon takes off


def test_20_off_takes_20_off_a_bill_of_200(give, off):
    assert off(give(define())) == 2000


def test_money_off_never_takes_more_than_the_bill(give, off):
    assert off(give(define()), [Line(1500)]) == 1500


def test_15_percent_off_199_99_is_30_00(give, off):
    assert off(give(define(off_minor=None, percent=15, kind="percent")), [Line(19999)]) == 3000


def test_half_off_is_capped_at_50(give, off):
    definition = define(off_minor=None, percent=50, kind="percent", off_max_minor=5000)

    assert off(give(definition)) == 5000


def test_a_free_fringe_trim_takes_the_dearest_trim_off_up_to_its_worth(give, off):
    trims = GoodsCategory.objects.create(name="Trims")
    definition = define(kind="item", item="a fringe trim", off_minor=4000, categories=[trims])

    assert off(give(definition), [Line(3800, category=trims.pk), Line(3000, category=trims.pk)]) == 3800
    assert off(give(definition, "two"), [Line(9000, category=trims.pk)]) == 4000


def test_a_coupon_for_colour_counts_only_colour(give, off):
    colour, cuts = GoodsCategory.objects.create(name="Colour"), GoodsCategory.objects.create(name="Cuts")
    definition = define(kind="percent", percent=10, off_minor=None, categories=[colour])

    assert off(give(definition), [Line(30000, category=colour.pk), Line(8000, category=cuts.pk)]) == 3000
    assert "Nothing on this bill" in refusal(off, give(definition, "two"), [Line(8000, category=cuts.pk)])


# When it does not fit, and why


def test_from_200_fits_200_00_and_not_199_99(give, off):
    coupon = give(define(min_spend_minor=20000))

    assert off(coupon) == 2000
    assert refusal(off, coupon, [Line(19999)]) == "From ¥200.00."


def test_not_at_a_store_it_is_not_for(give, off, hilltop, riverside):
    coupon = give(define(stores=[riverside]))

    assert off(coupon) == 2000
    assert refusal(off, coupon, store=hilltop) == "Not at this store."


def test_not_on_sundays_by_the_stores_own_day(give, off):
    coupon = give(define(weekdays=[1, 2, 3, 4, 5, 6]))
    saturday_late_in_london = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)  # Sunday 00:30 in Shanghai

    assert off(coupon, at=saturday_late_in_london - timedelta(minutes=31)) == 2000
    assert refusal(off, coupon, at=saturday_late_in_london) == "Not on Sunday."


def test_only_in_its_hours_also_over_midnight(give, off):
    morning = give(define(hours_from=time(9), hours_till=time(12)))
    night = give(define(name="night", hours_from=time(22), hours_till=time(2)))

    assert refusal(off, morning) == "Only from 09:00 to 12:00."  # noon is no longer the morning
    assert off(morning, at=NOON - timedelta(minutes=1)) == 2000
    assert off(night, at=NOON + timedelta(hours=13)) == 2000
    assert refusal(off, night, at=NOON + timedelta(hours=14)) == "Only from 22:00 to 02:00."


def test_one_coupon_a_bill_unless_both_allow_it(give, off):
    alone, together = give(define()), give(define(name="a", stacks_with_coupons=True))
    other = give(define(name="b", stacks_with_coupons=True))

    assert off(together, others=[other]) == 2000
    assert refusal(off, alone, others=[other]) == "Not together with another coupon."
    assert refusal(off, together, others=[alone]) == "Not together with another coupon."
    assert "already" in refusal(off, together, others=[together])


def test_not_on_top_of_a_tier_discount_when_it_says_so(give, off):
    coupon = give(define(stacks_with_tier=False))

    assert off(coupon) == 2000
    assert refusal(off, coupon, has_tier_discount=True) == "Not together with a tier discount."


def test_somebody_elses_coupon_is_worth_nothing(give, off, enrol):
    hanmei = enrol("13900139000", name="Han Mei")

    assert "somebody else" in refusal(off, give(define()), member=hanmei)


def test_the_last_day_ends_at_the_stores_midnight(give, off):
    coupon = give(define(valid_days=14))
    midnight = datetime(2026, 12, 4, 16, tzinfo=UTC)  # the end of 4 December in Shanghai

    assert coupon.expires_at == midnight
    assert off(coupon, at=midnight - timedelta(seconds=1)) == 2000
    assert "time is over" in refusal(off, coupon, at=midnight)


def test_the_first_day_begins_at_the_stores_midnight_and_the_earlier_end_counts(give, off):
    definition = define(valid_from=date(2026, 12, 1), valid_to=date(2026, 12, 10), valid_days=30)
    coupon = give(definition)

    assert "not come yet" in refusal(off, coupon, at=datetime(2026, 11, 30, 15, 59, tzinfo=UTC))
    assert off(coupon, at=datetime(2026, 11, 30, 16, tzinfo=UTC)) == 2000
    assert coupon.expires_at == datetime(2026, 12, 10, 16, tzinfo=UTC)


def test_the_till_offers_the_best_that_fits_first_and_says_why_the_others_do_not(give, riverside, li_lei):
    give(define(name="10 off", off_minor=1000), "a")
    give(define(name="30 off from 300", off_minor=3000, min_spend_minor=30000), "b")
    give(define(name="a tenth off", kind="percent", percent=10, off_minor=None, min_spend_minor=15000), "c")

    offers = coupons.offered(li_lei, riverside, 18000, NOON)

    assert [(one.coupon.definition.name, one.amount_minor, one.reason) for one in offers] == [
        ("a tenth off", 1800, ""),
        ("10 off", 1000, ""),
        ("30 off from 300", 0, "From ¥300.00."),
    ]


def test_an_offer_costs_the_same_number_of_queries_for_one_and_for_three(
    give, riverside, li_lei, django_assert_num_queries
):
    give(define(name="one"), "a")
    with django_assert_num_queries(3):
        coupons.offered(li_lei, riverside, 18000, NOON)

    give(define(name="two", stores=[riverside]), "b")
    give(define(name="three"), "c")
    with django_assert_num_queries(3):
        assert len(coupons.offered(li_lei, riverside, 18000, NOON)) == 3


# Issued


def test_issuing_tells_the_member_and_the_same_key_gives_the_same_coupon(give):
    definition = define(valid_days=14)

    coupon, again = give(definition), give(definition)

    told = MembershipEvent.objects.get(type="coupon_issued")
    assert again == coupon
    assert told.payload == {"coupon": "20 off", "code": str(coupon), "expires_on": "2026-12-04"}


def test_the_quota_is_the_end_and_a_void_unused_coupon_gives_its_place_back(give, at_till):
    definition = define(quota=2)
    first = give(definition, "a")
    give(definition, "b")

    with pytest.raises(CouponNotIssued, match="All of these"):
        give(definition, "c")
    coupons.void(coupon=first, actor=at_till, reason="wrong member", at=NOON)

    assert give(definition, "c").pk


def test_one_for_each_member_is_one(give, enrol):
    definition = define(member_limit=1)
    give(definition, "a")

    with pytest.raises(CouponNotIssued, match="as many"):
        give(definition, "b")

    assert give(definition, "c", member=enrol("13900139000")).pk


def test_a_gift_by_hand_needs_a_reason_is_limited_by_the_day_and_never_ones_own(
    give, chen, li_lei, enrol, at_till
):
    definition = define(staff_daily_limit=1)
    with pytest.raises(CouponNotIssued, match="Say why"):
        give(definition, "a", is_by_hand=True)
    give(definition, "a", is_by_hand=True, reason="waited long")
    with pytest.raises(CouponNotIssued, match="in a day"):
        give(definition, "b", is_by_hand=True, reason="waited long")
    tomorrow = NOON + timedelta(hours=12)  # midnight in Shanghai
    give(definition, "b", is_by_hand=True, reason="waited long", at=tomorrow)

    chen.member = li_lei
    chen.save()
    with pytest.raises(OwnAccount):
        give(definition, "c", is_by_hand=True, reason="for me", at=tomorrow + timedelta(days=1))


def test_no_coupon_of_a_definition_that_is_over_or_switched_off(give):
    with pytest.raises(CouponNotIssued, match="last day"):
        give(define(valid_to=date(2026, 11, 19)))
    with pytest.raises(CouponNotIssued, match="not given out"):
        give(define(name="off", is_active=False))


def test_a_list_of_five_with_a_quota_of_three_gives_three_and_again_gives_none(
    enrol, at_till, riverside, chen
):
    people = [enrol(f"1390013900{n}") for n in range(5)]
    definition = define(quota=3, member_limit=1)
    issue = {"definition": definition, "members": people, "actor": at_till, "key": "autumn"}

    first = coupons.issue_to(**issue, at=NOON, store=riverside)
    again = coupons.issue_to(**issue, at=NOON, store=riverside)

    definition.refresh_from_db()
    assert (first.issued, first.skipped, again.issued) == (3, 2, 0)
    assert (definition.issued, MembershipEvent.objects.filter(type="coupon_issued").count()) == (3, 3)


# Used, reserved, taken back


def test_a_use_stands_with_its_bill_and_counts_against_the_budget(give, bill):
    definition = define(budget_minor=3000)
    coupon = give(definition)

    spend = bill.use(coupon)

    coupon.refresh_from_db()
    definition.refresh_from_db()
    used = CouponUse.objects.get()
    assert (coupon.state, used.operation, used.amount_minor) == ("redeemed", spend, 2000)
    assert (definition.used, definition.taken_minor) == (1, 2000)


def test_the_budget_is_never_exceeded_by_a_cent(give, bill, off):
    definition = define(budget_minor=3999)
    one, two = give(definition, "a"), give(definition, "b")
    bill.use(one)

    assert "budget" in refusal(bill.use, two, "second")
    two.refresh_from_db()
    assert "budget" in refusal(off, Coupon.objects.get(pk=two.pk))
    assert two.state == "issued"
    assert Operation.objects.filter(key="second").count() == 0  # the whole bill was taken back


def test_a_used_coupon_is_not_used_again(give, bill, off):
    coupon = give(define())
    bill.use(coupon)

    assert refusal(bill.use, coupon, "again") == "This coupon has been used."
    assert refusal(off, Coupon.objects.get()) == "This coupon has been used."


def test_a_refunded_bill_gives_the_coupon_back_once_as_it_was(give, bill):
    definition = define(valid_days=14)
    coupon = give(definition)
    spend = bill.use(coupon)

    first, second = bill.refund(spend), bill.refund(spend, "twice")

    coupon.refresh_from_db()
    definition.refresh_from_db()
    assert (first, second, coupon.state) == ([coupon], [], "issued")
    assert (definition.used, definition.taken_minor) == (0, 0)
    assert bill.use(coupon, "next").pk  # and it can be used again


def test_a_coupon_whose_time_is_over_comes_back_expired_or_with_more_days(give, bill):
    plain = give(define(valid_days=1))
    kind = give(define(name="kind", valid_days=1, refund_policy="reissue", refund_days=7))
    one, two = bill.use(plain, "one"), bill.use(kind, "two")
    later = NOON + timedelta(days=5)

    bill.refund(one, "back one", later)
    bill.refund(two, "back two", later)

    plain.refresh_from_db()
    kind.refresh_from_db()
    assert plain.state == "expired"
    assert (kind.state, kind.expires_at) == ("issued", later + timedelta(days=7))


def test_a_coupon_that_is_lost_on_refund_is_void_and_the_budget_has_its_money_back(give, bill):
    definition = define(refund_policy="void", budget_minor=2000, member_limit=1)
    coupon = give(definition)

    bill.refund(bill.use(coupon))

    coupon.refresh_from_db()
    definition.refresh_from_db()
    assert (coupon.state, definition.taken_minor) == ("void", 0)
    with pytest.raises(CouponNotIssued):  # the member has had theirs
        give(definition, "another")


def test_a_reserved_coupon_is_for_its_booking_until_the_time_is_over(give, bill, off):
    coupon = give(define())
    until = NOON + timedelta(hours=2)
    coupons.reserve(coupon=coupon, reference="booking 7", until=until, at=NOON)
    coupon = Coupon.objects.get()

    assert "reserved" in refusal(off, coupon)
    assert off(coupon, reserved_for="booking 7") == 2000
    refusal(bill.use, coupon, "walk-in")
    with pytest.raises(CouponNotOpen):
        coupons.reserve(coupon=coupon, reference="booking 8", until=until, at=NOON)

    assert bill.use(coupon, "arrived", reserved_for="booking 7").pk


def test_the_clock_releases_a_reservation_and_ends_what_is_over(give):
    held, ended = give(define(), "a"), give(define(name="short", valid_days=1), "b")
    coupons.reserve(coupon=held, reference="booking 7", until=NOON + timedelta(hours=2), at=NOON)

    early = end_coupons(at=NOON + timedelta(hours=1))
    late = end_coupons(at=NOON + timedelta(days=3))
    again = end_coupons(at=NOON + timedelta(days=3))

    held.refresh_from_db()
    ended.refresh_from_db()
    assert (held.state, held.reserved_for, ended.state) == ("issued", "", "expired")
    assert [(c["released"], c["expired"]) for c in (early, late, again)] == [(0, 0), (1, 1), (0, 0)]


def test_a_released_coupon_is_free_and_nobody_else_can_release_it(give):
    coupon = give(define())
    coupons.reserve(coupon=coupon, reference="booking 7", until=NOON + timedelta(hours=2), at=NOON)

    assert not coupons.release(coupon=coupon, reference="booking 8")
    assert coupons.release(coupon=coupon, reference="booking 7")


def test_void_needs_a_reason_and_an_unused_coupon(give, bill, at_till):
    used = give(define())
    bill.use(used)
    with pytest.raises(CouponNotOpen, match="has been used"):
        coupons.void(coupon=used, actor=at_till, reason="mistake", at=NOON)
    with pytest.raises(CouponNotOpen, match="Say why"):
        coupons.void(coupon=give(define(name="b"), "b"), actor=at_till, reason="  ", at=NOON)


def test_one_warning_a_week_for_all_that_ends(give, li_lei):
    give(define(name="five days", valid_days=5), "a")
    give(define(name="six days", valid_days=6), "b")
    give(define(name="later", valid_days=12), "c")

    counts = [warn_of_ends(at=NOON + timedelta(days=day))["warned"] for day in (0, 0, 1, 6, 8)]

    told = MembershipEvent.objects.filter(type="coupon_expiring").order_by("id")
    assert counts == [1, 0, 0, 0, 1]
    assert [event.payload["coupon"] for event in told] == ["five days +1", "later"]
    assert told[0].payload["expires_on"] == "2026-11-25"


# Codes


def test_codes_have_no_letters_that_look_alike_and_check_themselves():
    code = new_code()
    assert len(code) == 8 and set(code) <= set(ALPHABET) and not set(ALPHABET) & set("01ILO")
    assert read_code(code) == code

    wrong = [code[:n] + other + code[n + 1 :] for n in range(8) for other in ALPHABET if other != code[n]]
    swapped = [code[:n] + code[n + 1] + code[n] + code[n + 2 :] for n in range(7) if code[n] != code[n + 1]]
    assert not any(read_code(typed) for typed in wrong + swapped)


def test_a_code_is_read_in_any_width_case_and_grouping(give, li_lei, at_till):
    coupon = give(define())
    wide = "".join(chr(ord(char) + 0xFEE0) for char in coupon.code)

    for typed in (str(coupon), coupon.code.lower(), f" {coupon.code[:4]} {coupon.code[4:]}", wide):
        assert find_coupon(text=typed, member=li_lei, scope=at_till.scope, at=NOON) == coupon


def test_the_eleventh_wrong_code_within_an_hour_is_not_looked_up(give, li_lei, enrol, at_till):
    coupon = give(define())
    hanmei = enrol("13900139000")
    for _ in range(10):
        with pytest.raises(CouponUnknown):
            find_coupon(text=new_code(), member=li_lei, scope="staff:1", at=NOON)

    with pytest.raises(TooManyCodes):  # for this member, by whomever
        find_coupon(text=coupon.code, member=li_lei, scope="portal", at=NOON)
    with pytest.raises(TooManyCodes):  # by this person, for whomever
        find_coupon(text=new_code(), member=hanmei, scope="staff:1", at=NOON)
    assert find_coupon(
        text=coupon.code, member=li_lei, scope="portal", at=NOON + timedelta(hours=1, seconds=1)
    )


def test_right_codes_are_not_counted(give, li_lei):
    coupon = give(define())

    for _ in range(12):
        assert find_coupon(text=coupon.code, member=li_lei, scope="staff:1", at=NOON) == coupon


def test_somebody_elses_code_is_as_unknown_as_none(give, enrol):
    coupon = give(define())

    with pytest.raises(CouponUnknown):
        find_coupon(text=coupon.code, member=enrol("13900139000"), scope="staff:1", at=NOON)


# The database's own guards (L14), asked by going around the verbs


def broken(sql: str, *values) -> str:
    """The constraint that refuses a statement, the deferred ones included."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return refused.value.__cause__.diag.constraint_name


def test_no_coupon_above_the_quota_or_the_members_limit_whoever_writes(give):
    copy = """INSERT INTO members_coupon (public_id, code, definition_id, member_id, store_id, state, scope, key, reason,
                issued_at, reserved_for, void_reason)
              SELECT gen_random_uuid(), '0' || substr(code, 2), definition_id, member_id, store_id, 'issued', scope,
                     'copy', '', issued_at, '', '' FROM members_coupon WHERE id = %s"""
    full, limited = give(define(quota=1), "a"), give(define(name="b", member_limit=1), "b")

    assert broken(copy, full.pk) == "coupon_within_quota"
    assert broken(copy, limited.pk) == "coupon_within_member_limit"


def test_no_use_without_its_state_and_no_state_without_its_use(give, bill):
    coupon, used = give(define(), "a"), give(define(name="b"), "b")
    spend = bill.use(used)
    use = """INSERT INTO members_couponuse (coupon_id, operation_id, kind, round, amount_minor, at)
             VALUES (%s, %s, %s, %s, %s, now())"""

    assert broken("UPDATE members_coupon SET state = 'redeemed' WHERE id = %s", coupon.pk) == "coupon_agrees"
    assert broken(use, coupon.pk, spend.pk, "used", 1, 2000) == "coupon_agrees"
    assert broken("UPDATE members_coupon SET state = 'issued' WHERE id = %s", used.pk) == "coupon_agrees"
    assert broken(use, used.pk, spend.pk, "used", 1, 2000) == "coupon_used_once"
    assert broken(use, used.pk, spend.pk, "used", 2, 2000) == "coupon_use_of_operation"


def test_a_sale_taken_back_frees_its_coupon_at_most_once(give, bill):
    coupon = give(define())
    spend = bill.use(coupon)
    bill.refund(spend)
    again = bill.open("again", OperationKind.REFUND, reverses_id=spend.pk).operation
    back = """INSERT INTO members_couponuse (coupon_id, operation_id, kind, round, amount_minor, at)
              VALUES (%s, %s, 'returned', 1, -2000, now())"""

    assert broken(back, coupon.pk, again.pk) == "coupon_used_once"


def test_no_use_above_the_budget_whoever_writes(give, bill):
    coupon = give(define(budget_minor=1999))
    spend = bill.open("bill").operation

    assert (
        broken(
            """INSERT INTO members_couponuse (coupon_id, operation_id, kind, round, amount_minor, at)
               VALUES (%s, %s, 'used', 1, 2000, now())""",
            coupon.pk,
            spend.pk,
        )
        == "coupon_within_budget"
    )


@pytest.mark.parametrize(
    "worth",
    [
        {"kind": "amount", "off_minor": None},
        {"kind": "amount", "off_minor": 0},
        {"kind": "percent", "off_minor": None, "percent": 101},
        {"kind": "percent", "off_minor": 2000, "percent": 10},
        {"kind": "item", "off_minor": 2000, "item": ""},
        {"refund_policy": "reissue", "refund_days": None},
    ],
)
def test_no_definition_worth_nothing_or_two_things(worth, db):
    with pytest.raises(IntegrityError), transaction.atomic():
        define(**worth)


def test_uses_are_for_ever_and_coupons_stay(give, bill):
    bill.use(give(define()))

    for statement in ("UPDATE members_couponuse SET amount_minor = 1", "DELETE FROM members_coupon"):
        with pytest.raises(Exception, match="append-only|stays"), transaction.atomic():
            connection.cursor().execute(statement)


def test_post_is_not_needed_to_use_a_coupon_but_the_deed_is(give, bill, riverside):
    """The use commits with its bill: an opened deed that fails afterwards leaves the coupon as it was."""
    coupon = give(define())

    with pytest.raises(RuntimeError), transaction.atomic():
        deed = bill.open("bill")
        coupons.use(coupon, deed.operation, NOON, amount_minor=2000)
        sold = Leg(10000, store=riverside.pk, kind=AccountKind.SALES)
        post(deed, [sold, Leg(-10000, store=riverside.pk, kind=AccountKind.TENDER)])
        raise RuntimeError

    coupon.refresh_from_db()
    assert (coupon.state, CouponUse.objects.count()) == ("issued", 0)
