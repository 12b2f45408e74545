"""Points earned by a deed: which rules fit, what each gives, when it may be used and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from members.domain.allocation import share
from members.domain.bills import Line
from members.domain.housebook import House, house
from members.domain.ledger import Deed, Leg, NewLot
from members.domain.local_days import day_of, is_birthday, midnight_after, months_later, on_day
from members.domain.tiers import Privileges
from members.enums import AccountKind
from members.models import Card, CardProduct, Earning, EarningRule, Member, MemberFacts, Operation, Store
from members.models.points import BirthdaySpan, EarningEffect, EarningOccasion

UNIT_MINOR = 100  # a card product's rate is per whole unit of money


@dataclass(frozen=True)
class Earnable:
    """A deed that may earn: what of it earns (`net_minor`: in money, at full price, after discounts).

    `lines` are the goods at what is paid for them; without any everything is of no category. `tier` is what the
    member's tier gives; `house` what a deed that opened knows of it. `is_first_purchase` is looked up when a rule asks and the caller has not said.
    """

    member: Member
    card: Card | None
    store: Store
    at: datetime
    net_minor: int = 0
    lines: Sequence[Line] = ()
    is_first_purchase: bool | None = None
    tier: Privileges | None = None
    occasion: EarningOccasion = EarningOccasion.SPEND
    event_type: str = ""
    house: House | None = None

    @cached_property
    def day(self) -> date:
        """The store's day."""
        return day_of(self.store, self.at)

    @cached_property
    def parts(self) -> dict[int | None, int]:
        """What earns, by goods category; to the cent, by running totals."""
        full = [line for line in self.lines if not line.is_discounted]
        whole = sum(line.amount_minor for line in full)
        if not whole:
            return {None: self.net_minor}
        parts: dict[int | None, int] = defaultdict(int)
        seen = given = 0
        for line in full:
            seen += line.amount_minor
            part = share(self.net_minor, seen, whole) - given
            given += part
            parts[line.category] += part
        return parts

    @cached_property
    def is_first(self) -> bool:
        if self.is_first_purchase is not None:
            return self.is_first_purchase
        return not MemberFacts.objects.filter(member=self.member, visits__gt=0).exists()


@dataclass(frozen=True)
class Award:
    """So many points by one rule (or by none: the card product, the tier), why, from when and until when."""

    points: int
    rule_id: int | None = None
    why: dict[str, Any] = field(default_factory=dict)
    active_from: datetime | None = None
    expires_at: datetime | None = None


def awards_for(facts: Earnable) -> list[Award]:
    """What a deed earns, one award for each rule that fits, in the rules' order.

    A bill that no rate fits earns by its card product; a recharge, a birthday or an
    event earns only what a rule says.
    """
    rules = _fitting(facts)
    awards, base = _base_awards(facts, [rule for rule in rules if rule.effect == EarningEffect.RATE])
    if facts.occasion == EarningOccasion.SPEND and facts.tier and facts.tier.tier:
        awards += _tier_award(facts, facts.tier, sum(base.values()))
    for rule in rules:
        if rule.effect == EarningEffect.TIMES:
            awards += _times_award(facts, rule, base)
        elif rule.effect == EarningEffect.EXTRA:
            awards.append(_award(facts, rule.points, rule, {"by": "extra"}))
    return awards


def legs_of(deed: Deed, awards: Sequence[Award], store: Store) -> list[Leg]:
    """The legs of points that come in: one lot for each time they may be used and end."""
    lots: dict[tuple[datetime | None, datetime | None], int] = defaultdict(int)
    for award in awards:
        lots[award.active_from, award.expires_at] += award.points
    points = sum(lots.values())
    if not points:
        return []
    new = tuple(
        NewLot(amount, active_from=active_from, expires_at=expires_at)
        for (active_from, expires_at), amount in lots.items()
    )
    return [
        Leg(points, account=deed.accounts[AccountKind.POINTS], lots=new),
        Leg(-points, store=store.pk, kind=AccountKind.POINTS_COST),
    ]


