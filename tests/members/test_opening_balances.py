"""Opening balances: a whole file, to the last fen, on two people's word; or nothing. Money in fen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse

from campaigns.models import TriggerRule
from members.domain import approvals
from members.domain.cards import open_card
from members.domain.imports import opening
from members.domain.imports.opening import ControlTotalMismatch, OpeningForbidden, OpeningRefused
from members.domain.imports.reading import FileUnreadable, read_bytes
from members.domain.ledger import Actor, ApprovalInvalid, ApprovalRequired, open_deed
from members.domain.verify import verify
from members.enums import OperationKind, Role
from members.models import (
    Account,
    Approval,
    AuditEntry,
    Card,
    CardKind,
    CardProduct,
    Entry,
    MembershipEvent,
    OpeningBatch,
    Operation,
    ServiceGroup,
    Staff,
    StaffRole,
    Store,
)
from messaging.domain.texts import save_draft
from messaging.enums import MessageClass
from messaging.models import Message, Template
from tests.conftest import NOON, employ
from tests.crm.staff.conftest import at_work, text_of

FILE = "phone,principal,bonus,points\n13800138000,500.00,80.00,120\n13900139000,0,12.34,\n"
SUMS = {"control_minor": 59_234, "control_points": 120}
HandIn = Callable[..., OpeningBatch]


@pytest.fixture
def olga(riverside: Store) -> Staff:
    return employ(riverside, "olga", Role.OWNER)


@pytest.fixture
def people(li_lei: Any, enrol: Any) -> list[Any]:
    """Li Lei and Han Meimei, without cards."""
    return [li_lei, enrol("13900139000", name="Han Meimei")]


@pytest.fixture
def hand_in(people: list[Any], olga: Staff, riverside: Store, product: CardProduct) -> HandIn:
    def _hand_in(text: str = FILE, **more: Any) -> OpeningBatch:
        asked = {"by": olga, "store": riverside, "product": product, "note": "From the old till", "at": NOON}
        table = read_bytes(text.encode())
        return opening.hand_in(table=table, file_name="old.csv", **(asked | SUMS | more))

    return _hand_in


@pytest.fixture
def approved(hand_in: HandIn, mei: Staff) -> OpeningBatch:
    batch = hand_in()
    approvals.decide(approval=batch.approval, checker=mei, is_approved=True, at=NOON)
    return batch


def nothing_happened() -> bool:
    return not Operation.objects.filter(kind="opening").exists() and not Entry.objects.exists()


def test_an_approved_file_is_on_the_cards_to_the_last_fen(approved, olga, people):
    opening.post(batch=approved, by=olga, at=NOON)

    held = {
        (account.member.name, account.kind): account.balance
        for account in Account.objects.exclude(balance=None).select_related("member")
        if account.balance
    }
    assert held == {
        ("Li Lei", "principal"): 50000,
        ("Li Lei", "bonus"): 8000,
        ("Li Lei", "points"): 120,
        ("Han Meimei", "bonus"): 1234,
    }
    assert verify().faults == ()


def test_the_balances_are_told_to_nobody(approved, olga):
    opening.post(batch=approved, by=olga, at=NOON)

    kinds = set(MembershipEvent.objects.values_list("type", flat=True))
    assert kinds == {"member_enrolled", "card_opened"}


def test_a_card_opened_by_an_import_is_texted_to_nobody(
    approved, olga, mei, riverside, product, at_till, enrol
):
    template = Template.objects.create(
        key="opened", name="Opened", message_class=MessageClass.TRIGGER, event_type="card_opened"
    )
    save_draft(template=template, language="en", text="{name}: your card.", by=mei, at=NOON)
    TriggerRule.objects.create(name="On card_opened", event_type="card_opened", template=template)
    opening.post(batch=approved, by=olga, at=NOON)
    texted_by_import = Message.objects.count()
    at_the_till = enrol("13700137000", name="Wu", language="en")

    open_card(actor=at_till, key="o", at=NOON, store=riverside, member=at_the_till, product=product)

    assert Card.objects.count() == 3
    assert (texted_by_import, [text.member for text in Message.objects.all()]) == (0, [at_the_till])


def test_who_has_a_card_keeps_it(approved, olga, people, at_till, riverside, product):
    card, _ = open_card(actor=at_till, key="o", at=NOON, store=riverside, member=people[0], product=product)

    opening.post(batch=approved, by=olga, at=NOON)

    assert Card.objects.filter(member=people[0]).get() == card
    assert card.accounts.get(kind="principal").balance == 50000


@pytest.mark.parametrize(
    "sums", [{"control_minor": 59_233}, {"control_minor": 59_235}, {"control_points": 121}]
)
def test_off_by_one_fen_the_whole_batch_is_refused(hand_in, sums):
    with pytest.raises(ControlTotalMismatch) as refused:
        hand_in(**sums)

    assert refused.value.code == "control_total_mismatch"
    assert refused.value.facts["money_minor"] == 59_234
    assert not OpeningBatch.objects.exists() and not Approval.objects.exists() and nothing_happened()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("13700137000,1,0,0", "no such member"),
        ("13800138000,1,0,0", "the same member"),
        ("12345,1,0,0", "too few digits"),
        ("13700137001,-1,0,0", "no such member"),
        ("13800138009,1.005,0,0", "no such member"),
        ("13800138000", "fewer cells"),
    ],
)
def test_one_bad_row_refuses_the_whole_file(hand_in, row, says):
    with pytest.raises(OpeningRefused, match=says) as refused:
        hand_in(FILE + row + "\n")

    assert list(refused.value.facts["faults"]) == [4]
    assert not OpeningBatch.objects.exists()


@pytest.mark.parametrize("amount", ["-1", "1.005", "1e5", "x", "10000000.01", "0"])
def test_an_amount_that_is_none_refuses_the_file(hand_in, amount):
    with pytest.raises(OpeningRefused, match="Row 2"):
        hand_in(f"phone,principal\n13800138000,{amount}\n", control_minor=0, control_points=0)


@pytest.mark.parametrize("text", ["", "name,principal\nLi,1\n", "phone\n13800138000\n", "phone,principal\n"])
def test_a_file_without_what_is_needed_is_refused(hand_in, text):
    with pytest.raises((FileUnreadable, OpeningRefused)):
        hand_in(text, control_minor=0, control_points=0)


def test_only_an_owner_hands_in(hand_in, mei, hilltop):
    for by in (mei, employ(hilltop, "hana", Role.OWNER)):
        with pytest.raises(OpeningForbidden):
            hand_in(by=by)


def test_the_same_balances_are_handed_in_once(hand_in):
    hand_in()
    with pytest.raises(OpeningForbidden, match="already"):
        hand_in()


def test_without_a_second_person_nothing_is_posted(hand_in, olga, mei):
    batch = hand_in()
    with pytest.raises(ApprovalInvalid) as waiting, transaction.atomic():
        opening.post(batch=batch, by=olga, at=NOON)
    approvals.decide(approval=batch.approval, checker=mei, is_approved=False, at=NOON)
    with pytest.raises(ApprovalInvalid) as refused, transaction.atomic():
        opening.post(batch=batch, by=olga, at=NOON)

    assert (waiting.value.code, refused.value.code) == ("approval_waiting", "approval_refused")
    assert nothing_happened()


def test_only_who_handed_it_in_posts_it_and_only_as_an_owner(approved, olga, riverside):
    other = employ(riverside, "omar", Role.OWNER)
    with pytest.raises(OpeningForbidden):
        opening.post(batch=approved, by=other, at=NOON)
    StaffRole.objects.filter(staff=olga).delete()
    with pytest.raises(OpeningForbidden):
        opening.post(batch=approved, by=olga, at=NOON)


def test_posting_twice_is_posting_once(approved, olga):
    opening.post(batch=approved, by=olga, at=NOON)
    opening.post(batch=approved, by=olga, at=NOON)

    assert Operation.objects.filter(kind="opening").count() == 2


def test_rows_changed_after_the_approval_are_refused(approved, olga):
    rows = [dict(row, principal=row["principal"] + 1) for row in approved.rows]
    OpeningBatch.objects.filter(pk=approved.pk).update(rows=rows)

    with pytest.raises(ControlTotalMismatch):
        opening.post(batch=approved, by=olga, at=NOON)
    assert nothing_happened()


def test_a_row_that_fails_takes_the_others_with_it(approved, olga, people):
    Staff.objects.filter(pk=olga.pk).update(member=people[1])  # the second row is now her own account

    with pytest.raises(Exception, match="own account"), transaction.atomic():
        opening.post(batch=approved, by=olga, at=NOON)

    assert nothing_happened()
    approved.approval.refresh_from_db()
    assert approved.approval.status == "approved"


def test_the_ledger_takes_no_opening_balance_past_this_door(card, olga, riverside, approved):
    def door(actor: Actor, **request: Any) -> Any:
        return open_deed(
            kind=OperationKind.OPENING,
            actor=actor,
            key="past",
            at=NOON,
            store_id=riverside.pk,
            member_id=card.member_id,
            card_id=card.pk,
            request=request,
            amount_minor=100,
        )

    with pytest.raises(ApprovalRequired), transaction.atomic():
        door(Actor(f"staff:{olga.pk}", olga.pk))
    with pytest.raises(ApprovalInvalid), transaction.atomic():
        door(Actor(f"staff:{olga.pk}", olga.pk, str(approved.approval.public_id)), batch="another", row=1)


def test_it_is_written_down(approved, olga):
    opening.post(batch=approved, by=olga, at=NOON)

    told = set(AuditEntry.objects.values_list("verb", "staff__username"))
    assert {("opening_checked", "olga"), ("approved", "mei"), ("opening_posted", "olga")} <= told


# --- the page


def upload(client: Any, text: str = FILE, **more: str) -> Any:
    asked = {
        "file": SimpleUploadedFile("old.csv", text.encode()),
        "product": str(CardProduct.objects.get().pk),
        "control": "592.34",
        "control_points": "120",
        "note": "From the old till",
    }
    return client.post(reverse("staff:opening_balances"), asked | more)


def test_an_owner_hands_in_a_manager_approves_the_owner_posts(people, product, olga, mei):
    owner, manager = at_work(olga), at_work(mei)
    assert upload(owner).status_code == 302
    waiting = text_of(manager.get(reverse("staff:approval_list")))
    assert "¥592.34" in waiting and "2 rows, 120 points" in waiting
    where = reverse("staff:decide_approval", args=[Approval.objects.get().public_id])
    manager.post(where, {"decision": "approve", "password": "a long enough word"})

    batch = OpeningBatch.objects.get()
    owner.post(reverse("staff:post_opening", args=[batch.public_id]))

    assert "Posted" in text_of(owner.get(reverse("staff:opening_balances")))
    assert Operation.objects.filter(kind="opening").count() == 2


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("control", "592.33", "does not add up"),
        ("control", "", "required"),
        ("control", "x", "not an amount"),
        ("control_points", "1.5", "decimal places"),
        ("note", "", "required"),
        ("product", "0", "Select a valid choice"),
    ],
)
def test_a_form_that_is_not_right_takes_nothing(people, product, olga, field, typed, says):
    response = upload(at_work(olga), **{field: typed})

    assert response.status_code == 422
    assert says in text_of(response)
    assert not OpeningBatch.objects.exists()


def test_the_page_is_an_owners(mei, chen, product):
    for staff in (mei, chen):
        assert at_work(staff).get(reverse("staff:opening_balances")).status_code == 403


def test_a_count_card_takes_no_money(hand_in, olga, mei, people, riverside, at_till):
    li_lei, _han = people
    washes = CardProduct.objects.create(
        name="Ten washes",
        kind=CardKind.SERVICES,
        service_group=ServiceGroup.objects.create(name="Wash"),
        services_count=10,
        price_minor=100000,
    )
    count_card, _ = open_card(actor=at_till, key="w", at=NOON, store=riverside, member=li_lei, product=washes)
    batch = hand_in()
    approvals.decide(approval=batch.approval, checker=mei, is_approved=True, at=NOON)

    opening.post(batch=batch, by=olga, at=NOON)

    assert Account.objects.get(card=count_card, kind="principal").balance == 0
    assert Account.objects.get(member=li_lei, kind="principal", balance=50000).card.product != washes
    with pytest.raises(OpeningRefused):
        hand_in(
            product=washes, text="phone,principal\n13900139000,1.00\n", control_minor=100, control_points=0
        )
