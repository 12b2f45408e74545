"""A stored lot as the arithmetic takes it, and what was paid for a part of it."""

from __future__ import annotations

from members.domain.allocation import OpenLot, share
from members.enums import AccountKind
from members.models import Lot


def part_paid(lot: OpenLot, amount: int) -> int:
    """What was paid for the next `amount` of a lot: exact over the whole lot, in whatever steps."""
    gone = lot.original - lot.remaining
    paid, original = lot.paid_minor, lot.original
    return share(paid, gone + amount, original) - share(paid, gone, original) if original else 0


def open_lot(lot: Lot, kind: AccountKind) -> OpenLot:
    """A stored lot as the arithmetic takes it; its `source` is read along."""
    return OpenLot(
        id=lot.pk,
        kind=kind,
        source=lot.source_id,
        remaining=lot.remaining - lot.held,
        original=lot.original,
        paid_minor=lot.paid_minor,
        sold_at=lot.source.store_id,
        terms=lot.terms,
        expires_at=lot.expires_at,
    )
