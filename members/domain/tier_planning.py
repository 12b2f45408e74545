"""Other thresholds: who would move, before they are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.ledger import Actor
from members.models import AuditVerb, Tier, TierScheme
from members.refusals import Refused

NAMED = 40


class ThresholdsRefused(Refused):
    """The thresholds do not rise from tier to tier. `field` names the tier."""

    code = "thresholds_invalid"


@dataclass(frozen=True)
class Move:
    """So many members from one tier (or none) to another (or none), and some of them by id."""

    before: Tier | None
    after: Tier | None
    count: int
    member_ids: tuple[int, ...]
    is_up: bool


@dataclass(frozen=True)
class Preview:
    """What would happen with these thresholds. Members whose tier is set by hand are not in it."""

    moves: tuple[Move, ...]

    @property
    def up(self) -> int:
        return sum(move.count for move in self.moves if move.is_up)

    @property
    def down(self) -> int:
        return sum(move.count for move in self.moves if not move.is_up)


_MOVES = """
WITH held AS (
  SELECT h.member_id, array_position(%(tiers)s::bigint[], h.tier_id) AS rank FROM members_tierstanding h
),
moves AS (
  SELECT member_id, coalesce(h.rank, 0) AS before, coalesce(j.rank, 0) AS after
  FROM tier_judged(%(scheme)s, %(at)s, NULL, %(thresholds)s::bigint[]) j FULL JOIN held h USING (member_id)
  WHERE coalesce(h.rank, 0) <> coalesce(j.rank, 0)
    AND NOT EXISTS (SELECT 1 FROM members_tieroverride o
                    JOIN members_member m ON m.id = o.member_id
                    JOIN members_store s ON s.id = m.home_store_id
                    WHERE o.member_id = coalesce(j.member_id, h.member_id) AND o.ended_at IS NULL
                      AND o.until_on >= (%(at)s AT TIME ZONE s.timezone)::date)
),
numbered AS (SELECT *, row_number() OVER (PARTITION BY before, after ORDER BY member_id DESC) AS place FROM moves)
SELECT before, after, count(*), coalesce(array_agg(member_id ORDER BY place) FILTER (WHERE place <= %(named)s), '{}')
FROM numbered GROUP BY before, after ORDER BY after > before DESC, after DESC, before DESC
"""


def preview(scheme: TierScheme, thresholds: Mapping[int, int], *, at: datetime) -> Preview:
    """Who would move if the tiers had these thresholds, by tier id. One statement; nothing is kept.

    Raises ThresholdsRefused.
    """
    tiers = list(scheme.tiers.all())
    wanted = check_thresholds(tiers, thresholds)
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVES,
            {
                "tiers": [tier.pk for tier in tiers],
                "scheme": scheme.pk,
                "at": at,
                "thresholds": wanted,
                "named": NAMED,
            },
        )
        rows = cursor.fetchall()
    ranks: list[Tier | None] = [None, *tiers]
    return Preview(
        tuple(
            Move(ranks[before], ranks[after], count, tuple(ids), after > before)
            for before, after, count, ids in rows
        )
    )


def check_thresholds(tiers: Sequence[Tier], thresholds: Mapping[int, int]) -> list[int]:
    """The thresholds of the tiers in their order. Raises ThresholdsRefused unless each is above the one before."""
    wanted, below = [], 0
    for tier in tiers:
        threshold = thresholds.get(tier.pk, tier.threshold)
        if not below < threshold <= 10**12:
            raise ThresholdsRefused(
                _("%(tier)s must ask more than the tier below it.") % {"tier": tier.name},
                field=f"threshold_{tier.pk}",
            )
        wanted.append(threshold)
        below = threshold
    return wanted


@transaction.atomic
def save_thresholds(*, actor: Actor, at: datetime, scheme: TierScheme, thresholds: Mapping[int, int]) -> bool:
    """Keep new thresholds; who moves does so at the next fold. False when nothing differs. Raises ThresholdsRefused."""
    locked = TierScheme.objects.select_for_update().get(pk=scheme.pk)
    tiers = list(locked.tiers.all())
    wanted = check_thresholds(tiers, thresholds)
    before = {tier.name: tier.threshold for tier in tiers}
    after = {tier.name: new for tier, new in zip(tiers, wanted, strict=True)}
    if before == after:
        return False
    _write(tiers, wanted)
    audit.write(actor=actor, verb=AuditVerb.CHANGED, subject=locked, before=before, after=after, at=at)
    return True


def _write(tiers: Sequence[Tier], wanted: Sequence[int]) -> None:
    """The highest first when they rise, the lowest first when they fall, so that none meets another on the way."""
    pairs = list(zip(tiers, wanted, strict=True))
    rising = [(tier, new) for tier, new in reversed(pairs) if new > tier.threshold]
    falling = [(tier, new) for tier, new in pairs if new < tier.threshold]
    for tier, new in (*rising, *falling):
        Tier.objects.filter(pk=tier.pk).update(threshold=new)
