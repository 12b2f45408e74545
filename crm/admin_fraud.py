"""The thresholds of the fraud board in the set-up, when they are not the usual ones."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.reports.fraud import THRESHOLDS
from members.admin_scope import StoreScopedAdmin
from members.enums import Role
from members.models import FraudRule


class FraudRuleForm(forms.ModelForm):
    """Only thresholds that the pattern has, each a whole number."""

    class Meta:
        model = FraudRule
        fields = ("pattern", "thresholds", "is_active")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given, usual = data.get("thresholds") or {}, THRESHOLDS.get(data.get("pattern", ""), {})
        if "thresholds" not in self.errors and not _is_known(given, usual):
            said = ", ".join(f"{name}: {value}" for name, value in usual.items())
            message = _("Whole numbers for these names only, the usual ones being %(usual)s.")
            self.add_error("thresholds", ValidationError(message, params={"usual": said}))
        data["thresholds"] = given
        return data


def _is_known(given: Any, usual: dict[str, Any]) -> bool:
    return isinstance(given, dict) and all(
        name in usual and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**12
        for name, value in given.items()
    )


@admin.register(FraudRule)
class FraudRuleAdmin(StoreScopedAdmin):
    """Of the whole house: owners and auditors read them, a superuser sets them."""

    readers = (Role.OWNER, Role.AUDITOR)
    form = FraudRuleForm
    list_display = ("pattern", "thresholds", "is_active")
    list_filter = ("is_active",)
