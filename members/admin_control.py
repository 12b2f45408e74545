"""What staff may do alone, in the set-up; and which member accounts are a person's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextInputWidget

from members.admin_filters import OwnStoresFilter
from members.admin_money import money_text
from members.admin_scope import StoreScopedAdmin, reach_of
from members.amounts import InvalidAmount, exponent_of, parse_minor, plain_minor
from members.domain import limits
from members.domain.enrolment import PhoneUnusable, phone_hash, read_phone
from members.enums import Role
from members.models import Member, Staff, StaffLimit
from members.models.control import COUNTED_WHOLE, NO_LIMITS


class LimitForm(forms.ModelForm):
    """The amount is typed as money; of points, as points."""

    at_most = forms.CharField(
        label=_("At most in all"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Money, for example 200 or 200.50; of points or services, how many. Empty: any amount."),
    )

    class Meta:
        model = StaffLimit
        fields = ("deed", "role", "staff", "store", "window_hours", "count_max")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "deed" in self.fields:
            chooser: Any = self.fields["deed"]
            chooser.choices = [(value, label) for value, label in chooser.choices if value not in NO_LIMITS]
        if self.instance.pk and self.instance.amount_max is not None and "at_most" in self.fields:
            places = _places(self.instance.deed)
            self.fields["at_most"].initial = plain_minor(self.instance.amount_max, exponent=places)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.instance.amount_max = self._amount(data)
        if self.instance.amount_max is None and data.get("count_max") is None and not self.errors:
            self.add_error("at_most", _("Say how much or how often."))
        return data

    def _amount(self, data: dict[str, Any]) -> int | None:
        typed = (data.get("at_most") or "").strip()
        if not typed:
            return None
        try:
            return parse_minor(typed, exponent=_places(data.get("deed", "")))
        except InvalidAmount as problem:
            if problem.reason == "zero":
                return 0
            self.add_error("at_most", ValidationError(str(problem.message), code=problem.reason))
            return None


def _places(deed: str) -> int:
    return 0 if deed in COUNTED_WHOLE else exponent_of(settings.REGULARS_CURRENCY)


@admin.register(StaffLimit)
class StaffLimitAdmin(StoreScopedAdmin):
    """How much a person may do alone. An owner sets those of their stores, a superuser those of every store."""

    form = LimitForm
    store_path = "store"
    writers = (Role.OWNER,)
    list_display = ("deed", "who", "where", "window_hours", "most", "count_max")
    list_filter = ("deed", "role", ("store", OwnStoresFilter))
    list_select_related = ("store", "staff")
    fields = ("deed", "role", "staff", "store", "window_hours", "at_most", "count_max")
    list_before_template = "admin/limits/_usual.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With a button for what is usual and missing: the house's rows, so a superuser's to press."""
        missing = limits.usual_missing() if reach_of(request).is_superuser else []
        return super().changelist_view(request, {**(extra_context or {}), "usual_missing": len(missing)})

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.put_usual))
        return [path("usual/", view, name="members_stafflimit_usual"), *super().get_urls()]

    def put_usual(self, request: HttpRequest) -> HttpResponse:
        if not reach_of(request).is_superuser:
            raise PermissionDenied
        added = limits.put_usual_limits(actor=request.user, at=timezone.now())  # type: ignore[arg-type]
        said = ngettext("%(n)d limit put in.", "%(n)d limits put in.", added) % {"n": added}
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:members_stafflimit_changelist"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_shown_only = obj is not None and not self.has_change_permission(request, obj)
        return tuple("most" if is_shown_only and name == "at_most" else name for name in self.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("most",)

    @admin.display(description=_("who"), ordering="role")
    def who(self, limit: StaffLimit) -> Any:
        return limit.staff or limit.get_role_display()

    @admin.display(description=_("store"), ordering="store__name", empty_value=_("every store"))
    def where(self, limit: StaffLimit) -> Any:
        return limit.store

    @admin.display(description=_("at most in all"), empty_value=_("any amount"))
    def most(self, limit: StaffLimit) -> str | None:
        if limit.amount_max is None:
            return None
        return str(limit.amount_max) if limit.deed in COUNTED_WHOLE else money_text(limit.amount_max)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class OwnAccountForm(forms.ModelForm):
    """Whose member accounts a person of staff may not touch: their own number and their own membership.

    The number is kept as a fingerprint only; leaving the box empty keeps the one there is.
    """

    own_phone = forms.CharField(
        label=_("Own mobile number"),
        required=False,
        max_length=32,
        widget=UnfoldAdminTextInputWidget,
        help_text=_(
            "Nobody deals with an account on their own number. Kept as a fingerprint; empty keeps it."
        ),
    )
    own_member_no = forms.CharField(
        label=_("Own member number"),
        required=False,
        max_length=32,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The person’s own membership, if they have one."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.member_id and "own_member_no" in self.fields:
            self.fields["own_member_no"].initial = self.instance.member.member_no

    def clean_own_phone(self) -> str:
        typed = str(self.cleaned_data["own_phone"])
        if not typed.strip():
            return ""
        try:
            phone = read_phone(typed)
        except PhoneUnusable as refusal:
            raise ValidationError(str(refusal.message), code=refusal.code) from refusal
        self.instance.phone_hash = phone_hash(phone)
        return phone

    def clean_own_member_no(self) -> str:
        typed = str(self.cleaned_data["own_member_no"]).strip()
        found = Member.objects.filter(member_no=typed).first() if typed else None
        if typed and found is None:
            raise ValidationError(_("There is no member with this number."))
        taken = Staff.objects.filter(member=found).exclude(pk=self.instance.pk) if found else None
        if taken and taken.exists():
            raise ValidationError(_("This membership is another person’s."))
        self.instance.member = found
        return typed
