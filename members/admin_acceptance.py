"""Set-up of goods categories, and of whose value is honoured where: one grid of all stores."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from members.admin_scope import StoreScopedAdmin, stores_of
from members.domain.acceptance import grid, set_acceptance
from members.enums import AccountKind, Role
from members.models import Store

KINDS = (AccountKind.PRINCIPAL, AccountKind.BONUS, AccountKind.SERVICES)


class GoodsCategoryAdmin(StoreScopedAdmin):
    list_display = ("name", "is_active")
    search_fields = ("name",)


class StoreAcceptanceAdmin(StoreScopedAdmin):
    """The list is the grid: sold by a row's store, used at a column's. Only one's own stores stand in it; an owner
    decides for the columns that are theirs."""

    store_path = "server"
    list_display = ("issuer", "server", "takes_principal", "takes_bonus", "takes_services")
    list_select_related = ("issuer", "server")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Shown to readers, changed by owners."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        stores = list(stores_of(request, self.readers).filter(is_active=True).order_by("name"))
        own = set(stores_of(request, (Role.OWNER,)).values_list("pk", flat=True))
        if request.method == "POST":
            return self._save(request, stores, own)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": self.opts.verbose_name_plural,
            "stores": stores,
            "kinds": [kind.label for kind in KINDS],
            "rows": _rows(stores, own),
            "may_write": bool(own),
        }
        return TemplateResponse(request, "admin/acceptance_grid.html", context)

    def _save(self, request: HttpRequest, stores: list[Store], own: set[int]) -> HttpResponse:
        changed = 0
        for issuer in stores:
            for server in stores:
                if issuer != server and server.pk in own:
                    takes = {kind: _name(issuer, server, kind) in request.POST for kind in KINDS}
                    changed += set_acceptance(
                        actor=request.user,  # type: ignore[arg-type]
                        at=timezone.now(),
                        issuer=issuer,
                        server=server,
                        takes=takes,
                    )
        if not own:
            raise PermissionDenied
        said = _("Saved: %(n)d changed.") if changed else _("Nothing was changed.")
        messages.success(request, said % {"n": changed})
        return HttpResponseRedirect(request.path)


def _rows(stores: list[Store], own: set[int]) -> list[dict[str, Any]]:
    taken = grid(stores)
    return [
        {
            "issuer": issuer,
            "cells": [
                {
                    "server": server,
                    "is_own_store": issuer == server,
                    "may_write": server.pk in own,
                    "kinds": [
                        (_name(issuer, server, kind), kind.label, taken[issuer.pk, server.pk][kind])
                        for kind in KINDS
                        if issuer != server
                    ],
                }
                for server in stores
            ],
        }
        for issuer in stores
    ]


def _name(issuer: Store, server: Store, kind: AccountKind) -> str:
    return f"take-{issuer.pk}-{server.pk}-{kind}"
