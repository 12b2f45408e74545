"""Which lots a spend takes, and which a refund gives back: pure arithmetic in integers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from members.enums import AccountKind, SpendOrder


@dataclass(frozen=True)
class OpenLot:
    """A lot with something left to spend, `remaining` without what is held; `limit` is the most that may be taken.

    Lots arrive in the order they are to be used: soonest expiry first. `source` is the deed its value came from,
    `sold_at` the store of it, `paid_minor` what was paid for the `original` amount.
    """

    id: int
    kind: AccountKind
    source: int
    remaining: int
    original: int = 0
    paid_minor: int = 0
    sold_at: int = 0
    terms: Mapping[str, Any] | None = None
    expires_at: datetime | None = None
    limit: int | None = None

    @property
    def usable(self) -> int:
        """How much of it may be taken."""
        return self.remaining if self.limit is None else min(self.remaining, self.limit)


@dataclass(frozen=True)
class Use:
    """An amount taken from (negative) or given back to (positive) one lot."""

    lot: int
    amount: int


def share(amount: int, part: int, whole: int) -> int:
    """`amount × part ÷ whole`, rounded half up. All integers; the remainder stays with the caller's other part."""
    return (2 * amount * part + whole) // (2 * whole)


def take_in_order(lots: Sequence[OpenLot], amount: int) -> list[Use]:
    """Take up to `amount` from the lots as they come."""
    uses = []
    for lot in lots:
        if amount <= 0:
            break
        taken = min(lot.usable, amount)
        if taken:
            uses.append(Use(lot.id, -taken))
        amount -= taken
    return uses


def take_pro_rata(lots: Sequence[OpenLot], amount: int) -> list[Use]:
    """Take each recharge's principal and bonus in the proportion that is left of them, oldest pair first.

    3,000 principal + 1,000 bonus, 3,594 spent: 304.50 of principal is left (3,000 × 406 ÷ 4,000).
    """
    pairs: dict[int, list[OpenLot]] = defaultdict(list)
    for lot in lots:
        pairs[lot.source].append(lot)
    uses: list[Use] = []
    for pair in pairs.values():
        wanted = min(amount, sum(lot.usable for lot in pair))
        amount -= wanted
        uses += _split(pair, wanted)
    return uses


def _split(pair: Sequence[OpenLot], wanted: int) -> list[Use]:
    """The pair's share of bonus, within what may be taken of either part."""
    if not wanted:
        return []
    bonus = [lot for lot in pair if lot.kind == AccountKind.BONUS]
    principal = [lot for lot in pair if lot.kind != AccountKind.BONUS]
    whole = sum(lot.remaining for lot in pair)
    from_bonus = share(wanted, sum(lot.remaining for lot in bonus), whole)
    least = wanted - sum(lot.usable for lot in principal)
    from_bonus = max(min(from_bonus, sum(lot.usable for lot in bonus)), least)
    return take_in_order(bonus, from_bonus) + take_in_order(principal, wanted - from_bonus)


def take(lots: Sequence[OpenLot], amount: int, order: SpendOrder) -> list[Use]:
    """The uses of a spend of `amount` under a card product's order. Takes less if there is less."""
    if order == SpendOrder.PRO_RATA:
        return take_pro_rata(lots, amount)
    first = AccountKind.PRINCIPAL if order == SpendOrder.PRINCIPAL_FIRST else AccountKind.BONUS
    return take_in_order(sorted(lots, key=lambda lot: lot.kind != first), amount)


def give_back(uses: Sequence[Use], already: dict[int, int], amount: int) -> list[Use]:
    """Return `amount` to the lots a deed took it from, last taken first.

    `already` says how much of each lot earlier refunds of the same deed have returned.
    """
    back = []
    for use in reversed(uses):
        open_amount = -use.amount - already.get(use.lot, 0)
        returned = min(open_amount, amount)
        if returned > 0:
            back.append(Use(use.lot, returned))
            amount -= returned
    return back
