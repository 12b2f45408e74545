"""What phones send us: joined, understood, acted upon, stored; all in the transaction that is acknowledged
after.

An inbound text may only reduce what we may send; the one exception is START (`suppressions.lift_by_text`).
Numbers we do not know get no answer to a question, so nobody can find out who is a member.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from members.domain.enrolment import phone_hash
from members.enums import ConsentSource
from members.models import Member
from members.phones import InvalidPhone, normalize, region_of
from messaging.domain import replies
from messaging.domain.suppressions import lift_by_text, suppress
from messaging.enums import MessageClass
from messaging.gateways.base import InboundSms
from messaging.inbound_grammar import Intent, classify_inbound
from messaging.models import InboundPart, InboundText, Message
from messaging.states import State

log = structlog.get_logger(__name__)

PARTS_WAIT = timedelta(hours=24)
MISSING = "…"
ANSWERED_TOPICS = ("balance", "card", "points")

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


def receive(texts: Sequence[Received], *, at: datetime) -> list[bool]:
    """Store each text with its effects, in its own transaction. False: it could not be stored, let it come
    again.
    """
    return [_receive_one(text, at) for text in texts]


def give_up_parts(*, at: datetime) -> int:
    """Pieces whose others never came: stored as one text for a person to read. Gives the number of texts."""
    late = InboundPart.objects.filter(received_at__lte=at - PARTS_WAIT)
    keys = set(late.values_list("gateway_id", "phone", "to", "reference", "total"))
    for gateway, phone, to, reference, total in keys:
        with transaction.atomic():
            pieces = _taken_pieces(gateway, phone, to, reference, total)
            if pieces:
                text = "".join(pieces.get(number, MISSING) for number in range(1, total + 1))
                sender = _sender(phone)
                member = _member_of(sender) if sender else None
                _store(gateway, sender or phone, to, text, member, Intent("human"), at)
    return len(keys)


def advertised_in(text: str) -> frozenset[str]:
    """The opt-out words a marketing text names at its end."""
    ending = text[-60:]
    return frozenset(_OFFER.findall(ending)) if _ABOUT_OPTING_OUT.search(ending) else frozenset()


def _receive_one(text: Received, at: datetime) -> bool:
    try:
        with transaction.atomic():
            _take_in(text.gateway, text.sms, at)
    except DatabaseError as problem:
        log.warning("inbound_not_stored", error=type(problem).__name__)
        return False
    return True


def _take_in(gateway: int, sms: InboundSms, at: datetime) -> None:
    text = sms.text if sms.part is None else _joined(gateway, sms, sms.part, at)
    if text is None:
        return
    phone = _sender(sms.phone)
    if phone is None:  # a short code or a name: nobody we could answer
        _store(gateway, sms.phone, sms.to, text, None, Intent("human"), at)
        return
    member = _member_of(phone)
    intent = classify_inbound(text, region=region_of(phone), advertised=_advertised_to(phone))
    stored = _store(gateway, phone, sms.to, text, member, intent, at)
    if _act(stored, intent, at):
        stored.handled_at = at
        stored.save(update_fields=["handled_at"])


def _act(text: InboundText, intent: Intent, at: datetime) -> bool:
    """Do what was asked. False leaves the text to a person."""
    if intent.kind == "opt_out":
        suppress(phone_hash(text.phone), ConsentSource.TEXT, at=at)
        replies.confirm_opt_out(text, at=at)
        return True
    if text.member is None:
        return intent.kind == "help" and replies.explain(text, at=at)
    if intent.kind == "opt_in":
        return lift_by_text(text.member, at=at) and replies.confirm_opt_in(text, at=at)
    if intent.kind == "help":
        return replies.explain(text, at=at)
    if intent.kind == "query" and intent.argument in ANSWERED_TOPICS:
        return replies.tell_balance(text, intent.argument, at=at)
    return False


def _store(
    gateway: int, phone: str, to: str, text: str, member: Member | None, intent: Intent, at: datetime
) -> InboundText:
    return InboundText.objects.create(
        gateway_id=gateway,
        phone=phone[:32],
        to=to[:32],
        text=text,
        member=member,
        intent=intent.kind,
        argument=intent.argument[:80],
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


def _advertised_to(phone: str) -> frozenset[str]:
    last = (
        Message.objects.filter(
            phone_hash=phone_hash(phone), message_class=MessageClass.MARKETING, submitted_at__isnull=False
        )
        .exclude(state=State.REJECTED)
        .order_by("-created_at")
        .values_list("text", flat=True)
        .first()
    )
    return advertised_in(last) if last else frozenset()


def _joined(gateway: int, sms: InboundSms, part: tuple[int, int, int], at: datetime) -> str | None:
    """The whole text when this was its last missing piece; else None, and the piece is kept."""
    reference, total, number = part
    InboundPart.objects.get_or_create(
        gateway_id=gateway,
        phone=sms.phone[:32],
        to=sms.to[:32],
        reference=reference,
        total=total,
        number=number,
        defaults={"text": sms.text, "received_at": at},
    )
    pieces = _taken_pieces(gateway, sms.phone[:32], sms.to[:32], reference, total, only_whole=True)
    return "".join(pieces[number] for number in sorted(pieces)) if pieces else None


def _taken_pieces(
    gateway: int, phone: str, to: str, reference: int, total: int, *, only_whole: bool = False
) -> dict[int, str]:
    """The pieces by number, taken out of the table; empty when somebody else took them or some are missing."""
    kept = InboundPart.objects.select_for_update().filter(
        gateway_id=gateway, phone=phone, to=to, reference=reference, total=total
    )
    pieces = {piece.number: piece.text for piece in kept}
    if only_whole and len(pieces) < total:
        return {}
    kept.delete()
    return pieces
