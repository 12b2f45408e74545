"""The one navigation of the back office and the tab bar of the portal."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.admin_scope import may_enter, reach_of
from members.domain.approvals import MAY_APPROVE, waiting_for
from members.enums import Role
from members.models import Staff, Store
from messaging.domain.conversations import unread
from messaging.models import Alert

MAY_ANSWER = (Role.CASHIER, Role.MANAGER, Role.OWNER, Role.MARKETER)


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
    count: int = 0


MAY_WATCH = (Role.MANAGER, Role.OWNER, Role.MARKETER, Role.AUDITOR)
MAY_COUNT = (Role.CASHIER, Role.MANAGER, Role.OWNER, Role.AUDITOR)
IN_CHARGE = (Role.MANAGER, Role.OWNER)
DASHBOARD = Place("staff:dashboard", _("Overview"), "layout-dashboard", is_tab=False)
TILL = Place("staff:till", _("Till"), "scan-line")
MEMBERS = Place("staff:member_list", _("Members"), "users")
CAMPAIGNS = Place("staff:campaign_list", _("Campaigns"), "megaphone")
MESSAGES = Place("staff:message_list", _("Messages"), "message-square-text")
COUPONS = Place("staff:coupon_list", _("Coupons"), "ticket-percent", is_tab=False)
TEXTS = Place("staff:text_list", _("Text templates"), "file-text", is_tab=False)
REVIEW = Place("staff:review_list", _("Review desk"), "stamp", is_tab=False)
INBOX = Place("staff:inbox", _("Inbox"), "inbox", is_tab=False)
CODES = Place("staff:codes", _("Codes"), "key-round", is_tab=False)
TIERS = Place("staff:tier_board", _("Tiers"), "award", is_tab=False)
ALERTS = Place("staff:alert_list", _("Alerts"), "bell-ring", is_tab=False)
APPROVALS = Place("staff:approval_list", _("Approvals"), "shield-check", is_tab=False)
MONEY = Place("staff:money", _("Money"), "wallet", is_tab=False)
AUDIT = Place("staff:audit_log", _("Audit"), "scroll-text", is_tab=False)
SET_UP = Place("admin:index", _("Set-up"), "settings", is_tab=False)
STAFF: tuple[tuple[Place, tuple[Role, ...]], ...] = (
    (DASHBOARD, IN_CHARGE),
    (TILL, tuple(Role)),
    (MEMBERS, tuple(Role)),
    (INBOX, MAY_ANSWER),
    (CAMPAIGNS, MAY_WATCH),
    (MESSAGES, tuple(Role)),
    (COUPONS, tuple(Role)),
    (TEXTS, MAY_WATCH),
    (REVIEW, MAY_WATCH),
    (TIERS, IN_CHARGE),
    (CODES, IN_CHARGE),
    (ALERTS, MAY_WATCH),
    (MONEY, MAY_COUNT),
    (APPROVALS, MAY_COUNT),
    (AUDIT, (Role.OWNER, Role.AUDITOR)),
)
PORTAL = (
    Place("portal:home", _("Home"), "house"),
    Place("portal:statement", _("Statement"), "receipt-text"),
    Place("portal:coupons", _("Coupons"), "ticket-percent"),
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
    """The rail: daily work, what waits for a second person, the audit log, then set-up, as far as one may."""
    places = [place for place, roles in STAFF if _may(request, roles)]
    if may_enter(request):
        places.append(SET_UP)
    return [_counted(link, request) for link in links(tuple(places), request.path)]


def _may(request: HttpRequest, roles: tuple[Role, ...]) -> bool:
    """In the store one works in, as its pages ask; in any store where no page has read one."""
    reach, store = reach_of(request), _store_at_work(request)
    return reach.may(store.pk, roles) if store else reach.may_anywhere(roles)


def _counted(link: Link, request: HttpRequest) -> Link:
    """Approvals and alerts with how many wait for this person, the inbox with how many nobody has looked at."""
    if link.label == ALERTS.label:
        return replace(link, count=_open_alerts(request))
    if link.label == INBOX.label and isinstance(request.user, Staff):
        return replace(link, count=_unread(request))
    is_asked = link.label == APPROVALS.label and reach_of(request).may_anywhere(MAY_APPROVE)
    if not is_asked or not isinstance(request.user, Staff):
        return link
    return replace(link, count=waiting_for(request.user, at=timezone.now()))


def _open_alerts(request: HttpRequest) -> int:
    """How many alerts of the house and of this person's stores are open."""
    mine = Q(store=None) | Q(store__in=reach_of(request).stores(MAY_WATCH))
    rows = Alert.objects.filter(closed_at=None)
    return (rows if reach_of(request).is_superuser else rows.filter(mine)).count()


def _unread(request: HttpRequest) -> int:
    """Of the store the person works in; of nobody's too for those in charge. Nothing where they may not answer."""
    store, reach = _store_at_work(request), reach_of(request)
    if store is None or not reach.may(store.pk, MAY_ANSWER):
        return 0
    is_in_charge = reach.may(store.pk, (Role.MANAGER, Role.OWNER))
    return unread(request.user, store, is_in_charge=is_in_charge)  # type: ignore[arg-type]


def _store_at_work(request: HttpRequest) -> Store | None:
    """What crm.staff.access has read for this request; the admin's own pages have read none."""
    return getattr(getattr(request, "_staff_access", None), "store", None)


def simulator_url(request: HttpRequest) -> str:
    """Where this deployment's phone simulator listens, on the host the reader uses; empty without one."""
    port = getattr(settings, "REGULARS_SIMULATOR_PORT", 0)
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/" if port else ""
