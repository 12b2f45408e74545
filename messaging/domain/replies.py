"""Automatic answers to inbound texts: composed at that instant, and only so many of them.

They are of the class trigger and go out to members who have opted out of marketing too: they asked. Two machines could
talk for ever: a phone gets so many answers an hour (a setting), and the same text is answered three times an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from constance import config

from members.domain.enrolment import phone_hash
from members.models import Member, Store
from messaging.domain import inbound_registry
from messaging.domain.inbound_registry import Words
from messaging.domain.outbox import Draft, enqueue, recipient_zone
from messaging.domain.texts import Composed, measured, system_text
from messaging.enums import Cause, MessageClass
from messaging.models import InboundText, Message
from messaging.rendering import compile_template, finish
from messaging.system_texts import in_language

SAME_TEXT_MAX = 3  # an hour
CONFIRMATION_EACH = timedelta(hours=24)
_HOUR = timedelta(hours=1)


def confirm_opt_out(text: InboundText, *, at: datetime) -> bool:
    """One confirmation in 24 hours, to numbers we have texted before; a stranger gets nothing."""
    before = InboundText.objects.filter(
        phone=text.phone, intent="opt_out", received_at__gt=at - CONFIRMATION_EACH
    ).exclude(pk=text.pk)
    return _is_known(text) and not before.exists() and say(text, "opted_out", {}, at=at)


def confirm_opt_in(text: InboundText, *, at: datetime) -> bool:
    """Say that texts will come again. True even when the answer was held back: the deed is done."""
    say(text, "opted_in", {}, at=at)
    return True


def explain(text: InboundText, *, at: datetime) -> bool:
    """Who we are and how to reach a person; to numbers we have texted before."""
    store = store_of(text)
    if store is None or not _is_known(text):
        return False
    return say(text, "help", {"store": store.name, "phone": store.phone}, at=at)


def tell(text: InboundText, member: Member, topic: str, *, at: datetime) -> bool:
    """The answer to a self-help topic, by whoever registered it. False: nobody answers this one by itself."""
    answer = inbound_registry.answer_to(topic)
    words = answer(member, at) if answer else None
    return words is not None and say_words(text, words, at=at)


def say(text: InboundText, key: str, values: Mapping[str, str], *, at: datetime) -> bool:
    """Queue one of the engine's own texts as the answer. False: held back, or there is no store to speak for."""
    store = store_of(text)
    if store is None or not _may_answer(text, at):
        return False
    message_class, composed = system_text(
        key,
        language=_language(text, store),
        values=values,
        signature=store.sms_signature,
        phone=text.phone,
    )
    _enqueue(text, store, message_class, composed, at)
    return True


def say_words(text: InboundText, words: Words, *, at: datetime) -> bool:
    """Queue an answer that a handler composed. False as for `say`."""
    store = store_of(text)
    if store is None or not _may_answer(text, at):
        return False
    body = compile_template(in_language(dict(words.texts), _language(text, store))).render(words.values)
    composed = measured(finish(body, signature=store.sms_signature, opt_out_text=""), text.phone)
    _enqueue(text, store, MessageClass.TRIGGER, composed, at)
    return True


def store_of(text: InboundText) -> Store | None:
    """The member's home store; for another number the store that texted it last."""
    if text.member:
        return text.member.home_store
    last = Message.objects.filter(phone=text.phone, member=None, store__isnull=False)
    message = last.order_by("-id").select_related("store").first()
    return message.store if message else None


def _enqueue(
    text: InboundText, store: Store, message_class: MessageClass, composed: Composed, at: datetime
) -> None:
    draft = Draft(
        phone=text.phone,
        phone_hash=phone_hash(text.phone),
        member_id=text.member.pk if text.member else None,
        store_id=store.pk,
        message_class=message_class,
        text=composed.text,
        encoding=composed.encoding,
        parts=composed.parts,
        cause=Cause.REPLY,
        cause_id=text.pk,
        timezone=recipient_zone(text.member, text.phone, store),
        language=_language(text, store),
        refusal=composed.refusal,
    )
    enqueue([draft], at=at)


def _may_answer(text: InboundText, at: datetime) -> bool:
    """Whether this phone has had its answers of the hour, or says the same again and again."""
    said = Message.objects.filter(
        phone=text.phone, cause=Cause.REPLY, cause_id__gt=0, created_at__gt=at - _HOUR
    ).count()
    if said >= config.INBOUND_ANSWERS_PER_HOUR:
        return False
    lately = InboundText.objects.filter(phone=text.phone, received_at__gt=at - _HOUR).exclude(pk=text.pk)
    texts = list(lately.order_by("-id").values_list("text", flat=True)[:20])
    return sum(one.strip().casefold() == text.text.strip().casefold() for one in texts) < SAME_TEXT_MAX


def _language(text: InboundText, store: Store) -> str:
    return text.member.language if text.member else store.language


def _is_known(text: InboundText) -> bool:
    if text.member is not None:
        return True
    return Message.objects.filter(phone=text.phone, member=None).exists()
