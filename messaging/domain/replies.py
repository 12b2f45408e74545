"""Automatic answers to inbound texts: composed at that instant, never more than five an hour to one phone.

They are of the class trigger and go out to members who have opted out of marketing too: they asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum

from members.amounts import format_minor
from members.domain.enrolment import phone_hash
from members.enums import AccountKind, CardStatus
from members.models import Account, Member, Store
from messaging.domain.outbox import Draft, enqueue, recipient_zone
from messaging.domain.texts import system_text
from messaging.enums import Cause
from messaging.models import InboundText, Message

PER_HOUR_MAX = 5
CONFIRMATION_EACH = timedelta(hours=24)


def confirm_opt_out(text: InboundText, *, at: datetime) -> bool:
    """One confirmation in 24 hours, to numbers we have texted before; a stranger gets nothing."""
    before = InboundText.objects.filter(
        phone=text.phone, intent="opt_out", received_at__gt=at - CONFIRMATION_EACH
    ).exclude(pk=text.pk)
    return _is_known(text) and not before.exists() and _answer(text, "opted_out", {}, at)


def confirm_opt_in(text: InboundText, *, at: datetime) -> bool:
    """Say that texts will come again. True even when the answer was held back: the deed is done."""
    _answer(text, "opted_in", {}, at)
    return True


def explain(text: InboundText, *, at: datetime) -> bool:
    """Who we are and how to reach a person; to numbers we have texted before."""
    store = _store_of(text)
    if store is None or not _is_known(text):
        return False
    return _answer(text, "help", {"store": store.name, "phone": store.phone}, at)


def tell_balance(text: InboundText, topic: str, *, at: datetime) -> bool:
    """The member's balance or points as the ledger has them now."""
    member = text.member
    assert member is not None, "only members have a balance"
    return _answer(text, "points" if topic == "points" else "balance", _balances(member), at)


def _balances(member: Member) -> dict[str, str]:
    held: dict[str, int] = dict.fromkeys(AccountKind.values, 0)
    rows = (
        Account.objects.filter(member=member)
        .exclude(card__status__in=[CardStatus.CLOSED, CardStatus.REPLACED])
        .values_list("kind")
        .annotate(Sum("balance"))
    )
    held |= {kind: balance or 0 for kind, balance in rows}
    principal, bonus = held[AccountKind.PRINCIPAL], held[AccountKind.BONUS]
    return {
        "balance": _money(principal + bonus, member.language),
        "principal": _money(principal, member.language),
        "bonus": _money(bonus, member.language),
        "points": str(held[AccountKind.POINTS]),
    }


def _money(minor: int, language: str) -> str:
    return format_minor(minor, settings.REGULARS_CURRENCY, language or "en")


def _answer(text: InboundText, key: str, values: Mapping[str, str], at: datetime) -> bool:
    """Queue an answer, unless this phone has had enough of them (two machines could talk for ever)."""
    said = Message.objects.filter(
        phone=text.phone, cause=Cause.REPLY, created_at__gt=at - timedelta(hours=1)
    ).count()
    store = _store_of(text)
    if said >= PER_HOUR_MAX or store is None:
        return False
    language = text.member.language if text.member else store.language
    message_class, composed = system_text(
        key, language=language, values=values, signature=store.sms_signature, phone=text.phone
    )
    enqueue(
        [
            Draft(
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
                language=language,
                refusal=composed.refusal,
            )
        ],
        at=at,
    )
    return True


def _is_known(text: InboundText) -> bool:
    return text.member is not None or Message.objects.filter(phone=text.phone).exists()


def _store_of(text: InboundText) -> Store | None:
    """The member's home store; for another number the store that texted it last."""
    if text.member:
        return text.member.home_store
    last = (
        Message.objects.filter(phone=text.phone, store__isnull=False).order_by("-id").select_related("store")
    )
    message = last.first()
    return message.store if message else None
