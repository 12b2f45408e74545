"""Would Li Lei get it now? Each gate's answer is the policy's own, and nothing stays behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crm.reports.explaining import today
from members.domain.enrolment import phone_hash
from messaging.domain.budgets import set_budget
from messaging.domain.explaining import Says, explain
from messaging.domain.outbox import enqueue
from messaging.domain.texts import approve, save_draft
from messaging.enums import MessageClass, SuppressionScope
from messaging.models import Contact, Gateway, Message, Registration, Signature, Suppression, Template
from messaging.states import Reason, State, gates_of
from tests.conftest import NOON, employ
from tests.messaging.test_outbox import draft

NIGHT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai


@pytest.fixture
def push(riverside, mei) -> Template:
    template = Template.objects.create(key="push", name="Push", message_class="marketing", store=riverside)
    boss = employ(riverside, "ana", "owner")
    text = save_draft(template=template, language="en", text="20% off, {name|there}", by=mei, at=NOON)
    approve(version=text, by=boss, at=NOON)
    return template


def says(explanation) -> dict[str, Says]:
    return {gate.key: gate.says for gate in explanation.gates}


def test_every_gate_says_yes_and_the_text_is_shown(li_lei, riverside, push):
    told = explain(member=li_lei, store=riverside, at=NOON, template=push)

    assert told.would_leave
    assert told.leaves_at == NOON
    assert set(says(told).values()) == {Says.YES}
    assert told.text.startswith("【常客】20% off, Li Lei")


def test_all_noes_are_told_not_only_the_first(enrol, riverside, push):
    han = enrol("13900139000", marketing=False)
    Suppression.objects.create(
        phone_hash=phone_hash(han.phone), scope=SuppressionScope.MARKETING, source="text", at=NOON
    )

    told = explain(member=han, store=riverside, at=NIGHT, template=push)

    assert not told.would_leave
    assert [gate.key for gate in told.noes] == [Reason.NO_CONSENT, Reason.OPTED_OUT]
    assert says(told)[Reason.QUIET_HOURS] == Says.WAITS


def test_at_night_it_waits_for_the_morning_of_the_recipient(li_lei, riverside, push):
    told = explain(member=li_lei, store=riverside, at=NIGHT, template=push)

    assert told.leaves_at == datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert "09:00–21:00 Asia/Shanghai (CN)" in [gate.detail for gate in told.gates]


def test_a_template_without_an_approved_wording_says_so(li_lei, riverside):
    bare = Template.objects.create(key="bare", name="Bare", message_class="marketing")

    told = explain(member=li_lei, store=riverside, at=NOON, template=bare)

    assert says(told)["template"] == Says.NO
    assert not told.would_leave


def test_a_cap_that_is_reached_is_a_no(li_lei, riverside, push):
    enqueue([draft(li_lei)], at=NOON)

    told = explain(member=li_lei, store=riverside, at=NOON, template=push)

    assert says(told)[Reason.FREQUENCY] == Says.NO


def test_the_same_text_again_is_a_no_and_codes_are_not_asked(li_lei, riverside, push):
    told = explain(member=li_lei, store=riverside, at=NOON, template=push)
    enqueue([replace(draft(li_lei), text=told.text)], at=NOON)

    again = explain(member=li_lei, store=riverside, at=NOON, template=push)
    code = explain(member=li_lei, store=riverside, at=NOON, message_class=MessageClass.VERIFICATION)

    assert says(told)[Reason.DUPLICATE] == Says.YES
    assert says(again)[Reason.DUPLICATE] == Says.NO
    assert "10 min" in [gate.detail for gate in again.gates]
    assert Reason.DUPLICATE not in says(code)


def test_what_is_not_reported_is_refused_where_the_gateway_asks(li_lei, riverside, push):
    gateway = Gateway.objects.create(name="D", host="h", port=1, system_id="s", needs_reports=True)
    assert says(explain(member=li_lei, store=riverside, at=NOON, template=push))["reports"] == Says.NO

    signature = Signature.objects.create(text="常客")
    Registration.objects.create(signature=signature, gateway=gateway, status="approved")
    assert says(explain(member=li_lei, store=riverside, at=NOON, template=push))["reports"] == Says.YES


def test_explaining_sends_and_keeps_nothing(li_lei, riverside, push):
    explain(member=li_lei, store=riverside, at=NOON, template=push)
    explain(member=li_lei, store=riverside, at=NOON, template=push)

    assert not Message.objects.exists()


def test_the_report_asks_about_each_class(enrol, riverside):
    han = enrol("13900139000", marketing=False, service=False)

    rows = {row.message_class: bool(row.leaves_at) for row in today(member=han, store=riverside, at=NOON)}

    assert rows == {
        MessageClass.VERIFICATION: True,
        MessageClass.NOTIFICATION: False,
        MessageClass.TRIGGER: False,
        MessageClass.MARKETING: False,
    }


def test_a_suppressed_text_keeps_every_gate_that_said_no(enrol):
    han = enrol("13900139000", marketing=False)
    Suppression.objects.create(
        phone_hash=phone_hash(han.phone), scope=SuppressionScope.ALL, source="text", at=NOON
    )

    [result] = enqueue([draft(han)], at=NIGHT)

    message = Message.objects.get(pk=result.message_id)
    assert (message.state, message.reason) == (State.SUPPRESSED, Reason.NO_CONSENT)
    assert gates_of(message.gates) == [Reason.NO_CONSENT, Reason.OPTED_OUT, Reason.QUIET_HOURS]


def test_a_text_nobody_objects_to_keeps_no_list(li_lei):
    [result] = enqueue([draft(li_lei)], at=NOON)
    assert Message.objects.get(pk=result.message_id).gates is None


@pytest.mark.parametrize(
    ("reported", "carried", "says_yes"),
    [
        ("shop.example.com/m", "see https://shop.example.com/m/a1", True),
        ("shop.example.com/m", "see https://shop.example.com/other", False),
        ("021-55550100", "call 021-55550100", False),  # kept without the hyphen
        ("02155550100", "call 021-55550100", True),
    ],
)
def test_each_link_and_number_has_to_be_reported(li_lei, riverside, mei, reported, carried, says_yes):
    gateway = Gateway.objects.create(name="D", host="h", port=1, system_id="s", needs_reports=True)
    signature = Signature.objects.create(text="常客")
    contact = Contact.objects.create(
        signature=signature, kind="link" if "." in reported else "phone", value=reported
    )
    for of in ({"signature": signature}, {"contact": contact}):
        Registration.objects.create(**of, gateway=gateway, status="approved")
    template = Template.objects.create(key="p", name="P", message_class="marketing", store=riverside)
    text = save_draft(template=template, language="en", text=f"20% off, {carried}", by=mei, at=NOON)
    approve(version=text, by=employ(riverside, "ana", "owner"), at=NOON)

    told = explain(member=li_lei, store=riverside, at=NOON, template=template)

    assert says(told)["reports"] == (Says.YES if says_yes else Says.NO)


@pytest.mark.parametrize(("amount_minor", "answer"), [(4, Says.YES), (3, Says.NO)])
def test_a_budget_that_is_used_up_is_a_no_beside_the_others(li_lei, riverside, push, amount_minor, answer):
    Gateway.objects.create(name="Main", host="h", port=1, system_id="s", price_minor=4)
    set_budget(
        scope="store",
        store=riverside,
        period="month",
        amount_minor=amount_minor,
        protected_percent=0,
        by=None,
        at=NOON,
    )

    told = explain(member=li_lei, store=riverside, at=NOON, template=push)
    enqueue([draft(li_lei)], at=NOON)
    capped = explain(member=li_lei, store=riverside, at=NOON, template=push)

    assert says(told)[Reason.BUDGET] == answer
    assert told.would_leave == (answer == Says.YES)
    assert [gate.why for gate in told.noes] == [Reason.BUDGET.label] * (answer == Says.NO)
    assert says(capped)[Reason.BUDGET] == Says.NO
    assert (says(capped)[Reason.FREQUENCY] == Says.NO) == (answer == Says.YES)
