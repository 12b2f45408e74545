"""What is asked at the till, field by field. A form reads and checks; the ledger decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.staff.fields import AmountField, BirthdayField, PhoneField, TagsField
from members.amounts import MESSAGES
from members.enums import Gender, TenderType
from members.models import CardProduct, Member, RechargePlan, Reward, Store


class DeedForm(forms.Form):
    """A form that does something once. A refusal of the ledger is put beside the field it names."""

    use_required_attribute = False

    def refuse(self, message: str | Promise, field: str) -> None:
        """Show why the deed was refused."""
        self.add_error(field if field in self.fields else None, str(message))


class TenderFields(DeedForm):
    """How outside money was paid."""

    tender = forms.ChoiceField(
        label=_("Paid with"), choices=TenderType, widget=forms.RadioSelect, initial=TenderType.CASH
    )
    reference = forms.CharField(
        label=_("Payment reference"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RechargeForm(TenderFields):
    """A plan of this store, or any amount."""

    plan = forms.ModelChoiceField(
        RechargePlan.objects.none(),
        label=_("Plan"),
        required=False,
        widget=forms.RadioSelect,
        empty_label=_("Any amount"),
    )
    amount = AmountField(label=_("Amount"), required=False)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = RechargePlan.objects.offered(store.pk)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("plan") and data.get("amount") is None and "amount" not in self.errors:
            data["amount"] = data["plan"].pay_minor
        if not data.get("plan") and data.get("amount") is None and not self.errors:
            self.add_error("amount", str(MESSAGES["empty"]))
        return data


class RedeemForm(DeedForm):
    """A reward of this store."""

    reward = forms.ModelChoiceField(
        Reward.objects.none(), label=_("Reward"), widget=forms.RadioSelect, empty_label=None
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reward"].queryset = Reward.objects.offered(store.pk)  # type: ignore[attr-defined]


class OpenCardForm(DeedForm):
    """A product on offer."""

    product = forms.ModelChoiceField(
        CardProduct.objects.filter(is_active=True),
        label=_("Card"),
        widget=forms.RadioSelect,
        empty_label=None,
    )


class EnrolForm(DeedForm):
    """A person and their two separate words."""

    phone = PhoneField(label=_("Mobile number"))
    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=80, required=False)
    language = forms.ChoiceField(label=_("Language of the texts"), choices=settings.LANGUAGES)
    birthday = BirthdayField(label=_("Birthday"), required=False)
    service = forms.BooleanField(label=_("Service texts"), required=False)
    marketing = forms.BooleanField(label=_("Marketing texts"), required=False)


class ProfileForm(forms.ModelForm):
    """What staff may correct about a member; never the phone, which needs a code."""

    birthday = BirthdayField(label=_("Birthday"), required=False)
    gender = forms.ChoiceField(label=_("Gender"), choices=Gender, required=False)
    language = forms.ChoiceField(label=_("Language of the texts"), choices=settings.LANGUAGES)
    tags = TagsField(label=_("Tags"), required=False, help_text=_("With commas between them."))

    class Meta:
        model = Member
        fields = ("name", "language", "birthday", "gender", "tags", "notes")
        widgets = {"notes": forms.Textarea(attrs={"rows": 4})}
