"""The books as an accountant would keep them by hand: no SQL, and nothing of the product's own arithmetic.

Money in fen, points whole. What is written here comes from the rules as told (docs/ledger.md), so that a difference
between these books and the ledger is a fault in one of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count

ORIGINS = count(1)
REVIVED = timedelta(days=7)


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
    it, what was paid for it, what holds set aside."""

    kind: str
    left: int
    ends: datetime | None
    origin: int
    born: int
    opens: datetime | None = None
    paid: int = 0
    aside: int = 0
    whole: int = 0

    @property
    def free(self) -> int:
        """Not set aside by a hold."""
        return self.left - self.aside

    @property
    def waits(self) -> int:
        """The money of services that nobody has had yet."""
        return self.paid - price_of(self.paid, self.whole - self.left, self.whole)

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
    back: Counter[str] = field(default_factory=Counter)
    back_in: Counter[int] = field(default_factory=Counter)

    def took(self, kind: str) -> int:
        return sum(amount for portion, amount in self.taken if portion.kind == kind)

    @property
    def refunded(self) -> int:
        return self.back["outside"] + self.back["principal"] + self.back["bonus"]


class Books:
    """One member's cards under one spend order. `store` is what the store's own books say, shared by all members."""

    def __init__(
        self, order: str, points_per_yuan: int, points_days: int, pending_days: int, store: Counter[str]
    ) -> None:
        self.order, self.points_per_yuan, self.store = order, points_per_yuan, store
        self.points_days, self.pending_days = points_days, pending_days
        self.portions: list[Portion] = []

    def usable(self, now: datetime, *kinds: str) -> list[Portion]:
        found = [p for p in self.portions if p.kind in kinds and p.free]
        found = [p for p in found if not p.is_pending(now) and not p.is_over(now)]
        return sorted(found, key=lambda p: (p.ends is None, p.ends.timestamp() if p.ends else 0, p.born))

    def available(self, now: datetime, *kinds: str) -> int:
        return sum(portion.free for portion in self.usable(now, *(kinds or ("principal", "bonus"))))

    @property
    def deferred(self) -> int:
        return sum(portion.waits for portion in self.portions if portion.kind == "services")

    def add(self, kind: str, amount: int, ends: datetime | None, origin: int, **more) -> Portion:
        portion = Portion(kind, amount, ends, origin, len(self.portions), whole=amount, **more)
        self.portions.append(portion)
        return portion

    def add_points(self, now: datetime, points: int, origin: int) -> None:
        """Points of a deed: pending until goods can no longer come back."""
        opens = now + timedelta(days=self.pending_days) if self.pending_days else None
        if points:
            self.add("points", points, last_day_ends(now, self.points_days), origin, opens=opens)

    def recharge(self, now: datetime, paid: int, bonus: int, bonus_days: int | None, points: int) -> None:
        origin = next(ORIGINS)
        self.store["tender"] += paid
        self.add("principal", paid, None, origin, paid=paid)
        if bonus:
            self.add("bonus", bonus, last_day_ends(now, bonus_days) if bonus_days else None, origin)
        self.add_points(now, points, origin)

    def spend(self, now: datetime, bill: int, outside: int) -> Sale:
        return self._sell(now, bill, outside, self._pick(now, bill - outside))

    def hold(self, now: datetime, amount: int) -> Taken:
        taken = self._pick(now, amount)
        for portion, part in taken:
            portion.aside += part
        return taken

    def let_go(self, held: Taken) -> None:
        for portion, part in held:
            portion.aside -= part

    def capture(self, now: datetime, held: Taken) -> Sale:
        """A bill of exactly what was held, paid by what was held, even where the end of that has come."""
        self.let_go(held)
        return self._sell(now, sum(part for _portion, part in held), 0, held)

    def _sell(self, now: datetime, bill: int, outside: int, taken: Taken) -> Sale:
        for portion, amount in taken:
            portion.left -= amount
        earned = bill // 100 * self.points_per_yuan
        sale = Sale(bill, outside, taken, earned, next(ORIGINS))
        self.add_points(now, earned, sale.origin)
        self.store["sales"] += bill
        self.store["tender"] += outside
        return sale

    def _pick(self, now: datetime, wanted: int) -> Taken:
        usable = self.usable(now, "principal", "bonus")
        if self.order != "pro_rata":
            first = self.order.removesuffix("_first")
            return self._in_turn(sorted(usable, key=lambda p: p.kind != first), wanted)
        return self._pro_rata(usable, wanted)

    def _pro_rata(self, usable: list[Portion], wanted: int) -> Taken:
        """Principal and bonus of one recharge in the proportion left of them, one recharge after the other."""
        taken: Taken = []
        for origin in dict.fromkeys(portion.origin for portion in usable):
            pair = [portion for portion in usable if portion.origin == origin]
            whole = sum(portion.free for portion in pair)
            part = min(wanted, whole)
            wanted -= part
            bonus = [portion for portion in pair if portion.kind == "bonus"]
            of_bonus = half_up(Fraction(part * sum(p.free for p in bonus), whole))
            taken += self._in_turn(bonus, of_bonus)
            taken += self._in_turn([p for p in pair if p.kind == "principal"], part - of_bonus)
        return taken

    @staticmethod
    def _in_turn(portions: list[Portion], wanted: int) -> Taken:
        taken = []
        for portion in portions:
            part = min(portion.free, wanted)
            if part:
                taken.append((portion, part))
            wanted -= part
        return taken

    def refund(self, now: datetime, sale: Sale, amount: int) -> None:
        done = sale.refunded + amount
        outside = half_up(Fraction(sale.outside * done, sale.bill)) - sale.back["outside"]
        stored = amount - outside
        took = sale.took("principal") + sale.took("bonus")
        stored_done = sale.back["principal"] + sale.back["bonus"] + stored
        bonus = half_up(Fraction(sale.took("bonus") * stored_done, took)) - sale.back["bonus"] if took else 0
        sale.back["outside"] += outside
        self.store["tender"] -= outside
        self.store["sales"] -= amount
        for kind, part in (("principal", stored - bonus), ("bonus", bonus)):
            self._return(now, sale, kind, part)
        due = half_up(Fraction(sale.earned * done, sale.bill)) - sale.back["points"]
        sale.back["points"] += due
        self._lose_points(now, sale, due)

    def _lose_points(self, now: datetime, sale: Sale, due: int) -> None:
        """Points of a bill brought back: its own first, pending or over as they may be; what is gone is forgiven."""
        own = [p for p in self.portions if p.kind == "points" and p.origin == sale.origin]
        others = [portion for portion in self.usable(now, "points") if portion.origin != sale.origin]
        for portion, part in self._in_turn(own + others, due):
            portion.left -= part

    def _return(self, now: datetime, sale: Sale, kind: str, amount: int) -> None:
        sale.back[kind] += amount
        for place in reversed(range(len(sale.taken))):
            portion, taken = sale.taken[place]
            part = min(amount, taken - sale.back_in.get(place, 0)) if portion.kind == kind else 0
            if part:
                sale.back_in[place] = sale.back_in.get(place, 0) + part
                amount -= part
                self._revive(now, portion, part)

    def _revive(self, now: datetime, portion: Portion, part: int) -> None:
        """Back to where it was; for seven days at least, which is not a gift of seven days to the rest."""
        until, is_short = now + REVIVED, portion.ends and portion.ends < now + REVIVED
        if is_short and portion.left:
            gone = portion.whole - portion.left
            paid = portion.paid and (
                price_of(portion.paid, gone, portion.whole)
                - price_of(portion.paid, gone - part, portion.whole)
            )
            self.add(portion.kind, part, until, portion.origin, paid=paid)
            return
        portion.left += part
        if is_short:
            portion.ends = until

    def redeem(self, now: datetime, points: int) -> None:
        for portion, part in self._in_turn(self.usable(now, "points"), points):
            portion.left -= part

    def buy_services(self, now: datetime, services: int, price: int, days: int) -> None:
        """A count card: its money waits until the services are taken."""
        self.store["tender"] += price
        self.add("services", services, last_day_ends(now, days), next(ORIGINS), paid=price)

    def take_services(self, now: datetime, services: int) -> Sale:
        waited, taken = self.deferred, self._in_turn(self.usable(now, "services"), services)
        for portion, part in taken:
            portion.left -= part
        self.store["sales"] += waited - self.deferred
        return Sale(0, 0, taken, 0, next(ORIGINS))

    def return_services(self, now: datetime, sale: Sale, services: int) -> None:
        waited = self.deferred
        self._return(now, sale, "services", services)
        self.store["sales"] += waited - self.deferred

    def give(self, now: datetime, to: Books, amount: int, services: int, points: int) -> None:
        """To another member, with origin, end and price: money in proportion whatever the order; nothing pending."""
        taken = self._pro_rata(self.usable(now, "principal", "bonus"), amount)
        taken += self._in_turn(self.usable(now, "services"), services)
        taken += self._in_turn(self.usable(now, "points"), points)
        for kind in dict.fromkeys(portion.kind for portion, _part in taken):
            for portion, part in [pair for pair in taken if pair[0].kind == kind]:
                waited, paid = portion.waits, part if kind == "principal" else 0
                portion.left -= part
                paid = waited - portion.waits if kind == "services" else paid
                to.add(kind, part, portion.ends, portion.origin, paid=paid)

    def expire(self, now: datetime) -> None:
        for portion in self.portions:
            if portion.free and portion.is_over(now):
                waited, gone = portion.waits, portion.free
                portion.left = portion.aside
                lost = {"services": waited - portion.waits, "points": 0}
                self.store["breakage"] += lost.get(portion.kind, gone)
