"""A bill: its lines, what comes off it, what is left to pay and what of that earns. Pure arithmetic in integers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from members.domain.allocation import share
from members.models.bill import BillLineKind


@dataclass(frozen=True)
class Line:
    """Goods on a bill: what they cost in minor units, of which category; `is_discounted` when already reduced."""

    amount_minor: int
    label: str = ""
    category: int | None = None
    is_discounted: bool = False


@dataclass(frozen=True)
class Reduction:
    """Money off a bill: by a tier or a coupon, in words; of goods of some categories only, when it says so."""

    kind: BillLineKind
    amount_minor: int
    label: str
    categories: frozenset[int] = frozenset()

    def is_for(self, line: Line) -> bool:
        """Whether it takes from this line: a tier's discount leaves discounted goods alone."""
        if self.kind == BillLineKind.TIER and line.is_discounted:
            return False
        return not self.categories or line.category in self.categories


@dataclass(frozen=True)
class Bill:
    """The lines of a bill and what comes off them."""

    lines: tuple[Line, ...]
    reductions: tuple[Reduction, ...] = ()

    @property
    def gross_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        return sum(reduction.amount_minor for reduction in self.reductions)

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.discount_minor

    def less(
        self, kind: BillLineKind, amount_minor: int, label: str, categories: frozenset[int] = frozenset()
    ) -> Bill:
        """The bill with money taken off, at most what it still comes to. Nothing off is no line."""
        cut = Reduction(kind, min(amount_minor, self.net_minor), label, categories)
        return replace(self, reductions=(*self.reductions, cut)) if cut.amount_minor > 0 else self

    def less_percent(self, percent: int, label: str) -> Bill:
        """The bill with a tier's percentage off the goods that are not discounted already."""
        full = sum(line.amount_minor for line in self.lines if not line.is_discounted)
        return self.less(BillLineKind.TIER, share(full, percent, 100), label)

    def net_lines(self) -> tuple[Line, ...]:
        """The lines at what is to be paid for them: each reduction spread over the lines it is for."""
        lines = list(self.lines)
        for reduction in self.reductions:
            lines = _spread(lines, reduction)
        return tuple(lines)

    def of_categories(self, categories: Collection[int]) -> int:
        """What is to be paid for goods of these categories."""
        return sum(line.amount_minor for line in self.net_lines() if line.category in categories)

    def earning_minor(self, points_paid_minor: int = 0) -> int:
        """What earns points: what is paid in money for goods at their full price, after all discounts."""
        if not self.net_minor:
            return 0
        full = sum(line.amount_minor for line in self.net_lines() if not line.is_discounted)
        return full - share(full, points_paid_minor, self.net_minor)


def bill_of(amount_minor: int, lines: Sequence[Line] = ()) -> Bill:
    """The bill of these lines; without any, of one line."""
    return Bill(tuple(lines) or (Line(amount_minor),))


def asked(lines: Sequence[Line]) -> list[list[Any]]:
    """The lines as a request keeps them."""
    return [[line.amount_minor, line.category, line.is_discounted, line.label] for line in lines]


def _spread(lines: Sequence[Line], reduction: Reduction) -> list[Line]:
    """The lines less their share of it, in proportion to them; by running totals, so that no cent is lost."""
    amounts = [line.amount_minor if reduction.is_for(line) else 0 for line in lines]
    whole, seen, spread = sum(amounts), 0, 0
    left = []
    for line, amount in zip(lines, amounts, strict=True):
        seen += amount
        part = (share(reduction.amount_minor, seen, whole) if whole else 0) - spread
        spread += part
        left.append(replace(line, amount_minor=line.amount_minor - part))
    return left
