"""What a member types at the door."""

from __future__ import annotations

import re
import unicodedata

from django import forms
from django.utils.translation import gettext_lazy as _

from members.domain.enrolment import PhoneUnusable, read_phone
from messaging.domain.verification import CODE_DIGITS


class PhoneForm(forms.Form):
    """A mobile number in any spelling."""

    phone = forms.CharField(
        label=_("Mobile number"),
        max_length=40,
        help_text=_("The number your card is kept under."),
        error_messages={"required": _("Enter your mobile number.")},
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "autofocus": True}
        ),
    )

    def clean_phone(self) -> str:
        try:
            return read_phone(self.cleaned_data["phone"])
        except PhoneUnusable as refused:
            raise forms.ValidationError(str(refused.message), code=refused.code) from refused


class CodeForm(forms.Form):
    """The six digits of a text, or eight. Spaces and full-width digits, as some keyboards make them, are understood."""

    code = forms.CharField(
        label=_("Code from the text message"),
        max_length=20,
        error_messages={"required": _("Enter the code from the text message.")},
        widget=forms.TextInput(
            attrs={
                "class": "code-input",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )

    def clean_code(self) -> str:
        code = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", self.cleaned_data["code"]))
        if not (code.isascii() and code.isdigit() and len(code) in CODE_DIGITS):
            raise forms.ValidationError(_("The code has six or eight digits."), code="not_a_code")
        return code
