"""The start page of those in charge: what needs them, then how the store they are in stands today."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from campaigns.enums import CampaignStatus
from crm.reports import overview
from crm.reports.liability import liability
from crm.shell.formats import money_text, number_text
from crm.staff.access import IN_CHARGE, Access, access_of, needs, page
from crm.staff.alert_pages import open_alerts, row_of
from crm.staff.campaigns.campaign_list import lines_of
from crm.staff.campaigns.scope import campaigns_of
from crm.staff.message_search import GROUPS
from crm.staff.review_pages import visible_versions
from members.domain import approvals, days
from members.enums import TenderType
from members.models import FraudCase, FraudState
from messaging.domain import conversations, reviewing
from messaging.states import State

ALERTS_SHOWN, CAMPAIGNS_SHOWN, COUNTED_MAX = 5, 5, 99
_GROUPS = {
    "delivered": (State.DELIVERED,),
    **{name: states for name, (_label, states) in GROUPS.items()},
}


@never_cache
@require_GET
@needs(*IN_CHARGE)
def dashboard(request: HttpRequest) -> HttpResponse:
    """What needs a person, and the store's day; a fixed number of queries. What is owed is loaded after it."""
    access, now = access_of(request), timezone.now()
    today = days.business_day(access.store, now)
    midnight = datetime.combine(today, time.min, tzinfo=access.store.zone)
    active = campaigns_of(request).filter(status=CampaignStatus.ACTIVE).select_related("store")
    people, texts = overview.reachable(access.store), overview.texts_since(access.store, midnight)
    context = {
        "alerts": [row_of(alert) for alert in open_alerts(access).order_by("-pk")[:ALERTS_SHOWN]],
        "waiting": _waiting(access, now),
        "people": people,
        "shown": _at_least(people),
        "people_url": f"{reverse('staff:member_list')}?{urlencode({'store': access.store.pk})}",
        "reachable": _of(people),
        "takings": _takings(overview.money_in(access.store, midnight=midnight)),
        "day_url": reverse("staff:money_day", args=[today.isoformat()]),
        "texts": _texts(texts.by_state, today.isoformat()),
        "texts_cost": texts,
        "cost": money_text(texts.cost_minor) + ("+" if texts.is_cut else ""),
        "texts_read": overview.TEXTS_READ_MAX,
        "campaigns": lines_of(list(active.order_by("-pk")[:CAMPAIGNS_SHOWN]), now),
        "today": today,
    }
    return page(request, "staff/dashboard.html", context)


@never_cache
@require_GET
@needs(*IN_CHARGE)
def dashboard_owed(request: HttpRequest) -> HttpResponse:
    """What the store owes its members now, of what it sold; asked for after the page, as it reads the whole books."""
    access = access_of(request)
    tomorrow = days.business_day(access.store, timezone.now()) + timedelta(days=1)
    until = datetime.combine(tomorrow, time.min, tzinfo=access.store.zone)
    owed = liability([access.store], until=until).by_sold[access.store]
    return page(request, "staff/_dashboard_owed.html", {"owed": owed})


@never_cache
@require_GET
@needs(*IN_CHARGE)
def dashboard_back(request: HttpRequest) -> HttpResponse:
    """Who came back to the store this week; asked for after the page, as it looks at each visitor's time before."""
    access = access_of(request)
    members, after_text = overview.came_back(access.store, timezone.now())
    narrowed = urlencode({"store": access.store.pk, "seen": "back"})
    context = {
        "number": number_text(members) + ("+" if members == overview.BACK_COUNTED_MAX else ""),
        "after_text": after_text,
        "days": overview.AWAY_DAYS,
        "url": f"{reverse('staff:member_list')}?{narrowed}",
    }
    return page(request, "staff/_dashboard_back.html", context)


def _waiting(access: Access, now: datetime) -> list[dict[str, Any]]:
    """What waits for this person's word, and where; counted no further than 99, left out where nothing waits."""
    texts = reviewing.waiting().filter(pk__in=visible_versions(access).values("pk"))
    cases = FraudCase.objects.filter(store=access.store, state=FraudState.OPEN)
    counted = [
        (_("Approvals"), "approval_list", "shield-check", approvals.waiting_for(access.staff, at=now)),
        (_("Texts to review"), "review_list", "stamp", _number(texts)),
        (
            _("Conversations nobody has looked at"),
            "inbox",
            "inbox",
            conversations.unread(access.staff, access.store, is_in_charge=True),
        ),
        (_("Cases on the fraud board"), "money_fraud", "triangle-alert", _number(cases)),
    ]
    return [
        {"label": label, "url": reverse(f"staff:{name}"), "icon": icon, "number": number}
        for label, name, icon, number in counted
        if number
    ]


def _number(rows: Any) -> int:
    return len(rows.order_by().values_list("pk", flat=True)[:COUNTED_MAX])


def _is_large(people: dict[str, int]) -> bool:
    return people["members"] >= overview.COUNTED_MAX


def _at_least(people: dict[str, int]) -> dict[str, str]:
    """The counts in figures: 1,204, or 1,204+ where only the newest members were counted."""
    more = "+" if _is_large(people) else ""
    return {name: f"{number_text(number)}{more}" for name, number in people.items()}


def _of(people: dict[str, int]) -> str:
    part, whole = people["reachable"], people["members"]
    if not whole:
        return ""
    percent = number_text(round(100 * part / whole))
    if _is_large(people):
        newest = _("%(percent)s %% of the newest %(n)s members")
        return newest % {"percent": percent, "n": number_text(whole)}
    said = ngettext("%(percent)s %% of %(n)s member", "%(percent)s %% of %(n)s members", whole)
    return said % {"percent": percent, "n": number_text(whole)}


def _takings(by_tender: dict[str, int]) -> dict[str, str]:
    said = [f"{TenderType(tender).label} {money_text(minor)}" for tender, minor in by_tender.items()]
    total = sum(by_tender.values())
    return {
        "total": money_text(total),
        "tone": "bad" if total < 0 else "good",
        "note": ", ".join(said) or _("nothing yet today"),
    }


def _texts(by_state: dict[str, int], since: str) -> list[dict[str, Any]]:
    """The day's texts by what became of them; "accepted" is on the way, never delivered. Each opens its list."""
    labels = {"delivered": State.DELIVERED.label} | {name: label for name, (label, _states) in GROUPS.items()}
    tones = {"delivered": "good", "moving": "move", "failed": "bad", "unsent": "plain"}
    return [
        {
            "label": labels[name],
            "value": sum(by_state.get(state, 0) for state in states),
            "tone": tones[name],
            "url": f"{reverse('staff:message_list')}?{urlencode({'state': name, 'since': since})}",
        }
        for name, states in _GROUPS.items()
    ]
