"""What phones send us: joined, stored, understood, acted upon; all in the transaction that is acknowledged after.

The order is that of the grammar (`PRECEDENCE`): opt-out, opt-in, help, an open question's answer, an interaction
keyword, a self-help query, a person. An inbound text may only reduce what we may send; the one exception is START
(`suppressions.lift_by_text`), and nobody logs in, pays or redeems by one. Numbers we do not know get no answer to a
question, so nobody can find out who is a member. The whole story: docs/inbound.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from members.domain.enrolment import phone_hash
from members.enums import ConsentSource
from members.models import Member
from members.phones import InvalidPhone, normalize, region_of
from messaging.domain import conversations, inbound_registry, questions, replies
from messaging.domain.inbound_parts import Joined, add_part, late_keys, take_late
from messaging.domain.inbound_registry import Question, Sender
from messaging.domain.suppressions import lift_by_text, suppress
from messaging.enums import Concern, MessageClass
from messaging.gateways.base import InboundSms
from messaging.inbound_alarms import alarm_in
from messaging.inbound_automatic import is_automatic
from messaging.inbound_grammar import Intent, classify_inbound
from messaging.models import InboundText, Message
from messaging.states import State

log = structlog.get_logger(__name__)

AUTOMATIC = Intent("human", "auto")  # stored as intent "auto"

# The letters a marketing text offers for opting out: 拒收请回复R, 回T退订, Reply STOP to opt out, Txt N to end.
_OFFER = re.compile(
    r"(?:回复?|reply(?: with)?|te?xt|send)\s*[:：]?\s*[“\"'‘]?([A-Za-z0-9]{1,12})", re.IGNORECASE
)
_ABOUT_OPTING_OUT = re.compile(
    r"退订|退訂|拒收|取消|opt[ -]?out|\bstop\b|\bend\b|unsub|cancel", re.IGNORECASE
)


class Received(NamedTuple):
    """An inbound text and the gateway it came by."""

    gateway: int
    sms: InboundSms


class Read(NamedTuple):
    """What a text means, and the open question it answers, if it answers one."""

    intent: Intent
    question: Question | None = None


def receive(texts: Sequence[Received], *, at: datetime) -> list[bool]:
    """Store each text with its effects, in its own transaction. False: it could not be stored, let it come
    again.
    """
    return [_receive_one(text, at) for text in texts]


def give_up_parts(*, at: datetime) -> int:
    """Pieces whose others never came: stored as one text for a person to read. Gives the number of texts."""
    return sum(_stored(partial(take_late, key), at) for key in late_keys(at))


def advertised_in(text: str) -> frozenset[str]:
    """The opt-out words a marketing text names at its end."""
    ending = text[-60:]
    return frozenset(_OFFER.findall(ending)) if _ABOUT_OPTING_OUT.search(ending) else frozenset()


def _receive_one(text: Received, at: datetime) -> bool:
    gateway, sms = text
    if sms.part is not None:
        return _stored(partial(add_part, gateway, sms, at), at)
    return _stored(lambda: [Joined(gateway, sms.phone, sms.to, sms.text, is_complete=True)], at)


def _stored(find: Callable[[], list[Joined]], at: datetime) -> bool:
    """Take in the texts it finds, in one transaction. False when anything falls over, and nothing is stored: one text
    never stops a gateway or a sweep.
    """
    try:
        with transaction.atomic():
            for joined in find():
                _take_in(joined, at)
    except Exception as problem:
        log.error("inbound_not_stored", error=type(problem).__name__)
        return False
    return True


def _take_in(joined: Joined, at: datetime) -> None:
    phone = _sender(joined.phone)
    if phone is None:  # a short code or a name: nobody we could answer
        _store(joined, joined.phone, None, Intent("human"), at)
        return
    sender = Sender(phone, phone_hash(phone), _member_of(phone))
    # words of which a part is missing may say anything
    read = _understood(joined.text, sender, at) if joined.is_complete else Read(Intent("human"))
    stored = _store(joined, phone, sender.member, read.intent, at)
    if read.intent.kind == "opt_out":  # silence first, whatever comes of the rest
        suppress(sender.phone_hash, ConsentSource.TEXT, at=at)
    if _done(stored, sender, read, at):
        stored.handled_at = at
        stored.save(update_fields=["handled_at"])
    elif stored.handled_at is None:
        concern = Concern.QUESTION if joined.is_complete else Concern.INCOMPLETE
        conversations.take(stored, concern=concern, at=at)


def _understood(text: str, sender: Sender, at: datetime) -> Read:
    """`_read`; where a question or a keyword of others falls over, an opt-out at least is understood."""
    try:
        with transaction.atomic():
            return _read(text, sender, at)
    except DatabaseError:
        raise
    except Exception as problem:
        log.error("inbound_not_read", error=type(problem).__name__)
        intent = classify_inbound(text, region=region_of(sender.phone))
        return Read(intent if intent.kind == "opt_out" else Intent("human"))


def _done(text: InboundText, sender: Sender, read: Read, at: datetime) -> bool:
    """`_act`; where a handler falls over, what it did is taken back and a person looks: one text never stops a gateway,
    which would only be sent it again.
    """
    try:
        with transaction.atomic():
            return _act(text, sender, read, at)
    except DatabaseError:
        raise
    except Exception as problem:
        log.error("inbound_not_handled", intent=read.intent.kind, error=type(problem).__name__)
        text.refresh_from_db()
        return False


def _read(text: str, sender: Sender, at: datetime) -> Read:
    """The newest open question that owns the answer gets it; else the text is read without a question."""
    context: dict[str, Any] = {
        "region": region_of(sender.phone),
        "advertised": _advertised_to(sender.phone_hash),
        "keywords": inbound_registry.keywords() or None,
    }
    for question in inbound_registry.open_questions(sender, at):
        intent = classify_inbound(text, pending=question.answers, **context)
        if intent.kind == "answer":
            return Read(intent, question)
    intent = classify_inbound(text, **context)
    if intent.kind != "opt_out" and is_automatic(text):
        return Read(AUTOMATIC)
    if intent.kind in ("query", "human") and (alarm := alarm_in(text)):
        return Read(Intent("human", alarm))
    return Read(intent)


def _act(text: InboundText, sender: Sender, read: Read, at: datetime) -> bool:
    """Do what was asked. False leaves the text to a person."""
    intent, question = read
    if intent == AUTOMATIC:
        return True
    if intent.kind == "opt_out":
        return _opt_out(text, intent, at)
    if question is not None:
        return question.take(text, intent.argument, at)
    if intent.kind == "help":
        return replies.explain(text, at=at)
    if intent.kind == "keyword":
        return _play(text, intent.argument, at)
    if intent.kind == "human" and intent.argument:
        return questions.take_alarm(text, sender, Concern(intent.argument), at=at)
    if sender.member is None:
        return False
    if intent.kind == "opt_in":
        return lift_by_text(sender.member, at=at) and replies.confirm_opt_in(text, at=at)
    if intent.kind == "query":
        return replies.tell(text, sender.member, intent.argument, at=at)
    return False


def _opt_out(text: InboundText, intent: Intent, at: datetime) -> bool:
    """Say so; words that only sound like it are looked at by a person afterwards."""
    replies.confirm_opt_out(text, at=at)
    if intent.argument == "phrase":
        conversations.take(text, concern=Concern.SILENCE, at=at)
    return True


def _play(text: InboundText, said: str, at: datetime) -> bool:
    """Hand it to whoever owns the keyword it opens with."""
    takers = inbound_registry.keywords()
    word = said.casefold()
    take = takers.get(word) or takers.get(re.sub(r"[\s\d]+$", "", word))
    return take is not None and take(text, said, at)


def _store(joined: Joined, phone: str, member: Member | None, intent: Intent, at: datetime) -> InboundText:
    is_automatic_text = intent == AUTOMATIC
    return InboundText.objects.create(
        gateway_id=joined.gateway,
        phone=phone[:32],
        to=joined.to[:32],
        text=joined.text,
        member=member,
        intent="auto" if is_automatic_text else intent.kind,
        argument="" if is_automatic_text else intent.argument[:80],
        is_complete=joined.is_complete,
        received_at=at,
    )


def _sender(raw: str) -> str | None:
    try:
        return normalize(raw, settings.REGULARS_REGION)
    except InvalidPhone:
        return None


def _member_of(phone: str) -> Member | None:
    member = (
        Member.objects.select_related("home_store", "merged_into__home_store").filter(phone=phone).first()
    )
    return (member.merged_into or member) if member else None


def _advertised_to(hashed: bytes) -> frozenset[str]:
    last = (
        Message.objects.filter(
            phone_hash=hashed, message_class=MessageClass.MARKETING, submitted_at__isnull=False
        )
        .exclude(state=State.REJECTED)
        .order_by("-created_at")
        .values_list("text", flat=True)
        .first()
    )
    return advertised_in(last) if last else frozenset()
