"""Set-up and support views of members and value, in the themed admin. The ledger is read-only here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextareaWidget

from members import admin_member, admin_points  # noqa: F401 (register their pages)
from members.admin_acceptance import GoodsCategoryAdmin, StoreAcceptanceAdmin
from members.admin_cards import PLAN_TERMS, ServiceGroupAdmin
from members.admin_columns import (
    choice_column,
    column,
    event_column,
    event_name,
    json_column,
    labelled,
    linked,
)
from members.admin_control import OwnAccountForm
from members.admin_filters import EventFilter, OwnStoresFilter
from members.admin_imports import TriagedImportMixin
from members.admin_money import money_column, money_text
from members.admin_scope import (
    READERS,
    ReadOnlyAdmin,
    ReadOnlyInline,
    StoreScopedAdmin,
    reach_of,
)
from members.domain import limits
from members.enums import POINTS_ACCOUNTS, CardStatus, Role
from members.event_types import KINDS
from members.models import (
    Card,
    CardProduct,
    CustomEventType,
    Entry,
    GoodsCategory,
    MembershipEvent,
    Operation,
    Purchase,
    RechargePlan,
    Reward,
    ServiceGroup,
    Staff,
    StaffRole,
    Store,
    StoreAcceptance,
    Tender,
)
from members.resources import PurchaseResource

admin.site.unregister(Group)


@admin.register(Store)
class StoreAdmin(StoreScopedAdmin):
    store_path = "pk"
    list_display = ("name", "phone", "timezone", "sms_signature", "is_active")
    search_fields = ("name",)
    fields = ("name", "address", "phone", "timezone", "language", "sms_signature", "is_active")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).is_superuser

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: bool) -> None:
        """The first store of a house brings the usual limits of what staff may do alone."""
        super().save_model(request, obj, form, change)
        if not change and limits.begin_with_usual_limits(actor=request.user, at=timezone.now()):  # type: ignore[arg-type]
            messages.info(request, _("The usual limits for staff are in: Set-up → Staff limits."))


class RoleInline(TabularInline):
    """Who may do what where; a reader sees the roles in their own stores."""

    model = StaffRole
    extra = 0
    verbose_name_plural = _("Roles, per store")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffRole]:
        reach, roles = reach_of(request), super().get_queryset(request).select_related("store", "staff")
        return roles if reach.is_superuser else roles.filter(store__in=reach.stores(READERS))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach_of(request).is_superuser


class StaffForm(OwnAccountForm):
    """The password is changed on a page of its own and never shown, not even its hash."""

    class Meta:
        model = Staff
        fields = ("username", "display_name", "email", "language", "is_active", "is_superuser")


@admin.register(Staff)
class StaffAdmin(StoreScopedAdmin, UserAdmin):
    """Who works here. Only a superuser hires, promotes or resets: roles are the keys of the house."""

    form = StaffForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "display_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "roles__role")
    search_fields = ("username", "display_name")
    ordering = ("username",)
    inlines = (RoleInline,)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "new_password", "display_name", "email", "language")}),
        (_("Own account"), {"fields": ("own_phone", "own_member_no")}),
        (_("Rights"), {"fields": ("is_active", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    reader_fieldsets = (
        (None, {"fields": ("username", "display_name", "email", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("new_password", "last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("username", "display_name", "password1", "password2")}),)

    @admin.display(description=_("password"))
    def new_password(self, staff: Staff) -> SafeString:
        address = reverse("admin:auth_user_password_change", args=(staff.pk,))
        return format_html('<a class="underline" href="{}">{}</a>', address, _("Set a new password"))

    def scoped(self, rows: QuerySet[Staff], request: HttpRequest) -> QuerySet[Staff]:
        reach = reach_of(request)
        if reach.is_superuser:
            return rows
        here = StaffRole.objects.filter(store__in=reach.stores(self.readers)).values("staff")
        return rows.filter(pk__in=here)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return self.reader_fieldsets
        return super().get_fieldsets(request, obj)


@admin.register(Purchase)
class PurchaseAdmin(TriagedImportMixin, ReadOnlyAdmin):
    """Visits with a bill; those of an old till come in by file."""

    store_path = "store"
    resource_classes = [PurchaseResource]
    amount = money_column("amount_minor", _("amount"))
    who = column("member", _("member"))
    where = column("store", _("store"))
    person = linked("member", _("member"))
    deed = linked("operation", _("operation"))
    list_display = ("at", "who", "where", "amount", "items", "external_ref")
    list_filter = (("store", OwnStoresFilter), "at")
    search_fields = ("member__member_no", "member__name", "external_ref")
    list_select_related = ("member", "store")
    ordering = ("-id",)
    fields = ("at", "person", "where", "amount", "items", "external_ref", "deed")


@admin.register(CardProduct)
class CardProductAdmin(StoreScopedAdmin):
    list_display = ("name", "kind", "spend_order", "points_per_unit", "points_valid_days", "is_active")
    list_filter = ("kind", "is_active")


class OfferAdmin(StoreScopedAdmin):
    """What a store offers. Of the offers of every store, a superuser decides."""

    store_path = "store"
    writers = (Role.OWNER, Role.MANAGER)
    list_filter = (("store", OwnStoresFilter), "is_active")
    list_select_related = ("store",)

    @admin.display(description=_("store"), ordering="store__name", empty_value=_("every store"))
    def where(self, offer: RechargePlan | Reward) -> Store | None:
        return offer.store


@admin.register(RechargePlan)
class RechargePlanAdmin(OfferAdmin):
    pays = money_column("pay_minor", _("member pays"))
    gets = money_column("bonus_minor", _("bonus"))
    list_display = ("name", "where", "pays", "gets", "bonus_valid_days", "points", "is_active")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_shown_only = obj is not None and not self.has_change_permission(request, obj)
        amounts = ("pays", "gets") if is_shown_only else ("pay_minor", "bonus_minor")
        return ("name", "store", *amounts, "bonus_valid_days", "points", *PLAN_TERMS, "is_active")


@admin.register(Reward)
class RewardAdmin(OfferAdmin):
    list_display = ("name", "where", "points", "stock", "per_member_max", "starts_on", "ends_on", "is_active")


@admin.register(Card)
class CardAdmin(ReadOnlyAdmin):
    store_path = "store"
    standing = labelled(
        "status",
        _("status"),
        {CardStatus.ACTIVE: "success", CardStatus.FROZEN: "warning", CardStatus.CLOSED: "danger"},
    )
    list_display = ("number", "member", "product", "store", "standing", "opened_at")
    list_filter = (("store", OwnStoresFilter), "status")
    search_fields = ("number", "member__name", "member__phone")
    list_select_related = ("member", "product", "store")
    fields = ("number", "member", "product", "store", "standing", "opened_at")


class EntryInline(ReadOnlyInline):
    model = Entry
    hide_title = True
    of = choice_column("account_kind", _("account"))
    line = column("seq", _("line of the account"))
    fields = ("of", "shown_amount", "shown_balance", "line")

    @admin.display(description=_("amount"))
    def shown_amount(self, entry: Entry) -> str:
        return _in_unit(entry, entry.amount)

    @admin.display(description=_("balance after"))
    def shown_balance(self, entry: Entry) -> str:
        return _in_unit(entry, entry.balance_after)


def _in_unit(entry: Entry, amount: int | None) -> str:
    if amount is None:
        return "—"
    return str(amount) if entry.account_kind in POINTS_ACCOUNTS else money_text(amount)


class TenderInline(ReadOnlyInline):
    model = Tender
    hide_title = True
    amount = money_column("amount_minor", _("amount"))
    fields = ("type", "amount", "reference")


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    store_path = "store"
    amount = money_column("amount_minor", _("amount"))
    who = column("member", _("member"))
    where = column("store", _("store"))
    by = column("staff", _("staff"))
    number = column("public_id", _("number"))
    on_behalf_of = column("scope", _("done by"))
    person = linked("member", _("member"))
    paid_with = linked("card", _("card"))
    undone = linked("reverses", _("takes back"))
    list_display = ("at", "kind", "who", "where", "amount", "by")
    list_filter = ("kind", ("store", OwnStoresFilter))
    search_fields = ("member__name", "member__phone", "public_id")
    list_select_related = ("member", "store", "staff")
    inlines = (EntryInline, TenderInline)
    fields = (
        "number",
        "kind",
        "at",
        "where",
        "person",
        "paid_with",
        "by",
        "amount",
        "note",
        "undone",
        "on_behalf_of",
        "key",
    )


@admin.register(MembershipEvent)
class MembershipEventAdmin(ReadOnlyAdmin):
    store_path = "store"
    who = column("member", _("member"))
    where = column("store", _("store"))
    person = linked("member", _("member"))
    deed = linked("operation", _("operation"))
    number = column("public_id", _("number"))
    once = column("key", _("idempotency key"))
    what = event_column("type", _("event"))
    list_display = ("at", "what", "who", "where", "source")
    list_filter = (("type", EventFilter), ("store", OwnStoresFilter))
    list_select_related = ("member", "store")
    facts = json_column("payload", _("facts"))
    fields = ("number", "what", "at", "where", "person", "deed", "source", "once", "facts")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Its title says what happened in words."""
        context["subtitle"] = _told(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        answer = super().history_view(request, object_id, extra_context)
        answer.context_data["title"] = _("Change history: %s") % _told(answer.context_data["object"])
        return answer


def _told(event: MembershipEvent) -> str:
    return f"{event_name(event.type)} #{event.pk}"


class CustomEventForm(forms.ModelForm):
    """The declared fields, one a line: a name and a kind."""

    declared = forms.CharField(
        label=_("Fields"),
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=format_lazy(
            _("One field a line, its name and its kind, for example: room text. Kinds: {kinds}."),
            kinds=", ".join(KINDS),
        ),
    )

    class Meta:
        model = CustomEventType
        fields = ("name", "label")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["declared"].initial = "\n".join(
            f"{name} {kind}" for name, kind in self.instance.fields.items()
        )

    def clean_declared(self) -> dict[str, str]:
        declared = {}
        for line in filter(None, map(str.strip, self.cleaned_data["declared"].splitlines())):
            name, _space, kind = line.partition(" ")
            if not (name.isascii() and name.isidentifier() and name.islower()) or kind.strip() not in KINDS:
                raise ValidationError(
                    _("This line is not a name and a kind: %(line)s"), params={"line": line}
                )
            declared[name] = kind.strip()
        return declared

    def save(self, commit: bool = True) -> CustomEventType:
        self.instance.fields = self.cleaned_data["declared"]
        return super().save(commit)


@admin.register(CustomEventType)
class CustomEventTypeAdmin(StoreScopedAdmin):
    """Events a shop names itself; other systems publish them through the API."""

    form = CustomEventForm
    list_display = ("name", "label", "fields_declared")
    search_fields = ("name", "label")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_shown_only = obj is not None and not self.has_change_permission(request, obj)
        return ("name", "label", "fields_declared" if is_shown_only else "declared")

    @admin.display(description=_("fields"))
    def fields_declared(self, declared: CustomEventType) -> str:
        return ", ".join(f"{name} ({kind})" for name, kind in declared.fields.items())


admin.site.register(GoodsCategory, GoodsCategoryAdmin)
admin.site.register(ServiceGroup, ServiceGroupAdmin)
admin.site.register(StoreAcceptance, StoreAcceptanceAdmin)
