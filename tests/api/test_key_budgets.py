"""What the texts of a partner's key may cost: of its events and its deeds, and of nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.http import HttpResponse
from django.utils import timezone

from members.models import Card
from messaging.domain import budgets
from messaging.domain.verification import ask_code, forget_codes
from messaging.enums import CodePurpose
from messaging.models import Budget, Gateway, Message, VerificationCode
from messaging.states import Reason, State, gates_of
from tests.api.conftest import Partner, give_key

BUDGET = {"scope": "api_key", "protected_percent": 0, "by": None}
CODE_MINOR = 8  # the text of a code has two parts


@pytest.fixture(autouse=True)
def gateway(db) -> Gateway:
    """4 fen a part."""
    return Gateway.objects.create(
        name="Main", host="127.0.0.1", port=2775, system_id="regulars", price_minor=4
    )


@pytest.fixture
def bookings(rule) -> None:
    """A missed call and an arrival are answered with a text of one part each."""
    rule("call_missed", "We missed your call to {called}.")
    rule("customer_arrived", "Welcome to the {place}.")


def capped(partner: Partner, period: str = "day", amount_minor: int = 4) -> Budget:
    """The texts of this key may cost so much, one part in all, from the beginning on."""
    return budgets.set_budget(
        period=period,
        amount_minor=amount_minor,
        subject=partner.key.source,
        at=datetime(2020, 1, 1, tzinfo=UTC),
        **BUDGET,
    )


def reported(partner: Partner, event_type: str = "call_missed", data: dict | None = None) -> dict:
    """What a rule made of the event."""
    data = data or {"called": "021 5555 0100"}
    response = partner.post("events", {"type": event_type, "phone": "13800138000", "data": data})
    assert response.status_code == 201, response.content
    return response.json()["firings"][0]


def arrived(partner: Partner) -> dict:
    return reported(partner, "customer_arrived", {"place": "Lobby"})


@pytest.mark.parametrize("period", ["day", "month"])
def test_a_key_whose_budget_is_used_up_is_told_so(partner, li_lei, bookings, period):
    budget = capped(partner, period)

    first, second = reported(partner), arrived(partner)

    assert first["message"]["state"] == State.QUEUED
    assert (second["outcome"], second["reason"]) == ("not_sent", Reason.BUDGET)
    text = Message.objects.latest("id")
    assert (text.state, text.reason, gates_of(text.gates)) == (
        State.SUPPRESSED,
        Reason.BUDGET,
        [Reason.BUDGET],
    )
    assert budgets.standing(budget, at=text.created_at).left_milli == 0


def test_the_fact_is_kept_though_its_text_does_not_go(partner, li_lei, bookings):
    capped(partner)

    reported(partner), arrived(partner)

    assert li_lei.events.filter(source=partner.key.source).count() == 2


def test_another_keys_texts_and_the_tills_are_not_held_back(partner, riverside, li_lei, bookings):
    capped(partner)
    reported(partner)

    assert arrived(give_key("Front door", riverside))["message"]["state"] == State.QUEUED


def test_the_budget_of_the_store_holds_for_the_key_too(partner, riverside, li_lei, bookings):
    capped(partner, amount_minor=100)
    store = BUDGET | {"scope": "store", "store": riverside, "amount_minor": 4, "period": "month"}
    budgets.set_budget(at=datetime(2020, 1, 1, tzinfo=UTC), **store)

    assert reported(partner)["message"]["state"] == State.QUEUED
    assert arrived(partner)["reason"] == Reason.BUDGET


def test_a_notice_of_a_debit_is_told_whatever_the_key_has_left(partner, loaded_card, rule):
    rule("card_spent", "Paid.")
    capped(partner, amount_minor=1)

    answer = partner.post(f"cards/{loaded_card.public_id}/spend", {"amount_minor": 100})

    assert answer.status_code in (200, 201), answer.content
    assert Message.objects.get(event__type="card_spent").state == State.QUEUED


def test_what_came_to_rest_is_charged_to_the_key_and_adds_up(partner, li_lei, bookings):
    budget = capped(partner, amount_minor=100)
    reported(partner), arrived(partner)
    accepted, cancelled = Message.objects.order_by("id")
    gateway = Gateway.objects.get()
    Message.objects.filter(pk=accepted.pk).update(
        state=State.SUBMITTING, gateway=gateway, submitted_at=accepted.created_at, attempts=1
    )
    Message.objects.filter(pk=accepted.pk).update(state=State.ACCEPTED)
    Message.objects.filter(pk=cancelled.pk).update(state=State.CANCELLED, final_at=cancelled.created_at)
    assert budgets.unbalanced() == []

    with connection.cursor() as cursor:
        cursor.execute("SELECT sms_budget_settle(100)")

    standing = budgets.standing(budget, at=accepted.created_at)
    assert (standing.charged_milli, standing.open_milli) == (4000, 0)
    assert budgets.unbalanced() == []


def asked_code(partner: Partner, card: Card, **more) -> HttpResponse:
    """A code to pay with, asked for with the key; no limit of the number stands in the way."""
    VerificationCode.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    return partner.post(f"cards/{card.public_id}/code", {}, **more)


def test_a_code_is_put_aside_and_settled_under_the_keys_budget(partner, loaded_card):
    budget = capped(partner, amount_minor=100)

    assert asked_code(partner, loaded_card).status_code == 202

    code = Message.objects.get(cause="code")
    aside = budgets.standing(budget, at=code.created_at)
    assert (aside.open_milli, aside.other_milli, aside.charged_milli) == (CODE_MINOR * 1000, 0, 0)
    assert budgets.unbalanced() == []
    Message.objects.filter(pk=code.pk).update(state=State.EXPIRED, final_at=code.created_at)
    budgets.settle()
    assert budgets.standing(budget, at=code.created_at).left_milli == 100_000
    assert budgets.unbalanced() == []


def test_a_code_the_keys_budget_has_no_room_for_is_refused_and_not_sent(partner, loaded_card):
    capped(partner, amount_minor=CODE_MINOR)
    asked_code(partner, loaded_card, key="first")

    refused = asked_code(partner, loaded_card, key="second")

    assert (refused.status_code, refused.json()["code"]) == (422, "over_budget")
    assert Message.objects.filter(cause="code").count() == VerificationCode.objects.count() == 1


def test_a_code_may_use_the_share_that_the_keys_other_texts_may_not(partner, loaded_card, li_lei, bookings):
    budgets.set_budget(
        **BUDGET | {"protected_percent": 75},
        period="day",
        amount_minor=2 * CODE_MINOR,
        subject=partner.key.source,
        at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    reported(partner)

    assert arrived(partner)["reason"] == Reason.BUDGET
    assert asked_code(partner, loaded_card).status_code == 202


def test_a_code_asked_for_at_the_till_costs_the_key_nothing(partner, loaded_card):
    budget = capped(partner)
    ask = {"phone": loaded_card.member.phone, "purpose": CodePurpose.PAY, "language": "en", "store": None}

    ask_code(**ask, at=timezone.now(), ip=None)

    assert budgets.standing(budget, at=timezone.now()).used_milli == 0


def test_a_code_is_remembered_while_the_keys_budget_holds_money_for_it(partner, loaded_card):
    capped(partner, "whole", CODE_MINOR)
    asked_code(partner, loaded_card)
    later = timezone.now() + timedelta(days=8)
    Message.objects.update(state=State.SUBMITTING, submitted_at=timezone.now())
    Message.objects.update(state=State.UNCERTAIN)
    Message.objects.update(state=State.UNKNOWN)

    forget_codes(at=later)

    assert VerificationCode.objects.exists() and budgets.unbalanced() == []
    Message.objects.update(state=State.DELIVERED)
    assert budgets.settle() == 1
    forget_codes(at=later)
    assert not VerificationCode.objects.exists() and budgets.unbalanced() == []
