"""A statement of a period, as staff and members ask for it, print it and take it home as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.shell.formats import money_exponent
from members.amounts import plain_minor
from members.domain.imports.cells import safe_for_spreadsheets
from members.domain.statements import (
    Line,
    Period,
    PeriodInvalid,
    Statement,
    all_lines,
    period_of,
    totals_of,
)
from members.enums import OperationKind
from members.models import Member


class PeriodForm(forms.Form):
    """Two days, either of which may be left open."""

    since = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        self.period = period_of(None, None, member=member)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            self.period = period_of(data.get("since"), data.get("until"), member=self.member)
        except PeriodInvalid as refusal:
            self.add_error("until", str(refusal.message))
        return data


@dataclass(frozen=True)
class Choice:
    """A period that is often asked for: its name and its part of the address."""

    label: str
    query: str
    is_current: bool


@dataclass(frozen=True)
class Asked:
    """What an address asks for. A period that makes no sense is shown as such, and the whole history below it."""

    form: PeriodForm
    period: Period
    choices: list[Choice]
    query: str

    @property
    def is_narrowed(self) -> bool:
        return bool(self.period.first or self.period.last)


def asked_of(query: QueryDict, member: Member, *, at: datetime) -> Asked:
    """The period an address asks for, and the usual ones to choose from."""
    form = PeriodForm(query or None, member=member)
    form.is_valid()
    return Asked(form, form.period, _choices(form.period, at), _query(form.period.first, form.period.last))


def _choices(current: Period, at: datetime) -> list[Choice]:
    today = at.astimezone(current.zone).date()
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    spans: list[tuple[str, date | None, date | None]] = [
        (_("All"), None, None),
        (_("This month"), month, today),
        (_("Last month"), last_month, month - timedelta(days=1)),
        (_("This year"), today.replace(month=1, day=1), today),
    ]
    return [
        Choice(label, _query(first, last), (first, last) == (current.first, current.last))
        for label, first, last in spans
    ]


def _query(first: date | None, last: date | None) -> str:
    query = QueryDict(mutable=True)
    if first:
        query["since"] = first.isoformat()
    if last:
        query["until"] = last.isoformat()
    return query.urlencode()


def reason_of(line: Line, *, for_member: bool) -> str:
    """Why the entry is there. A note is the shop's own, except that it names the reward of a redemption."""
    operation = line.entry.operation
    is_open = not for_member or operation.kind == OperationKind.REDEEM
    said = [str(operation.get_kind_display()), operation.note if is_open else ""]
    return ": ".join(part for part in said if part)


def paper(statement: Statement, *, for_member: bool) -> dict[str, Any]:
    """What templates/components/_statement.html shows."""
    lines = [{"line": line, "reason": reason_of(line, for_member=for_member)} for line in statement.lines]
    return {
        "statement": statement,
        "lines": lines,
        "zone": statement.period.zone.key,
        "printed_at": timezone.now(),
    }


def file_of(member: Member, period: Period, *, for_member: bool) -> HttpResponse:
    """The whole period as CSV: opening balances, every entry, closing balances. Cells cannot become formulae."""
    said = "-".join(day.isoformat() for day in (period.first, period.last) if day) or "all"
    response = HttpResponse(
        "".join(_csv_lines(member, period, for_member)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="statement-{member.member_no}-{said}.csv"'
    return response


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(member: Member, period: Period, for_member: bool) -> Iterator[str]:
    writer = csv.writer(_Line())
    totals = totals_of(member, period)
    yield "\ufeff" + writer.writerow(_header())
    for total in totals:
        opening = _amount(total.opening, total.is_money)
        yield writer.writerow(["", _("Opening balance"), "", "", total.kind.label, "", opening, ""])
    for line in all_lines(member, period, totals=totals):
        yield writer.writerow(_row(line, period, for_member))
    for total in totals:
        closing = _amount(total.closing, total.is_money)
        yield writer.writerow(["", _("Closing balance"), "", "", total.kind.label, "", closing, ""])


def _header() -> list[str]:
    return [
        _("When"),
        _("What"),
        _("Where"),
        _("Card"),
        _("Account"),
        _("Amount"),
        _("Balance after"),
        _("Reference"),
    ]


def _row(line: Line, period: Period, for_member: bool) -> list[str]:
    operation, card = line.entry.operation, line.entry.account.card
    said = [reason_of(line, for_member=for_member), operation.store.name]
    return [
        operation.at.astimezone(period.zone).strftime("%Y-%m-%d %H:%M:%S"),
        *(safe_for_spreadsheets(cell) for cell in said),
        f"…{card.number[-4:]}" if card else "",
        str(line.entry.get_account_kind_display()),
        _amount(line.entry.amount, line.is_money),
        _amount(line.balance, line.is_money),
        str(operation.public_id)[:8].upper(),
    ]


def _amount(amount: int, is_money: bool) -> str:
    return plain_minor(amount, exponent=money_exponent()) if is_money else str(amount)
