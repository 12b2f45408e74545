"""Set-up of texts and gateways, and what the wire has done, in the themed admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from members.admin_columns import column, labelled, linked
from members.admin_filters import OwnStoresFilter
from members.admin_money import money_column
from members.admin_scope import ReadOnlyAdmin, StoreScopedAdmin
from members.enums import Role
from members.phones import mask
from messaging import admin_templates
from messaging.domain import texts
from messaging.enums import BindState
from messaging.models import Gateway, InboundText, Message
from messaging.secrets import encrypt_secret
from messaging.states import State

__all__ = ["admin_templates"]  # registers the texts
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
            "needs_reports",
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
        about = ("name", "kind", "host", "port", "system_id", *secret, "sender", "is_active", "needs_reports")
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
