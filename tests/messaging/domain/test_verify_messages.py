"""Each promise is seen broken when it is broken: a check that cannot say no is none."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from members.domain.events import publish
from messaging.domain.verify_messages import PROMISES, verify
from messaging.enums import MessageClass
from messaging.models import (
    Attempt,
    BudgetUse,
    Gateway,
    Message,
    SubmittedPart,
    Template,
    TemplateVersion,
)
from tests.messaging.domain.desk import main_gateway, message

NOTIFICATION, MARKETING = MessageClass.NOTIFICATION, MessageClass.MARKETING


@pytest.fixture
def gateway(db) -> Gateway:
    return main_gateway()


def tried(
    member, gateway, message_class=NOTIFICATION, *, outcomes=("accepted",), state="accepted", **more
) -> Message:
    now = timezone.now()
    text = message(
        member,
        message_class,
        now,
        state=state,
        attempts=len(outcomes),
        gateway=gateway,
        submitted_at=now,
        **more,
    )
    for number, outcome in enumerate(outcomes, 1):
        Attempt.objects.create(
            message=text, number=number, gateway=gateway, epoch=0, outcome=outcome, started_at=now
        )
    return text


def part(text: Message, provider_id: str) -> None:
    tried = Attempt.objects.filter(message=text).first()
    SubmittedPart.objects.create(
        message=text, attempt=tried, gateway=text.gateway, part=1, provider_id=provider_id
    )


def broken() -> set[str]:
    return set(verify(at=timezone.now()).broken)


def not_settled(member, gateway, riverside):
    message(member, NOTIFICATION, timezone.now(), state="delivered")


def a_gap_in_the_tries(member, gateway, riverside):
    Message.objects.filter(pk=tried(member, gateway).pk).update(attempts=2)


def marketing_twice_in_doubt(member, gateway, riverside):
    tried(member, gateway, MARKETING, outcomes=("uncertain", "accepted"))


def three_copies(member, gateway, riverside):
    tried(member, gateway, outcomes=("uncertain", "uncertain", "accepted"))


def marketing_taken_twice(member, gateway, riverside):
    text = tried(member, gateway, MARKETING)
    part(text, "a")
    part(text, "b")


def doubt_that_nobody_sees(member, gateway, riverside):
    text = tried(member, gateway, outcomes=("",), state="submitting")
    Message.objects.filter(pk=text.pk).update(submitted_at=timezone.now() - timedelta(minutes=2))


def doubt_called_a_refusal(member, gateway, riverside):
    tried(member, gateway, outcomes=("uncertain",), state="rejected", final_at=timezone.now())


def tried_too_late(member, gateway, riverside):
    tried(member, gateway, expires_at=timezone.now() - timedelta(hours=1))


def a_try_left_open(member, gateway, riverside):
    text = tried(member, gateway, outcomes=("", "accepted"))
    Attempt.objects.filter(message=text).update(started_at=timezone.now() - timedelta(minutes=5))


def money_that_nobody_holds(member, gateway, riverside):
    budget = riverside.budgets.create(scope="store", amount_minor=1, from_at=timezone.now())
    BudgetUse.objects.create(
        budget=budget, period_on=timezone.now().date(), is_protected=False, reserved_milli=1
    )


BREAKS = {
    not_settled: "M1",
    a_gap_in_the_tries: "M4",
    marketing_twice_in_doubt: "M4",
    three_copies: "M4",
    marketing_taken_twice: "M5",
    doubt_that_nobody_sees: "M6",
    doubt_called_a_refusal: "M6",
    tried_too_late: "M13",
    a_try_left_open: "M14",
    money_that_nobody_holds: "M18",
}


@pytest.mark.parametrize("breaking", BREAKS, ids=lambda it: it.__name__)
def test_a_broken_promise_is_named(breaking, gateway, li_lei, riverside):
    tried(li_lei, gateway, run=99)
    assert broken() == set()

    breaking(li_lei, gateway, riverside)

    assert BREAKS[breaking] in broken()


def test_two_texts_for_a_cause_and_a_phone_are_named(gateway, li_lei, riverside):
    """The database refuses them, so the constraint goes first."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE messaging_message DROP CONSTRAINT message_once")
    now = timezone.now()
    event = publish("card_opened", member=li_lei, store=riverside, source="t", key="k", at=now, payload={})
    template = Template.objects.create(key="t", name="t", message_class=NOTIFICATION)
    version = TemplateVersion.objects.create(
        template=template, language="en", number=1, text="x", content_hash="x"
    )
    for _copy in range(2):
        message(li_lei, NOTIFICATION, now, event=event, template_version=version)

    assert broken() == {"M20"}


def test_the_command_says_so_in_json_and_by_its_exit(gateway, li_lei, riverside):
    out = StringIO()
    call_command("verify_messages", stdout=out)
    said = json.loads(out.getvalue())
    assert said["ok"] and set(said["checked"]) == set(PROMISES)

    tried_too_late(li_lei, gateway, riverside)

    out = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("verify_messages", stdout=out)
    assert failed.value.returncode == 1
    assert json.loads(out.getvalue())["broken"][0]["promise"] == "M13"
