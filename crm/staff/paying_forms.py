"""What is asked for a bill, a refund and a hold. A form reads and checks; the ledger decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.staff.coupon_offers import CouponFields
from crm.staff.fields import AmountField
from crm.staff.forms import DeedForm, TenderFields
from members.domain.bills import Line
from members.domain.ledger import TenderPaid
from members.domain.local_days import day_of, midnight_after
from members.enums import TenderType
from members.models import Coupon, GoodsCategory, Hold, Operation, Store

LINES_ASKED = 3
HOLD_DAYS = (
    (0, _("the end of today")),
    (1, _("tomorrow")),
    (3, _("3 days")),
    (7, _("7 days")),
    (30, _("30 days")),
)


class SpendForm(CouponFields, TenderFields):
    """A bill. The card pays what is not paid otherwise; with nothing said, all it can."""

    amount = AmountField(label=_("Bill"))
    outside = AmountField(label=_("Of the bill, paid another way"), required=False)
    also = AmountField(label=_("And a second part, paid another way"), required=False)
    also_tender = forms.ChoiceField(
        label=_("Paid with"), choices=TenderType, required=False, initial=TenderType.BANK_CARD
    )
    also_reference = forms.CharField(label=_("Payment reference"), max_length=64, required=False)
    points = forms.IntegerField(
        label=_("Points to use"),
        required=False,
        min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    coupon = forms.ModelMultipleChoiceField(Coupon.objects.none(), label=_("Coupons"), required=False)
    hold = forms.ModelChoiceField(
        Hold.objects.none(), required=False, to_field_name="public_id", widget=forms.HiddenInput
    )
    code = forms.CharField(
        label=_("The member’s code"),
        max_length=12,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, coupons: Any, holds: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["coupon"].queryset = coupons  # type: ignore[attr-defined]
        self.fields["hold"].queryset = holds  # type: ignore[attr-defined]
        goods = GoodsCategory.objects.filter(is_active=True)
        self.has_lines = goods.exists()
        for place in range(LINES_ASKED if self.has_lines else 0):
            self.fields[f"goods{place}"] = forms.ModelChoiceField(
                goods, label=_("Goods"), required=False, empty_label=_("Other goods")
            )
            self.fields[f"part{place}"] = AmountField(label=_("Of the bill"), required=False)
            self.fields[f"reduced{place}"] = forms.BooleanField(label=_("already reduced"), required=False)

    @property
    def rows(self) -> list[tuple[Any, Any, Any]]:
        """The fields of the lines, line by line."""
        places = range(LINES_ASKED if self.has_lines else 0)
        return [(self[f"goods{n}"], self[f"part{n}"], self[f"reduced{n}"]) for n in places]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("amount") and sum(line.amount_minor for line in self._said(data)) > data["amount"]:
            self.add_error("amount", _("The parts are more than the bill."))
        return data

    def lines(self) -> Sequence[Line]:
        """The lines of the bill; what no line says is a line of other goods. None when nothing was said."""
        said = self._said(self.cleaned_data)
        left = self.cleaned_data["amount"] - sum(line.amount_minor for line in said)
        return [*said, Line(left)] if said and left else said

    def tenders(self) -> list[TenderPaid]:
        """The outside money of which the amount was said."""
        data = self.cleaned_data
        named = (
            (data["tender"], data["outside"], data["reference"]),
            (data["also_tender"] or TenderType.OTHER, data["also"], data["also_reference"]),
        )
        return [TenderPaid(kind, amount, reference) for kind, amount, reference in named if amount]

    def rest(self) -> TenderPaid | None:
        """What pays the part the card cannot, unless the outside part was said."""
        data = self.cleaned_data
        return TenderPaid(data["tender"], 0, data["reference"]) if data["outside"] is None else None

    def _said(self, data: dict[str, Any]) -> list[Line]:
        lines = []
        for place in range(LINES_ASKED if self.has_lines else 0):
            if amount := data.get(f"part{place}"):
                goods = data.get(f"goods{place}")
                label = goods.name if goods else ""
                lines.append(
                    Line(amount, label, goods.pk if goods else None, bool(data.get(f"reduced{place}")))
                )
        return lines


class RefundForm(DeedForm):
    """A spend of this card, whole (no amount) or in part, or a reward, whole."""

    operation = forms.ModelChoiceField(
        Operation.objects.none(), label=_("What is taken back"), to_field_name="public_id"
    )
    amount = AmountField(label=_("Amount"), required=False)
    note = forms.CharField(label=_("Why"), max_length=200, required=False)

    def __init__(self, *args: Any, spends: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operation"].queryset = spends  # type: ignore[attr-defined]


class HoldForm(DeedForm):
    """So much, until the end of a day, for a reason."""

    amount = AmountField(label=_("Amount"))
    days = forms.TypedChoiceField(
        label=_("Held until"), choices=HOLD_DAYS, coerce=int, initial=7, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=_("What for"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def until(self, store: Store, at: datetime) -> datetime:
        """The store's midnight that ends the day chosen."""
        return midnight_after(store, day_of(store, at) + timedelta(days=self.cleaned_data["days"]))


class ReleaseForm(DeedForm):
    """Nothing to say: the hold is in the address."""
