"""What is asked of a coupon definition, a gift and a void; a form reads and checks, the domain decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from crm.shell.formats import money_exponent
from crm.staff.fields import AmountField
from crm.staff.forms import DeedForm
from members.amounts import plain_minor
from members.domain.coupon_prices import CouponDoesNotFit, worth_minor
from members.models import CouponDefinition, CouponKind, CouponRefundPolicy, Store

# What members hold already must not change under their hands.
PROMISED = (
    "kind",
    "off_minor",
    "percent",
    "item",
    "off_max_minor",
    "min_spend_minor",
    "stores",
    "categories",
    "weekdays",
    "hours_from",
    "hours_till",
    "stacks_with_coupons",
    "stacks_with_tier",
)
_LEAST = 10000
_SAMPLES = (1, 3, 8)


class MinorField(AmountField):
    """An amount that may be left out, shown again as it is typed."""

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, **more)

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """A number is the stored one of a field that is closed; text is what was typed."""
        return value if isinstance(value, int) else super().clean(value)

    def prepare_value(self, value: Any) -> Any:
        if value in (None, 0):
            return ""
        return plain_minor(value, exponent=money_exponent()) if isinstance(value, int) else value


class CouponForm(forms.ModelForm):
    """A definition. Once a coupon of it is out, what was promised with it stays."""

    use_required_attribute = False
    off_minor = MinorField(label=_("Money off, or what the free thing is worth"))
    off_max_minor = MinorField(label=_("At most"))
    min_spend_minor = MinorField(label=_("From a bill of"))
    budget_minor = MinorField(label=_("Budget: at most so much off in all"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        choices=[(day + 1, name) for day, name in WEEKDAYS.items()],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every day."),
    )

    class Meta:
        model = CouponDefinition
        fields = (
            "name",
            "kind",
            "off_minor",
            "percent",
            "item",
            "off_max_minor",
            "min_spend_minor",
            "categories",
            "stores",
            "weekdays",
            "hours_from",
            "hours_till",
            "valid_from",
            "valid_to",
            "valid_days",
            "stacks_with_coupons",
            "stacks_with_tier",
            "quota",
            "member_limit",
            "staff_daily_limit",
            "budget_minor",
            "refund_policy",
            "refund_days",
            "is_active",
        )
        widgets = {
            "kind": forms.RadioSelect,
            "refund_policy": forms.RadioSelect,
            "stores": forms.CheckboxSelectMultiple,
            "categories": forms.CheckboxSelectMultiple,
            "hours_from": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "hours_till": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "valid_from": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            "valid_to": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }

    def __init__(self, *args: Any, stores: QuerySet[Store], may_everywhere: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_everywhere = may_everywhere
        chooser = self.fields["stores"]
        chooser.queryset = stores  # type: ignore[attr-defined]
        chooser.help_text = _("None ticked: every store.") if may_everywhere else ""
        self.fields["categories"].queryset = self.fields["categories"].queryset.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["categories"].help_text = _("None ticked: all goods.")
        if self.instance.issued:
            for name in PROMISED:
                self.fields[name].disabled = True

    def clean_min_spend_minor(self) -> int:
        return self.cleaned_data["min_spend_minor"] or 0

    def clean_stores(self) -> Any:
        chosen = self.cleaned_data["stores"]
        if not chosen and not self.may_everywhere:
            raise ValidationError(_("Choose at least one of your stores."))
        return chosen

    def clean_quota(self) -> int | None:
        quota: int | None = self.cleaned_data["quota"]
        if quota is not None and quota < self.instance.issued:
            raise ValidationError(_("%(n)s are out already.") % {"n": self.instance.issued})
        return quota

    def clean_budget_minor(self) -> int | None:
        budget: int | None = self.cleaned_data["budget_minor"]
        if budget is not None and budget < self.instance.taken_minor:
            raise ValidationError(_("More than that has been taken off already."))
        return budget

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._clean_worth(data)
        if bool(data.get("hours_from")) != bool(data.get("hours_till")):
            self.add_error("hours_till", _("Say both hours, or none."))
        first, last = data.get("valid_from"), data.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", _("The last day is before the first."))
        if data.get("refund_policy") == CouponRefundPolicy.REISSUE and not data.get("refund_days"):
            self._ask("refund_days", _("Say how many more days."))
        return data

    def _clean_worth(self, data: dict[str, Any]) -> None:
        kind = data.get("kind")
        if kind == CouponKind.PERCENT:
            data["off_minor"], data["item"] = None, ""
            if not data.get("percent"):
                self._ask("percent", _("Say how many percent."))
            return
        data["percent"] = data["off_max_minor"] = None
        if not data.get("off_minor"):
            self._ask("off_minor", _("Say how much."))
        if kind == CouponKind.ITEM and not data.get("item"):
            self._ask("item", _("Say what is free."))
        if kind == CouponKind.AMOUNT:
            data["item"] = ""

    def _ask(self, field: str, words: Any) -> None:
        if field not in self.errors:
            self.add_error(field, words)

    def samples(self) -> list[dict[str, Any]]:
        """Three sample bills with what the definition takes off each, or why it takes nothing."""
        draft = self.instance
        step = max(draft.min_spend_minor or 0, _LEAST)
        found = []
        for bill in [step // 2, *(step * times for times in _SAMPLES)]:
            try:
                off, reason = worth_minor(draft, [bill]), ""
            except CouponDoesNotFit as refusal:
                off, reason = 0, str(refusal.message)
            found.append({"bill": bill, "off": off, "pay": bill - off, "reason": reason})
        return found


class GiftForm(DeedForm):
    """One coupon for one member, with the reason."""

    member = forms.CharField(label=_("Member"), max_length=60, help_text=_("Phone, card or member number."))
    reason = forms.CharField(label=_("Why"), max_length=200)


class VoidForm(DeedForm):
    """The reason why a coupon becomes worthless."""

    reason = forms.CharField(label=_("Why"), max_length=200)
