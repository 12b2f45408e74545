"""Set-up of what cards hold: service groups."""

from __future__ import annotations

from members.admin_scope import StoreScopedAdmin


class ServiceGroupAdmin(StoreScopedAdmin):
    """Services that count alike on a count card."""

    list_display = ("name", "is_active")
    search_fields = ("name",)


PLAN_TERMS = (
    "product",
    "coupon",
    "bonus_stores",
    "bonus_categories",
    "bonus_share_max_percent",
    "is_first_only",
    "per_member_max",
    "starts_on",
    "ends_on",
)
