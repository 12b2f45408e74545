"""Points earned by a deed."""

from __future__ import annotations

from datetime import datetime, timedelta

from members.domain.ledger import Deed, Leg, NewLot
from members.enums import AccountKind
from members.models import CardProduct, Store


def points_for(product: CardProduct, amount_minor: int) -> int:
    """Points a bill earns: per whole unit of money (100 minor units), remainder dropped."""
    return amount_minor // 100 * product.points_per_unit


def points_earned(deed: Deed, product: CardProduct, store: Store, points: int, at: datetime) -> list[Leg]:
    """The legs of points that come in, valid for as long as the product says."""
    expires = at + timedelta(days=product.points_valid_days) if product.points_valid_days else None
    return [
        Leg(points, account=deed.accounts[AccountKind.POINTS], lots=(NewLot(points, expires_at=expires),)),
        Leg(-points, store=store.pk, kind=AccountKind.POINTS_COST),
    ]
