"""Money in the admin: typed and shown as money, kept as integer minor units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Field
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.amounts import InvalidAmount, exponent_of, format_minor, parse_minor, plain_minor


def money_text(minor: int | None) -> str:
    """The amount as a reader of the active language writes it."""
    return "—" if minor is None else format_minor(minor, settings.REGULARS_CURRENCY, get_language() or "en")


def money_column(field: str, label: Any) -> Callable[[Any, Any], str]:
    """A method of an admin, for a list or a read-only line: the minor units in `field` shown as money."""

    @admin.display(description=label, ordering=field)
    def shown(self: Any, row: Any) -> str:
        return money_text(getattr(row, field))

    return shown


def _example() -> str:
    return _("In %(currency)s, for example 500 or 500.50.") % {"currency": settings.REGULARS_CURRENCY}


class MoneyFormField(forms.CharField):
    """An amount as a person types it; cleaned to minor units. `may_be_zero` also takes an empty box as nothing.

    `may_be_empty` keeps an empty box apart from a zero.
    """

    def __init__(self, *, may_be_zero: bool = False, may_be_empty: bool = False, **kwargs: Any) -> None:
        is_required = not (may_be_zero or may_be_empty)
        super().__init__(required=is_required, max_length=32, widget=UnfoldAdminTextInputWidget, **kwargs)
        self.may_be_zero, self.may_be_empty = may_be_zero, may_be_empty
        self.exponent = exponent_of(settings.REGULARS_CURRENCY)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    @classmethod
    def of(cls, db_field: Field) -> MoneyFormField:
        """The field for a model's `…_minor` column; a column with a default may stay at zero."""
        return cls(
            label=capfirst(db_field.verbose_name),  # type: ignore[attr-defined]
            may_be_zero=db_field.has_default(),
            may_be_empty=db_field.null and not db_field.has_default(),
            help_text=" ".join(
                str(said) for said in (_example(), getattr(db_field, "help_text", "")) if said
            ),
        )

    def prepare_value(self, value: Any) -> Any:
        return plain_minor(value, exponent=self.exponent) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        text = super().to_python(value)
        if self.may_be_empty and not text.strip():
            return None
        if (self.may_be_zero or self.may_be_empty) and not text.strip("0.０ "):
            return 0
        if not text:
            return None
        try:
            return parse_minor(text, exponent=self.exponent)
        except InvalidAmount as problem:
            raise forms.ValidationError(problem.message, code=problem.reason) from problem

    def run_validators(self, value: Any) -> None:
        """The model's own limits are checked with the model; length was checked while parsing."""
