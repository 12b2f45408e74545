"""Budgets: what texts may cost, what is put aside, charged and free again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members.domain.events import publish
from messaging.domain import budgets, outbox
from messaging.domain.budgets import OverBudget
from messaging.domain.outbox import Draft
from messaging.enums import Cause, MessageClass
from messaging.models import Budget, Gateway, GatewayPrice, Message, Route
from messaging.states import Reason, State
from tests.conftest import NOON

VERIFICATION, NOTIFICATION = MessageClass.VERIFICATION, MessageClass.NOTIFICATION
MARKETING = MessageClass.MARKETING


@pytest.fixture
def gateway(db) -> Gateway:
    """The main gateway: 4 fen a part."""
    return Gateway.objects.create(
        name="Main", host="127.0.0.1", port=2775, system_id="regulars", sender="1069", price_minor=4
    )


@pytest.fixture
def budget(gateway, riverside) -> Budget:
    """Riverside may spend 20 fen a month: five parts, one of them kept for codes and debit notices."""
    return budgets.set_budget(
        scope="store",
        store=riverside,
        period="month",
        amount_minor=20,
        protected_percent=20,
        by=None,
        at=NOON,
    )


def write_texts(member, message_class, *causes: int, cause=Cause.RUN, event=None, parts=1) -> list[Reason]:
    """One text a cause, in one statement; what became of each."""
    drafts = [
        Draft(
            phone=member.phone,
            phone_hash=bytes(member.phone_hash),
            message_class=message_class,
            text=f"Hello {number}",
            encoding="GSM-7",
            parts=parts,
            cause=cause,
            cause_id=number,
            timezone="Asia/Shanghai",
            member_id=member.pk,
            store_id=member.home_store_id,
            event_id=event,
        )
        for number in causes
    ]
    hours = outbox.PermittedHours(*_ALL_DAY, 100, 100)
    return [row.reason for row in outbox.enqueue(drafts, at=NOON, hours=hours)]


_ALL_DAY = (NOON.time().replace(hour=0), NOON.time().replace(hour=23))


def used(budget: Budget) -> tuple[int, int, int]:
    """(open, charged, left) in minor units."""
    standing = budgets.standing(budget, at=NOON)
    return standing.open_milli // 1000, standing.charged_milli // 1000, standing.left_milli // 1000


def test_marketing_stops_before_the_protected_share(budget, li_lei):
    said = write_texts(li_lei, MARKETING, 1, 2, 3, 4, 5, 6)

    assert said == [Reason.NONE] * 4 + [Reason.BUDGET] * 2
    assert used(budget) == (16, 0, 4)
    assert Message.objects.filter(state=State.SUPPRESSED, reserved_milli=0).count() == 2


def test_a_code_uses_the_share_that_marketing_may_not(budget, li_lei):
    write_texts(li_lei, MARKETING, 1, 2, 3, 4, 5)

    assert write_texts(li_lei, VERIFICATION, 1, 2, cause=Cause.CODE) == [Reason.NONE, Reason.BUDGET]


def test_marketing_may_not_eat_a_share_that_lies_idle_while_codes_use_the_rest(budget, li_lei):
    write_texts(li_lei, VERIFICATION, 1, 2, 3, cause=Cause.CODE)

    assert write_texts(li_lei, MARKETING, 1, 2, 3) == [Reason.NONE, Reason.NONE, Reason.BUDGET]


def test_a_notice_of_a_debit_is_never_refused(budget, li_lei, riverside):
    spent = publish(
        "card_spent", member=li_lei, store=riverside, source="till", key="e", at=NOON, payload={"amount": 1}
    )
    write_texts(li_lei, MARKETING, 1, 2, 3, 4)

    assert write_texts(li_lei, NOTIFICATION, 1, 2, 3, cause=Cause.RULE, event=spent.pk) == [Reason.NONE] * 3
    assert used(budget) == (28, 0, -8)


def test_a_text_that_was_written_before_puts_nothing_aside_again(budget, li_lei):
    write_texts(li_lei, MARKETING, 1)
    write_texts(li_lei, MARKETING, 1)

    assert used(budget) == (4, 0, 16)


def test_a_text_no_route_leads_to_puts_nothing_aside(budget, gateway, li_lei):
    Route.objects.create(gateway=gateway, position=1, prefix="+1")

    assert write_texts(li_lei, MARKETING, 1, 2) == [Reason.NO_ROUTE] * 2

    assert used(budget) == (0, 0, 20)
    assert budgets.unbalanced() == []


def test_what_expires_is_free_again(budget, li_lei):
    write_texts(li_lei, MARKETING, 1, 2)
    Message.objects.filter(cause_id=1).update(state=State.EXPIRED)

    assert budgets.settle() == 1
    assert used(budget) == (4, 0, 16)
    assert budgets.settle() == 0


def test_the_longest_beginning_of_the_number_says_the_price(budget, gateway, li_lei):
    GatewayPrice.objects.create(gateway=gateway, prefix="+86", price_milli=7500, from_at=NOON)
    GatewayPrice.objects.create(gateway=gateway, prefix="+8613", price_milli=500, from_at=NOON)
    GatewayPrice.objects.create(gateway=gateway, prefix="+1", price_milli=9000, from_at=NOON)

    write_texts(li_lei, MARKETING, 1)

    assert Message.objects.get().reserved_milli == 500


def test_an_earlier_text_keeps_the_price_of_its_day(gateway):
    gateway.price_minor = 9
    gateway.save()

    assert list(gateway.prices.order_by("from_at").values_list("price_milli", flat=True)) == [4000, 9000]


def test_a_run_puts_its_money_aside_at_once_and_its_texts_draw_on_it(budget, li_lei, riverside):
    budgets.open_purse(
        cause=Cause.RUN, cause_id=7, store=riverside, milli=12_000, subject="campaign:3", at=NOON
    )

    assert used(budget) == (12, 0, 8)
    assert write_texts(li_lei, MARKETING, 7) == [Reason.NONE]
    assert used(budget) == (12, 0, 8)
    assert write_texts(li_lei, MARKETING, 8, 9) == [Reason.NONE, Reason.BUDGET]

    budgets.close_purse(cause=Cause.RUN, cause_id=7, at=NOON)

    assert used(budget) == (8, 0, 12)


def test_a_run_above_the_cap_is_refused_with_the_amounts(budget, riverside):
    with pytest.raises(OverBudget) as refused:
        budgets.open_purse(cause=Cause.RUN, cause_id=7, store=riverside, milli=17_000, subject="", at=NOON)

    assert refused.value.facts["needed_milli"] == 17_000
    assert refused.value.facts["left_milli"] == 16_000
    assert used(budget) == (0, 0, 20)


def test_a_campaigns_own_budget_holds_its_runs_and_no_others(gateway, li_lei, riverside):
    own = budgets.set_budget(
        scope="campaign",
        subject="campaign:3",
        period="whole",
        amount_minor=8,
        protected_percent=0,
        by=None,
        at=NOON,
    )
    budgets.open_purse(
        cause=Cause.RUN, cause_id=7, store=riverside, milli=4_000, subject="campaign:3", at=NOON
    )

    assert write_texts(li_lei, MARKETING, 7) == [Reason.NONE]
    assert write_texts(li_lei, MARKETING, 8) == [Reason.NONE]
    assert used(own) == (4, 0, 4)


def test_a_new_month_is_a_new_budget(budget, li_lei):
    write_texts(li_lei, MARKETING, 1, 2, 3, 4)

    later = budgets.standing(budget, at=NOON + timedelta(days=20))

    assert later.left_milli == 20_000


def test_money_put_aside_is_charged_free_or_still_aside(budget, li_lei):
    write_texts(li_lei, MARKETING, 1, 2, 3)
    Message.objects.filter(cause_id=1).update(state=State.CANCELLED)
    budgets.settle()

    assert budgets.unbalanced() == []
    budget.uses.update(charged_milli=1)
    assert [row["budget"] for row in budgets.unbalanced()] == [budget.pk]
