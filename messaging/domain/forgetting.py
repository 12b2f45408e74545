"""The texts of an erased person: that they were, with state and parts, stays; to whom and what they said does not."""

from __future__ import annotations

from datetime import datetime

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat

from members.domain.traces import BLANK, Traces, events_about
from messaging.enums import ConversationStatus
from messaging.models import (
    Conversation,
    InboundPart,
    InboundText,
    Message,
    Receipt,
    StaffReply,
    SubmittedPart,
)
from messaging.states import Reason, State, sources_of

NOBODY = b"\0" * 16


def forget(traces: Traces, *, at: datetime) -> None:
    """Stop what waits, blank number and words. Texts to others that name the person are blanked too.

    Suppressions stay as they are: a keyed hash, which a new import of the number meets again.
    """
    theirs = Q(member__in=traces.member_ids) | Q(phone_hash__in=traces.hashes)
    Message.objects.filter(theirs, state__in=sources_of(State.CANCELLED)).update(
        state=State.CANCELLED, reason=Reason.STOPPED, final_at=at
    )
    _forget_receipts(theirs)
    # (cause, cause_id, phone) stays unique: the row's own number stands in for the phone's
    pseudonym = Concat(Value("erased-"), Cast(F("pk"), CharField()))
    Message.objects.filter(theirs).update(phone=pseudonym, phone_hash=NOBODY, text=BLANK)
    told = Message.objects.filter(event__in=events_about(traces)).exclude(text=BLANK)
    naming = [message.pk for message in told.only("pk", "text") if traces.mentioned_in(message.text)]
    Message.objects.filter(pk__in=naming).update(text=BLANK)
    written = Q(member__in=traces.member_ids) | _from_numbers(traces)
    InboundText.objects.filter(written).update(phone="", text=BLANK, argument="")
    InboundPart.objects.filter(_from_numbers(traces)).delete()
    Receipt.objects.filter(_from_numbers(traces), matched_at=None).update(raw="", phone="")
    _forget_conversations(theirs, pseudonym, at)


def _forget_conversations(theirs: Q, pseudonym: Concat, at: datetime) -> None:
    """That there were some, with whom of the staff, stays; they are done."""
    found = Conversation.objects.filter(theirs)
    StaffReply.objects.filter(conversation__in=found.values("pk")).update(text=BLANK)
    found.update(
        phone=pseudonym,
        phone_hash=NOBODY,
        status=ConversationStatus.DONE,
        is_unread=False,
        snoozed_until=None,
        done_at=at,
    )


def _forget_receipts(theirs: Q) -> None:
    """A receipt as it came repeats number and words."""
    messages = Message.objects.filter(theirs).values("pk")
    ids = SubmittedPart.objects.filter(message__in=messages).values("provider_id")
    Receipt.objects.filter(provider_id__in=ids).update(raw="", phone="")


def _from_numbers(traces: Traces) -> Q:
    """As the carrier wrote the number: with plus, without, or nationally."""
    spellings = {spelling for phone in traces.phones for spelling in (phone, phone[1:], *traces.nationals)}
    return Q(phone__in=spellings)
