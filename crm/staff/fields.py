"""Form fields of the till: an amount of money, a phone, a birthday, a handful of tags."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from crm.shell.fields import AmountField  # noqa: F401  (the till has its fields from here)
from members.phones import InvalidPhone, normalize

TAGS_MAX, TAG_LENGTH = 20, 40
YEARS = range(2000, 2101)


class PhoneField(forms.CharField):
    """A mobile number in any spelling; cleans to E.164."""

    widget = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "type": "tel"})

    def clean(self, value: Any) -> str:
        try:
            return normalize(str(value or ""), settings.REGULARS_REGION)
        except InvalidPhone as problem:
            raise ValidationError(str(problem.message), code=problem.reason) from problem


class BirthdayField(forms.DateField):
    """A day in the past hundred and twenty years."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def clean(self, value: Any) -> date | None:
        day = super().clean(value)
        if day and not (localdate().year - 120 <= day.year and day <= localdate()):
            raise ValidationError(_("A birthday lies in the past."), code="birthday")
        return day


class DayField(forms.DateField):
    """A day a shop can have had; so that the day after it, at midnight in any zone, is a moment too."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def clean(self, value: Any) -> date | None:
        day = super().clean(value)
        if day and day.year not in YEARS:
            raise ValidationError(_("This day cannot be right."), code="day")
        return day


class TagsField(forms.CharField):
    """Tags with commas between them, Chinese ones too; cleans to a list without doubles."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        text = super().clean(value).replace("，", ",").replace("、", ",")
        tags = list(dict.fromkeys(tag for part in text.split(",") if (tag := " ".join(part.split()))))
        if len(tags) > TAGS_MAX or any(len(tag) > TAG_LENGTH for tag in tags):
            raise ValidationError(_("At most 20 tags of at most 40 characters."), code="tags")
        return tags

    def has_changed(self, initial: Any, data: Any) -> bool:
        """The kept list against the typed line."""
        try:
            return self.clean(data) != list(initial or [])
        except ValidationError:
            return True
