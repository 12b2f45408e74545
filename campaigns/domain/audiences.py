"""Who a campaign is for: a few criteria over what the house knows, read as one question to the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.dates import MONTHS
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from members.enums import STORED_VALUE
from members.models import Account, Member, Store, Tier
from members.refusals import Refused

COUNT_CAP = 10_000
DAYS_MAX = 3650
MONEY_MAX = 10**12


class AudienceRefused(Refused):
    """A criterion that cannot be asked."""

    code = "audience_invalid"
    field = "audience"


@dataclass(frozen=True)
class Audience:
    """All criteria must hold; an absent one asks nothing. Money in minor units, days up to the moment of asking.

    `tier` is the lowest that is meant, by id: those above it in its scheme are meant too.
    """

    not_seen_days: int | None = None
    seen_days: int | None = None
    visits_min: int | None = None
    spend_min_minor: int | None = None
    balance_min_minor: int | None = None
    tags: tuple[str, ...] = ()
    tier: int | None = None
    birthday_month: int | None = None
    language: str = ""
    only_consenting: bool = False

    @classmethod
    def from_json(cls, criteria: Mapping[str, Any]) -> Audience:
        """Read stored or posted criteria. Raises AudienceRefused naming what cannot be asked."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(criteria) - known):
            raise AudienceRefused(gettext_lazy("There is no such criterion."), unknown=unknown)
        audience = cls(**{**criteria, "tags": tuple(criteria.get("tags") or ())})
        audience._check()
        return audience

    def as_json(self) -> dict[str, Any]:
        """Only the criteria that are asked."""
        asked = {name: value for name, value in asdict(self).items() if value not in (None, "", (), False)}
        return asked | ({"tags": list(self.tags)} if self.tags else {})

    def _check(self) -> None:
        _between("not_seen_days", self.not_seen_days, 0, DAYS_MAX)
        _between("seen_days", self.seen_days, 1, DAYS_MAX)
        _between("visits_min", self.visits_min, 0, 10**6)
        _between("spend_min_minor", self.spend_min_minor, 0, MONEY_MAX)
        _between("balance_min_minor", self.balance_min_minor, 0, MONEY_MAX)
        _between("birthday_month", self.birthday_month, 1, 12)
        _between("tier", self.tier, 1, 2**63 - 1)

    def members(self, store: Store, *, at: datetime) -> QuerySet[Member]:
        """The members of this store that meet every criterion at that moment."""
        query = Q(home_store=store) & self._facts(at)
        if self.tags:
            query &= Q(tags__overlap=list(self.tags))
        if self.tier:
            query &= _from_tier(self.tier)
        if self.birthday_month:
            query &= Q(birthday__month=self.birthday_month)
        if self.language:
            query &= Q(language=self.language)
        if self.only_consenting:
            query &= Q(has_marketing_consent=True)
        members = Member.objects.current().filter(query)
        return members.filter(_holds(self.balance_min_minor)) if self.balance_min_minor else members

    def _facts(self, at: datetime) -> Q:
        query = Q()
        if self.not_seen_days is not None:
            long_ago = at - timedelta(days=self.not_seen_days)
            query &= Q(facts__last_visit_at__lte=long_ago) | Q(facts__last_visit_at=None)
        if self.seen_days is not None:
            query &= Q(facts__last_visit_at__gt=at - timedelta(days=self.seen_days))
        if self.visits_min is not None:
            query &= Q(facts__visits__gte=self.visits_min)
        if self.spend_min_minor is not None:
            query &= Q(facts__spend_minor__gte=self.spend_min_minor)
        return query

    def in_words(self, money: Any) -> list[str]:
        """Each criterion as a plain sentence; `money` writes minor units."""
        said = {
            "not_seen_days": _("not seen for %(value)s days or more"),
            "seen_days": _("seen in the last %(value)s days"),
            "visits_min": _("came at least %(value)s times"),
            "spend_min_minor": _("spent at least %(value)s"),
            "balance_min_minor": _("has at least %(value)s on the card"),
            "tags": _("tagged %(value)s"),
            "tier": _("holds tier %(value)s or a higher one"),
            "birthday_month": _("birthday in %(value)s"),
            "language": _("reads %(value)s"),
            "only_consenting": _("has agreed to marketing texts"),
        }
        return [
            said[name] % {"value": self._value(name, value, money)} for name, value in self.as_json().items()
        ]

    @staticmethod
    def _value(name: str, value: Any, money: Any) -> Any:
        if name.endswith("_minor"):
            return money(value)
        if name == "birthday_month":
            return MONTHS[value]
        if name == "tier":
            return Tier.objects.filter(pk=value).values_list("name", flat=True).first() or "–"
        if name == "language":
            return get_language_info(value)["name_local"]
        return ", ".join(value) if isinstance(value, list) else value


def capped_count(members: QuerySet[Member], cap: int = COUNT_CAP) -> tuple[int, bool]:
    """How many there are, counted no further than the cap; whether there are more."""
    counted = members.order_by()[: cap + 1].count()
    return min(counted, cap), counted > cap


def _from_tier(tier: int) -> Q:
    lowest = Tier.objects.filter(pk=tier)
    return Q(
        standing__tier__scheme=Subquery(lowest.values("scheme")),
        standing__tier__threshold__gte=Subquery(lowest.values("threshold")),
    )


def _holds(minimum: int) -> Exists:
    totals = (
        Account.objects.filter(member=OuterRef("pk"), kind__in=STORED_VALUE)
        .order_by()
        .values("member")
        .annotate(total=Sum("balance"))
        .filter(total__gte=minimum)
    )
    return Exists(totals)


def _between(name: str, value: Any, low: int, high: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise AudienceRefused(
            gettext_lazy("This must be a number from %(low)s to %(high)s.") % {"low": low, "high": high},
            field=name,
        )
