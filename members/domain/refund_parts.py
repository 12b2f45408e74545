"""What each part of a refund gives back: pure arithmetic, by running totals, so that parts add up to the whole."""

from __future__ import annotations

from dataclasses import dataclass

from members.domain.allocation import share


@dataclass(frozen=True)
class Parts:
    """How a bill was paid, or so much of it given back. Money in minor units; points as points.

    Gross less discount is what was paid: by outside money, by points and from the card.
    """

    gross_minor: int = 0
    outside_minor: int = 0
    points_minor: int = 0
    principal_minor: int = 0
    bonus_minor: int = 0
    points_used: int = 0
    points_earned: int = 0

    @property
    def stored_minor(self) -> int:
        return self.principal_minor + self.bonus_minor

    @property
    def net_minor(self) -> int:
        return self.outside_minor + self.points_minor + self.stored_minor

    @property
    def discount_minor(self) -> int:
        return self.gross_minor - self.net_minor

    def up_to(self, done_minor: int) -> Parts:
        """What belongs to the first `done_minor` of the bill, shared as the bill was paid."""
        if done_minor >= self.net_minor:
            return self
        outside = share(self.outside_minor, done_minor, self.net_minor)
        inside = done_minor - outside
        points = _share(self.points_minor, inside, self.points_minor + self.stored_minor)
        stored = inside - points
        bonus = _share(self.bonus_minor, stored, self.stored_minor)
        return Parts(
            gross_minor=share(self.gross_minor, done_minor, self.net_minor),
            outside_minor=outside,
            points_minor=points,
            principal_minor=stored - bonus,
            bonus_minor=bonus,
            points_used=_share(self.points_used, points, self.points_minor),
            points_earned=share(self.points_earned, done_minor, self.net_minor),
        )

    def between(self, before_minor: int, after_minor: int) -> Parts:
        """What a refund gives back that comes after others of the same bill."""
        before, after = self.up_to(before_minor), self.up_to(after_minor)
        if not self.net_minor:
            return self
        return Parts(*(getattr(after, name) - getattr(before, name) for name in self.__dataclass_fields__))

    def less(self, kept_minor: int) -> Parts:
        """The same with so much kept back: of the card's part first (principal and bonus alike), then of the rest."""
        from_card = min(kept_minor, self.stored_minor)
        bonus = _share(self.bonus_minor, self.stored_minor - from_card, self.stored_minor)
        return Parts(
            gross_minor=self.gross_minor,
            outside_minor=self.outside_minor - (kept_minor - from_card),
            points_minor=self.points_minor,
            principal_minor=self.stored_minor - from_card - bonus,
            bonus_minor=bonus,
            points_used=self.points_used,
            points_earned=self.points_earned,
        )


def _share(amount: int, part: int, whole: int) -> int:
    return share(amount, part, whole) if whole else 0
