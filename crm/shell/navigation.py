"""The one navigation of the back office and the tab bar of the portal."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.admin_scope import may_enter


@dataclass(frozen=True)
class Place:
    """A page of the navigation. `name` is its URL name; `is_tab` puts it on the phone's bar as well."""

    name: str
    label: str | Promise
    icon: str
    is_tab: bool = True


@dataclass(frozen=True)
class Link:
    url: str
    label: str | Promise
    icon: str
    is_tab: bool
    is_current: bool


STAFF = (
    Place("staff:till", _("Till"), "scan-line"),
    Place("staff:member_list", _("Members"), "users"),
    Place("staff:campaign_list", _("Campaigns"), "megaphone"),
    Place("staff:message_list", _("Messages"), "message-square-text"),
)
SET_UP = Place("admin:index", _("Set-up"), "settings", is_tab=False)
PORTAL = (
    Place("portal:home", _("Home"), "house"),
    Place("portal:statement", _("Statement"), "receipt-text"),
    Place("portal:messages", _("Messages"), "message-square-text"),
    Place("portal:preferences", _("Preferences"), "sliders-horizontal"),
)


def links(places: tuple[Place, ...], path: str) -> list[Link]:
    """Links to the places this deployment serves; the one with the longest matching address is current."""
    found = [(place, url) for place in places if (url := _address(place.name))]
    here = max((url for _place, url in found if path.startswith(url)), key=len, default="")
    return [Link(url, place.label, place.icon, place.is_tab, url == here) for place, url in found]


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def staff_links(request: HttpRequest) -> list[Link]:
    """The rail: daily work, then set-up for those who may enter the admin."""
    places = (*STAFF, SET_UP) if may_enter(request) else STAFF
    return links(places, request.path)


def simulator_url(request: HttpRequest) -> str:
    """Where this deployment's phone simulator listens, on the host the reader uses; empty without one."""
    port = getattr(settings, "REGULARS_SIMULATOR_PORT", 0)
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/" if port else ""
