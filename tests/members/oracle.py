"""The books as an accountant would keep them by hand: no SQL, and nothing of the product's own arithmetic.

Money in fen, points whole. What is written here comes from the rules as told (docs/ledger.md), so that a difference
between these books and the ledger is a fault in one of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count

from tests.members.oracle_parts import Load, Portion, Sale, Stores, Taken, half_up, last_day_ends

ORIGINS = count(1)
REVIVED = timedelta(days=7)


class Books:
    """One member's cards under one spend order. `stores` are the stores' own books, shared by all members."""

    def __init__(
        self,
        order: str,
        points_per_yuan: int,
        points_days: int,
        pending_days: int,
        stores: Stores,
        method: str = "pro_rata",
    ) -> None:
        self.order, self.points_per_yuan, self.stores, self.method = order, points_per_yuan, stores, method
        self.points_days, self.pending_days, self.home = points_days, pending_days, stores.here
        self.portions: list[Portion] = []
        self.loads: defaultdict[int, Load] = defaultdict(Load)

    def usable(self, now: datetime, *kinds: str) -> list[Portion]:
        found = [p for p in self.portions if p.kind in kinds and p.free]
        found = [p for p in found if not p.is_pending(now) and not p.is_over(now)]
        return sorted(found, key=lambda p: (p.ends is None, p.ends.timestamp() if p.ends else 0, p.born))

    def available(self, now: datetime, *kinds: str) -> int:
        return sum(portion.free for portion in self.usable(now, *(kinds or ("principal", "bonus"))))

    @property
    def deferred(self) -> Counter[int]:
        """The money that waits for services, by the store that sold them."""
        waiting = Counter[int]()
        for portion in self.portions:
            if portion.kind == "services":
                waiting[portion.sold_at] += portion.waits
        return waiting

    def add(
        self, kind: str, amount: int, ends: datetime | None, origin: int, sold_at: int | None = None, **more
    ) -> Portion:
        place = self.stores.here if sold_at is None else sold_at
        portion = Portion(kind, amount, ends, origin, len(self.portions), place, whole=amount, **more)
        self.portions.append(portion)
        return portion

    def add_points(self, now: datetime, points: int, origin: int) -> None:
        """Points of a deed: pending until goods can no longer come back."""
        opens = now + timedelta(days=self.pending_days) if self.pending_days else None
        if points:
            self.add("points", points, last_day_ends(now, self.points_days), origin, opens=opens)

    def recharge(self, now: datetime, paid: int, bonus: int, bonus_days: int | None, points: int) -> int:
        origin = next(ORIGINS)
        self.stores.add("tender", paid)
        self.stores.add("bonus_cost", -bonus)
        self.loads[origin] = Load(paid, bonus)
        self.add("principal", paid, None, origin, paid=paid)
        if bonus:
            self.add("bonus", bonus, last_day_ends(now, bonus_days) if bonus_days else None, origin)
        self.add_points(now, points, origin)
        return origin

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
        here = self.stores.here
        for portion, amount in taken:
            portion.left -= amount
            self.loads[portion.origin].spent += amount
            self.stores.owe(portion.sold_at, here, amount)
        earned = bill // 100 * self.points_per_yuan
        sale = Sale(bill, outside, taken, earned, next(ORIGINS), here)
        self.add_points(now, earned, sale.origin)
        self.stores.add("sales", bill)
        self.stores.add("tender", outside)
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
        self.stores.add("tender", -outside)
        self.stores.owe(sale.at, self.stores.here, outside)
        self.stores.add("sales", -amount, sale.at)
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
                if kind != "services":
                    self.loads[portion.origin].spent -= part
                    self.stores.owe(portion.sold_at, sale.at, -part)

    def _revive(self, now: datetime, portion: Portion, part: int) -> None:
        """Back to where it was; for seven days at least, which is not a gift of seven days to the rest. Services whose
        money is a fen off what their portion would say stand apart too.
        """
        until, is_short = now + REVIVED, portion.ends and portion.ends < now + REVIVED
        worth = portion.worth_of_last(part)
        paid = portion.take_back(part) if portion.kind == "services" else worth
        if (is_short and portion.left) or paid != worth:
            ends = portion.ends and max(portion.ends, until)
            self.add(portion.kind, part, ends, portion.origin, portion.sold_at, paid=paid)
            return
        portion.left += part
        if is_short:
            portion.ends = until

    def redeem(self, now: datetime, points: int) -> None:
        for portion, part in self._in_turn(self.usable(now, "points"), points):
            portion.left -= part

    def buy_services(self, now: datetime, services: int, price: int, days: int) -> None:
        """A count card: its money waits until the services are taken."""
        self.stores.add("tender", price)
        self.add("services", services, last_day_ends(now, days), next(ORIGINS), paid=price)

    def take_services(self, now: datetime, services: int) -> Sale:
        waited, taken = self.deferred, self._in_turn(self.usable(now, "services"), services)
        for portion, part in taken:
            portion.serve(part)
        self._served(waited, self.stores.here)
        return Sale(0, 0, taken, 0, next(ORIGINS), self.stores.here)

    def return_services(self, now: datetime, sale: Sale, services: int) -> None:
        waited = self.deferred
        self._return(now, sale, "services", services)
        self._served(waited, sale.at)

    def _served(self, waited: Counter[int], at: int) -> None:
        """The money that waits no longer is what this store has sold, and what others owe it."""
        still = self.deferred
        for sold_at, money in waited.items():
            self.stores.add("sales", money - still[sold_at], at)
            self.stores.owe(sold_at, at, money - still[sold_at])

    def refund_recharge(self, now: datetime, origin: int, paid: int, points: int) -> int:
        """What is unused of one recharge, back to the tender; what is paid out. Its points go, also waiting ones."""
        lots = [p for p in self.usable(now, "principal", "bonus") if p.origin == origin]
        left = sum(portion.free for portion in lots if portion.kind == "principal")
        out = self._pay_out(lots)
        for portion in lots:
            load = self.loads[origin]
            setattr(load, portion.kind, getattr(load, portion.kind) - portion.free)
            portion.left = portion.aside
        own = [p for p in self.portions if p.kind == "points" and p.origin == origin]
        there = sum(portion.left for portion in own)
        more = max(half_up(Fraction(points * left, paid)) - there, 0)
        others = [portion for portion in self.usable(now, "points") if portion.origin != origin]
        for portion, part in self._in_turn(own, there) + self._in_turn(others, more):
            portion.left -= part
        return out

    def owed_for(self, now: datetime, *origins: int) -> int:
        """What stored value pays out by the method of the product; of some recharges, else of all."""
        left = Counter[int]()
        for portion in self.usable(now, "principal"):
            if not origins or portion.origin in origins:
                left[portion.origin] += portion.free
        return sum(self.loads[origin].due(self.method, part) for origin, part in left.items())

    def _pay_out(self, lots: list[Portion]) -> int:
        """Each recharge's principal by the method; what is not paid out is kept where it was sold, bonus is no cost."""
        left = Counter[tuple[int, int]]()
        for portion in lots:
            if portion.kind == "principal":
                left[portion.origin, portion.sold_at] += portion.free
            else:
                self.stores.add("bonus_cost", portion.free, portion.sold_at)
        due = {key: self.loads[key[0]].due(self.method, part) for key, part in left.items()}
        return sum(self._paid(key[1], part, due[key]) for key, part in left.items())

    def _paid(self, sold_at: int, left: int, out: int) -> int:
        self.stores.add("kept", left - out, sold_at)
        self.stores.add("tender", -out)
        self.stores.owe(sold_at, self.stores.here, out)
        return out

    def close_value(self, now: datetime) -> int:
        lots = self.usable(now, "principal", "bonus")
        out = self._pay_out(lots)
        for portion in lots:
            portion.left = 0
        self.loads.clear()
        return out

    def close_services(self, now: datetime, full_price: int) -> int:
        """The services in proportion, or what was paid less what was taken at the price without the card."""
        out = self.owed_for_services(now, full_price)
        for portion in self.usable(now, "services"):
            waits = portion.waits
            self._paid(portion.sold_at, waits, self._worth(portion, full_price))
            portion.left = 0
        return out

    def owed_for_services(self, now: datetime, full_price: int) -> int:
        return sum(self._worth(portion, full_price) for portion in self.usable(now, "services"))

    def _worth(self, portion: Portion, full_price: int) -> int:
        if self.method != "full_price":
            return portion.waits
        taken = portion.whole - portion.left
        return min(max(portion.paid - taken * full_price, 0), portion.waits)

    def lose_points(self, now: datetime) -> None:
        """The last card is closed."""
        for portion in self.usable(now, "points"):
            portion.left = 0

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
                to.add(kind, part, portion.ends, portion.origin, portion.sold_at, paid=paid)
                if kind in ("principal", "bonus"):
                    for load, sign in ((self.loads[portion.origin], -1), (to.loads[portion.origin], 1)):
                        setattr(load, kind, getattr(load, kind) + sign * part)

    def expire(self, now: datetime) -> None:
        for portion in self.portions:
            if portion.free and portion.is_over(now):
                waited, gone = portion.waits, portion.free
                portion.left = portion.aside
                if portion.kind == "services":
                    self.stores.add("breakage", waited - portion.waits, portion.sold_at)
                elif portion.kind != "points":
                    self.stores.add("breakage", gone, self.home)
