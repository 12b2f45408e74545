"""Set-up of texts and gateways, and what the wire has done, in the themed admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members.admin_columns import column, labelled, linked
from members.admin_filters import OwnStoresFilter
from members.admin_scope import ReadOnlyAdmin
from members.phones import mask
from messaging import admin_gateways, admin_prices, admin_routes, admin_templates
from messaging.domain import texts
from messaging.models import InboundText, Message
from messaging.states import State

__all__ = ["admin_gateways", "admin_prices", "admin_routes", "admin_templates"]  # they register their pages
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
