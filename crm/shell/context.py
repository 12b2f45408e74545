from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from crm.shell import navigation


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page of the shell may show. Lazy: a JSON answer or a fragment pays nothing for it."""
    return {
        "staff_nav": SimpleLazyObject(lambda: navigation.staff_links(request)),
        "portal_nav": SimpleLazyObject(lambda: navigation.links(navigation.PORTAL, request.path)),
        "simulator_url": SimpleLazyObject(lambda: navigation.simulator_url(request)),
    }
