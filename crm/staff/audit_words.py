"""What an audit entry's fields are called and how their values read; the row itself keeps the bare words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from crm.shell.formats import money_text, number_text, store_time
from crm.staff import fault_words
from members.enums import AccountKind, CardStatus, OperationKind
from members.models import FraudPattern, FraudState
from members.models.card import CloseMethod

HASH_SHOWN, ID_SHOWN = 16, 8
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAMES: dict[str, str | Promise] = {
    "about": gettext_lazy("About"),
    "accepted_by": gettext_lazy("Accepted by"),
    "account": gettext_lazy("Account"),
    "amount": gettext_lazy("Amount"),
    "amount_minor": gettext_lazy("Amount"),
    "approval": gettext_lazy("Approval"),
    "asked": gettext_lazy("Asked for"),
    "audience": gettext_lazy("For whom"),
    "batch": gettext_lazy("File"),
    "budget_minor": gettext_lazy("Budget"),
    "by": gettext_lazy("New card"),
    "by_hand": gettext_lazy("Set by hand"),
    "cancelled": gettext_lazy("Cancelled"),
    "card": gettext_lazy("Card"),
    "confirmed_by_old": gettext_lazy("Confirmed by the old number"),
    "counted_minor": gettext_lazy("Counted"),
    "days": pgettext_lazy("how many", "Days"),
    "deed": gettext_lazy("Deed"),
    "difference_minor": gettext_lazy("Difference"),
    "expected_minor": gettext_lazy("Should be there"),
    "faults": gettext_lazy("What does not agree"),
    "fields": gettext_lazy("Fields"),
    "forfeited_minor": gettext_lazy("Forfeited"),
    "from": gettext_lazy("From"),
    "handout": gettext_lazy("Hand-out"),
    "hash": gettext_lazy("Hash"),
    "is_active": gettext_lazy("Active"),
    "is_frozen": gettext_lazy("Frozen"),
    "kept": gettext_lazy("Kept"),
    "kind": gettext_lazy("Kind"),
    "language": gettext_lazy("Language"),
    "limits": gettext_lazy("Limits"),
    "maker": gettext_lazy("Asked for by"),
    "marketing_held": gettext_lazy("Marketing texts held back"),
    "matching": gettext_lazy("Meet the criteria"),
    "member": gettext_lazy("Member"),
    "merged": gettext_lazy("Merged into it"),
    "message": gettext_lazy("Text"),
    "method": gettext_lazy("Method"),
    "money": gettext_lazy("Money"),
    "name": pgettext_lazy("person", "Name"),
    "new": gettext_lazy("New number"),
    "note": gettext_lazy("Note"),
    "number": gettext_lazy("Phone"),
    "off_minor": gettext_lazy("Money off"),
    "on": pgettext_lazy("business", "Day"),
    "paid_out": gettext_lazy("Paid out"),
    "pattern": gettext_lazy("Pattern"),
    "percent": gettext_lazy("Percent"),
    "period": gettext_lazy("Period"),
    "phones": gettext_lazy("Phone numbers"),
    "points": gettext_lazy("Points"),
    "protected_percent": gettext_lazy("Protected share"),
    "queued": gettext_lazy("Queued"),
    "quota": gettext_lazy("How many in all"),
    "reason": gettext_lazy("Reason"),
    "rows": gettext_lazy("Rows"),
    "state": gettext_lazy("State"),
    "status": gettext_lazy("Status"),
    "takes_effect_at": gettext_lazy("Takes effect"),
    "text": gettext_lazy("Text"),
    "texts": gettext_lazy("Texts"),
    "tier": gettext_lazy("Tier"),
    "until": gettext_lazy("Until"),
    "was_wished": gettext_lazy("Asked for by the member"),
    "what": gettext_lazy("What"),
}
DONE_BY = {
    "house": gettext_lazy("Regulars itself"),
    "portal": gettext_lazy("Member portal"),
    "text": gettext_lazy("Text message"),
    "command:import": gettext_lazy("Import"),
}
_MONEY = ("paid_out", "kept", "money")
_WORDS = {
    "account": dict(AccountKind.choices),
    "deed": dict(OperationKind.choices),
    "method": dict(CloseMethod.choices),
    "pattern": dict(FraudPattern.choices),
    "state": dict(FraudState.choices),
    "status": dict(CardStatus.choices),
    "what": {"recipients": gettext_lazy("Recipients"), "statement": gettext_lazy("Statement")},
}


def name_of(field: str) -> str:
    """The field as its readers call it; one without a name here keeps its word, without underscores."""
    return str(NAMES.get(field, field.replace("_", " ")))


def done_by(scope: str) -> str:
    """Who acted when it was no person of staff."""
    return str(DONE_BY.get(scope, scope))


def short(text: str) -> str:
    """A long number as its first eight signs, enough to tell it from its neighbours."""
    return text[:ID_SHOWN] if _ID.fullmatch(text) else text


def shown(field: str, facts: Mapping[str, Any], zone: str) -> str:
    """The field's value: money with its sign, days and times as elsewhere, words instead of codes."""
    value = facts.get(field)
    if value is None or value in ("", {}, []):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return money_text(value) if _is_money(field, facts) else number_text(value)
    if field == "faults":
        return " ".join(fault_words.sentence(fault) for fault in value)
    return _text(field, value, zone) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_money(field: str, facts: Mapping[str, Any]) -> bool:
    if field == "amount":
        return facts.get("account") in (AccountKind.PRINCIPAL, AccountKind.BONUS)
    return field.endswith("_minor") or field in _MONEY


def _text(field: str, value: str, zone: str) -> str:
    if field == "hash":
        return value[:HASH_SHOWN]
    if _ID.fullmatch(value):
        return short(value)
    if field == "language":
        return get_language_info(value)["name_translated"] if value in ("en", "zh-hans") else value
    if field.endswith("_at") and (moment := _read(parse_datetime, value)):
        return store_time(moment, zone).text
    if field == "on" and (day := _read(parse_date, value)):
        return date_format(day, "DATE_FORMAT")
    return str(_WORDS[field].get(value, value.replace("_", " "))) if field in _WORDS else value


def _read(parse: Callable[[str], Any], value: str) -> Any:
    """The day or moment that is written there; None when it is none."""
    try:
        return parse(value)
    except ValueError:
        return None
