"""The texts between a shop and a member: what came, why it came, and what the member wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.shell.formats import store_time
from members.enums import Purpose
from members.event_types import EVENT_TYPES
from members.models import ConsentEntry, CustomEventType, Member, MembershipEvent
from messaging.domain.texts import shown_text
from messaging.enums import Cause, MessageClass
from messaging.models import InboundText, Message
from messaging.states import State

PAGE = 20
# Kept back, or taken back before it left: no text of this kind has reached or will reach the phone.
_NEVER_LEFT = (State.HELD, State.SUPPRESSED, State.CANCELLED, State.EXPIRED, State.QUARANTINED)
_WAITING = (State.QUEUED, State.RETRY_WAIT)

WHY: dict[str, Promise] = {
    "member_enrolled": _("Because you became a member on %(when)s."),
    "card_opened": _("Because your card was opened on %(when)s."),
    "card_recharged": _("Because your card was recharged on %(when)s."),
    "card_spent": _("Because you paid on %(when)s."),
    "points_redeemed": _("Because you redeemed points on %(when)s."),
    "card_refunded": _("Because something was refunded to you on %(when)s."),
    "card_frozen": _("Because your card was frozen on %(when)s."),
    "card_unfrozen": _("Because your card was made active again on %(when)s."),
    "card_replaced": _("Because your card was replaced on %(when)s."),
    "card_closed": _("Because your card was closed on %(when)s."),
    "recharge_refunded": _("Because a recharge was paid back to you on %(when)s."),
    "services_sold": _("Because you bought services on %(when)s."),
    "service_taken": _("Because you used a service on %(when)s."),
    "service_returned": _("Because a service was given back to you on %(when)s."),
    "value_held": _("Because value on your card was set aside on %(when)s."),
    "hold_ended": _("Because value that was set aside was set free on %(when)s."),
    "value_sent": _("Because you passed value on to somebody on %(when)s."),
    "value_received": _("Because somebody passed value on to you on %(when)s."),
    "value_adjusted": _("Because the shop corrected your card on %(when)s."),
    "value_expiring": _("Because value on your card ends soon, seen on %(when)s."),
    "balance_low": _("Because your balance was low on %(when)s."),
    "points_earned": _("Because you earned points on %(when)s."),
    "coupon_issued": _("Because you were given a coupon on %(when)s."),
    "coupon_expiring": _("Because a coupon of yours ends soon, seen on %(when)s."),
    "tier_changed": _("Because your tier changed on %(when)s."),
    "phone_change_asked": _("Because a change of your number was asked for on %(when)s."),
    "phone_changed": _("Because your number was changed on %(when)s."),
    "booking_made": _("Because a booking was made for you on %(when)s."),
    "customer_arrived": _("Because you arrived on %(when)s."),
    "call_missed": _("Because we missed your call on %(when)s."),
    "fund_moved": _("Because money moved on your account on %(when)s."),
}


@dataclass(frozen=True)
class Letter:
    """One text, either way. `why` is empty for what the member wrote."""

    text: str
    at: datetime
    is_mine: bool = False
    why: str = ""
    store: str = ""
    message_class: str = ""
    state: str = ""


@dataclass(frozen=True)
class CorrespondencePage:
    """Texts, newest first, and the moment before which the next older page begins, if there is one."""

    letters: list[Letter]
    older: datetime | None


def correspondence_page(
    member: Member, *, before: datetime | None = None, size: int = PAGE
) -> CorrespondencePage:
    """The texts before a moment, or the newest. Texts of one and the same moment are never torn apart."""
    streams: tuple[QuerySet[Any], ...] = (_sent_to(member), _written_by(member))
    sent, written = (_cut(rows, before, size) for rows in streams)
    whys = _Whys(member, sent)
    letters = [_letter(message, whys) for message in sent]
    letters += [Letter(text.text, text.received_at, is_mine=True) for text in written]
    letters.sort(key=lambda letter: letter.at, reverse=True)
    if len(letters) < size:
        return CorrespondencePage(letters, None)
    last = letters[size - 1].at
    has_older = any(rows.filter(moment__lt=last).exists() for rows in streams)
    return CorrespondencePage([one for one in letters if one.at >= last], last if has_older else None)


def _written_by(member: Member) -> QuerySet[InboundText]:
    return InboundText.objects.filter(member=member).annotate(moment=F("received_at"))


def _sent_to(member: Member) -> QuerySet[Message]:
    waiting_offer = Q(message_class=MessageClass.MARKETING, state__in=_WAITING)
    sent = Message.objects.filter(member=member).exclude(state__in=_NEVER_LEFT).exclude(waiting_offer)
    return sent.select_related("store", "event__store").annotate(
        moment=Coalesce("submitted_at", "created_at")
    )


def _cut(rows: QuerySet[Any], before: datetime | None, size: int) -> list[Any]:
    """As many as a page may need, with everything of the last moment."""
    if before:
        rows = rows.filter(moment__lt=before)
    rows = rows.order_by("-moment", "-id")
    found = list(rows[:size])
    if len(found) == size:
        found += rows.filter(moment=found[-1].moment, id__lt=found[-1].pk)
    return found


def _letter(message: Any, whys: _Whys) -> Letter:
    return Letter(
        text=shown_text(message),
        at=message.moment,
        why=whys.of(message),
        store=message.store.name if message.store else "",
        message_class=str(MessageClass(message.message_class).label),
        state=message.state,
    )


class _Whys:
    """The reasons of a page of messages, with what they need read once."""

    def __init__(self, member: Member, messages: Sequence[Message]) -> None:
        self._consents = list(
            ConsentEntry.objects.filter(member=member, purpose=Purpose.MARKETING, is_given=True).order_by(
                "-at", "-id"
            )
        )
        own = {
            m.event.type.partition(".")[2] for m in messages if m.event and m.event.type not in EVENT_TYPES
        }
        self._labels = dict(CustomEventType.objects.filter(name__in=own).values_list("name", "label"))

    def of(self, message: Message) -> str:
        """Why this text was sent, in a sentence to the member."""
        if message.event:
            return self._event(message.event)
        if message.message_class == MessageClass.MARKETING:
            return self._offer(message)
        return str(_BY_CAUSE[Cause(message.cause)])

    def _event(self, event: MembershipEvent) -> str:
        if event.type in WHY:
            return WHY[event.type] % {"when": _day(event.at, event.store.timezone)}
        label = self._labels.get(event.type.partition(".")[2], event.type)
        return gettext("Because of this on %(when)s: %(what)s") % {
            "when": _day(event.at, event.store.timezone),
            "what": label,
        }

    def _offer(self, message: Message) -> str:
        given = next((entry for entry in self._consents if entry.at <= message.created_at), None)
        if given is None:
            return gettext("Because you agreed to marketing texts.")
        return gettext("Because you agreed to marketing texts on %(when)s (%(where)s).") % {
            "when": _day(given.at, None),
            "where": given.get_source_display(),
        }


_BY_CAUSE: dict[Cause, Promise] = {
    Cause.RULE: _("Because of something that happened on your account."),
    Cause.RUN: _("Because the shop had news for its members."),
    Cause.CODE: _("Because a code was asked for this number."),
    Cause.REPLY: _("Because you texted us."),
    Cause.API: _("Because a system that works for the shop reported something about you."),
}


def _day(moment: datetime, zone: str | None) -> str:
    return store_time(moment, ZoneInfo(zone) if zone else timezone.get_current_timezone(), "date").text