def record(operation: Operation, awards: Sequence[Award]) -> None:
    """Keep why a deed earned. What only the card product gave on the whole amount needs no row."""
    if is_plain(operation.amount_minor, awards):
        return
    Earning.objects.bulk_create(
        [
            Earning(operation=operation, rule_id=award.rule_id, points=award.points, why=award.why)
            for award in awards
        ]
    )


def is_plain(amount_minor: int, awards: Sequence[Award]) -> bool:
    """Whether only the card product gave points, on the whole amount."""
    return all(award.why == _plain(amount_minor, award.why) for award in awards)


def given(points: int, *, card: Card, store: Store, at: datetime, why: dict[str, Any]) -> Award:
    """Points that no rule reckoned, such as a recharge plan's: valid as long as the card product says."""
    facts = Earnable(card.member, card, store, at)
    return _award(facts, points, None, why)


def _plain(amount_minor: int, why: dict[str, Any]) -> dict[str, Any]:
    return {"by": "product", "amount": amount_minor, "rate": why.get("rate")}


def _fitting(facts: Earnable) -> list[EarningRule]:
    """The rules in use that fit a deed, up to the first that is the last."""
    fitting = []
    for rule in (facts.house or house()).earning_rules:
        if _is_for(rule, facts) and fits(rule, facts):
            fitting.append(rule)
            if rule.is_last:
                break
    return fitting


def _is_for(rule: EarningRule, facts: Earnable) -> bool:
    if rule.occasion != facts.occasion or rule.store_id not in (None, facts.store.pk):
        return False
    return rule.occasion != EarningOccasion.EVENT or rule.event_type == facts.event_type


def fits(rule: EarningRule, facts: Earnable) -> bool:
    """Whether a rule's conditions hold for a deed."""
    return (
        is_in_season(rule, facts.day)
        and rule.store_id in (None, facts.store.pk)
        and (rule.card_product_id is None or _product_id(facts) == rule.card_product_id)
        and (rule.category_id is None or facts.parts.get(rule.category_id, 0) > 0)
        and (rule.tier is None or _reaches(facts.tier, rule.tier.threshold))
        and _fits_birthday(rule, facts)
        and (not rule.is_first_purchase or facts.is_first)
    )


def is_in_season(rule: EarningRule, day: date) -> bool:
    """Whether a rule holds on a day."""
    return (
        (rule.starts_on is None or rule.starts_on <= day)
        and (rule.ends_on is None or day <= rule.ends_on)
        and (not rule.weekdays or day.isoweekday() in rule.weekdays)
    )


def _fits_birthday(rule: EarningRule, facts: Earnable) -> bool:
    born = facts.member.birthday
    if rule.birthday == BirthdaySpan.DAY:
        return is_birthday(born, facts.day)
    if rule.birthday == BirthdaySpan.MONTH:
        return born is not None and born.month == facts.day.month
    return True


def _reaches(held: Privileges | None, threshold: int) -> bool:
    return held is not None and held.tier is not None and held.tier.threshold >= threshold


def _product_id(facts: Earnable) -> int | None:
    return facts.card.product_id if facts.card else None


def _base_awards(facts: Earnable, rates: Sequence[EarningRule]) -> tuple[list[Award], dict[int | None, int]]:
    """What the amount earns, and by goods category, for what multiplies it."""
    by_rule: dict[int | None, dict[int | None, int]] = defaultdict(dict)
    for category, amount in facts.parts.items():
        rule = next((rate for rate in rates if rate.category_id in (None, category)), None)
        by_rule[rule.pk if rule else None][category] = amount
    awards: list[Award] = []
    base: dict[int | None, int] = defaultdict(int)
    for rule in [*rates, None]:
        parts = by_rule.get(rule.pk if rule else None, {})
        amount = sum(parts.values())
        points = _rate_points(facts, rule, amount)
        if points:
            awards.append(_award(facts, points, rule, _rate_why(facts, rule, amount)))
            for category, part in _spread(points, parts).items():
                base[category] += part
    return awards, base


