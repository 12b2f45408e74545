"""What the law of a country says about prepaid cards, as dated data. Reported, not legal advice: docs/card-rules.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class CardRules:
    """One country's rules; None is no rule. Money in minor units of the house's currency.

    A card is registered when its member is known by name and phone. `refunds_to_source` and `keep_years` are kept
    by the ledger whatever the pack: money goes back by the tender it came from, and nothing is ever deleted.
    """

    name: str
    label: str | Promise
    source: str = ""
    as_of: date | None = None
    registered_max_minor: int | None = None
    unregistered_max_minor: int | None = None
    identity_from_minor: int | None = None
    unregistered_valid_days_min: int | None = None
    may_registered_expire: bool = True
    refunds_to_source: bool = True
    keep_years: int | None = None

    def max_minor(self, *, is_registered: bool) -> int | None:
        """The most one card may hold that was paid for."""
        return self.registered_max_minor if is_registered else self.unregistered_max_minor


NONE = CardRules("none", _("No limits"))
CHINA = CardRules(
    "cn",
    _("China: single-purpose prepaid cards"),
    source="单用途商业预付卡管理办法（试行）, Ministry of Commerce order 9 of 2012, in force from 2012-11-01",
    as_of=date(2026, 11, 24),
    registered_max_minor=500_000,
    unregistered_max_minor=100_000,
    identity_from_minor=1_000_000,
    unregistered_valid_days_min=3 * 365 + 1,
    may_registered_expire=False,
    keep_years=5,
)
PACKS: dict[str, CardRules] = {rules.name: rules for rules in (NONE, CHINA)}
