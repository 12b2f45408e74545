"""The text of a deed is judged by itself (sms_enqueue_one) as it would be in a set (sms_enqueue)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from messaging.domain.outbox import Draft, enqueue
from messaging.enums import LIFETIME_SECONDS, PRIORITY, Cause, MessageClass, SuppressionScope
from messaging.models import Gateway, Message, Route
from messaging.states import Reason, gates_of
from tests.conftest import NOON
from tests.messaging.test_outbox import draft, suppress

NOTIFICATION, TRIGGER, VERIFICATION = (
    MessageClass.NOTIFICATION,
    MessageClass.TRIGGER,
    MessageClass.VERIFICATION,
)
LATER = NOON + timedelta(hours=1)
ARGUMENTS = (
    "phone phone_hash member_id store_id message_class priority language text encoding parts version_id cause"
    " cause_id event_id timezone due_at expires_at refusal"
)
SAME = "phone member_id store_id message_class priority language text encoding parts template_version_id cause event_id"
SAME += " timezone state reason due_at expires_at attempts created_at final_at reserved_milli gateway_id"


def enqueue_one(said: Draft) -> tuple[str | None, str | None]:
    derived = {
        "priority": PRIORITY[said.message_class],
        "due_at": said.due_at or NOON,
        "expires_at": said.expires_at
        or (said.due_at or NOON) + timedelta(seconds=LIFETIME_SECONDS[said.message_class]),
    }
    values = [derived[name] if name in derived else getattr(said, name) for name in ARGUMENTS.split()]
    small = {"priority", "parts"}
    places = ", ".join("%s::smallint" if name in small else "%s" for name in ARGUMENTS.split())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM sms_enqueue_one({places}, %s)", [*map(plain, values), NOON])
        return cursor.fetchone()


def plain(value):
    return str(value) if isinstance(value, str) else value


def nothing(member) -> None:
    pass


def no_service(member) -> None:
    member.has_service_consent = False
    member.save()


def opted_out(member) -> None:
    suppress(member, SuppressionScope.MARKETING)


def unreachable(member) -> None:
    suppress(member, SuppressionScope.ALL)


def unreachable_and_no_service(member) -> None:
    no_service(member)
    unreachable(member)


def no_way(member) -> None:
    gateway = Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="regulars")
    Route.objects.create(gateway=gateway, position=1, prefix="+1")


def one_way(member) -> None:
    gateway = Gateway.objects.create(name="Main", host="127.0.0.1", port=2775, system_id="regulars")
    Route.objects.create(gateway=gateway, position=1)


def said_before(member) -> None:
    enqueue([replace(draft(member, NOTIFICATION, cause=Cause.API), cause_id=99)], at=NOON)


@pytest.mark.parametrize("message_class", [NOTIFICATION, TRIGGER, VERIFICATION])
@pytest.mark.parametrize("cause", [Cause.RULE, Cause.API, Cause.REPLY, Cause.CODE])
@pytest.mark.parametrize(
    ("stage", "more"),
    [
        (nothing, {}),
        (
            nothing,
            {"due_at": LATER, "expires_at": LATER + timedelta(hours=2), "language": "zh-hans", "parts": 3},
        ),
        (nothing, {"due_at": LATER, "expires_at": NOON}),
        (nothing, {"refusal": Reason.UNSENDABLE}),
        (nothing, {"member_id": None}),
        (no_service, {}),
        (no_service, {"refusal": Reason.TOO_LONG}),
        (opted_out, {}),
        (unreachable, {}),
        (unreachable_and_no_service, {"due_at": LATER, "expires_at": NOON}),
        (no_way, {}),
        (no_way, {"refusal": Reason.TOO_LONG}),
        (one_way, {}),
        (said_before, {}),
        (said_before, {"text": "Another"}),
    ],
)
def test_alone_as_in_a_set(li_lei, message_class, cause, stage, more):
    stage(li_lei)
    said = replace(draft(li_lei, message_class, cause=cause), **more)

    with transaction.atomic():  # taken back: the second of two equal texts would be one too many
        (in_a_set,) = enqueue([said], at=NOON)
        whole = Message.objects.latest("id")
        transaction.set_rollback(True)
    state, reason = enqueue_one(said)

    assert (state, reason) == (in_a_set.state, in_a_set.reason)
    alone = Message.objects.latest("id")
    for name in SAME.split():
        if name == "final_at" and reason == Reason.NO_ROUTE:  # the moment itself (routes.sql)
            continue
        assert getattr(alone, name) == getattr(whole, name), name
    if not more.get("refusal"):  # of several gates the first
        assert gates_of(alone.gates) == gates_of(whole.gates)[:1]


def test_what_was_there_before_is_left_alone(li_lei):
    said = draft(li_lei, NOTIFICATION, cause=Cause.RULE)
    enqueue_one(said)

    assert enqueue_one(replace(said, text="Twice")) == (None, None)
    assert Message.objects.get().text == said.text


def test_marketing_has_to_go_through_the_set(li_lei):
    with pytest.raises(Exception, match="enqueued by sms_enqueue"):
        enqueue_one(draft(li_lei))
