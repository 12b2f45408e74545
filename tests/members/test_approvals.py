"""Four eyes: a yes binds one deed, is spent once, and is worth what the person who said it may still do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from members.domain import approvals, transfers
from members.domain.adjusting import adjust
from members.domain.approvals import ApprovalClosed, MayNotApprove, ReasonMissing, SelfApproval
from members.domain.card_states import replace_card
from members.domain.cards import open_card
from members.domain.enrolment import phone_hash
from members.domain.ledger import Actor, ApprovalInvalid, ApprovalRequired, OwnAccount
from members.domain.refunds import refund
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import AccountKind, Role
from members.models import (
    Account,
    Approval,
    AuditEntry,
    Card,
    Staff,
    StaffLimit,
    StaffRole,
    Store,
)
from tests.conftest import NOON, employ

BONUS = AccountKind.BONUS


def actor_of(staff: Staff, approval: Approval | None = None) -> Actor:
    return Actor(
        scope=f"staff:{staff.pk}",
        staff_id=staff.pk,
        approval=str(approval.public_id) if approval else "",
    )


Give = Callable[..., Any]


@pytest.fixture
def give(card: Card, riverside: Store, chen: Staff) -> Give:
    """Chen gives Li Lei 50.00 of bonus, of the 10.00 she may alone: `give("key", approval)`."""
    StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=1000)

    def _give(key: str, approval: Approval | None = None, **more: Any) -> Any:
        asked = {
            "actor": actor_of(more.pop("by", chen), approval),
            "at": NOON,
            "store": riverside,
            "card": card,
            "account": BONUS,
            "amount": 5000,
            "reason": "Burnt her scalp",
        }
        return adjust(key=key, **(asked | more))

    return _give


@pytest.fixture
def request_of(give: Give, chen: Staff, riverside: Store) -> Callable[..., Approval]:
    """What Chen asks for after the refusal."""

    def _request(**more: Any) -> Approval:
        with pytest.raises(ApprovalRequired) as refused:
            give("first try", **more)
        return approvals.ask(
            refused=refused.value, maker=more.get("by", chen), store=riverside, note="Complaint", at=NOON
        )

    return _request


@pytest.fixture
def approved(request_of: Callable[..., Approval], mei: Staff) -> Approval:
    return approvals.decide(approval=request_of(), checker=mei, is_approved=True, at=NOON)


def bonus_of(card: Card) -> int:
    return Account.objects.get(card=card, kind=BONUS).balance or 0


def refusal_of(deed: Callable[[], Any]) -> str:
    with pytest.raises(ApprovalInvalid) as refused, transaction.atomic():
        deed()
    return refused.value.code


def test_what_was_refused_is_asked_for_approved_and_done(give, approved, card, mei):
    outcome = give("with a yes", approved)

    approved.refresh_from_db()
    assert bonus_of(card) == 5000
    assert (approved.status, approved.operation) == ("used", outcome.operation)
    assert verify().faults == ()


def test_an_approved_deed_does_not_use_up_what_she_may_do_alone(give, approved):
    give("with a yes", approved)

    give("alone", amount=1000)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 5001},
        {"amount": 4999},
        {"amount": -5000},
        {"reason": "Because"},
        {"account": AccountKind.POINTS},
    ],
    ids=["more", "less", "taken", "another reason", "points"],
)
def test_a_deed_that_differs_from_what_was_approved_is_refused(give, approved, card, change):
    assert refusal_of(lambda: give("with a yes", approved, **change)) in ("approval_mismatch",)
    assert bonus_of(card) == 0


def test_another_card_and_another_store_are_not_what_was_approved(
    give, approved, hilltop, chen, at_till, li_lei, product, riverside
):
    other, _ = open_card(
        actor=at_till, key="second", at=NOON, store=riverside, member=li_lei, product=product
    )
    StaffRole.objects.create(staff=chen, store=hilltop, role=Role.CASHIER)

    assert refusal_of(lambda: give("k", approved, card=other)) == "approval_mismatch"
    assert refusal_of(lambda: give("k", approved, store=hilltop)) == "approval_mismatch"


def test_a_colleague_cannot_use_what_was_approved_for_chen(give, approved, riverside):
    lan = employ(riverside, "lan", Role.CASHIER)

    assert refusal_of(lambda: give("k", approved, by=lan)) == "approval_mismatch"


@pytest.mark.parametrize("made_up", ["no uuid", "6c9b8f64-2f7c-4a0e-9d52-0f5f3b2a1c11"])
def test_an_approval_nobody_gave_is_none(card, riverside, chen, made_up):
    with connection.cursor() as cursor:  # as on a new connection, whatever ran on this one before
        cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    actor = Actor(scope=f"staff:{chen.pk}", staff_id=chen.pk, approval=made_up)

    def deed() -> Any:
        return adjust(
            actor=actor, key="k", at=NOON, store=riverside, card=card, account=BONUS, amount=1, reason="Hm hm"
        )

    assert refusal_of(deed) == "approval_mismatch"


def test_nobody_approves_their_own_request(request_of, chen, riverside):
    approval = request_of()
    StaffRole.objects.create(staff=chen, store=riverside, role=Role.OWNER)

    with pytest.raises(SelfApproval):
        approvals.decide(approval=approval, checker=chen, is_approved=True, at=NOON)
    with pytest.raises(IntegrityError, match="approval_four_eyes"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(status="approved", checker=chen, decided_at=NOON)


def test_only_who_is_in_charge_at_that_store_approves(request_of, riverside, hilltop):
    approval = request_of()
    for stranger in (
        employ(riverside, "lan", Role.CASHIER),
        employ(riverside, "lin", Role.MARKETER, Role.AUDITOR),
        employ(hilltop, "hana", Role.OWNER, Role.MANAGER),
    ):
        with pytest.raises(MayNotApprove):
            approvals.decide(approval=approval, checker=stranger, is_approved=True, at=NOON)


def test_a_request_is_decided_once(approved, mei, riverside):
    olga = employ(riverside, "olga", Role.OWNER)
    for is_approved in (True, False):
        with pytest.raises(ApprovalClosed):
            approvals.decide(approval=approved, checker=olga, is_approved=is_approved, at=NOON)


def test_what_was_refused_or_not_yet_decided_is_no_yes(give, request_of, mei):
    approval = request_of()
    assert refusal_of(lambda: give("k", approval)) == "approval_waiting"

    approvals.decide(approval=approval, checker=mei, is_approved=False, at=NOON)
    assert refusal_of(lambda: give("k", approval)) == "approval_refused"


def test_an_approval_is_used_once(give, approved, card):
    give("one", approved)

    assert refusal_of(lambda: give("two", approved)) == "approval_used"
    assert bonus_of(card) == 5000


def test_a_repeat_of_the_approved_deed_gets_its_first_answer(give, approved, card):
    first = give("one", approved)

    assert give("one", approved).operation == first.operation
    assert bonus_of(card) == 5000


def test_an_approval_is_good_for_24_hours(give, approved):
    a_day = timedelta(hours=24)

    assert refusal_of(lambda: give("late", approved, at=NOON + a_day)) == "approval_expired"
    give("just in time", approved, at=NOON + a_day - timedelta(seconds=1))


def test_a_request_can_no_longer_be_decided_after_24_hours(request_of, mei):
    with pytest.raises(ApprovalClosed):
        approvals.decide(approval=request_of(), checker=mei, is_approved=True, at=NOON + timedelta(hours=24))


@pytest.mark.parametrize("how", ["role taken", "moved to marketing", "dismissed"])
def test_the_word_of_somebody_no_longer_in_charge_is_worth_nothing(give, approved, mei, card, how):
    if how == "dismissed":
        Staff.objects.filter(pk=mei.pk).update(is_active=False)
    else:
        StaffRole.objects.filter(staff=mei, role=Role.MANAGER).delete()
    if how == "role taken":
        StaffRole.objects.filter(staff=mei).delete()

    assert refusal_of(lambda: give("k", approved)) == "approval_withdrawn"
    assert bonus_of(card) == 0


def test_a_superuser_may_approve_anywhere(give, request_of):
    boss = Staff.objects.create_superuser("boss", password="a long enough word")
    approval = approvals.decide(approval=request_of(), checker=boss, is_approved=True, at=NOON)

    give("k", approval)


@pytest.mark.parametrize("by", ["member", "phone"])
def test_nobody_approves_value_for_their_own_account(request_of, give, mei, li_lei, card, by):
    approval = request_of()
    if by == "member":
        Staff.objects.filter(pk=mei.pk).update(member=li_lei)
    else:
        Staff.objects.filter(pk=mei.pk).update(phone_hash=phone_hash(li_lei.phone))

    with pytest.raises(OwnAccount):
        approvals.decide(approval=approval, checker=mei, is_approved=True, at=NOON)


def test_nobody_approves_value_that_comes_to_themselves(loaded_card, enrol, riverside, chen, mei):
    StaffLimit.objects.create(deed="transfer", role=Role.CASHIER, amount_max=1000)
    her = enrol("13900139000", name="Mei")
    mei.member = her
    mei.save(update_fields=["member"])
    here = {"actor": actor_of(chen), "at": NOON}
    offered = transfers.propose(
        key="t", store=riverside, card=loaded_card, receiver=her, amount_minor=5000, is_confirmed=True, **here
    )
    with pytest.raises(ApprovalRequired) as refused:
        transfers.confirm(transfer=offered, **here)
    asked = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Gift", at=NOON)

    with pytest.raises(OwnAccount):
        approvals.decide(approval=asked, checker=mei, is_approved=True, at=NOON)


def test_a_request_says_why(give, chen, riverside):
    with pytest.raises(ApprovalRequired) as refused:
        give("k")
    with pytest.raises(ReasonMissing):
        approvals.ask(refused=refused.value, maker=chen, store=riverside, note="  ", at=NOON)


def test_the_same_question_twice_is_one_request(request_of):
    assert request_of() == request_of()


def test_a_refund_above_the_limit_is_done_on_a_yes(loaded_card, riverside, mei):
    StaffLimit.objects.create(deed="refund", role=Role.MANAGER, amount_max=0)
    olga = employ(riverside, "olga", Role.OWNER)
    sale = spend(
        actor=actor_of(mei), key="s", at=NOON, store=riverside, card=loaded_card, amount_minor=3000
    ).operation
    asked = {"key": "r", "at": NOON, "store": riverside, "operation": sale}
    with pytest.raises(ApprovalRequired) as refused:
        refund(actor=actor_of(mei), **asked)
    approval = approvals.ask(refused=refused.value, maker=mei, store=riverside, note="Not done", at=NOON)
    approvals.decide(approval=approval, checker=olga, is_approved=True, at=NOON)

    refund(actor=actor_of(mei, approval), **asked)

    assert Account.objects.get(card=loaded_card, kind="principal").balance == 50000


def test_a_lost_card_above_the_limit_is_replaced_on_a_yes(loaded_card, riverside, chen, mei):
    StaffLimit.objects.create(deed="transfer", role=Role.CASHIER, amount_max=100)
    asked = {"at": NOON, "store": riverside, "card": loaded_card}
    with pytest.raises(ApprovalRequired) as refused:
        replace_card(actor=actor_of(chen), key="lost", **asked)
    approval = approvals.ask(refused=refused.value, maker=chen, store=riverside, note="Lost", at=NOON)
    approvals.decide(approval=approval, checker=mei, is_approved=True, at=NOON)

    new = replace_card(actor=actor_of(chen, approval), key="lost", **asked).card

    assert Account.objects.get(card=new, kind="principal").balance == 50000


def test_every_step_is_in_the_audit_log(give, approved, chen, mei):
    give("k", approved)

    told = list(AuditEntry.objects.order_by("seq").values_list("verb", "staff__username"))
    assert told == [("approval_asked", "chen"), ("approved", "mei"), ("adjusted", "chen")]


# --- the table itself


@pytest.mark.parametrize(
    "change",
    [
        "payload = '{}'",
        "payload_hash = ''",
        "amount = 1",
        "maker_id = checker_id",
        "expires_at = expires_at + interval '1 year'",
        "status = 'pending', checker_id = NULL, decided_at = NULL",
        "status = 'refused'",
    ],
)
def test_going_around_the_code_does_not_change_what_was_approved(approved, change):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE members_approval SET {change}")


def test_an_approval_cannot_be_deleted_or_born_approved(approved, chen, mei, riverside):
    with pytest.raises(DatabaseError), transaction.atomic():
        Approval.objects.all().delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Approval.objects.create(
            deed="adjust",
            payload={},
            payload_hash=b"",
            store=riverside,
            maker=chen,
            checker=mei,
            decided_at=NOON,
            status="approved",
            asked_at=NOON,
            expires_at=NOON,
        )
