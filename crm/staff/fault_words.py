"""What is wrong with the books of a frozen account, in words: the rule that is broken and the figures that differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.shell.formats import money_text, number_text
from members.enums import AccountKind

# The rules that freeze an account (members.domain.freezing); docs/ledger.md has them all.
BROKEN: dict[str, Promise] = {
    "L2": _("The balance is not what the entries add up to."),
    "L3": _("Entries have a gap in their numbers, or do not go on from the balance before them."),
    "L4": _("A balance is below zero."),
    "L5": _("What is left of the lots is not the balance, or an entry is not what it took from them."),
    "L15": _("What is set aside is not what the open holds say."),
    "L16": _("An entry was changed outside the books: its hash does not follow from the one before it."),
}
_OF_VALUE: dict[str, Promise] = {
    "balance": _("balance"),
    "sum_of_entries": _("sum of the entries"),
    "balance_after": _("balance after"),
    "before": _("balance before"),
    "amount": _("amount"),
    "remaining_in_lots": _("left in the lots"),
    "original": _("size of the lot"),
    "remaining": _("left of the lot"),
    "used": _("used"),
    "new_lot": _("new lot"),
    "held": _("set aside"),
    "in_open_holds": _("in open holds"),
}
_OF_COUNT: dict[str, Promise] = {
    "entries": _("entries"),
    "last_seq": _("last number"),
    "seq": _("number"),
    "expected_seq": _("number due"),
    "entry_id": _("entry"),
    "lot_id": _("lot"),
}
_MONEY = (AccountKind.PRINCIPAL, AccountKind.BONUS)


def told(faults: Iterable[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Each broken rule of an account of this kind, with the rows that break it: (what, how much) pairs."""
    return [
        {
            "rule": fault["rule"],
            "says": sentence(fault),
            "rows": [list(_figures(row, kind)) for row in fault.get("rows", ())],
        }
        for fault in faults
    ]


def sentence(fault: Mapping[str, Any]) -> str:
    """The rule that is broken, as a sentence; one without words here keeps its name."""
    return str(BROKEN.get(fault["rule"], fault["rule"]))


def _figures(row: Mapping[str, Any], kind: str) -> Iterable[tuple[str, str]]:
    """What a person compares; the account's own number and kind stand above, hashes say nothing to the eye."""
    for name, value in row.items():
        if not isinstance(value, int):
            continue
        if name in _OF_VALUE:
            yield str(_OF_VALUE[name]), money_text(value) if kind in _MONEY else number_text(value)
        elif name in _OF_COUNT:
            yield str(_OF_COUNT[name]), str(value)
