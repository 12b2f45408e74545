"""A coupon definition in plain words, for whoever writes it and whoever holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from members.domain.coupon_prices import money
from members.models import CouponDefinition, CouponKind, CouponRefundPolicy


def headline(definition: CouponDefinition) -> str:
    """What it takes off: "20.00 off", "15% off, at most 50.00", "Free: a fringe trim, worth up to 40.00"."""
    if definition.kind == CouponKind.PERCENT:
        said = _("%(percent)s%% off") % {"percent": definition.percent or 0}
    elif definition.kind == CouponKind.ITEM:
        facts = {"item": definition.item, "amount": money(definition.off_minor or 0)}
        said = _("Free: %(item)s, worth up to %(amount)s") % facts
    else:
        said = _("%(amount)s off") % {"amount": money(definition.off_minor or 0)}
    if definition.off_max_minor:
        said = _("%(what)s, at most %(amount)s") % {"what": said, "amount": money(definition.off_max_minor)}
    return said


def conditions(
    definition: CouponDefinition, stores: Iterable[object] = (), categories: Iterable[object] = ()
) -> list[str]:
    """When, where and for what it counts, one phrase each; nothing for what is not limited."""
    said = [
        definition.min_spend_minor
        and _("from a bill of %(amount)s") % {"amount": money(definition.min_spend_minor)},
        _only(_("only for %(names)s"), categories),
        _only(_("only at %(names)s"), stores),
        definition.weekdays and _only(_("only on %(names)s"), _days(definition.weekdays)),
        definition.hours_from
        and definition.hours_till
        and _("only from %(from)s to %(till)s")
        % {"from": f"{definition.hours_from:%H:%M}", "till": f"{definition.hours_till:%H:%M}"},
        definition.valid_from and _("from %(day)s on") % {"day": _day(definition.valid_from)},
        definition.valid_to and _("until %(day)s") % {"day": _day(definition.valid_to)},
        definition.valid_days
        and ngettext("for %(n)s day after issue", "for %(n)s days after issue", definition.valid_days)
        % {"n": definition.valid_days},
        not definition.stacks_with_coupons and _("not together with another coupon"),
        not definition.stacks_with_tier and _("not together with a tier discount"),
    ]
    return [str(phrase) for phrase in said if phrase]


def limits(definition: CouponDefinition) -> list[str]:
    """What the house has said about how many and how much, and about refunds."""
    said = [
        definition.quota
        and ngettext("%(n)s coupon in all", "%(n)s coupons in all", definition.quota)
        % {"n": definition.quota},
        definition.member_limit and _("at most %(n)s for a member") % {"n": definition.member_limit},
        definition.staff_daily_limit
        and _("at most %(n)s a day by one person") % {"n": definition.staff_daily_limit},
        definition.budget_minor
        and _("at most %(amount)s off in all") % {"amount": money(definition.budget_minor)},
        _on_refund(definition),
    ]
    return [str(phrase) for phrase in said if phrase]


def _on_refund(definition: CouponDefinition) -> str:
    if definition.refund_policy == CouponRefundPolicy.VOID:
        return _("lost when the bill is refunded")
    if definition.refund_policy == CouponRefundPolicy.REISSUE:
        days = definition.refund_days or 0
        return ngettext(
            "given back for at least %(n)s more day when the bill is refunded",
            "given back for at least %(n)s more days when the bill is refunded",
            days,
        ) % {"n": days}
    return _("given back as it was when the bill is refunded")


def _only(sentence: str, names: Iterable[object]) -> str:
    said = [str(name) for name in names]
    return sentence % {"names": pgettext("between names", ", ").join(said)} if said else ""


def _days(weekdays: Sequence[int]) -> list[str]:
    return [str(WEEKDAYS_ABBR[day - 1]) for day in sorted(weekdays)]


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
