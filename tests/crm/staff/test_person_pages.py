"""Changing a number, merging and erasing, as a person at the till or in charge does it."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from members.domain import approvals
from members.domain.cards import open_card, recharge_card
from members.domain.ledger import TenderPaid
from members.enums import Role, TenderType
from members.models import (
    Approval,
    Erasure,
    Member,
    MemberStatus,
    Merge,
    PhoneChange,
    Staff,
    StaffLimit,
)
from messaging.models import Message
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import at_work, text_of

OTHER = "13700137000"
PASSWORD = "a long enough word"  # noqa: S105  (conftest.employ's)


@pytest.fixture
def double(enrol) -> Member:
    return enrol(OTHER, name="Lei Li", language="en")


def to(name: str, member: Member, query: str = "") -> str:
    return reverse(f"staff:{name}", args=[member.public_id]) + query


def code_of(member: Member) -> str:
    text = Message.objects.filter(member=member, cause="code").latest("id").text
    return re.search(r"\d{6}", text)[0]


def test_a_cashier_changes_the_number_with_the_code_of_the_old_one(cashier, li_lei):
    cashier.post(to("send_phone_code", li_lei))

    answer = cashier.post(
        to("change_phone", li_lei), {"phone": "139 0013 9000", "code": code_of(li_lei), "once": str(uuid4())}
    )

    assert answer.status_code == 302
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613900139000"


def test_a_wrong_code_changes_nothing(cashier, li_lei):
    cashier.post(to("send_phone_code", li_lei))
    wrong = f"{(int(code_of(li_lei)) + 1) % 10**6:06d}"

    answer = cashier.post(to("change_phone", li_lei), {"phone": "13900139000", "code": wrong})

    assert answer.status_code == 422
    assert Member.objects.get(pk=li_lei.pk).phone == "+8613800138000"


def test_a_cashier_without_the_code_is_refused(cashier, li_lei):
    answer = cashier.post(to("change_phone", li_lei), {"phone": "13900139000", "reason": "Lost"})

    assert answer.status_code == 422
    assert not PhoneChange.objects.exists()


@pytest.mark.parametrize("phone", ["", "021 5555 0100", "12"])
def test_a_bad_number_is_told_beside_its_field(manager, li_lei, phone):
    answer = manager.post(to("change_phone", li_lei), {"phone": phone, "reason": "Lost"})

    assert answer.status_code == 422
    assert "phone" in answer.context["form"].errors


def test_the_managers_change_waits_and_is_stopped(manager, li_lei):
    manager.post(to("change_phone", li_lei), {"phone": "13900139000", "reason": "Lost", "once": str(uuid4())})
    change = PhoneChange.objects.get()
    assert b"A change is waiting" in manager.get(to("change_phone", li_lei)).content

    manager.post(reverse("staff:stop_phone_change", args=[change.public_id]))

    change.refresh_from_db()
    assert change.status == "stopped"


def test_a_double_click_asks_once(manager, li_lei):
    form = {"phone": "13900139000", "reason": "Lost", "once": str(uuid4())}

    answers = [manager.post(to("change_phone", li_lei), form).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert PhoneChange.objects.count() == 1


def test_the_two_are_shown_side_by_side_and_merged_and_undone(manager, li_lei, double, loaded_card):
    found = manager.get(to("merge_member", li_lei, f"?q={OTHER}"))
    assert [one.pk for one in found.context["others"]] == [double.pk]
    where = to("merge_member", li_lei, f"?other={double.public_id}")
    assert b"What moves" in manager.get(where).content

    answer = manager.post(where, {"reason": "Same person", "once": str(uuid4())})

    assert answer.status_code == 302
    assert Member.objects.get(pk=double.pk).status == MemberStatus.MERGED
    manager.post(reverse("staff:undo_merge", args=[Merge.objects.get().public_id]))
    assert Member.objects.get(pk=double.pk).status == MemberStatus.ACTIVE


def test_a_merge_texts_nobody_that_an_empty_card_was_opened(manager, li_lei, double, loaded_card, rule):
    rule("card_opened", "Your card {card} is open. Balance {balance}.")

    manager.post(
        to("merge_member", double, f"?other={li_lei.public_id}"), {"reason": "Same", "once": str(uuid4())}
    )

    assert double.cards.get().replaces == loaded_card
    assert not Message.objects.exists()


def test_the_pages_of_a_merged_member_lead_to_the_kept_one_and_nothing_is_begun_there(
    manager, li_lei, double
):
    manager.post(
        to("merge_member", li_lei, f"?other={double.public_id}"), {"reason": "Same", "once": str(uuid4())}
    )

    for where in ("member_detail", "member_timeline", "till_member"):
        shown = manager.get(to(where, double)).content.decode()
        assert to("member_detail", li_lei) in shown and "Merged into Li Lei." in shown
        assert to("open_card", double) not in shown and "To the till" not in shown
        assert "Merged into" not in manager.get(to(where, li_lei)).content.decode()


def test_a_merged_member_is_not_in_the_list_and_its_number_finds_the_kept_one(manager, li_lei, double):
    manager.post(
        to("merge_member", li_lei, f"?other={double.public_id}"), {"reason": "Same", "once": str(uuid4())}
    )

    listed = manager.get(reverse("staff:member_list"))
    assert [row["member"].pk for row in listed.context["rows"]] == [li_lei.pk]
    found = manager.get(reverse("staff:find_member"), {"q": OTHER}).content.decode()
    assert "Li Lei" in found
    assert "Lei Li" not in found


@pytest.fixture
def above_the_limit(riverside, double, product, at_till) -> Staff:
    """The double has two cards of 600.00; a manager moves 1,000.00 alone. Olga, the owner, may say yes."""
    StaffLimit.objects.create(deed="transfer", role=Role.MANAGER, amount_max=100_000)
    common = {"actor": at_till, "at": NOON, "store": riverside}
    for key in ("one", "other"):
        card, _ = open_card(key=f"open-{key}", member=double, product=product, **common)
        recharge_card(key=f"pay-{key}", card=card, tender=TenderPaid(TenderType.CASH, 60000), **common)
    return employ(riverside, "olga", Role.OWNER)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("You may not do this alone.", "goes along: ¥1,200.00</p>")),
        ("zh-hans", ("您不能单独", "一并转移：¥1,200.00</p>")),
    ],
)
def test_a_merge_above_the_limit_is_asked_for_approved_and_done(
    manager, li_lei, double, above_the_limit, language, said
):
    olga = at_work(above_the_limit)
    for browser in (manager, olga):
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    where = to("merge_member", li_lei, f"?other={double.public_id}")
    form = {"reason": "Same person", "once": str(uuid4())}

    refused = manager.post(where, form)
    waiting = manager.post(where, form | {"approval_note": "Same ID card"})
    asked = Approval.objects.get()
    listed = olga.get(reverse("staff:approval_list"))
    too_early = manager.post(where, form | {"approval": str(asked.public_id)})
    yes = {"decision": "approve", "password": PASSWORD}
    olga.post(reverse("staff:decide_approval", args=[asked.public_id]), yes)
    done = manager.post(where, form | {"approval": str(asked.public_id)})

    assert [answer.status_code for answer in (refused, waiting, too_early, done)] == [422, 422, 422, 302]
    assert said[0] in text_of(refused) and said[1] in text_of(listed)
    assert re.search(r'name="approval_note"[^>]* value="Same person"', text_of(refused)), (
        "written once is enough"
    )
    for answer in (waiting, too_early):
        assert f'name="approval" value="{asked.public_id}"' in text_of(answer)
    assert Member.objects.get(pk=double.pk).merged_into_id == li_lei.pk


def test_what_was_approved_is_not_for_another_merge(manager, li_lei, double, above_the_limit, enrol):
    third = enrol("13600136000", name="Han Mei")
    where, other = (to("merge_member", kept, f"?other={double.public_id}") for kept in (li_lei, third))
    form = {"reason": "Same person", "once": str(uuid4())}
    manager.post(where, form | {"approval_note": "Same ID card"})
    asked = Approval.objects.get()
    approvals.decide(approval=asked, checker=above_the_limit, is_approved=True, at=timezone.now())

    answer = manager.post(other, form | {"approval": str(asked.public_id)})

    assert answer.status_code == 422
    assert "something differs from what was asked" in text_of(answer)
    assert 'name="approval"' not in text_of(answer)
    assert not Merge.objects.exists()


def test_a_merge_without_a_reason_is_refused(manager, li_lei, double):
    answer = manager.post(to("merge_member", li_lei, f"?other={double.public_id}"), {"reason": ""})

    assert answer.status_code == 422
    assert not Merge.objects.exists()


def test_a_member_is_erased_only_when_sure_and_when_value_is_given_up(manager, li_lei, loaded_card):
    where = to("erase_member", li_lei)
    unsure = manager.post(where, {"reason": "Letter"})
    with_value = manager.post(where, {"reason": "Letter", "is_sure": "on"})
    assert (unsure.status_code, with_value.status_code) == (422, 422)

    manager.post(where, {"reason": "Letter", "is_sure": "on", "forfeits_value": "on"})

    assert Member.objects.get(pk=li_lei.pk).status == MemberStatus.ERASED
    assert Erasure.objects.get().forfeited_minor == 50000


@pytest.mark.parametrize("name", ["merge_member", "erase_member"])
def test_a_cashier_neither_merges_nor_erases(cashier, li_lei, name):
    assert cashier.get(to(name, li_lei)).status_code == 403


@pytest.mark.parametrize("name", ["change_phone", "merge_member", "erase_member"])
def test_a_member_of_another_store_does_not_exist(wang, li_lei, name):
    wang.is_superuser = False
    wang.roles.update(role="owner")

    assert at_work(wang).get(to(name, li_lei)).status_code == 404


def test_the_other_one_of_another_store_does_not_exist(manager, enrol, hilltop, li_lei):
    stranger = enrol("13600136000", name="Stranger", store=hilltop)

    assert manager.get(to("merge_member", li_lei, f"?other={stranger.public_id}")).status_code == 404


def test_an_erased_members_page_still_opens(manager, li_lei):
    manager.post(to("erase_member", li_lei), {"reason": "Letter", "is_sure": "on"})

    for name in ("member_detail", "member_timeline", "member_profile"):
        assert manager.get(to(name, li_lei)).status_code == 200
