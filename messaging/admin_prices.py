"""The admin of what a part costs, by gateway and beginning of the number."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members.admin_scope import StoreScopedAdmin
from members.enums import Role
from messaging.models import GatewayPrice


@admin.register(GatewayPrice)
class GatewayPriceAdmin(StoreScopedAdmin):
    """Owners and auditors look, a superuser adds. A price is followed by another, never changed."""

    readers = (Role.OWNER, Role.AUDITOR)
    list_display = ("gateway", "beginning", "price_milli", "from_at")
    list_select_related = ("gateway",)
    fields = ("gateway", "prefix", "price_milli", "from_at")

    @admin.display(description=_("number begins with"), ordering="prefix")
    def beginning(self, price: GatewayPrice) -> str:
        return price.prefix or str(_("any"))

    def has_change_permission(self, request, obj=None) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
        return False

    def has_delete_permission(self, request, obj=None) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
        return False
