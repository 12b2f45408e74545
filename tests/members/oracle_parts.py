"""What an accountant's books are made of: portions of value, sales, recharges, and the stores' own sums."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction


def half_up(number: Fraction) -> int:
    """To the nearest whole, a half upwards."""
    return (number + Fraction(1, 2)).__floor__()


def last_day_ends(now: datetime, days: int) -> datetime:
    """The midnight in Shanghai after the day that is so many days from now."""
    there = now + timedelta(hours=8)
    return there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days + 1, hours=-8)


def price_of(paid: int, gone: int, whole: int) -> int:
    """What the first services of a card cost together, of all that was paid for it."""
    return half_up(Fraction(paid * gone, whole))


@dataclass
class Portion:
    """Value of one origin: how much is left of it, from when and until when it may be used, which deed first brought
    it, what was paid for it, what holds set aside; of services how many were had, and what those have become."""

    kind: str
    left: int
    ends: datetime | None
    origin: int
    born: int
    sold_at: int
    opens: datetime | None = None
    paid: int = 0
    aside: int = 0
    whole: int = 0
    had: int = 0
    became: int = 0

    @property
    def free(self) -> int:
        """Not set aside by a hold."""
        return self.left - self.aside

    @property
    def waits(self) -> int:
        """The money of services that nobody has had yet."""
        return self.paid - price_of(self.paid, self.whole - self.left, self.whole)

    def serve(self, part: int) -> None:
        """So many of these services are had: their money is sales now."""
        waited = self.waits
        self.left -= part
        self.had += part
        self.became += waited - self.waits

    def take_back(self, part: int) -> int:
        """So many services had come back, with the money they became. Where to, the books say."""
        money = max(self.became - price_of(self.paid, self.had - part, self.whole), 0)
        self.had -= part
        self.became -= money
        return money

    def worth_of_last(self, part: int) -> int:
        """What this portion would say was paid for the last that left it."""
        gone = self.whole - self.left
        return price_of(self.paid, gone, self.whole) - price_of(self.paid, gone - part, self.whole)

    def is_pending(self, now: datetime) -> bool:
        return self.opens is not None and self.opens > now

    def is_over(self, now: datetime) -> bool:
        return self.ends is not None and self.ends <= now


Taken = list[tuple[Portion, int]]


@dataclass
class Sale:
    """A bill, or services taken: what paid it and what it earned, and how much of each has gone back since."""

    bill: int
    outside: int
    taken: Taken
    earned: int
    origin: int
    at: int
    back: Counter[str] = field(default_factory=Counter)
    back_in: Counter[int] = field(default_factory=Counter)

    def took(self, kind: str) -> int:
        return sum(amount for portion, amount in self.taken if portion.kind == kind)

    @property
    def refunded(self) -> int:
        return self.back["outside"] + self.back["principal"] + self.back["bonus"]


class Stores:
    """What the stores' own books say, by store and kind of account. `here` is the store of the deed at hand."""

    def __init__(self, here: int) -> None:
        self.here, self.money = here, Counter[tuple[int, str]]()

    def add(self, kind: str, amount: int, at: int | None = None) -> None:
        self.money[self.here if at is None else at, kind] += amount

    def owe(self, issuer: int, server: int, amount: int) -> None:
        """The store that took the money owes the one that gave for it; its own value it owes to nobody."""
        if issuer != server:
            self.add("settlement", amount, issuer)
            self.add("settlement", -amount, server)


@dataclass
class Load:
    """One recharge as far as it is on one member's card: what came of it, and what bills took of both."""

    principal: int = 0
    bonus: int = 0
    spent: int = 0

    def due(self, method: str, left: int) -> int:
        """What is paid out for the `left` principal: never more than that."""
        whole = self.principal + self.bonus
        used = self.spent
        if method == "pro_rata" and whole:
            used = half_up(Fraction(self.spent * self.principal, whole))
        return min(max(self.principal - used, 0), left)
