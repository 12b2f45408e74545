"""Set-up of points and tiers: how points are earned, what tiers ask and give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from members.admin_filters import OwnStoresFilter
from members.admin_scope import StoreScopedAdmin
from members.amounts import exponent_of
from members.enums import Role
from members.event_types import CUSTOM_PREFIX, EVENT_TYPES
from members.models import CustomEventType, EarningRule, Store, Tier, TierScheme
from members.models.tier import TierMeasure

WEEKDAYS = (
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
)
MONEY = (TierMeasure.SPEND, TierMeasure.RECHARGE)


def earning_events() -> list[tuple[str, Any]]:
    """The events that may give points: enrolment, those of other systems, those of the shop."""
    named = [
        (name, event.label)
        for name, event in EVENT_TYPES.items()
        if event.is_external or name == "member_enrolled"
    ]
    own = [(CUSTOM_PREFIX + event.name, event.label) for event in CustomEventType.objects.order_by("name")]
    return [("", "–"), *named, *own]


class EarningRuleForm(forms.ModelForm):
    """Weekdays and events are chosen, not typed."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("only on these weekdays"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    event_type = forms.ChoiceField(label=_("event"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if "event_type" in self.fields:
            self.fields["event_type"].choices = earning_events()  # type: ignore[attr-defined]


@admin.register(EarningRule)
class EarningRuleAdmin(StoreScopedAdmin):
    """In the order in which they are asked. Of the rules of every store, a superuser decides."""

    store_path = "store"
    writers = (Role.OWNER, Role.MANAGER)
    form = EarningRuleForm
    list_display = ("name", "position", "occasion", "effect", "where", "starts_on", "ends_on", "is_active")
    list_filter = (("store", OwnStoresFilter), "occasion", "is_active")
    list_select_related = ("store",)
    ordering = ("position", "id")
    fieldsets = (
        (None, {"fields": ("name", "occasion", "event_type", "effect", "points", "per_minor", "percent")}),
        (
            _("Only when"),
            {
                "fields": (
                    "store",
                    "card_product",
                    "category",
                    "tier",
                    "birthday",
                    "is_first_purchase",
                    "weekdays",
                    "starts_on",
                    "ends_on",
                )
            },
        ),
        (_("Until when its points are valid"), {"fields": ("valid_months", "expires_month", "expires_day")}),
        (_("When it counts"), {"fields": ("position", "is_last", "is_active")}),
    )

    @admin.display(  # type: ignore[call-overload]  # the stubs know no lazy texts here
        description=_("store"), ordering="store__name", empty_value=_("every store")
    )
    def where(self, rule: EarningRule) -> Store | None:
        return rule.store


class TierForm(forms.ModelForm):
    """A threshold as a person types it: whole units of money where money is measured."""

    threshold = forms.DecimalField(
        label=_("from"), max_digits=14, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget
    )

    class Meta:
        model = Tier
        fields = ("name", "threshold", "discount_percent", "points_percent", "coupon")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.instance.pk and self.instance.scheme.measure in MONEY:
            self.initial["threshold"] = Decimal(self.instance.threshold).scaleb(-_exponent())

    def clean_threshold(self) -> int:
        typed: Decimal = self.cleaned_data["threshold"]
        minor = typed.scaleb(_exponent()) if self.instance.scheme.measure in MONEY else typed
        if minor != minor.to_integral_value():
            raise forms.ValidationError(_("This is not a whole number."))
        if not 0 < minor <= 10**12:
            raise forms.ValidationError(_("The amount must be more than zero."))
        return int(minor)


def _exponent() -> int:
    return exponent_of(settings.REGULARS_CURRENCY)


class TierInline(TabularInline):
    model = Tier
    form = TierForm
    extra = 0
    fields = ("name", "threshold", "discount_percent", "points_percent", "coupon")
    hide_title = True


@admin.register(TierScheme)
class TierSchemeAdmin(StoreScopedAdmin):
    """The house's tiers. Other thresholds are tried on the staff page first."""

    list_display = ("name", "measure", "window_months", "policy", "is_active")
    inlines = (TierInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
