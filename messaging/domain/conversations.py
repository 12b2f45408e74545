"""The human inbox: what a person has to answer, who does it, by when. One conversation a phone, reopened by a text.

Stores keep their own: the member's home store, else the store that texted the number last; what is nobody's lies in a
pool for those in charge. Every verb here is written to the audit log, without the words.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from constance import config
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.enrolment import phone_hash
from members.enums import ConsentSource, Role
from members.models import Staff, Store
from members.refusals import Refused
from messaging.domain import replies
from messaging.domain.outbox import Draft, enqueue, recipient_zone
from messaging.domain.suppressions import suppress
from messaging.domain.texts import measured
from messaging.enums import URGENT, Cause, Concern, ConversationStatus, MessageClass
from messaging.linter import lint
from messaging.models import Conversation, InboundText, Message, StaffReply, TemplateVersion
from messaging.rendering import finish
from messaging.states import Reason

IN_CHARGE = (Role.MANAGER, Role.OWNER)
WOKEN_MAX = 500
_GRAVITY = (Concern.QUESTION, Concern.INCOMPLETE, Concern.SILENCE, Concern.LOST, Concern.DISPUTE)
_SNOOZES_MAX = timedelta(days=30)


class ReplyRefused(Refused):
    """The answer cannot go out like this."""

    code = "reply_refused"
    field = "text"


class NotYours(Refused):
    """This is for somebody else to do."""

    code = "not_yours"


def take(text: InboundText, *, concern: Concern, at: datetime, about: Message | None = None) -> Conversation:
    """Put an inbound text before a person: opens the phone's conversation, or opens it again. Safe to repeat.

    A conversation that is still open keeps its clock and the graver of its concerns.
    """
    store = replies.store_of(text)
    found, is_new = Conversation.objects.select_for_update().get_or_create(
        phone=text.phone,
        defaults={
            "phone_hash": phone_hash(text.phone),
            "concern": concern,
            "opened_at": at,
            "last_at": at,
            "member": text.member,
            "store": store,
            "about": about,
            "due_at": _due(concern, at),
        },
    )
    if not is_new:
        _open_again(found, text, store, concern, about, at)
    InboundText.objects.filter(pk=text.pk).update(conversation=found)
    return found


def mine(staff: Staff, store: Store, *, is_in_charge: bool) -> QuerySet[Conversation]:
    """The conversations a person at this store sees; those in charge also see the pool of nobody's."""
    seen = Q(store=store) | Q(store=None) if is_in_charge else Q(store=store)
    return Conversation.objects.filter(seen)


def unread(staff: Staff, store: Store, *, is_in_charge: bool, most: int = 99) -> int:
    """How many open ones nobody has looked at, as far as it is worth counting."""
    rows = mine(staff, store, is_in_charge=is_in_charge)
    open_ones = rows.filter(**Conversation.UNREAD)
    return len(open_ones.order_by().values_list("pk", flat=True)[:most])


@transaction.atomic
def reply(
    *,
    conversation: Conversation,
    text: str,
    by: Staff,
    key: UUID,
    at: datetime,
    version: TemplateVersion | None = None,
) -> StaffReply:
    """Answer by text, as class trigger; then it is the member's turn. The same key twice is one answer.

    Goes to members who opted out of marketing too: they asked. So the words may hold no promotion. Raises ReplyRefused
    (nothing to say, too long, reads like marketing, no store to sign for).
    """
    found = _locked(conversation)
    if earlier := StaffReply.objects.filter(key=key, conversation=found).first():
        return earlier
    store = found.store or (found.member.home_store if found.member else None)
    if store is None:
        raise ReplyRefused(_("Give it to a store first: its signature stands before the answer."))
    words = _checked(text)
    kept = StaffReply.objects.create(
        conversation=found, staff=by, key=key, text=words, template_version=version, at=at
    )
    kept.message_id = _send(kept, found, store, at)
    kept.save(update_fields=["message"])
    found.status, found.is_unread, found.last_at = ConversationStatus.WAITING, False, at
    found.answered_at, found.snoozed_until = found.answered_at or at, None
    found.owner = found.owner or by
    found.save()
    _write("conversation_answered", found, by, at, {"message": kept.message_id})
    return kept


@transaction.atomic
def assign(*, conversation: Conversation, to: Staff | None, by: Staff, at: datetime) -> Conversation:
    """Give it to somebody who works at its store, or to nobody. Raises NotYours."""
    found = _locked(conversation)
    if to is not None and found.store is not None and not _works_at(to, found.store):
        raise NotYours(_("%(who)s does not work at this store.") % {"who": to})
    before, found.owner = found.owner, to
    found.save(update_fields=["owner"])
    _write("conversation_assigned", found, by, at, {"from": str(before or ""), "to": str(to or "")})
    return found


@transaction.atomic
def hand_to_store(*, conversation: Conversation, store: Store, by: Staff, at: datetime) -> Conversation:
    """Out of the pool, or to another store, which answers from now on; nobody's there yet."""
    found = _locked(conversation)
    before, found.store, found.owner, found.is_unread = found.store, store, None, True
    found.save(update_fields=["store", "owner", "is_unread"])
    _write("conversation_assigned", found, by, at, {"from": str(before or ""), "to": str(store)})
    return found


@transaction.atomic
def snooze(*, conversation: Conversation, until: datetime, by: Staff, at: datetime) -> Conversation:
    """Put it off; it comes back by itself, or with the next text. At most 30 days."""
    found = _locked(conversation)
    found.status = ConversationStatus.WAITING
    found.snoozed_until = min(max(until, at), at + _SNOOZES_MAX)
    found.is_unread = False
    found.save(update_fields=["status", "snoozed_until", "is_unread"])
    _write("conversation_snoozed", found, by, at, {"until": found.snoozed_until})
    return found


