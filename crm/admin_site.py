"""The back office's site: the themed admin, entered by role, with the log-in of the staff web."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from structlog.contextvars import bound_contextvars
from unfold.sites import UnfoldAdminSite

from crm.admin_menu import sectioned, zone_of
from members.admin_scope import may_enter


class BackOffice(UnfoldAdminSite):
    """Who may enter follows the roles, not the is_staff flag; a cashier is refused (403), a stranger logs in first."""

    index_title = _("Set-up")

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., Any]:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            with bound_contextvars(staff_id=request.user.pk), timezone.override(ZoneInfo(zone_of(request))):
                response = guarded(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
                return response

        return entered

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one log-in, with one lock-out."""
        wanted = request.GET.get("next", reverse("admin:index"))
        return HttpResponseRedirect(f"{reverse('staff:login')}?{urlencode({'next': wanted})}")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The pages by section, as in the navigation; Django's own list for one application.

        Every page has the sections in its context and only the first shows them: they are put together when shown.
        """
        if app_label:
            return super().get_app_list(request, app_label)
        shown = SimpleLazyObject(lambda: sectioned(list(self._build_app_dict(request).values())))
        return cast("list[Any]", shown)
