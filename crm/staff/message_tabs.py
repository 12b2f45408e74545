"""The tabs of the pages about texts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.shell.navigation import MAY_WATCH
from crm.staff.access import access_of, page
from members.enums import Role

MAY_SORT = (Role.MANAGER, Role.OWNER, Role.AUDITOR)
_PART_OF = {"message_detail": "message_list", "pause_texts": "gateway_board", "resume_texts": "gateway_board"}
_PART_OF |= {"decide_letters": "dead_letters", "after_restore": "dead_letters"}


def texts_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """A page about texts, with the tabs this person may open."""
    return page(request, template, {"message_tabs": _tabs(request), **(context or {})}, status)


def _tabs(request: HttpRequest) -> list[dict[str, Any]]:
    access = access_of(request)
    places = [("message_list", _("Texts"))]
    if access.may(*MAY_WATCH):
        places += [("gateway_board", _("Gateways")), ("alert_list", _("Alerts"))]
    if access.may(*MAY_SORT):
        places.append(("dead_letters", _("What stands still")))
    here = (request.resolver_match.url_name if request.resolver_match else None) or ""
    here = _PART_OF.get(here, here)
    return [
        {"label": label, "url": reverse(f"staff:{name}"), "is_current": here == name}
        for name, label in places
    ]
