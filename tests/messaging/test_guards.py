"""What the database refuses about texts, whoever asks. Its moves of state: tests/house/test_message_states.py."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from members.models import Member, Staff
from messaging.domain.outbox import Draft, enqueue
from messaging.domain.texts import save_draft
from messaging.enums import Cause, MessageClass
from messaging.models import Message, Template, TemplateVersion
from messaging.states import State
from tests.conftest import NOON


@pytest.fixture
def message(li_lei: Member) -> Message:
    """A queued text to Li Lei."""
    draft = Draft(
        phone=li_lei.phone,
        phone_hash=bytes(li_lei.phone_hash),
        member_id=li_lei.pk,
        store_id=li_lei.home_store_id,
        message_class=MessageClass.NOTIFICATION,
        text="Your table is ready",
        encoding="GSM-7",
        parts=1,
        cause=Cause.API,
        cause_id=1,
        timezone="Asia/Shanghai",
    )
    enqueue([draft], at=now())
    return Message.objects.get()


def sql(statement: str, *parameters: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_one_cause_has_one_text_to_a_phone(message):
    columns = [
        field.column
        for field in Message._meta.fields
        if field.column not in ("id", "public_id", "created_at")
    ]
    names = ", ".join(columns)

    with pytest.raises(DatabaseError, match="message_once"):
        sql(
            f"INSERT INTO messaging_message (public_id, {names}) SELECT gen_random_uuid(), {names}"
            " FROM messaging_message"
        )


@pytest.mark.parametrize(
    ("road", "refused"),
    [
        ([State.SUBMITTING, State.ACCEPTED, State.DELIVERED], State.QUEUED),  # delivered is not sent again
        ([State.SUBMITTING, State.ACCEPTED], State.QUEUED),  # nor is what the carrier has
        ([State.CANCELLED], State.QUEUED),  # what was stopped stays stopped
        ([State.SUPPRESSED], State.SUBMITTING),  # an opt-out is not jumped over
        ([], State.DELIVERED),  # nothing is delivered that was not sent
        ([State.SUBMITTING], State.CANCELLED),  # nothing is taken back that may be on the air
    ],
)
def test_a_text_only_goes_forward(message, road, refused):
    for state in road:
        sql("UPDATE messaging_message SET state = %s WHERE id = %s", state, message.pk)

    with pytest.raises(DatabaseError, match="a message cannot go from"):
        sql("UPDATE messaging_message SET state = %s WHERE id = %s", refused, message.pk)


def test_many_at_once_are_refused_if_one_may_not_move(message):
    Message.objects.filter(pk=message.pk).update(state=State.SUPPRESSED)

    with pytest.raises(DatabaseError, match="a message cannot go from suppressed to queued"):
        sql("UPDATE messaging_message SET state = 'queued'")


@pytest.fixture
def version(mei: Staff) -> TemplateVersion:
    """A marketing text that waits for a second person."""
    template = Template.objects.create(key="promo", name="Promo", message_class=MessageClass.MARKETING)
    return save_draft(template=template, language="en", text="20% off today", by=mei, at=NOON)


def test_no_approval_without_the_hash_of_what_was_approved(version):
    with pytest.raises(DatabaseError, match="template_approval_bound"):
        sql("UPDATE messaging_templateversion SET status = 'approved' WHERE id = %s", version.pk)


def test_a_language_has_one_approved_wording(version, mei):
    other = save_draft(template=version.template, language="en", text="30% off today", by=mei, at=NOON)
    approve = (
        "UPDATE messaging_templateversion SET status = 'approved', approved_hash = content_hash WHERE id = %s"
    )
    sql(approve, version.pk)

    with pytest.raises(DatabaseError, match="template_one_approved"):
        sql(approve, other.pk)
