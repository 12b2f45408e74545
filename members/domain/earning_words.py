"""Why points were earned, in words, from the figures that were kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext

from members.amounts import format_minor
from members.models import Earning


def words(why: Mapping[str, Any]) -> str:
    """One reason in the language that is active."""
    figures = {**why, "amount": _money(why.get("amount", 0)), "per": _money(why.get("per", 0))}
    return _SAID[why["by"]]() % figures


_SAID = {
    "product": lambda: gettext("%(amount)s at %(rate)s a whole unit"),
    "rate": lambda: gettext("%(rule)s: %(points)s for every %(per)s of %(amount)s"),
    "tier": lambda: gettext("%(tier)s: %(percent)s%% of %(base)s"),
    "times": lambda: gettext("%(rule)s: %(percent)s%% of %(base)s"),
    "extra": lambda: "%(rule)s",
    "plan": lambda: gettext("With the recharge plan %(plan)s"),
    "given": lambda: gettext("Given: %(reason)s"),
}


def reasons_of(operation_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Why each of some deeds earned: points and words, by deed. One read."""
    said: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in Earning.objects.filter(operation__in=list(operation_ids)).order_by("id"):
        said[row.operation_id].append({"points": row.points, "words": words(row.why)})
    return said


def _money(minor: int) -> str:
    return format_minor(minor, settings.REGULARS_CURRENCY, get_language() or settings.LANGUAGE_CODE)
