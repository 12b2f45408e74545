"""A member's card while the history is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from members.enums import STORED_VALUE, AccountKind
from members.models import Account, Card, Lot, Member, Store


@dataclass
class Wallet:
    """A member's card with its accounts and lots."""

    member: Member
    card: Card
    store: Store
    accounts: dict[AccountKind, Account]
    lots: list[Lot] = field(default_factory=list)

    def balance(self) -> int:
        return sum(self.accounts[kind].balance or 0 for kind in STORED_VALUE)

    def points(self) -> int:
        return self.accounts[AccountKind.POINTS].balance or 0
