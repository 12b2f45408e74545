"""What staff and members type alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.shell.formats import money_exponent
from members.amounts import InvalidAmount, parse_minor


class AmountField(forms.CharField):
    """Money as typed; cleans to integer minor units. Never a float."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        text = "" if value is None else str(value)
        if not self.required and not text.strip():
            return None
        if any("０" <= char <= "９" for char in text):
            raise ValidationError(_("Type the amount in plain digits, like 100."), code="full_width")
        try:
            return parse_minor(text, exponent=money_exponent())
        except InvalidAmount as problem:
            raise ValidationError(str(problem.message), code=problem.reason) from problem
