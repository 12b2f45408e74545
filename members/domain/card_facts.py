"""What a count card holds and who may use it, and which transfers wait: read for the till and the portal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from members.enums import AccountKind
from members.models import Card, CardKind, CardPause, Lot, Member, Sharer, Transfer, TransferStatus


@dataclass(frozen=True)
class CardFacts:
    """A count card: its lots of services (soonest to end first), a rest, the people who share it."""

    is_count_card: bool
    lots: Sequence[Lot] = ()
    pause: CardPause | None = None
    sharers: Sequence[Sharer] = ()

    @property
    def services_left(self) -> int:
        return sum(lot.remaining for lot in self.lots)

    @property
    def ends_at(self) -> datetime | None:
        """The last moment of what ends first: a midnight belongs to the day before it."""
        ends = next((lot.expires_at for lot in self.lots), None)
        return ends - timedelta(microseconds=1) if ends else None


def card_facts(card: Card) -> CardFacts:
    """Three queries for a count card, none for another."""
    if card.product.kind != CardKind.SERVICES:
        return CardFacts(is_count_card=False)
    lots = Lot.objects.filter(account__card=card, account__kind=AccountKind.SERVICES, remaining__gt=0)
    return CardFacts(
        is_count_card=True,
        lots=list(lots.order_by(F("expires_at").asc(nulls_last=True), "id")),
        pause=CardPause.objects.filter(card=card, ended_at=None).first(),
        sharers=list(Sharer.objects.filter(card=card, removed_at=None)),
    )


def open_transfers(member: Member, *, at: datetime) -> QuerySet[Transfer]:
    """What the member has offered and what waits for their yes, newest first."""
    ours = Q(card__member=member) | Q(receiver=member)
    waiting = Transfer.objects.filter(ours, status=TransferStatus.PROPOSED, expires_at__gt=at)
    return waiting.select_related("card__member", "receiver", "store").order_by("-id")
