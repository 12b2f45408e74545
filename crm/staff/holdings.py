"""What a member owns, read for the till in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from members.enums import AccountKind, CardStatus, OperationKind
from members.models import Account, Card, Lot, Member, Operation

SHOWN_LOTS, SHOWN_DEEDS, SHOWN_SPENDS = 3, 5, 10


@dataclass(frozen=True)
class Pocket:
    """One card with its money, in minor units; `spendable_minor` leaves out what has expired unswept."""

    card: Card
    principal_minor: int
    bonus_minor: int
    spendable_minor: int

    @property
    def balance_minor(self) -> int:
        return self.principal_minor + self.bonus_minor

    @property
    def is_usable(self) -> bool:
        return self.card.status == CardStatus.ACTIVE


@dataclass(frozen=True)
class Holdings:
    """Everything a member owns: cards in the order they were opened, points, what runs out first."""

    pockets: Sequence[Pocket]
    points: int
    expiring: Sequence[Lot]

    @property
    def balance_minor(self) -> int:
        return sum(pocket.balance_minor for pocket in self.pockets)

    def pocket_of(self, card: Card) -> Pocket:
        return next(pocket for pocket in self.pockets if pocket.card.pk == card.pk)


def holdings_of(member: Member, *, at: datetime) -> Holdings:
    """Three queries: accounts, cards, lots."""
    accounts = list(Account.objects.filter(member=member))
    cards = list(Card.objects.filter(member=member).select_related("product", "store").order_by("id"))
    lots = list(
        Lot.objects.filter(account__in=accounts, remaining__gt=0)
        .filter(Q(expires_at=None) | Q(expires_at__gt=at))
        .select_related("account")
        .order_by(F("expires_at").asc(nulls_last=True), "id")
    )
    balances = {(account.card_id, account.kind): account.balance or 0 for account in accounts}
    pockets = [
        Pocket(
            card,
            balances.get((card.pk, AccountKind.PRINCIPAL), 0),
            balances.get((card.pk, AccountKind.BONUS), 0),
            sum(lot.remaining for lot in lots if lot.account.card_id == card.pk),
        )
        for card in cards
    ]
    expiring = [lot for lot in lots if lot.expires_at][:SHOWN_LOTS]
    return Holdings(pockets, balances.get((None, AccountKind.POINTS), 0), expiring)


def recent_deeds(member: Member) -> Sequence[Operation]:
    """The member's last deeds, newest first; one query."""
    deeds = Operation.objects.filter(member=member).select_related("store", "card", "staff")
    return list(deeds.order_by("-id")[:SHOWN_DEEDS])


def refundable_spends(card: Card) -> QuerySet[Operation]:
    """The card's spends of which something is left, newest first, each with `left_minor`."""
    returned = Coalesce(Sum("reversals__amount_minor"), 0)
    spends = Operation.objects.filter(card=card, kind=OperationKind.SPEND).select_related("store")
    left = spends.annotate(left_minor=F("amount_minor") - returned).filter(left_minor__gt=0)
    return left.order_by("-id")
