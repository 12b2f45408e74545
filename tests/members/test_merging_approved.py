"""A merge above a person's limit: one second person's yes to all of it, for these two members, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from members.domain import approvals
from members.domain.approvals import SelfApproval
from members.domain.cards import open_card, recharge_card
from members.domain.earning import Award
from members.domain.ledger import Actor, ApprovalInvalid, ApprovalRequired, OwnAccount, TenderPaid
from members.domain.merge_values import value_of
from members.domain.merging import merge, undo
from members.domain.points import earn_points
from members.domain.verify import verify
from members.enums import Role, TenderType
from members.models import Approval, ApprovalStatus, Member, MemberStatus, Staff, StaffLimit
from tests.conftest import NOON, employ


@pytest.fixture
def here(at_till, riverside) -> dict[str, Any]:
    return {"actor": at_till, "at": NOON, "store": riverside}


@pytest.fixture
def double(enrol, product, here) -> Member:
    """Li Lei once more, with two cards of 600.00."""
    member = enrol("13700137000", name="Lei Li")
    for key in ("one", "other"):
        card, _ = open_card(key=f"open-{key}", member=member, product=product, **here)
        recharge_card(key=f"pay-{key}", card=card, tender=TenderPaid(TenderType.CASH, 60000), **here)
    return member


@pytest.fixture
def limit(db) -> StaffLimit:
    """A manager moves 1,000.00 a day alone."""
    return StaffLimit.objects.create(deed="transfer", role=Role.MANAGER, amount_max=100_000)


@pytest.fixture
def olga(riverside) -> Staff:
    return employ(riverside, "olga", Role.OWNER)


Join = Callable[..., Any]


@pytest.fixture
def join(mei, riverside, li_lei, double, limit) -> Join:
    """Mei merges the double into Li Lei."""

    def _join(key: str = "m", approval: Approval | None = None, **more: Any) -> Any:
        actor = Actor(f"staff:{mei.pk}", mei.pk, str(approval.public_id) if approval else "")
        asked = {"kept": li_lei, "merged": double, "reason": "Same person"} | more
        return merge(actor=actor, key=key, at=NOON, store=riverside, **asked)

    return _join


@pytest.fixture
def request_of(join, mei, riverside) -> Callable[..., Approval]:
    """What Mei asks for after the refusal."""

    def _request(**more: Any) -> Approval:
        with pytest.raises(ApprovalRequired) as refused:
            join(**more)
        return approvals.ask(refused=refused.value, maker=mei, store=riverside, note="Same ID", at=NOON)

    return _request


@pytest.fixture
def approved(request_of, olga) -> Approval:
    return approvals.decide(approval=request_of(), checker=olga, is_approved=True, at=NOON)


def refusal_of(deed: Callable[[], Any]) -> str:
    with pytest.raises(ApprovalInvalid) as refused:
        deed()
    return refused.value.code


def test_what_is_asked_is_the_whole_merge(request_of, li_lei, double):
    asked = request_of()

    assert (asked.deed, asked.amount, asked.member_id) == ("transfer", 120_000, double.pk)
    assert asked.payload["merge"] == [li_lei.pk, double.pk]
    assert asked.payload["whole"] == {"transfer": 120_000, "transfer_services": 0, "transfer_points": 0}


def test_all_cards_go_over_on_one_yes(join, approved, li_lei, double):
    join(approval=approved)

    approved.refresh_from_db()
    assert approved.status == ApprovalStatus.USED
    assert (value_of(li_lei, NOON).money_minor, value_of(double, NOON).money_minor) == (120_000, 0)
    assert not verify().faults


def test_a_repeat_of_the_approved_merge_gets_its_first_answer(join, approved):
    assert join(approval=approved) == join(approval=approved)


def test_the_yes_is_to_these_two(join, approved, enrol):
    third = enrol("13600136000", name="Han Mei")

    assert refusal_of(lambda: join(kept=third, approval=approved)) == "approval_mismatch"


def test_the_yes_is_to_so_much(join, approved, double, at_till, riverside):
    card = double.cards.first()
    tender = TenderPaid(TenderType.CASH, 1)
    recharge_card(actor=at_till, key="more", at=NOON, store=riverside, card=card, tender=tender)

    assert refusal_of(lambda: join(approval=approved)) == "approval_mismatch"
    assert Member.objects.get(pk=double.pk).status == MemberStatus.ACTIVE


def test_the_yes_is_used_once(join, approved, mei, riverside):
    done = join(approval=approved)
    undo(actor=Actor(f"staff:{mei.pk}", mei.pk), at=NOON, store=riverside, done=done)

    assert refusal_of(lambda: join(key="again", approval=approved)) == "approval_used"


def test_nobody_approves_their_own_merge(request_of, join, mei):
    asked = request_of()

    with pytest.raises(SelfApproval):
        approvals.decide(approval=asked, checker=mei, is_approved=True, at=NOON)
    assert refusal_of(lambda: join(approval=asked)) == "approval_waiting"


@pytest.mark.parametrize("own", ["li_lei", "double"])
def test_neither_of_the_two_approves_it(request_of, join, approved, olga, request, own):
    olga.member = request.getfixturevalue(own)
    olga.save(update_fields=["member"])

    with pytest.raises(OwnAccount):
        approvals.decide(approval=request_of(), checker=olga, is_approved=True, at=NOON)
    with pytest.raises(OwnAccount):
        join(approval=approved)


def test_an_undo_gives_back_what_is_untouched_and_is_under_no_limit(
    join, approved, mei, riverside, double, limit
):
    done = join(approval=approved)
    limit.amount_max = 0
    limit.save()

    undo(actor=Actor(f"staff:{mei.pk}", mei.pk), at=NOON, store=riverside, done=done)

    assert value_of(double, NOON).money_minor == 120_000


@pytest.fixture
def another(enrol, product, here) -> Member:
    """Han Mei, with two cards of 500.00."""
    member = enrol("13600136000", name="Han Mei")
    for key in ("one", "other"):
        card, _ = open_card(key=f"open-another-{key}", member=member, product=product, **here)
        recharge_card(key=f"pay-another-{key}", card=card, tender=TenderPaid(TenderType.CASH, 50000), **here)
    return member


def test_a_merge_of_two_cards_is_one_deed_of_a_limit_by_count(join, limit, double, another, li_lei):
    limit.amount_max, limit.count_max = None, 1
    limit.save()

    join()

    assert (value_of(li_lei, NOON).money_minor, value_of(double, NOON).money_minor) == (120_000, 0)
    with pytest.raises(ApprovalRequired):
        join("next", merged=another)


def test_no_card_of_an_approved_merge_counts_to_what_is_done_alone(join, limit, approved, another, li_lei):
    limit.count_max = 1
    limit.save()
    join(approval=approved)

    join("next", merged=another)

    assert value_of(li_lei, NOON).money_minor == 220_000


def test_points_are_limited_and_approved_with_cards_that_bring_none(
    join, request_of, limit, li_lei, double, olga, at_till, riverside
):
    limit.delete()
    StaffLimit.objects.create(deed="transfer_points", role=Role.MANAGER, amount_max=50)
    award = Award(51, why={"by": "extra", "rule": "Gift"})
    earn_points(actor=at_till, key="gift", at=NOON, store=riverside, member=double, awards=[award])
    asked = request_of()

    join(approval=approvals.decide(approval=asked, checker=olga, is_approved=True, at=NOON))

    assert (asked.deed, asked.amount) == ("transfer_points", 51)
    moved = value_of(li_lei, NOON)
    assert (moved.points, moved.money_minor) == (51, 120_000)
