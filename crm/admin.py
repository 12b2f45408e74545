"""API keys and the schedule in the themed admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
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
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from crm.api.models import ApiKey
from members.admin_columns import column
from members.admin_scope import StoreScopedAdmin, reach_of
from members.enums import Role
from members.models import Store

for unused in (APIKey, PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(unused)


class TaskForm(PeriodicTaskForm):
    """Beat's own form in the house's clothes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = UnfoldAdminSelectWidget(choices=self.fields["regtask"].choices)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BasePeriodicTask, ModelAdmin):
    """When beat ticks. A superuser's page."""

    form = TaskForm
    change_list_template = "admin/change_list.html"
    change_form_template = "admin/change_form.html"


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):
    """How often."""

    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(BaseCrontab, ModelAdmin):
    """At which times."""


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(BaseClocked, ModelAdmin):
    """At which moment."""


@admin.register(ApiKey)
class ApiKeyAdmin(StoreScopedAdmin, APIKeyModelAdmin):
    """Keys of partners' systems: shown once, kept hashed, bound to stores.

    A superuser makes and revokes them; an owner sees those bound to none but the owner's stores.
    """

    readers = (Role.OWNER, Role.AUDITOR)
    made_at = column("created", _("made at"))
    list_display = ("prefix", "name", "made_at", "expiry_date", "standing")
    list_filter = ("revoked",)
    search_fields = ("name", "prefix")
    fields = ("name", "prefix", "stores", "expiry_date", "revoked")

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

    @display(description=_("status"), label={"usable": "success", "revoked": "danger", "expired": "warning"})
    def standing(self, key: ApiKey) -> tuple[str, Any]:
        if key.revoked:
            return "revoked", _("Revoked")
        return ("expired", _("Expired")) if key.has_expired else ("usable", _("Usable"))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """A new key is told once, in the answer to its making, and nowhere kept."""
        if change:
            obj.save()
            return
        secret = ApiKey.objects.assign_key(obj)
        obj.save()
        told = _("The key of {name}, shown only now: {key}")
        messages.warning(request, format_html(told, name=obj.name, key=secret))
