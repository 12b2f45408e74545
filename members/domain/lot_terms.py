"""How much of each lot may pay a bill here: pure arithmetic over the terms of the lots. Nothing is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from members.domain.allocation import OpenLot
from members.domain.bills import Line
from members.enums import AccountKind

Honoured = Callable[[AccountKind], Collection[int] | None]


@dataclass
class _Room:
    """What the bill still has room for, as lots with terms use it up together."""

    net_minor: int
    lines: dict[int, Line]
    shared_minor: int = 0

    def take(self, lot: OpenLot) -> int:
        """How much of the lot fits; the room shrinks by it."""
        terms = lot.terms or {}
        wanted = min(lot.remaining, self.net_minor)
        if "share_max_percent" in terms:
            wanted = min(wanted, self.net_minor * terms["share_max_percent"] // 100 - self.shared_minor)
        if "categories" in terms:
            wanted = self._of_categories(terms["categories"], wanted)
        wanted = max(wanted, 0)
        if "share_max_percent" in terms:
            self.shared_minor += wanted
        return wanted

    def _of_categories(self, categories: Collection[int], wanted: int) -> int:
        found = 0
        for place, line in self.lines.items():
            if line.category in categories and found < wanted:
                part = min(line.amount_minor, wanted - found)
                self.lines[place] = replace(line, amount_minor=line.amount_minor - part)
                found += part
        return found


@dataclass(frozen=True)
class Usable:
    """The lots with their limits, and what stays behind by reason, in minor units."""

    lots: tuple[OpenLot, ...]
    kept_back: dict[str, int] = field(default_factory=dict)

    @property
    def minor(self) -> int:
        return sum(lot.usable for lot in self.lots)

    @property
    def whole_minor(self) -> int:
        """All there is of the lots, usable here or not."""
        return sum(lot.remaining for lot in self.lots)


def usable_lots(
    lots: Sequence[OpenLot], *, store_id: int, honoured: Honoured, net_minor: int, lines: Sequence[Line]
) -> Usable:
    """The most each lot may pay of a bill of `net_minor` made of `lines` (at what is to be paid for them).

    Lots that may pay a share at most pay it together, and lots for some goods pay those goods once: a bill cut
    over many lots gains nothing. `honoured` is asked only when there is value sold at another store.
    """
    room = _Room(net_minor, dict(enumerate(lines)))
    limited, kept_back = [], dict[str, int]()
    for lot in lots:
        reason = _not_here(lot, store_id, honoured)
        limit = 0 if reason else (room.take(lot) if lot.terms else lot.remaining)
        reason = reason or ("bill" if limit < min(lot.remaining, net_minor) else "")
        if reason:
            kept_back[reason] = kept_back.get(reason, 0) + lot.remaining - limit
        limited.append(replace(lot, limit=limit))
    return Usable(tuple(limited), kept_back)


def is_free_of_bills(lot: OpenLot) -> bool:
    """Whether the lot pays any bill alike, so that it can be held for one that is not written yet."""
    return not {"categories", "share_max_percent"} & set(lot.terms or {})


def _not_here(lot: OpenLot, store_id: int, honoured: Honoured) -> str:
    """Why the lot pays nothing at this store: "issuer" or "stores"; nothing when it may."""
    if lot.sold_at != store_id:
        issuers = honoured(lot.kind)
        if issuers is not None and lot.sold_at not in issuers:
            return "issuer"
    stores = (lot.terms or {}).get("stores")
    return "stores" if stores and store_id not in stores else ""
