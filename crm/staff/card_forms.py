"""What is asked at the till about a card as a whole. A form reads and checks; the ledger decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.staff.fields import AmountField, PhoneField
from crm.staff.forms import DeedForm, TenderFields
from members.models import Card, Member, Operation, Sharer


class SellServicesForm(TenderFields):
    """Only how it is paid: what is sold and its price are the product's."""


class TakeServiceForm(DeedForm):
    """How many, and by whom; nobody named means the owner."""

    count = forms.IntegerField(
        label=_("How many?"),
        initial=1,
        min_value=1,
        max_value=1000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    sharer = forms.ModelChoiceField(
        Sharer.objects.none(), label=_("Who takes it?"), required=False, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, card: Card, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = Sharer.objects.filter(card=card, removed_at=None)
        self.fields["sharer"].queryset = named  # type: ignore[attr-defined]


class NoteForm(DeedForm):
    """Why."""

    note = forms.CharField(label=_("Why"), max_length=200, required=False)


class CloseForm(NoteForm):
    """The sum that was shown goes along: another one now is refused."""

    amount = AmountField(required=False, widget=forms.HiddenInput)
    agreed = forms.BooleanField(label=_("The member has seen the sum and agrees"))


class RefundRechargeForm(NoteForm):
    """One recharge of this card."""

    operation = forms.ModelChoiceField(
        Operation.objects.none(), label=_("Recharge"), to_field_name="public_id"
    )

    def __init__(self, *args: Any, recharges: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operation"].queryset = recharges  # type: ignore[attr-defined]


class SharerForm(DeedForm):
    """Somebody the owner names."""

    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=80)


class PassOnForm(DeedForm):
    """What is passed on, and to whose number."""

    phone = PhoneField(label=_("The receiver’s mobile number"))
    amount = AmountField(label=_("Stored value"), required=False)
    services = forms.IntegerField(label=_("Services"), required=False, min_value=0, max_value=1000)
    points = forms.IntegerField(label=_("Points"), required=False, min_value=0, max_value=10**9)
    note = forms.CharField(label=_("Why"), max_length=120, required=False)
    code = forms.CharField(
        label=_("The sender’s code"),
        max_length=12,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    receiver: Member | None = None

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        self.receiver = Member.objects.filter(phone=phone).first()
        if self.receiver is None:
            raise forms.ValidationError(_("Nobody is a member with this number. Enrol them first."))
        return phone
