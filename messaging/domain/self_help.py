"""Answers to what members ask by text, composed from the ledger at that instant: balance, points, card, services, coupons.

A number is one member's; with several cards the answer names each. Registered in `MessagingConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import Q, Sum

from members.amounts import format_minor
from members.enums import STORED_VALUE, AccountKind, CardStatus
from members.models import Account, Card, Coupon, CouponState, Lot, Member
from messaging.domain import inbound_registry
from messaging.domain.inbound_registry import Words
from messaging.system_texts import ANSWERS, in_language

GONE = (CardStatus.CLOSED, CardStatus.REPLACED)
NAMED_MAX = 4  # cards, coupons: a text is short


def balance(member: Member, at: datetime) -> Words | None:
    """Principal, bonus and points; with several cards also what is on each."""
    held = _held(member)
    principal, bonus = held[AccountKind.PRINCIPAL], held[AccountKind.BONUS]
    values = {
        "balance": _money(principal + bonus, member),
        "principal": _money(principal, member),
        "bonus": _money(bonus, member),
        "points": str(held[AccountKind.POINTS]),
        "cards": _each_card(member),
    }
    return Words(ANSWERS["balance_of_cards" if values["cards"] else "balance"], values)


def points(member: Member, at: datetime) -> Words | None:
    return Words(ANSWERS["points"], {"points": str(_held(member)[AccountKind.POINTS])})


def card(member: Member, at: datetime) -> Words | None:
    """Each card with its number's end, its state if it is not usable, and what is on it."""
    cards = _cards(member)
    if not cards:
        return Words(ANSWERS["no_card"])
    said = [_card_words(one, member, at) for one in cards[:NAMED_MAX]]
    return Words(ANSWERS["cards"], {"cards": _listed(said, member)})


def services(member: Member, at: datetime) -> Words | None:
    """What is left of each count card."""
    left = [(one, _services_on(one, at)) for one in _cards(member)]
    said = [f"{one.product.name} {number}" for one, number in left if number is not None]
    if not said:
        return Words(ANSWERS["no_services"])
    return Words(ANSWERS["services"], {"services": _listed(said[:NAMED_MAX], member)})


def coupons(member: Member, at: datetime) -> Words | None:
    """How many can be used now, and which."""
    usable = Coupon.objects.filter(member=member, state=CouponState.ISSUED).filter(
        Q(active_from=None) | Q(active_from__lte=at), Q(expires_at=None) | Q(expires_at__gt=at)
    )
    names = list(usable.order_by("expires_at", "id").values_list("definition__name", flat=True)[:50])
    if not names:
        return Words(ANSWERS["no_coupons"])
    values = {"number": str(len(names)), "coupons": _listed(names[:NAMED_MAX], member)}
    return Words(ANSWERS["coupons"], values)


def register() -> None:
    """Answer the topics that the ledger knows."""
    for topic in (balance, points, card, services, coupons):
        inbound_registry.answer_topic(topic.__name__, topic)


def _held(member: Member) -> dict[str, int]:
    held: dict[str, int] = dict.fromkeys(AccountKind.values, 0)
    rows = Account.objects.filter(member=member).exclude(card__status__in=GONE)
    return held | {kind: total or 0 for kind, total in rows.values_list("kind").annotate(Sum("balance"))}


def _cards(member: Member) -> Sequence[Card]:
    cards = Card.objects.filter(member=member).exclude(status__in=GONE)
    return list(cards.select_related("product").order_by("id"))


def _each_card(member: Member) -> str:
    """What is on each card that has stored value, when there are several."""
    rows = Account.objects.filter(member=member, kind__in=STORED_VALUE).exclude(card__status__in=GONE)
    sums = rows.values_list("card__number").annotate(Sum("balance")).order_by("card__number")
    said = [f"{_end(number)} {_money(total or 0, member)}" for number, total in sums if total]
    return _listed(said[:NAMED_MAX], member) if len(said) > 1 else ""


def _card_words(one: Card, member: Member, at: datetime) -> str:
    number = _services_on(one, at)
    if number is not None:
        held = in_language(ANSWERS["times"], member.language).replace("{number}", str(number))
    else:
        rows = Account.objects.filter(card=one, kind__in=STORED_VALUE).aggregate(total=Sum("balance"))
        held = _money(rows["total"] or 0, member)
    frozen = in_language(ANSWERS["frozen"], member.language) if one.status != CardStatus.ACTIVE else ""
    return f"{_end(one.number)} {held}{frozen}"


def _services_on(one: Card, at: datetime) -> int | None:
    """The services left on a count card; None for another card."""
    if one.product.kind != "services":
        return None
    lots = Lot.objects.filter(account__card=one, account__kind=AccountKind.SERVICES, remaining__gt=0)
    usable = lots.filter(Q(expires_at=None) | Q(expires_at__gt=at))
    return int(usable.aggregate(total=Sum("remaining"))["total"] or 0)


def _end(number: str) -> str:
    return f"…{number[-4:]}"


def _listed(said: Sequence[str], member: Member) -> str:
    return ("，" if member.language == "zh-hans" else ", ").join(said)


def _money(minor: int, member: Member) -> str:
    return format_minor(minor, settings.REGULARS_CURRENCY, member.language or "en")