@transaction.atomic
def finish_conversation(*, conversation: Conversation, by: Staff, at: datetime) -> Conversation:
    """Nothing more to do, until the phone says something. A dispute is ended by those in charge. Raises NotYours."""
    found = _locked(conversation)
    is_theirs = found.store is None or by.may(found.store.pk, *IN_CHARGE)
    if found.concern == Concern.DISPUTE and not is_theirs:
        raise NotYours(_("“This was not me” is ended by a manager or owner."))
    return _end(found, by, at, {"concern": found.concern})


@transaction.atomic
def stop_offers(*, conversation: Conversation, by: Staff, at: datetime) -> Conversation:
    """A person read in it that no more offers are wanted: the number is opted out as by STOP, and nothing is left to do.

    Except in a dispute: that stays as it is, with its owner, until those in charge end it.
    """
    # The phone's lock comes first, as at a STOP.
    suppress(bytes(conversation.phone_hash), ConsentSource.TEXT, at=at)
    found = _locked(conversation)
    if found.concern == Concern.DISPUTE:
        _write("offers_stopped", found, by, at, {"concern": found.concern})
        return found
    return _end(found, by, at, {"concern": found.concern, "marketing": "stopped"})


def _end(found: Conversation, by: Staff, at: datetime, told: dict[str, str]) -> Conversation:
    found.status, found.done_at, found.snoozed_until = ConversationStatus.DONE, at, None
    found.is_unread = False
    found.save(update_fields=["status", "done_at", "snoozed_until", "is_unread"])
    _write("conversation_done", found, by, at, told)
    return found


@transaction.atomic
def reopen(*, conversation: Conversation, by: Staff, at: datetime) -> Conversation:
    """It was not done after all."""
    found = _locked(conversation)
    found.status, found.done_at, found.snoozed_until = ConversationStatus.OPEN, None, None
    found.save(update_fields=["status", "done_at", "snoozed_until"])
    _write("conversation_reopened", found, by, at, {})
    return found


def mark_read(*, conversation: Conversation) -> None:
    """Somebody looks at it."""
    Conversation.objects.filter(pk=conversation.pk, is_unread=True).update(is_unread=False)


def wake_conversations(*, at: datetime) -> int:
    """Open what was put off until now. Safe to run twice."""
    due = Conversation.objects.filter(snoozed_until__lte=at).values_list("pk", flat=True)[:WOKEN_MAX]
    return Conversation.objects.filter(pk__in=list(due), snoozed_until__lte=at).update(
        status=ConversationStatus.OPEN, snoozed_until=None, is_unread=True
    )


def _open_again(
    found: Conversation,
    text: InboundText,
    store: Store | None,
    concern: Concern,
    about: Message | None,
    at: datetime,
) -> None:
    """A new round begins unless one is still open; a dispute always sets the clock to its own."""
    was_open = found.status == ConversationStatus.OPEN
    if not was_open:
        found.opened_at, found.answered_at, found.concern = at, None, concern
        found.due_at = _due(concern, at)
    elif _GRAVITY.index(concern) > _GRAVITY.index(Concern(found.concern)):
        found.concern = concern
        found.due_at = min(found.due_at or _due(concern, at), _due(concern, at))
    found.status, found.is_unread, found.last_at = ConversationStatus.OPEN, True, at
    found.snoozed_until = found.done_at = None
    found.member, found.about = text.member or found.member, about or found.about
    found.store = found.store or store
    found.save()


def _due(concern: Concern, at: datetime) -> datetime:
    minutes = config.DISPUTE_MINUTES if concern in URGENT else config.INBOX_ANSWER_MINUTES
    return at + timedelta(minutes=minutes)


def _checked(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if not words:
        raise ReplyRefused(_("Write an answer."))
    verdict = lint(words, settings.REGULARS_REGION)
    if verdict.is_promotional:
        raise ReplyRefused(
            _("This reads like marketing (%(words)s). An answer may only answer: leave the offer out.")
            % {"words": ", ".join(finding.word for finding in verdict.findings)}
        )
    return words


def _send(kept: StaffReply, found: Conversation, store: Store, at: datetime) -> int:
    composed = measured(finish(kept.text, signature=store.sms_signature, opt_out_text=""), found.phone)
    if composed.refusal != Reason.NONE:
        raise ReplyRefused(composed.refusal.label)
    draft = Draft(
        phone=found.phone,
        phone_hash=bytes(found.phone_hash),
        member_id=found.member_id,
        store_id=store.pk,
        message_class=MessageClass.TRIGGER,
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        cause=Cause.REPLY,
        cause_id=-kept.pk,  # an automatic answer has the id of the text it answers
        timezone=recipient_zone(found.member, found.phone, store),
        language=found.member.language if found.member else store.language,
        version_id=kept.template_version_id,
    )
    return enqueue([draft], at=at)[0].message_id


def _locked(conversation: Conversation) -> Conversation:
    rows = Conversation.objects.select_for_update(of=("self",))
    return rows.select_related("store", "member__home_store", "owner").get(pk=conversation.pk)


def _works_at(staff: Staff, store: Store) -> bool:
    return staff.is_active and (staff.is_superuser or staff.roles.filter(store=store).exists())


def _write(verb: str, found: Conversation, by: Staff, at: datetime, after: dict[str, Any]) -> None:
    audit.write(
        actor=by,
        verb=verb,
        subject=("conversation", str(found.public_id)),
        store=found.store,
        after=after,
        at=at,
    )
