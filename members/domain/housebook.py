"""What the house has set, kept by the process from deed to deed under the stamp it was read with.

The database moves its stamp in the same commit as any change (members/sql/housebook.sql) and answers it with every deed
that opens, so what is kept is never older than the deed. Read order matters: the stamp first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from constance.utils import get_values_for_keys
from django.db import connection, transaction

from members.models import EarningRule, Tier

_SETTINGS = ["CARD_RULES", "SPEND_CODE_ABOVE_MINOR", "ACCEPTS_OTHER_STORES"]


@dataclass(frozen=True, slots=True)
class House:
    """The earning rules in use in their order, the tiers of the scheme in use by id, the run-time settings of a deed."""

    stamp: str | None
    earning_rules: tuple[EarningRule, ...]
    tiers: Mapping[int, Tier]
    card_rules: str
    code_above_minor: int
    takes_other_stores: bool


_kept: House | None = None


def house() -> House:
    """As the database has it now: one small read, and more only after a change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT stamp::text FROM members_housebook")
        row = cursor.fetchone()
    return under(row[0] if row else None)


def kept() -> House:
    """As the deed of this transaction found it; for what answers a deed."""
    return _kept or house()


def under(stamp: str | None) -> House:
    """As it stands under the stamp a deed was opened with."""
    global _kept  # noqa: PLW0603
    if _kept is None or _kept.stamp != stamp:
        _kept = _read(stamp)
    return _kept


@transaction.atomic
def _read(stamp: str | None) -> House:
    rules = EarningRule.objects.filter(is_active=True).select_related("tier")
    tiers = {tier.pk: tier for tier in Tier.objects.filter(scheme__is_active=True)}
    settings = get_values_for_keys(_SETTINGS)
    return House(
        stamp=stamp,
        earning_rules=tuple(rules),
        tiers=tiers,
        card_rules=settings["CARD_RULES"],
        code_above_minor=settings["SPEND_CODE_ABOVE_MINOR"],
        takes_other_stores=bool(settings["ACCEPTS_OTHER_STORES"]),
    )
