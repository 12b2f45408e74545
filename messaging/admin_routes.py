"""Routes and their regions in the back office: which way texts leave the house, and the way a number would go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from members.admin_scope import StoreScopedAdmin, stores_of
from members.enums import Role
from messaging.admin_gateway_forms import WayForm, form_for
from messaging.domain import routes
from messaging.domain.routes import Way
from messaging.enums import GatewayKind, MessageClass
from messaging.models import Region, Route
from messaging.rules import regions

SHOWN_MAX = 12


@admin.register(Route)
class RouteAdmin(StoreScopedAdmin):
    """Read from the top. Owners and auditors look, a superuser changes."""

    readers = (Role.OWNER, Role.AUDITOR)
    list_display = ("position", "of_classes", "of_numbers", "store", "gateway", "is_active")
    list_display_links = ("position", "of_numbers")
    list_select_related = ("gateway", "store", "region")
    fields = ("position", "gateway", "classes", "prefix", "region", "store", "is_active")
    list_before_template = "admin/gateways/way.html"
    change_form_after_template = "admin/gateways/try.html"

    @admin.display(description=_("classes"))
    def of_classes(self, route: Route) -> str:
        return ", ".join(str(MessageClass(each).label) for each in route.classes) or gettext("every class")

    @admin.display(description=_("numbers"), ordering="prefix")
    def of_numbers(self, route: Route) -> str:
        if route.region:
            return route.region.name
        return f"{route.prefix}…" if route.prefix else gettext("every number")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "classes":
            return form_for(GatewayKind.SMPP).base_fields["classes"]
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_urls(self) -> list[Any]:
        way = self.admin_site.admin_view(self.way)
        trial = self.admin_site.admin_view(require_POST(self.trial))
        return [
            path("way/", way, name="messaging_route_way"),
            path("try/", trial, name="messaging_route_try"),
            path("<int:object_id>/try/", trial, name="messaging_route_try"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        form = WayForm(stores=stores_of(request))
        return super().changelist_view(request, (extra_context or {}) | {"way_form": form})

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        form = WayForm(stores=stores_of(request), prefix="try", use_required_attribute=False)
        more = {"way_form": form, "route_id": object_id}
        return super().changeform_view(request, object_id, form_url, (extra_context or {}) | more)

    def way(self, request: HttpRequest) -> HttpResponse:
        """Which way would this number go, and why not another."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        form = WayForm(request.GET or None, stores=stores_of(request))
        found = _found(form) if form.is_bound and form.is_valid() else None
        return self._way_page(request, form, found)

    def trial(self, request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        """Which way a number would go if this route were kept as the form has it. Nothing is kept."""
        if not self.has_change_permission(request):
            return HttpResponse(status=403)
        route = get_object_or_404(Route, pk=object_id) if object_id else None
        written = self.get_form(request, route, change=route is not None)(request.POST, instance=route)
        form = WayForm(request.POST, stores=stores_of(request), prefix="try")
        found = None
        if form.is_valid() and written.is_valid():
            with transaction.atomic():
                tried = written.save()
                found = [way._replace(is_tried=way.route == tried) for way in _found(form)]
                transaction.set_rollback(True)
        return self._way_page(request, form, found, written=written)

    def _way_page(
        self, request: HttpRequest, form: WayForm, found: list[Way] | None, written: Any = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Which way would this number go?"),
            "way_form": form,
            "written": written,
            "tried_forms": [written, form] if written is not None else [],
            "ways": found,
            "has_routes": written is not None or Route.objects.filter(is_active=True).exists(),
        }
        return TemplateResponse(request, "admin/gateways/way_page.html", context)


def _found(form: WayForm) -> list[Way]:
    told = form.cleaned_data
    return routes.ways(
        phone=told["phone"],
        message_class=MessageClass(told["message_class"]),
        store_id=told["store"].pk,
        text=told["text"] or "x",
        at=timezone.now(),
    )


class RegionForm(forms.ModelForm):
    """A name, and what it covers as a person writes it."""

    covers = forms.CharField(
        label=_("Countries and beginnings of numbers"),
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )

    class Meta:
        model = Region
        fields = ("name", "covers")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "covers" in self.fields:
            self.fields["covers"].help_text = format_lazy(
                _(
                    "Countries (DE), groups of them ({groups}) or beginnings of numbers (+1310), with commas between."
                ),
                groups="; ".join(f"{code} {name}" for code, name in _groups()),
            )

    def clean_covers(self) -> str:
        """Kept as written; what it means goes with it."""
        covers = str(self.cleaned_data["covers"])
        try:
            self.instance.beginnings = regions.beginnings(covers)
        except regions.SharedCode as shared:
            words = _("%(word)s has no calling code of its own: write how its numbers begin after %(code)s.")
            raise forms.ValidationError(words % {"word": shared.word, "code": shared.code}) from shared
        except regions.UnknownPlace as unknown:
            words = _("“%(word)s” is no country, no group and no beginning of a number.")
            raise forms.ValidationError(words % {"word": unknown.word[:20]}) from unknown
        if not self.instance.beginnings:
            raise forms.ValidationError(self.fields["covers"].error_messages["required"])
        return covers


def _groups() -> list[tuple[str, str]]:
    language = (get_language() or "en").lower()
    return [(code, told["name"].get(language, told["name"]["en"])) for code, told in regions.groups().items()]


@admin.register(Region)
class RegionAdmin(StoreScopedAdmin):
    """Lists of numbers that routes name. Owners and auditors look, a superuser changes."""

    readers = (Role.OWNER, Role.AUDITOR)
    form = RegionForm
    list_display = ("name", "begins")
    search_fields = ("name",)
    fields = ("name", "covers", "begins")
    readonly_fields = ("begins",)

    @admin.display(description=_("numbers begin with"))
    def begins(self, region: Region) -> str:
        """The first of them, and how many more there are."""
        beginnings = region.beginnings or []  # none of a new one
        shown = ", ".join(beginnings[:SHOWN_MAX])
        more = len(beginnings) - SHOWN_MAX
        return f"{shown} +{more}…" if more > 0 else shown or "—"
