"""What a member owns: cards with their balances, points, and which part of it ends when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import segno
from django.utils.safestring import SafeString, mark_safe

from members.enums import AccountKind, CardStatus
from members.models import Account, Card, CardKind, CardPause, Lot, Member, Sharer

SOON = timedelta(days=30)


@dataclass(frozen=True)
class Ending:
    """Value of one kind that ends on one day: money in minor units, or points."""

    kind: str
    amount: int
    at: datetime
    is_soon: bool
    is_over: bool

    @property
    def is_points(self) -> bool:
        return self.kind == AccountKind.POINTS

    @property
    def is_services(self) -> bool:
        return self.kind == AccountKind.SERVICES

    @property
    def label(self) -> str:
        return str(AccountKind(self.kind).label)


@dataclass
class HeldCard:
    """One card with what is on it, in minor units."""

    card: Card
    principal_minor: int = 0
    bonus_minor: int = 0
    services: int = 0
    is_paused: bool = False
    sharers: list[str] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)

    @property
    def balance_minor(self) -> int:
        return self.principal_minor + self.bonus_minor

    @property
    def services_shown(self) -> int | None:
        """The services of a count card; None for a card that has none."""
        return self.services if self.is_count_card else None

    @property
    def is_count_card(self) -> bool:
        return self.card.product.kind == CardKind.SERVICES

    @property
    def is_usable(self) -> bool:
        return self.card.status == CardStatus.ACTIVE

    @property
    def spoken_number(self) -> str:
        """The number in groups of four, as it is read out."""
        number = self.card.number
        return " ".join(number[start : start + 4] for start in range(0, len(number), 4))

    @property
    def qr_svg(self) -> SafeString:
        return qr_of(self.card.number)


@dataclass
class Holdings:
    """Everything a member owns now."""

    cards: list[HeldCard]
    points: int = 0
    point_endings: list[Ending] = field(default_factory=list)

    @property
    def points_that_stay(self) -> int:
        return self.points - sum(ending.amount for ending in self.point_endings)


def holdings_of(member: Member, *, at: datetime) -> Holdings:
    """The member's cards, usable ones first and newest first, and points; in three queries, five with count cards."""
    own = Card.objects.filter(member=member).select_related("store", "product__service_group")
    cards = {card.pk: HeldCard(card) for card in own.order_by("-id")}
    held = Holdings(sorted(cards.values(), key=lambda one: not one.is_usable))
    for account in Account.objects.filter(member=member):
        balance = account.balance or 0
        if account.kind == AccountKind.POINTS:
            held.points = balance
        elif account.card_id in cards and account.kind == AccountKind.PRINCIPAL:
            cards[account.card_id].principal_minor = balance
        elif account.card_id in cards and account.kind == AccountKind.SERVICES:
            cards[account.card_id].services = balance
        elif account.card_id in cards:
            cards[account.card_id].bonus_minor = balance
    _add_owners_words(member, cards)
    lots = Lot.objects.filter(account__member=member, remaining__gt=0, expires_at__isnull=False)
    for lot in lots.select_related("account").order_by("expires_at", "id"):
        place = cards[lot.account.card_id].endings if lot.account.card_id in cards else held.point_endings
        place.append(_ending(lot, at))
    held.point_endings = _by_day(held.point_endings)
    for card in cards.values():
        card.endings = _by_day(card.endings)
    return held


def _add_owners_words(member: Member, cards: dict[int, HeldCard]) -> None:
    """Which count cards rest and who shares them; two queries, none without a count card."""
    counted = [number for number, one in cards.items() if one.is_count_card]
    if not counted:
        return
    for pause in CardPause.objects.filter(card__in=counted, ended_at=None):
        cards[pause.card_id].is_paused = True
    for sharer in Sharer.objects.filter(card__in=counted, removed_at=None):
        cards[sharer.card_id].sharers.append(sharer.name)


def _ending(lot: Lot, at: datetime) -> Ending:
    assert lot.expires_at is not None
    return Ending(
        kind=lot.account.kind,
        amount=lot.remaining,
        at=lot.expires_at
        - timedelta(microseconds=1),  # value ends at midnight: its last day is the one before
        is_soon=at < lot.expires_at <= at + SOON,
        is_over=lot.expires_at <= at,
    )


def _by_day(endings: Iterable[Ending]) -> list[Ending]:
    """What ends on the same day (UTC) as one line."""
    found: dict[tuple[str, object], Ending] = {}
    for one in endings:
        key = (one.kind, one.at.date())
        earlier = found.get(key)
        amount = one.amount + (earlier.amount if earlier else 0)
        found[key] = Ending(one.kind, amount, one.at, one.is_soon, one.is_over)
    return list(found.values())


@lru_cache(maxsize=1024)
def qr_of(number: str) -> SafeString:
    """The card number as a QR code, an inline SVG without style attributes."""
    code = segno.make(number, error="m", micro=False)
    return mark_safe(code.svg_inline(border=0, scale=1, omitsize=True))  # noqa: S308  (made by segno from digits)
