"""Goodwill at the till: bonus or points given or taken with a reason, and an adjustment taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from crm.shell.formats import money_exponent
from crm.staff.access import IN_CHARGE
from crm.staff.counter import Deed
from crm.staff.forms import DeedForm
from crm.staff.holdings import holdings_of
from crm.staff.till import visible_members
from members.amounts import InvalidAmount, parse_minor
from members.domain.adjusting import adjust, undo_adjustment
from members.domain.deeds import Outcome
from members.domain.limits import left_for
from members.enums import AccountKind, OperationKind
from members.models import LimitedDeed, Operation

GIVE, TAKE = "give", "take"
LIMIT_OF = {AccountKind.BONUS: LimitedDeed.ADJUST, AccountKind.POINTS: LimitedDeed.ADJUST_POINTS}


class AdjustForm(DeedForm):
    """What is given or taken, how much, and why."""

    account = forms.ChoiceField(
        label=_("What"),
        choices=[
            (AccountKind.BONUS, AccountKind.BONUS.label),
            (AccountKind.POINTS, AccountKind.POINTS.label),
        ],
        widget=forms.RadioSelect,
        initial=AccountKind.BONUS,
    )
    direction = forms.ChoiceField(
        label=_("Given or taken"),
        choices=[(GIVE, _("Give")), (TAKE, _("Take"))],
        widget=forms.RadioSelect,
        initial=GIVE,
    )
    amount = forms.CharField(
        label=_("How much"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("Bonus in money, points as a whole number."),
    )
    valid_days = forms.IntegerField(label=_("Valid for days"), required=False, min_value=1, max_value=3650)
    reason = forms.CharField(
        label=_("Why"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "amount" in data and "account" in data:
            try:
                data["amount"] = read_amount(data["account"], data["amount"])
            except ValidationError as problem:
                self.add_error("amount", problem)
        return data


def read_amount(account: str, typed: str) -> int:
    """The amount as the account counts: minor units, or points. Raises ValidationError."""
    exponent = money_exponent() if account == AccountKind.BONUS else 0
    try:
        return parse_minor(typed, exponent=exponent)
    except InvalidAmount as problem:
        raise ValidationError(str(problem.message), code=problem.reason) from problem


class AdjustValue(Deed):
    """Bonus or points given or taken, within one's limit or with a second person."""

    form_class, template, kind = AdjustForm, "staff/_deed_adjust.html", OperationKind.ADJUST

    def context(self, form: Any) -> dict[str, Any]:
        person, store = self.access.staff.pk, self.access.store.pk
        left = {
            str(account): left_for(staff_id=person, store_id=store, deed=deed)
            for account, deed in LIMIT_OF.items()
        }
        return {"left": left, "points": holdings_of(self.member, at=self.at).points}

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        is_given = data["direction"] == GIVE
        days = data["valid_days"] if is_given else None
        return adjust(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            card=self.card,
            account=AccountKind(data["account"]),
            amount=data["amount"] if is_given else -data["amount"],
            reason=data["reason"],
            expires_at=_end_of_day(self, days) if days else None,
        )

    def _is_same(self, form: Any, earlier: Operation) -> bool:
        if (earlier.kind, earlier.member_id) != (self.kind, self.member.pk):
            return False
        account, asked = form.data.get("account", ""), earlier.request
        try:
            amount = read_amount(account, form.data.get("amount", ""))
        except ValidationError:
            return False
        signed = amount if form.data.get("direction") == GIVE else -amount
        return (asked.get("account"), asked.get("amount")) == (account, signed)


def _end_of_day(deed: Deed, days: int) -> Any:
    """The end of the store's day so many days on: the same for a repeat and for the approved deed."""
    local = deed.at.astimezone(deed.access.store.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return local + timedelta(days=days + 1)


class UndoForm(DeedForm):
    """Why it is taken back."""

    reason = forms.CharField(
        label=_("Why"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class UndoAdjustment(Deed):
    """An adjustment taken back, exactly. A manager's or an owner's word."""

    form_class, template, kind = UndoForm, "staff/_deed_undo_adjustment.html", OperationKind.ADJUST
    roles = IN_CHARGE

    def find(self, request: HttpRequest, operation: UUID) -> None:  # type: ignore[override]
        done = Operation.objects.select_related(
            "card__member__home_store", "card__member__facts", "card__product"
        )
        self.adjustment = get_object_or_404(
            done,
            public_id=operation,
            kind=OperationKind.ADJUST,
            reverses=None,
            card__isnull=False,
            member__in=visible_members(self.access),
        )
        self.card: Any = self.adjustment.card
        self.member = self.adjustment.member

    def context(self, form: Any) -> dict[str, Any]:
        return {"adjustment": self.adjustment}

    def do(self, form: Any, key: str) -> Outcome:
        return undo_adjustment(
            actor=self.access.actor,
            key=key,
            at=self.at,
            store=self.access.store,
            operation=self.adjustment,
            reason=form.cleaned_data["reason"],
        )

    def _is_same(self, form: Any, earlier: Operation) -> bool:
        return earlier.reverses_id == self.adjustment.pk
