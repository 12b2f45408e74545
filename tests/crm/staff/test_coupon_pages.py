"""Coupons in the staff web: the list, a definition written with its preview, given to a member, made void."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.domain import coupons
from members.enums import Role
from members.models import AuditEntry, Card, Coupon, CouponDefinition, GoodsCategory, Member, Store
from tests.conftest import employ
from tests.crm.staff.conftest import at_work, queries_of, text_of

LIST, NEW, PREVIEW = "/coupons/", "/coupons/new/", "/coupons/preview/"


def filled(store: Store, **more: Any) -> dict[str, Any]:
    """A form for 20.00 off from 100.00 at one store."""
    values = {
        "name": "20 off",
        "kind": "amount",
        "off_minor": "20",
        "min_spend_minor": "100.00",
        "stores": [store.pk],
        "refund_policy": "restore",
        "stacks_with_tier": "on",
        "is_active": "on",
    }
    return values | more


@pytest.fixture
def definition(riverside: Store) -> CouponDefinition:
    made = CouponDefinition.objects.create(
        name="20 off", off_minor=2000, min_spend_minor=10000, budget_minor=100000, quota=50
    )
    made.stores.set([riverside])
    return made


@pytest.fixture
def coupon(definition, li_lei: Member, at_till, riverside) -> Coupon:
    return coupons.issue(
        definition=definition,
        member=li_lei,
        actor=at_till,
        key="gift",
        at=timezone.now(),
        store=riverside,
    )


def url(name: str, thing: Any) -> str:
    return reverse(f"staff:{name}", args=[thing.public_id])


# Written


def test_a_manager_writes_a_coupon_and_it_stands_in_the_list_in_words(manager: Client, riverside):
    answer = manager.post(NEW, filled(riverside, weekdays=["1", "2"], valid_days="14"))

    made = CouponDefinition.objects.get()
    page = text_of(manager.get(LIST))
    assert answer.status_code == 302
    assert (made.off_minor, made.min_spend_minor, made.weekdays, made.valid_days) == (2000, 10000, [1, 2], 14)
    for words in ("¥20.00 off", "from a bill of ¥100.00", "only on Mon, Tue", "for 14 days after issue"):
        assert words in page
    assert AuditEntry.objects.filter(verb="added", subject="20 off").count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "required"),
        ({"off_minor": ""}, "Say how much."),
        ({"off_minor": "-5"}, "more than zero"),
        ({"off_minor": "twenty"}, "not an amount"),
        ({"kind": "percent", "percent": ""}, "Say how many percent."),
        ({"kind": "percent", "percent": "101"}, "100"),
        ({"kind": "item", "item": ""}, "Say what is free."),
        ({"kind": "lottery"}, "not one of the available choices"),
        ({"hours_from": "09:00"}, "Say both hours, or none."),
        ({"valid_from": "2026-12-02", "valid_to": "2026-12-01"}, "The last day is before the first."),
        ({"valid_to": "soon"}, "valid date"),
        ({"weekdays": ["8"]}, "not one of the available choices"),
        ({"refund_policy": "reissue"}, "Say how many more days."),
        ({"quota": "0"}, "greater than or equal to 1"),
        ({"stores": []}, "Choose at least one of your stores."),
    ],
)
def test_a_form_that_makes_no_sense_says_so_beside_the_field(
    manager: Client, riverside, hilltop, wrong, words
):
    answer = manager.post(NEW, filled(riverside, **wrong))

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert CouponDefinition.objects.count() == 0


def test_the_preview_says_it_in_words_with_sample_bills_and_keeps_nothing(manager: Client, riverside):
    colour = GoodsCategory.objects.create(name="Colour")
    asked = filled(riverside, kind="percent", percent="15", off_max_minor="50", categories=[colour.pk])

    page = text_of(manager.post(PREVIEW, asked))

    for words in ("15% off, at most ¥50.00", "only for Colour", "only at Riverside", "From ¥100.00."):
        assert words in page
    assert "¥15.00" in page and "¥50.00" in page  # off a bill of 100.00, and off one of 800.00
    assert CouponDefinition.objects.count() == 0


def test_a_preview_of_nonsense_says_what_is_missing(manager: Client, riverside):
    page = text_of(manager.post(PREVIEW, filled(riverside, off_minor="")))

    assert "Say how much." in page


def test_what_was_promised_stays_once_a_coupon_is_out(manager: Client, riverside, definition, coupon):
    more = {"off_minor": "1.00", "min_spend_minor": "999", "quota": "80", "budget_minor": "2000"}

    answer = manager.post(url("coupon_edit", definition), filled(riverside, **more))

    definition.refresh_from_db()
    assert answer.status_code == 302
    assert (definition.off_minor, definition.min_spend_minor, definition.quota) == (2000, 10000, 80)


def test_a_quota_below_what_is_out_is_refused(manager: Client, riverside, definition, li_lei, at_till):
    for key in ("a", "b"):
        at = timezone.now()
        coupons.issue(definition=definition, member=li_lei, actor=at_till, key=key, at=at, store=riverside)

    answer = manager.post(url("coupon_edit", definition), filled(riverside, quota="1"))

    assert answer.status_code == 422 and "2 are out already." in text_of(answer)


# Who may


def test_a_cashier_sees_coupons_and_cannot_write_them(cashier: Client, riverside, definition):
    assert "20 off" in text_of(cashier.get(LIST))
    for answer in (
        cashier.get(NEW),
        cashier.post(NEW, filled(riverside)),
        cashier.post(PREVIEW, filled(riverside)),
        cashier.get(url("coupon_edit", definition)),
    ):
        assert answer.status_code == 403


def test_another_stores_coupons_do_not_exist(stranger: Client, definition, coupon):
    assert "20 off" not in text_of(stranger.get(LIST))
    for name, thing in (("coupon_detail", definition), ("coupon_issue", definition)):
        answer = (
            stranger.get(url(name, thing)) if name == "coupon_detail" else stranger.post(url(name, thing))
        )
        assert answer.status_code == 404


def test_a_manager_of_one_store_cannot_change_what_every_store_takes(manager: Client, hilltop, riverside):
    everywhere = CouponDefinition.objects.create(name="everywhere", off_minor=2000)

    assert text_of(manager.get(url("coupon_detail", everywhere))).count("everywhere")
    assert manager.post(url("coupon_edit", everywhere), filled(riverside)).status_code == 403
    answer = manager.post(NEW, filled(riverside, stores=[hilltop.pk]))
    assert answer.status_code == 422  # a store that is not theirs is no choice


def test_of_a_house_wide_coupon_one_sees_only_the_own_members(
    manager: Client, hilltop, riverside, li_lei, enrol, at_till
):
    everywhere = CouponDefinition.objects.create(name="everywhere", off_minor=2000)
    theirs = enrol("13900139000", name="Fang Fang", store=hilltop)
    for member in (li_lei, theirs):
        coupons.issue(
            definition=everywhere,
            member=member,
            actor=at_till,
            key=member.name,
            at=timezone.now(),
            store=riverside,
        )

    page = text_of(manager.get(url("coupon_detail", everywhere)))

    assert "Li Lei" in page and "Fang Fang" not in page


# Given and made void


def gift(client: Client, definition: CouponDefinition, once: str = "a-key-of-the-form", **fields: str) -> Any:
    values = {"member": "13800138000", "reason": "waited long", "idempotency_key": once}
    return client.post(url("coupon_issue", definition), values | fields)


def test_a_cashier_gives_a_coupon_once_by_phone_and_says_why(cashier: Client, definition, li_lei):
    first, again = gift(cashier, definition), gift(cashier, definition)

    made = Coupon.objects.get()
    assert (first.status_code, again.status_code) == (302, 302)
    assert (made.member, made.reason) == (li_lei, "waited long")
    assert str(made) in text_of(cashier.get(url("coupon_detail", definition)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"member": "13999999999"}, "Nobody of your stores"),
        ({"member": ""}, "required"),
        ({"reason": ""}, "required"),
        ({"idempotency_key": ""}, "This form is incomplete"),
    ],
)
def test_a_gift_that_cannot_be_given_says_why(cashier: Client, definition, li_lei, wrong, words):
    answer = gift(cashier, definition, **wrong)

    assert answer.status_code == 422 and words in text_of(answer)
    assert Coupon.objects.count() == 0


def test_a_name_that_two_members_have_is_not_enough(cashier: Client, definition, enrol):
    enrol("13900139001", name="Wang Fang")
    enrol("13900139002", name="Wang Fang")

    assert "Several members match" in text_of(gift(cashier, definition, member="Wang Fang"))


def test_nobody_of_another_store_can_be_given_a_coupon(cashier: Client, definition, enrol, hilltop):
    enrol("13900139000", name="Fang Fang", store=hilltop)

    assert gift(cashier, definition, member="13900139000").status_code == 422


def test_an_auditor_reads_and_gives_nothing(auditor: Client, definition, li_lei):
    assert auditor.get(url("coupon_detail", definition)).status_code == 200
    assert gift(auditor, definition).status_code == 403


def test_a_manager_makes_a_coupon_void_with_a_reason_and_it_is_written_down(manager: Client, coupon):
    empty = manager.post(url("coupon_void", coupon), {"reason": ""})
    done = manager.post(url("coupon_void", coupon), {"reason": "given by mistake"})
    again = manager.post(url("coupon_void", coupon), {"reason": "twice"})

    coupon.refresh_from_db()
    assert (empty.status_code, done.status_code, again.status_code) == (422, 302, 422)
    assert (coupon.state, coupon.void_reason) == ("void", "given by mistake")
    assert AuditEntry.objects.filter(verb="coupon_voided").count() == 1


def test_a_cashier_makes_nothing_void_and_another_store_does_not_find_it(cashier: Client, coupon, hilltop):
    assert cashier.post(url("coupon_void", coupon), {"reason": "x"}).status_code == 403
    boss = at_work(employ(hilltop, "boss", Role.MANAGER))
    assert boss.post(url("coupon_void", coupon), {"reason": "x"}).status_code == 404
    coupon.refresh_from_db()
    assert coupon.state == "issued"


# At the till


def test_the_till_offers_what_fits_and_says_why_the_other_does_not(
    cashier: Client, loaded_card: Card, coupon, at_till, riverside
):
    big = CouponDefinition.objects.create(name="50 off", off_minor=5000, min_spend_minor=30000)
    coupons.issue(
        definition=big,
        member=loaded_card.member,
        actor=at_till,
        key="b",
        at=timezone.now(),
        store=riverside,
    )

    page = text_of(cashier.get(url("coupon_offers", loaded_card), {"amount": "150"}))

    assert "−¥20.00" in page and "best" in page and "From ¥300.00." in page
    assert page.index("20 off") < page.index("50 off")


@pytest.mark.parametrize("amount", ["", "abc", "-1", "9" * 40])
def test_while_no_bill_is_typed_the_coupons_stand_without_amounts(
    cashier: Client, loaded_card: Card, coupon, amount
):
    answer = cashier.get(url("coupon_offers", loaded_card), {"amount": amount})

    assert answer.status_code == 200
    assert "20 off" in text_of(answer) and "−¥" not in text_of(answer)


def test_another_stores_card_is_not_found(stranger: Client, loaded_card: Card):
    assert stranger.get(url("coupon_offers", loaded_card)).status_code == 404


def test_an_ended_coupon_is_not_offered(cashier: Client, loaded_card: Card, coupon):
    Coupon.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert "20 off" not in text_of(cashier.get(url("coupon_offers", loaded_card), {"amount": "150"}))


# Lists


def test_the_lists_ask_the_database_as_often_for_three_as_for_one(
    manager: Client, definition, coupon, enrol, at_till, riverside
):
    one = queries_of(manager, LIST), queries_of(manager, url("coupon_detail", definition))

    for n in range(2):
        other = CouponDefinition.objects.create(name=f"other {n}", off_minor=2000)
        other.stores.set([riverside])
        coupons.issue(
            definition=definition,
            member=enrol(f"1390013900{n}"),
            actor=at_till,
            key=f"{n}",
            at=timezone.now(),
            store=riverside,
        )

    assert (queries_of(manager, LIST), queries_of(manager, url("coupon_detail", definition))) == one
