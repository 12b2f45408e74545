"""Trigger rules in the themed admin. Campaigns have pages of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from campaigns.enums import CampaignStatus, RunStatus
from campaigns.models import Campaign, Run, TriggerRule
from members.admin_audit import record_change
from members.admin_columns import badge, column, event_column, json_column, labelled, linked
from members.admin_filters import EventFilter, OwnStoresFilter
from members.admin_scope import ReadOnlyAdmin, StoreScopedAdmin
from members.enums import Role
from messaging.admin_preview import placeholders_html, preview_html
from messaging.domain.previews import event_choices

RUN_LABELS = {
    RunStatus.DONE: "success",
    RunStatus.STOPPED: "danger",
    RunStatus.SENDING: "info",
    RunStatus.FREEZING: "info",
}


class TriggerRuleForm(forms.ModelForm):
    event_type = forms.ChoiceField(label=_("Event"), choices=event_choices, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = TriggerRule
        fields = ("name", "event_type", "template", "store", "dedupe_seconds", "is_on")

    def clean(self) -> dict[str, Any]:
        """A template of another event has placeholders this event cannot fill; another store's is not ours to say."""
        cleaned = super().clean() or {}
        template, event = cleaned.get("template"), cleaned.get("event_type")
        if template and event and template.event_type != event:
            self.add_error("template", _("This text belongs to another event."))
        if template and template.store_id and template.store != cleaned.get("store"):
            self.add_error("template", _("This text belongs to %(store)s only.") % {"store": template.store})
        return cleaned


@admin.register(TriggerRule)
class TriggerRuleAdmin(StoreScopedAdmin):
    """When this happens, send that. A store's own rule stands in place of the rules of every store."""

    store_path = "store"
    writers = (Role.OWNER, Role.MANAGER, Role.MARKETER)
    form = TriggerRuleForm
    event = event_column("event_type", _("event"))
    list_display = ("name", "event", "template", "where", "dedupe_seconds", "on_or_off")
    list_filter = (("event_type", EventFilter), "is_on", ("store", OwnStoresFilter))
    search_fields = ("name",)
    list_select_related = ("template", "store")
    readonly_fields = ("preview", "placeholders")
    actions = ("switch_on", "switch_off")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        rule = (None, {"fields": TriggerRuleForm.Meta.fields})
        if obj is None:
            return (rule,)
        return (rule, (_("How its text reads"), {"fields": self.readonly_fields}))

    @admin.display(description=_("store"), ordering="store__name", empty_value=_("every store"))
    def where(self, rule: TriggerRule) -> Any:
        return rule.store

    @admin.display(description=_("on"), ordering="is_on")
    def on_or_off(self, rule: TriggerRule) -> SafeString:
        return badge(_("On"), "success") if rule.is_on else badge(_("Off"))

    @admin.display(description=_("with sample values"))
    def preview(self, rule: TriggerRule) -> SafeString:
        return preview_html(rule.template)

    @admin.display(description=_("placeholders"))
    def placeholders(self, rule: TriggerRule) -> SafeString:
        return placeholders_html(rule.template)

    @action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, rows: QuerySet[TriggerRule]) -> None:
        self._switch(request, rows, is_on=True)

    @action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, rows: QuerySet[TriggerRule]) -> None:
        self._switch(request, rows, is_on=False)

    def _switch(self, request: HttpRequest, rows: QuerySet[TriggerRule], *, is_on: bool) -> None:
        """Those of the person's own stores; the rules of every store are left, and that is said."""
        chosen = list(rows.select_related("store"))
        own = [rule for rule in chosen if self.is_theirs(request, rule)]
        for rule in own:
            if rule.is_on != is_on:
                rule.is_on = is_on
                rule.save(update_fields=["is_on"])
                self.log_change(request, rule, [{"changed": {"fields": [str(_("on"))]}}])
                record_change(request, rule, {"is_on": not is_on}, {"is_on": is_on})
        told = ngettext("%(count)s rule switched.", "%(count)s rules switched.", len(own))
        messages.success(request, told % {"count": len(own)})
        if len(own) < len(chosen):
            messages.warning(request, _("The rules of every store are a superuser’s to switch."))


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    store_path = "store"
    people = json_column("audience", _("audience"))
    words = json_column("wording", _("wording"))
    standing = labelled("status", _("status"), {CampaignStatus.ACTIVE: "success"})
    begun_by = column("created_by", _("drafted by"))
    begun_at = column("created_at", _("drafted at"))
    sent_off_by = column("launched_by", _("launched by"))
    sent_off_at = column("launched_at", _("launched at"))
    list_display = ("name", "kind", "store", "timing", "standing", "begun_at")
    list_filter = ("kind", "status", ("store", OwnStoresFilter))
    list_select_related = ("store",)
    fields = (
        "name",
        "kind",
        "store",
        "standing",
        "people",
        "template",
        "words",
        "timing",
        "start_on",
        "end_on",
        "at_time",
        "begun_by",
        "begun_at",
        "sent_off_by",
        "sent_off_at",
    )


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    store_path = "campaign__store"
    standing = labelled("status", _("status"), RUN_LABELS)
    of = column("campaign", _("campaign"))
    whole = linked("campaign", _("campaign"))
    day = column("window", _("window"))
    judged_at = column("as_of", _("judged as of"))
    halted_by = column("stopped_by", _("stopped by"))
    list_display = ("of", "day", "standing", "recipients_total", "started_at", "finished_at")
    list_filter = ("status",)
    list_select_related = ("campaign",)
    fields = (
        "whole",
        "day",
        "standing",
        "judged_at",
        "recipients_total",
        "started_at",
        "finished_at",
        "halted_by",
    )
