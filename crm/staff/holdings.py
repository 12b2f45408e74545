"""What a member owns, read for the till in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from members.domain.refunds import WHOLE_ONLY
from members.enums import STORED_VALUE, AccountKind, CardStatus, HoldStatus, OperationKind
from members.models import Account, Card, Hold, Lot, Member, Operation

SHOWN_LOTS, SHOWN_DEEDS, SHOWN_SPENDS = 3, 5, 10


@dataclass(frozen=True)
class Pocket:
    """One card with its money, in minor units; `spendable_minor` leaves out what is held, pending or past its time."""

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


def holdings_of(member: Member, *, at: datetime, accounts: Sequence[Account] | None = None) -> Holdings:
    """Three queries: accounts (unless the page has read the member's), cards, lots."""
    if accounts is None:
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
            sum(
                lot.remaining - lot.held
                for lot in lots
                if lot.account.card_id == card.pk
                and lot.account.kind in STORED_VALUE
                and (lot.active_from is None or lot.active_from <= at)
            ),
        )
        for card in cards
    ]
    expiring = [lot for lot in lots if lot.expires_at][:SHOWN_LOTS]
    return Holdings(pockets, balances.get((None, AccountKind.POINTS), 0), expiring)


def recent_deeds(member: Member) -> Sequence[Operation]:
    """The member's last deeds, newest first; one query."""
    deeds = Operation.objects.filter(member=member).select_related("store", "card", "staff")
    return list(deeds.order_by("-id")[:SHOWN_DEEDS])


def refundable_deeds(card: Card) -> QuerySet[Operation]:
    """The card's spends of which something is left, and the rewards and services not taken back, newest first.

    `left_minor` is what is left of each.
    """
    returned = Coalesce(Sum("reversals__amount_minor"), 0)
    done = Operation.objects.filter(card=card, kind__in=(OperationKind.SPEND, *WHOLE_ONLY))
    left = done.annotate(left_minor=F("amount_minor") - returned, times=Count("reversals"))
    open_ones = Q(kind=OperationKind.SPEND, left_minor__gt=0) | Q(times=0)
    return left.filter(open_ones).select_related("store").order_by("-id")


def open_holds(member: Member) -> Sequence[Hold]:
    """The member's open holds, the next to end first; one query."""
    holds = Hold.objects.filter(card__member=member, status=HoldStatus.OPEN).select_related("store", "card")
    return list(holds.order_by("expires_at", "id"))
