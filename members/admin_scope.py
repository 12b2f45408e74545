"""The admin's two habits: only one's own stores, and hands off what the ledger owns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Field, ForeignKey, ManyToManyField, Model, Q, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from members.admin_audit import AuditedMixin
from members.admin_money import MoneyFormField
from members.enums import Role
from members.models import StaffRole, Store

READERS = (Role.MANAGER, Role.MARKETER, Role.OWNER, Role.AUDITOR)


@dataclass(frozen=True)
class Reach:
    """A person's roles, read once a request: (store id, role). A superuser reaches everything."""

    is_superuser: bool
    held: frozenset[tuple[int, str]]

    def stores(self, roles: Iterable[Role]) -> set[int]:
        """Ids of the stores this person has one of these roles in."""
        wanted = set(roles)
        return {store for store, role in self.held if role in wanted}

    def may(self, store_id: int | None, roles: Iterable[Role]) -> bool:
        """Whether one of these roles is held in that store; what belongs to no store is the superuser's."""
        return self.is_superuser or store_id in self.stores(roles)

    def may_anywhere(self, roles: Iterable[Role]) -> bool:
        return self.is_superuser or bool(self.stores(roles))


def reach_of(request: HttpRequest) -> Reach:
    """The logged-in person's reach; nobody else reaches anything."""
    found = getattr(request, "_admin_reach", None)
    if found is None:
        found = request._admin_reach = _read(request.user)  # type: ignore[attr-defined]
    return found


def _read(staff: Any) -> Reach:
    if not staff.is_authenticated or not staff.is_active:
        return Reach(False, frozenset())
    if staff.is_superuser:
        return Reach(True, frozenset())
    return Reach(False, frozenset(StaffRole.objects.filter(staff=staff).values_list("store_id", "role")))


def may_enter(request: HttpRequest) -> bool:
    """The back office is for those who set up, market or look into things; cashiers have the till."""
    return reach_of(request).may_anywhere(READERS)


def stores_of(request: HttpRequest, roles: Iterable[Role] = READERS) -> QuerySet[Store]:
    """The stores this person has one of these roles in; all of them for a superuser."""
    reach = reach_of(request)
    return Store.objects.all() if reach.is_superuser else Store.objects.filter(pk__in=reach.stores(roles))


class StoreScopedAdmin(AuditedMixin, ModelAdmin):
    """Rows of the person's stores only. `readers` see them, `writers` change them; both are roles in the row's store.

    `store_path` is the lookup from the model to its store; empty when the model belongs to the whole house,
    which then only a superuser may change. Rows without a store are the house's as well: shown to every reader
    if `has_house_rows`, changed by a superuser. What is not shown does not exist: 404.
    """

    store_path = ""
    has_house_rows = True
    readers: tuple[Role, ...] = READERS
    writers: tuple[Role, ...] = (Role.OWNER,)
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.scoped(super().get_queryset(request), request)

    def scoped(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Those of `rows` this person may see."""
        reach = reach_of(request)
        if reach.is_superuser or not self.store_path:
            return rows
        own = Q(**{f"{self.store_path}__in": reach.stores(self.readers)})
        if self.has_house_rows and self.store_path != "pk":
            own |= Q(**{f"{self.store_path}__isnull": True})
        return rows.filter(own)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return reach_of(request).may_anywhere(self.readers)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may_write(request) and (obj is None or self.is_theirs(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return reach_of(request).is_superuser

    def is_theirs(self, request: HttpRequest, obj: Model) -> bool:
        """Whether this person may change this row: a writer in its store; of the house's rows, a superuser."""
        return reach_of(request).may(self.store_id_of(obj), self.writers)

    def store_id_of(self, obj: Model) -> int | None:
        """The id of the store a row belongs to; None for the house's."""
        if not self.store_path:
            return None
        found: Any = obj
        for step in [] if self.store_path == "pk" else self.store_path.split("__"):
            found = getattr(found, step, None)
        return found.pk if found is not None else None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The last door: whatever form was posted, the row stays within the person's stores."""
        if not self.is_theirs(request, obj):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        """Only what the person may see can be chosen; nobody but a superuser may leave the row's store open."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            self._narrow(field, db_field, request)
        return field

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            self._narrow(field, db_field, request)
        return field

    def _narrow(self, field: Any, db_field: Any, request: HttpRequest) -> None:
        target = db_field.remote_field.model
        if target is Store:
            field.queryset = stores_of(request, self.writers)
            is_its_own = db_field.name == self.store_path
            field.required = field.required or (is_its_own and not reach_of(request).is_superuser)
        elif isinstance(related := self.admin_site._registry.get(target), StoreScopedAdmin):
            field.queryset = related.scoped(field.queryset, request)
        elif hasattr(field.queryset, "visible_to"):
            field.queryset = field.queryset.visible_to(request.user)

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Money is typed as money, a language and a time zone are chosen."""
        if db_field.name.endswith("_minor"):
            return MoneyFormField.of(db_field)
        choices = _choices_for(db_field)
        if choices:
            return forms.ChoiceField(
                label=capfirst(db_field.verbose_name),  # type: ignore[attr-defined]
                choices=choices,
                required=not db_field.blank,
                widget=UnfoldAdminSelectWidget,
                initial=db_field.get_default(),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        raise Http404

    def _may_write(self, request: HttpRequest) -> bool:
        reach = reach_of(request)
        return reach.may_anywhere(self.writers) if self.store_path else reach.is_superuser


def _choices_for(db_field: Field) -> list[tuple[str, Any]]:
    nothing = [("", "—")] if db_field.blank else []
    if db_field.name == "language":
        return [*nothing, *settings.LANGUAGES]
    if db_field.name == "timezone":
        return [*nothing, *((zone, zone) for zone in sorted(available_timezones()) if "/" in zone)]
    return []


class ReadOnlyAdmin(StoreScopedAdmin):
    """Look, don't touch: what the ledger, the events and the wire have written."""

    has_house_rows = False
    writers: tuple[Role, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Rows of a page that are shown with it and changed nowhere."""

    extra = 0
    can_delete = False
    fields: ClassVar[Any] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True
