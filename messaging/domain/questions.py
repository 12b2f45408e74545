"""The questions messaging itself leaves open: a code it sent, and "not you? reply 0" under a debit notice.

Registered in `MessagingConfig.ready`; bookings, surveys and the like are registered by the packages that ask them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from constance import config
from django.utils.translation import gettext as _

from members.domain import audit, card_states
from members.domain.ledger import Actor
from members.enums import CardStatus
from members.models import Card
from members.refusals import Refused
from messaging.domain import conversations, inbound_registry, replies
from messaging.domain.inbound_registry import Question, Sender
from messaging.domain.verification import live_code_of
from messaging.enums import Concern, MessageClass
from messaging.models import Conversation, InboundText, Message

log = structlog.get_logger(__name__)

DISPUTABLE_FOR = timedelta(hours=72)
LOOKED_AT = 20  # the newest texts to the phone
_OFFERS_DISPUTE = re.compile(
    r"(?:非本人|不是您?本人|不是您|如非您?)[^。.]{0,12}?(?:回复?|请?回复)\s*[“\"]?0"
    r"|not (?:you|yours|made by you)\s*\?\s*(?:please )?(?:reply|text|send)\s*(?:with )?[“\"']?0",
    re.IGNORECASE,
)
BY_TEXT = Actor("text")
HIDDEN = "••••"


def code_question(sender: Sender, at: datetime) -> Iterator[Question]:
    """While a code is valid, its digits belong on the page, not here: nobody logs in or pays by a text."""
    live = live_code_of(sender.phone, at)
    if live is not None:
        yield Question("code", {live.code: ""}, live.asked_at, _refuse_code)


def dispute_question(sender: Sender, at: datetime) -> Iterator[Question]:
    """The newest notice of the last three days that offers "not you? reply 0" and was not answered so before."""
    notice = _disputable(sender, at)
    if notice is not None:

        def take(text: InboundText, answer: str, moment: datetime) -> bool:
            return open_dispute(text, notice, at=moment)

        yield Question("dispute", {"0": ("not me", "不是我", "非本人")}, notice.created_at, take)


def open_dispute(text: InboundText, notice: Message, *, at: datetime) -> bool:
    """A task for a manager, an audit row, and a word to the member. Freezes the card only if the house says so.

    The setting DISPUTE_FREEZES_CARD; the deed itself is not undone by anything but a person.
    """
    found = conversations.take(text, concern=Concern.DISPUTE, at=at, about=notice)
    is_frozen = bool(config.DISPUTE_FREEZES_CARD) and _freeze(notice, found, at)
    audit.write(
        actor=BY_TEXT,
        verb="dispute_opened",
        subject=found,
        store=found.store,
        after={"message": str(notice.public_id), "is_frozen": is_frozen},
        at=at,
    )
    _say(text, "disputed_frozen" if is_frozen else "disputed", at)
    return True


def take_alarm(text: InboundText, sender: Sender, concern: Concern, *, at: datetime) -> bool:
    """Own words for "not me" or a lost card: soon before a person, and a word to the member.

    Where a notice that offers "reply 0" is open, "not me" is that answer. Else nothing is frozen by it.
    """
    notice = _disputable(sender, at) if concern == Concern.DISPUTE else None
    if notice is not None:
        return open_dispute(text, notice, at=at)
    conversations.take(text, concern=concern, at=at)
    if sender.member is not None:
        _say(text, "disputed", at)
    return True


def register() -> None:
    """Ask these questions."""
    inbound_registry.ask_questions("code", code_question)
    inbound_registry.ask_questions("dispute", dispute_question)


def _refuse_code(text: InboundText, answer: str, at: datetime) -> bool:
    InboundText.objects.filter(pk=text.pk).update(text=HIDDEN, argument="")
    text.text = HIDDEN
    replies.say(text, "code_not_by_text", {}, at=at)
    return True


def _say(text: InboundText, key: str, at: datetime) -> None:
    store = replies.store_of(text)
    replies.say(text, key, {"phone": store.phone if store else ""}, at=at)


def _disputable(sender: Sender, at: datetime) -> Message | None:
    sent = Message.objects.filter(created_at__gt=at - DISPUTABLE_FOR, submitted_at__isnull=False)
    mine = sent.filter(member=sender.member, phone=sender.phone) if sender.member else sent.none()
    notices = mine.exclude(message_class=MessageClass.MARKETING).order_by("-id")[:LOOKED_AT]
    notice = next((one for one in notices if _OFFERS_DISPUTE.search(one.text)), None)
    if notice and Conversation.objects.filter(phone=sender.phone, about=notice).exists():
        return None
    return notice


def _freeze(notice: Message, found: Conversation, at: datetime) -> bool:
    operation = notice.event.operation if notice.event else None
    card: Card | None = operation.card if operation else None
    if operation is None or card is None or card.status != CardStatus.ACTIVE:
        return False
    try:
        card_states.freeze(
            actor=BY_TEXT,
            key=f"dispute:{notice.pk}",
            at=at,
            store=operation.store,
            card=card,
            note=_("“Not me” by text"),
        )
    except Refused as refused:
        log.warning("dispute_not_frozen", conversation=found.pk, code=refused.code)
        return False
    return True