def _rate_points(facts: Earnable, rule: EarningRule | None, amount: int) -> int:
    """Per whole unit; the remainder is dropped."""
    if rule:
        return amount // rule.per_minor * rule.points
    if facts.occasion == EarningOccasion.SPEND and facts.card:
        return points_for(facts.card.product, amount)
    return 0


def _rate_why(facts: Earnable, rule: EarningRule | None, amount: int) -> dict[str, Any]:
    if rule:
        return {"by": "rate", "amount": amount, "points": rule.points, "per": rule.per_minor}
    assert facts.card is not None
    return {"by": "product", "amount": amount, "rate": facts.card.product.points_per_unit}


def _spread(points: int, parts: dict[int | None, int]) -> dict[int | None, int]:
    whole, seen, given_so_far = sum(parts.values()), 0, 0
    spread = {}
    for category, amount in parts.items():
        seen += amount
        spread[category] = share(points, seen, whole) - given_so_far
        given_so_far += spread[category]
    return spread


def _tier_award(facts: Earnable, held: Privileges, base: int) -> list[Award]:
    more = base * (held.points_percent - 100) // 100
    why = {"by": "tier", "tier": held.tier.name if held.tier else "", "percent": held.points_percent}
    return [_award(facts, more, None, why | {"base": base})] if more else []


def _times_award(facts: Earnable, rule: EarningRule, base: dict[int | None, int]) -> list[Award]:
    of = sum(base.values()) if rule.category_id is None else base.get(rule.category_id, 0)
    more = of * (rule.percent - 100) // 100
    return [_award(facts, more, rule, {"by": "times", "percent": rule.percent, "base": of})] if more else []


def _award(facts: Earnable, points: int, rule: EarningRule | None, why: dict[str, Any]) -> Award:
    product = facts.card.product if facts.card else None
    pending = product.points_pending_days if product else 0
    active_from = facts.at + timedelta(days=pending) if pending else None
    if rule:
        why = why | {"rule": rule.name}
    last = _last_day(rule, product, facts, active_from)
    expires_at = midnight_after(facts.store, last) if last else None
    return Award(points, rule.pk if rule else None, why, active_from, expires_at)


def _last_day(
    rule: EarningRule | None, product: CardProduct | None, facts: Earnable, active_from: datetime | None
) -> date | None:
    """The last day points may be used, as the rule says, else as the card product does. None: for ever."""
    if rule and rule.valid_months:
        day = months_later(facts.day, rule.valid_months)
        return _next_fixed(rule, day)
    if rule and rule.expires_month:
        return _next_fixed(rule, day_of(facts.store, active_from or facts.at))
    if product and product.points_valid_days:
        return facts.day + timedelta(days=product.points_valid_days)
    return None


def _next_fixed(rule: EarningRule, day: date) -> date:
    """The rule's fixed last day on or after a day; that day itself when the rule has none."""
    if not rule.expires_month or not rule.expires_day:
        return day
    this_year = on_day(day.year, rule.expires_month, rule.expires_day)
    return this_year if this_year >= day else on_day(day.year + 1, rule.expires_month, rule.expires_day)


def points_for(product: CardProduct, amount_minor: int) -> int:
    """Points by a card product's own rate: per whole unit of money (100 minor units), remainder dropped."""
    return amount_minor // UNIT_MINOR * product.points_per_unit


def points_earned(deed: Deed, product: CardProduct, store: Store, points: int, at: datetime) -> list[Leg]:
    """The legs of points that come in, valid for as long as the product says."""
    expires = (
        midnight_after(store, day_of(store, at) + timedelta(days=product.points_valid_days))
        if (product.points_valid_days)
        else None
    )
    return legs_of(deed, [Award(points, expires_at=expires)], store)


def total(awards: Iterable[Award]) -> int:
    """All points of some awards."""
    return sum(award.points for award in awards)
