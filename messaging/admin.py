"""Set-up of texts and gateways, and what the wire has done, in the themed admin."""

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
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from members.admin_columns import column, event_column, labelled, linked, shortened
from members.admin_filters import EventFilter, LanguageFilter, OwnStoresFilter
from members.admin_money import money_column
from members.admin_scope import ReadOnlyAdmin, ReadOnlyInline, StoreScopedAdmin, reach_of
from members.enums import Role
from members.event_types import CUSTOM_PREFIX, EVENT_TYPES
from members.models import CustomEventType, Staff
from members.phones import mask
from members.refusals import Refused
from messaging import admin_prices  # noqa: F401
from messaging.admin_preview import finding_words, placeholders_html, preview_html
from messaging.domain import texts
from messaging.enums import BindState, MessageClass, VersionStatus
from messaging.linter import Verdict, lint
from messaging.models import Gateway, InboundText, Message, Template, TemplateVersion
from messaging.secrets import encrypt_secret
from messaging.states import State

LANGUAGES = {"text_en": "en", "text_zh": "zh-hans"}
VERSION_LABELS = {VersionStatus.APPROVED: "success", VersionStatus.DRAFT: "warning"}
BIND_LABELS = {
    BindState.BOUND: "success",
    BindState.CONNECTING: "info",
    BindState.WAITING: "warning",
    BindState.REFUSED: "danger",
}
STATE_LABELS = {
    State.HELD: "warning",
    State.QUEUED: "info",
    State.SUBMITTING: "info",
    State.ACCEPTED: "info",
    State.RETRY_WAIT: "warning",
    State.UNCERTAIN: "warning",
    State.DELIVERED: "success",
    State.UNDELIVERED: "danger",
    State.NO_RECEIPT: "warning",
    State.REJECTED: "danger",
    State.UNKNOWN: "warning",
    State.QUARANTINED: "danger",
}


def event_choices() -> list[tuple[str, Any]]:
    """Every event there is, the shop's own included."""
    own = [(CUSTOM_PREFIX + declared.name, declared.label) for declared in CustomEventType.objects.all()]
    return [("", "—"), *[(name, declared.label) for name, declared in EVENT_TYPES.items()], *own]


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


class GatewayForm(forms.ModelForm):
    """The password goes in and never comes out."""

    password = forms.CharField(
        label=_("Password"),
        max_length=8,
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(render_value=False),
        help_text=_("At most eight characters. Leave it empty to keep the one there is."),
    )

    class Meta:
        model = Gateway
        fields = (
            "name",
            "kind",
            "host",
            "port",
            "system_id",
            "sender",
            "window",
            "rate",
            "price_minor",
            "is_active",
        )

    def save(self, commit: bool = True) -> Gateway:
        if self.cleaned_data["password"]:
            self.instance.secret = encrypt_secret(self.cleaned_data["password"])
        return super().save(commit)


@admin.register(Gateway)
class GatewayAdmin(StoreScopedAdmin):
    """Ways to phones. Owners and auditors look, a superuser changes."""

    readers = (Role.OWNER, Role.AUDITOR)
    form = GatewayForm
    price = money_column("price_minor", _("price per part"))
    connection = labelled("bind_state", _("connection"), BIND_LABELS)
    list_display = ("name", "kind", "host", "port", "connection", "bound_at", "price", "is_active")
    readonly_fields = ("connection", "bound_at", "trouble")

    @admin.display(description=_("last error"))
    def trouble(self, gateway: Gateway) -> str:
        """What the gateway process said, kept in English, in the reader's words."""
        return gettext(gateway.last_error) if gateway.last_error else "—"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        is_shown_only = obj is not None and not self.has_change_permission(request, obj)
        secret, price = ((), "price") if is_shown_only else (("password",), "price_minor")
        about = ("name", "kind", "host", "port", "system_id", *secret, "sender", "is_active")
        return (
            (None, {"fields": about}),
            (_("Pace and price"), {"fields": ("window", "rate", price)}),
            (_("Connection"), {"fields": self.readonly_fields}),
        )


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """For support; the daily work is on the messages page. The text of a code is never shown."""

    store_path = "store"
    list_display = ("created_at", "masked_phone", "message_class", "standing", "reason", "parts", "where")
    standing = labelled("state", _("state"), STATE_LABELS)
    where = column("store", _("store"))
    code = column("public_id", _("number"))
    coded = column("encoding", _("encoding"))
    tries = column("attempts", _("attempts"))
    way = column("gateway", _("gateway"))
    list_filter = ("state", "message_class", "reason", ("store", OwnStoresFilter))
    list_select_related = ("store",)
    fields = (
        "code",
        "where",
        "masked_phone",
        "message_class",
        "shown_text",
        "parts",
        "coded",
        "standing",
        "reason",
        "due_at",
        "expires_at",
        "created_at",
        "submitted_at",
        "final_at",
        "tries",
        "way",
    )

    @admin.display(description=_("phone"))
    def masked_phone(self, message: Message) -> str:
        return mask(message.phone)

    @admin.display(description=_("text"))
    def shown_text(self, message: Message) -> str:
        return texts.shown_text(message)


@admin.register(InboundText)
class InboundTextAdmin(ReadOnlyAdmin):
    store_path = "member__home_store"
    list_display = ("received_at", "masked_phone", "text", "intent", "answered_at")
    list_filter = ("intent",)
    list_select_related = ("member",)
    person = linked("member", _("member"))
    found = column("argument", _("with"))
    answered_at = column("handled_at", _("handled at"))
    fields = ("received_at", "masked_phone", "to", "text", "intent", "found", "person", "answered_at")

    @admin.display(description=_("phone"))
    def masked_phone(self, inbound: InboundText) -> str:
        return mask(inbound.phone)
