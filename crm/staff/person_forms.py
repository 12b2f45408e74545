"""What is asked when a member changes number, is merged or is erased; a form reads, the domain decides."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_TEXT = {"autocomplete": "off"}


class PhoneChangeForm(forms.Form):
    """The new number, and either the code of the old one or a reason."""

    phone = forms.CharField(
        label=_("New mobile number"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", **_TEXT}),
    )
    code = forms.CharField(
        label=_("Code sent to the old number"),
        max_length=20,
        required=False,
        help_text=_("With it the number changes at once."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", **_TEXT}),
    )
    reason = forms.CharField(
        label=_("Why there is no code"),
        max_length=200,
        required=False,
        help_text=_("Manager or owner: without a code it takes 24 hours, and the old number is told."),
        widget=forms.TextInput(attrs=_TEXT),
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Why"), max_length=200, widget=forms.TextInput(attrs=_TEXT))


class EraseForm(forms.Form):
    """Why, when the member did not ask for it, and that value left is given up."""

    reason = forms.CharField(
        label=_("Why"), max_length=200, required=False, widget=forms.TextInput(attrs=_TEXT)
    )
    forfeits_value = forms.BooleanField(
        label=_("The member knows that what is left is given up."), required=False
    )
    is_sure = forms.BooleanField(
        label=_("This cannot be undone."), error_messages={"required": _("Tick this to erase the member.")}
    )
