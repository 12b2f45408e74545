"""API keys and the schedule in the themed admin."""

from __future__ import annotations

from typing import Any

from constance.admin import Config
from django.contrib import admin, messages
from django.contrib.admin.filters import BooleanFieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Exists, Field, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import ClockedScheduleAdmin as BaseClocked
from django_celery_beat.admin import CrontabScheduleAdmin as BaseCrontab
from django_celery_beat.admin import PeriodicTaskAdmin as BasePeriodicTask
from django_celery_beat.admin import PeriodicTaskForm
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from crm import admin_fraud  # noqa: F401 (registers its page)
from crm.api.models import ApiKey
from members.admin_audit import AuditedMixin, record_change
from members.admin_columns import badge, column
from members.admin_filters import titled
from members.admin_scope import StoreScopedAdmin, reach_of
from members.enums import Role
from members.models import Store

_NAMES = {"name": _("Name"), "revoked": _("Revoked")}

Config._meta.verbose_name_plural = _("Rules of the house")  # "config" to its own package

for unused in (APIKey, PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(unused)


class TaskForm(PeriodicTaskForm):
    """Beat's own form in the house's clothes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = UnfoldAdminSelectWidget(choices=self.fields["regtask"].choices)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(AuditedMixin, BasePeriodicTask, ModelAdmin):
    """When beat ticks. A superuser's page."""

    form = TaskForm
    change_list_template = "admin/change_list.html"
    change_form_template = "admin/change_form.html"

    def response_action(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> Any:
        """Beat's own buttons switch and start what is ticked; the audit log says which and by whom."""
        answer = super().response_action(request, queryset)
        if (deed := request.POST.get("action")) in BasePeriodicTask.actions:
            for task in PeriodicTask.objects.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)):
                record_change(request, task, {}, {"action": deed, "enabled": task.enabled})
        return answer


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(AuditedMixin, ModelAdmin):
    """How often."""

    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(AuditedMixin, BaseCrontab, ModelAdmin):
    """At which times."""


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(AuditedMixin, BaseClocked, ModelAdmin):
    """At which moment."""


@admin.register(ApiKey)
class ApiKeyAdmin(StoreScopedAdmin, APIKeyModelAdmin):
    """Keys of partners' systems: shown once, kept hashed, bound to stores.

    A superuser makes and revokes them; an owner sees those bound to none but the owner's stores.
    """

    readers = (Role.OWNER, Role.AUDITOR)
    made_at = column("created", _("made at"))
    beginning = column("prefix", _("key begins with"))
    called = column("name", _("name"))
    list_display = ("beginning", "called", "made_at", "expiry_date", "standing")
    list_filter = (("revoked", titled(BooleanFieldListFilter, _("Revoked"))),)
    search_fields = ("name", "prefix")

    def scoped(self, rows: QuerySet[ApiKey], request: HttpRequest) -> QuerySet[ApiKey]:
        reach = reach_of(request)
        if reach.is_superuser:
            return rows
        bound = Store.objects.filter(api_keys=OuterRef("pk"))
        own = reach.stores(self.readers)
        return rows.filter(Exists(bound.filter(pk__in=own)), ~Exists(bound.exclude(pk__in=own)))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ("name", "stores", "expiry_date")
        if obj.revoked or not self.has_change_permission(request, obj):
            return ("called", "beginning", "stores", "made_at", "expiry_date", "standing")
        return ("name", "beginning", "stores", "made_at", "expiry_date", "revoked")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return ("called", "beginning", "made_at", "standing", *super().get_readonly_fields(request, obj))

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Two fields have no name of their own in the model they come from."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in _NAMES:
            field.label = _NAMES[db_field.name]
        return field

    @admin.display(description=_("status"))
    def standing(self, key: ApiKey) -> SafeString:
        if key.revoked:
            return badge(_("Revoked"), "danger")
        return badge(_("Expired"), "warning") if key.has_expired else badge(_("Usable"), "success")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """A new key is told once, in the answer to its making, and nowhere kept."""
        if change:
            obj.save()
            return
        secret = ApiKey.objects.assign_key(obj)
        obj.save()
        told = _("The key of {name}, shown only now: {key}")
        messages.warning(request, format_html(told, name=obj.name, key=secret))
