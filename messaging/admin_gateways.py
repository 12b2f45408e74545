"""Gateways in the back office: how texts leave the house."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from members.admin_columns import labelled
from members.admin_money import money_column
from members.admin_scope import StoreScopedAdmin, reach_of, stores_of
from members.enums import Role
from messaging.admin_gateway_forms import CONNECTED, PhoneForm, field_name, form_for
from messaging.domain import gateways
from messaging.domain.dispatch.links import LINKS
from messaging.enums import BindState, GatewayKind
from messaging.models import Gateway, ProviderTemplate
from messaging.states import State

BIND_LABELS = {
    BindState.BOUND: "success",
    BindState.CONNECTING: "info",
    BindState.WAITING: "warning",
    BindState.REFUSED: "danger",
}


def kind_of(request: HttpRequest, gateway: Gateway | None) -> GatewayKind:
    """The kind a form is for: the gateway's, or the one chosen for a new one."""
    said = gateway.kind if gateway else request.POST.get("kind") or request.GET.get("kind")
    return GatewayKind(said) if said in GatewayKind.values else GatewayKind.SMPP


@admin.register(Gateway)
class GatewayAdmin(StoreScopedAdmin):
    """Ways to phones. Owners and auditors look, a superuser changes."""

    readers = (Role.OWNER, Role.AUDITOR)
    price = money_column("price_minor", _("price per part"))
    connection = labelled("bind_state", _("connection"), BIND_LABELS)
    list_display = ("name", "kind", "connection", "bound_at", "price", "is_active")
    list_filter = ("kind", "is_active")
    readonly_fields = ("connection", "bound_at", "trouble", "reports_to", "mirror")
    actions_detail = ("send_test",)

    @admin.display(description=_("last error"))
    def trouble(self, gateway: Gateway) -> str:
        """What the gateway process said, kept in English, in the reader's words."""
        return gettext(gateway.last_error) if gateway.last_error else "—"

    @admin.display(description=_("addresses for the provider’s reports"))
    def reports_to(self, gateway: Gateway) -> SafeString | str:
        """To be typed in at the provider. Whoever knows them may report: a superuser's to see."""
        public = str(gateway.options.get("public_url") or "").rstrip("/")
        paths = gateways.callback_paths(gateway)
        return (
            format_html_join(
                mark_safe("<br>"), "<code>{}</code>", ((public + each,) for each in paths.values())
            )
            or "—"
        )

    @admin.display(description=ProviderTemplate._meta.verbose_name_plural)
    def mirror(self, gateway: Gateway) -> SafeString:
        """What this provider calls our wordings has one list, where each is edited."""
        address = reverse("admin:messaging_providertemplate_changelist")
        return format_html(
            '<a class="underline" href="{}?gateway__id__exact={}">{}</a>',
            address,
            gateway.pk,
            _("Show the list"),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"form": form_for(kind_of(request, obj))} | kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may_write = obj is None or self.has_change_permission(request, obj)
        kind = kind_of(request, obj)
        is_connected = kind in CONNECTED
        told = self._told(kind, may_write)
        about = {
            "fields": ("name", "kind", *told, "sender", "is_active"),
            "description": self._others(obj, kind),
        }
        carries = ("classes", "has_receipts", "has_inbound", "has_long_texts", "has_unicode", "has_names")
        pace = ("window", "rate", "price_minor" if may_write else "price")
        mirror = ("mirror",) if obj is not None and obj.needs_template else ()
        standing = ("connection", "bound_at", "trouble")
        reports = () if is_connected or not may_write or obj is None else ("reports_to",)
        sources = () if is_connected else ("callback_sources",)
        return (
            (None, about),
            (_("Pace and price"), {"fields": pace}),
            (_("What it carries"), {"fields": (*carries, *mirror)}),
            *(((_("Reports"), {"fields": (*reports, *sources)}),) if sources else ()),
            (_("Connection"), {"fields": standing}),
        )

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> Any:
        return super().get_actions_detail(request, object_id) if reach_of(request).is_superuser else []

    @action(description=_("Send a test text"), url_path="test", permissions=["change"])
    def send_test(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """One number, one store to sign it; what became of it is told at once, its way is on the messages page."""
        gateway = get_object_or_404(Gateway, pk=object_id)
        form = PhoneForm(request.POST or None, stores=stores_of(request))
        if request.method == "POST" and form.is_valid():
            self._send(request, gateway, form)
            return HttpResponseRedirect(reverse("admin:messaging_gateway_change", args=[gateway.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": gateway,
            "title": _("Send a test text"),
            "form": form,
        }
        return TemplateResponse(request, "admin/gateways/test.html", context)

    def _send(self, request: HttpRequest, gateway: Gateway, form: PhoneForm) -> None:
        sent = gateways.send_test(
            gateway=gateway,
            phone=form.cleaned_data["phone"],
            store=form.cleaned_data["store"],
            language=get_language() or "en",
            at=timezone.now(),
        )
        if sent.state == State.QUEUED:
            messages.success(request, _("The test text is on its way."))
        else:
            messages.error(request, sent.reason.label)

    def _told(self, kind: GatewayKind, may_write: bool) -> tuple[str, ...]:
        """The boxes of a kind; whoever only looks sees the columns, and no option."""
        options = tuple(field_name(option) for option in gateways.OPTIONS[kind])
        if kind in CONNECTED:
            column = ("host", "port", "system_id")
            return (*column, "password", *options) if may_write else column
        return options if may_write else ()

    def _others(self, obj: Gateway | None, kind: GatewayKind) -> SafeString | str:
        """On the page of a new one: the other kinds, a link each."""
        if obj is not None:
            return ""
        kinds = [GatewayKind(each) for each in LINKS if each != kind]
        links = format_html_join(
            " · ",
            '<a class="font-medium text-primary-600 dark:text-primary-500" href="?kind={}">{}</a>',
            ((each.value, each.label) for each in kinds),
        )
        return format_html("{} {}", _("Another kind:"), links)
