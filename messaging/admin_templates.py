"""Set-up of texts and of what is reported to carriers, in the themed admin; the daily review is on its own pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from members.admin_columns import column, event_column, labelled, linked, shortened
from members.admin_filters import EventFilter, LanguageFilter, OwnStoresFilter
from members.admin_scope import ReadOnlyAdmin, ReadOnlyInline, StoreScopedAdmin, reach_of
from members.enums import Role
from members.models import Staff
from members.refusals import Refused
from messaging.admin_preview import finding_words, placeholders_html, preview_html
from messaging.domain import texts
from messaging.domain.previews import event_choices
from messaging.enums import MessageClass, ReportStatus, VersionStatus
from messaging.linter import Verdict, lint
from messaging.models import (
    Contact,
    ProviderTemplate,
    Qualification,
    Registration,
    Signature,
    Template,
    TemplateVersion,
)

LANGUAGES = {"text_en": "en", "text_zh": "zh-hans"}
VERSION_LABELS = {
    VersionStatus.APPROVED: "success",
    VersionStatus.DRAFT: "warning",
    VersionStatus.RETURNED: "danger",
}
REPORT_LABELS = {
    ReportStatus.APPROVED: "success",
    ReportStatus.SUBMITTED: "info",
    ReportStatus.REJECTED: "danger",
    ReportStatus.STALE: "warning",
}


class TemplateForm(forms.ModelForm):
    """A template with its wordings; a changed wording becomes a new version."""

    event_type = forms.ChoiceField(
        label=_("Event"),
        choices=event_choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Its placeholders may be used. Empty for the texts of campaigns."),
    )
    text_en = forms.CharField(
        label=_("English"), required=False, max_length=1000, widget=UnfoldAdminTextareaWidget
    )
    text_zh = forms.CharField(
        label=_("Chinese"), required=False, max_length=1000, widget=UnfoldAdminTextareaWidget
    )

    class Meta:
        model = Template
        fields = ("key", "name", "message_class", "event_type", "store")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = newest_texts(self.instance)
        for name, language in LANGUAGES.items():
            self.fields[name].initial = newest.get(language, "")

    def clean(self) -> dict[str, Any]:
        """Judge each changed wording as it would be judged when saved, and say so beside it."""
        cleaned = super().clean() or {}
        judged = Template(
            message_class=cleaned.get("message_class", MessageClass.MARKETING),
            event_type=cleaned.get("event_type", ""),
        )
        for name in LANGUAGES:
            if cleaned.get(name):
                self._judge(name, judged, cleaned[name])
        return cleaned

    def _judge(self, name: str, template: Template, wording: str) -> None:
        try:
            texts.check_text(template, wording)
        except Refused as refusal:
            self.add_error(name, str(refusal.message))
            verdict: Verdict | None = refusal.facts.get("verdict")
            for finding in verdict.findings if verdict else []:
                self.add_error(name, finding_words(finding))


def newest_texts(template: Template) -> dict[str, str]:
    """The newest wording of each language."""
    if template.pk is None:
        return {}
    return dict(template.versions.order_by("number").values_list("language", "text"))


class VersionInline(ReadOnlyInline):
    model = TemplateVersion
    verbose_name_plural = _("versions")
    standing = labelled("status", _("status"), VERSION_LABELS)
    fields = ("language", "number", "standing", "text", "written_by", "approved_by", "approved_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateVersion]:
        rows = super().get_queryset(request)
        return rows.select_related("template", "written_by", "approved_by").order_by("language", "-number")


@admin.register(Template)
class TemplateAdmin(StoreScopedAdmin):
    """Texts by name. What is written here waits for approval if it is marketing or reads like it."""

    store_path = "store"
    writers = (Role.OWNER, Role.MANAGER, Role.MARKETER)
    form = TemplateForm
    event = event_column("event_type", _("event"))
    list_display = ("name", "key", "message_class", "event", "where")
    list_filter = ("message_class", ("event_type", EventFilter), ("store", OwnStoresFilter))
    search_fields = ("name", "key")
    list_select_related = ("store",)
    inlines = (VersionInline,)
    readonly_fields = ("placeholders", "preview")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        about = (None, {"fields": ("key", "name", "message_class", "event_type", "store")})
        read = (_("How it reads"), {"fields": ("preview", "placeholders")})
        if obj is not None and not self.has_change_permission(request, obj):
            return (about, read)
        write = (_("Wording"), {"fields": tuple(LANGUAGES)})
        return (about, write, read) if obj is not None else (about, write)

    @admin.display(description=_("store"), ordering="store__name", empty_value=_("every store"))
    def where(self, template: Template) -> Any:
        return template.store

    @admin.display(description=_("placeholders"))
    def placeholders(self, template: Template) -> SafeString:
        return placeholders_html(template)

    @admin.display(description=_("with sample values"))
    def preview(self, template: Template) -> SafeString:
        return preview_html(template)

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        newest = newest_texts(obj)
        super().save_model(request, obj, form, change)
        for name, language in LANGUAGES.items():
            wording = form.cleaned_data.get(name)
            if wording and wording != newest.get(language):
                self._write(request, obj, language, wording)

    def _write(self, request: HttpRequest, template: Template, language: str, wording: str) -> None:
        version = texts.save_draft(
            template=template, language=language, text=wording, by=_staff(request), at=timezone.now()
        )
        if version.status != VersionStatus.APPROVED:
            messages.info(
                request, _("The new wording waits for approval: %(version)s") % {"version": version}
            )
            for finding in lint(wording, settings.REGULARS_REGION).findings:
                messages.warning(request, finding_words(finding))


def _staff(request: HttpRequest) -> Staff:
    by = request.user
    assert isinstance(by, Staff)
    return by


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    """The review desk in its first form: read a wording, approve it. Marketing is approved by somebody else."""

    store_path = "template__store"
    has_house_rows = True
    approvers = (Role.MANAGER, Role.OWNER)
    standing = labelled("status", _("status"), VERSION_LABELS)
    of = column("template", _("template"))
    whole = linked("template", _("template"))
    beginning = shortened("text", _("text"))
    list_display = ("of", "language", "number", "standing", "beginning", "written_by", "approved_by")
    list_filter = ("status", ("language", LanguageFilter), "template__message_class")
    list_select_related = ("template__store", "written_by", "approved_by")
    fields = (
        "whole",
        "language",
        "number",
        "standing",
        "text",
        "findings",
        "written_by",
        "approved_by",
        "approved_at",
    )
    actions = ("approve_selected",)
    search_fields = ("template__name", "template__key")

    @admin.display(description=_("marked words"))
    def findings(self, version: TemplateVersion) -> str:
        found = lint(version.text, settings.REGULARS_REGION).findings
        return format_html_join(mark_safe("<br>"), "{}", ((finding_words(one),) for one in found)) or "—"

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).may_anywhere(self.approvers)

    @action(description=_("Approve the selected wordings"), permissions=["approve"])
    def approve_selected(self, request: HttpRequest, rows: QuerySet[TemplateVersion]) -> None:
        """Each by itself: one that may not be approved is told and holds back no other."""
        reach = reach_of(request)
        for version in rows.select_related("template").order_by("id"):
            if not reach.may(version.template.store_id, self.approvers):
                messages.error(
                    request,
                    _("%(version)s belongs to every store: only a superuser approves it.")
                    % {"version": version},
                )
                continue
            try:
                texts.approve(version=version, by=_staff(request), at=timezone.now())
                messages.success(request, _("Approved: %(version)s") % {"version": version})
            except Refused as refusal:
                messages.error(request, f"{version}: {refusal.message}")


class ReportAdmin(StoreScopedAdmin):
    """What is reported belongs to the whole house: owners and auditors look, a superuser changes."""

    readers = (Role.OWNER, Role.AUDITOR)


@admin.register(Qualification)
class QualificationAdmin(ReportAdmin):
    list_display = ("name", "kind", "number", "valid_until")
    search_fields = ("name", "number")


@admin.register(Signature)
class SignatureAdmin(ReportAdmin):
    list_display = ("text", "qualification")
    list_select_related = ("qualification",)


@admin.register(Contact)
class ContactAdmin(ReportAdmin):
    list_display = ("value", "kind", "signature")
    list_filter = ("kind",)
    list_select_related = ("signature",)


@admin.register(Registration)
class RegistrationAdmin(ReportAdmin):
    standing = labelled("status", _("status"), REPORT_LABELS)
    list_display = ("subject", "gateway", "carrier", "standing", "reason", "changed_on")
    list_filter = ("status", "carrier")
    list_select_related = ("signature", "contact", "gateway")

    @admin.display(description=_("what"))
    def subject(self, row: Registration) -> str:
        return str(row.signature or row.contact)


@admin.register(ProviderTemplate)
class ProviderTemplateAdmin(ReportAdmin):
    standing = labelled("status", _("status"), REPORT_LABELS)
    list_display = ("__str__", "language", "code", "standing", "reason")
    list_filter = ("status", "gateway")
    list_select_related = ("version__template", "gateway")
    autocomplete_fields = ("version",)
