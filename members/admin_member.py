"""Members in the set-up: for support. Their daily work is on the member page; those of another system come in by file."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.admin_filters import LanguageFilter, OwnStoresFilter
from members.admin_imports import MemberUploadForm, TriagedImportMixin
from members.admin_scope import ReadOnlyAdmin, StoreScopedAdmin
from members.domain.local_days import day_of
from members.enums import Role
from members.models import Member
from members.phones import mask
from members.resources import MemberResource

WRITTEN_HERE = "identity_checked_on"


class IdentityForm(forms.ModelForm):
    """The day on which somebody saw the member's papers."""

    def clean_identity_checked_on(self) -> date | None:
        day: date | None = self.cleaned_data[WRITTEN_HERE]
        if day and day > day_of(self.instance.home_store, timezone.now()):
            raise ValidationError(gettext("This day has not come yet."))
        return day


@admin.register(Member)
class MemberAdmin(TriagedImportMixin, ReadOnlyAdmin):
    """Looked at, except for the day of the identity check: managers and owners of the home store write it down."""

    form = IdentityForm
    store_path = "home_store"
    writers = (Role.MANAGER, Role.OWNER)
    resource_classes = [MemberResource]
    import_form_class = MemberUploadForm
    list_display = ("member_no", "name", "masked_phone", "home_store", "enrolled_at")
    list_filter = (("home_store", OwnStoresFilter), "has_marketing_consent", ("language", LanguageFilter))
    search_fields = ("member_no", "name", "phone")
    list_select_related = ("home_store",)
    fields = (
        "member_no",
        "name",
        "masked_phone",
        WRITTEN_HERE,
        "language",
        "birthday",
        "gender",
        "home_store",
        "tags",
        "notes",
        "source",
        "timezone",
        "has_service_consent",
        "has_marketing_consent",
        "enrolled_at",
    )
    readonly_fields = tuple(name for name in fields if name != "identity_checked_on")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return StoreScopedAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        """Only the day is written: what the till changed meanwhile stays."""
        if not self.is_theirs(request, obj):
            raise PermissionDenied
        Member.objects.filter(pk=obj.pk).update(identity_checked_on=obj.identity_checked_on)

    @admin.display(description=_("phone"))
    def masked_phone(self, member: Member) -> str:
        return mask(member.phone)
