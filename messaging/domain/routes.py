"""Which way would this text go? The rule is the database's (messaging/sql/routes.sql); here it is asked and explained."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.domain.texts import measured
from messaging.enums import MessageClass
from messaging.models import Gateway, Route

_WAYS = """
SELECT route_id, gateway_id, is_able, is_up FROM sms_ways(
  %(message_class)s, %(phone)s, %(store)s, %(version)s, %(encoding)s, %(parts)s, NULL, %(at)s)
ORDER BY place, route_id
"""


class Way(NamedTuple):
    """A route that fits, whether it is the one taken now, and if not why. `is_tried`: the one a person is about to keep."""

    route: Route
    gateway: Gateway
    is_chosen: bool
    why_not: Promise | str
    is_tried: bool = False


def ways(
    *,
    phone: str,
    message_class: MessageClass,
    store_id: int | None,
    text: str,
    at: datetime,
    version_id: int | None = None,
) -> list[Way]:
    """Every route that fits, from the top. Empty: none leads there, or there are no routes at all."""
    size = measured(text, phone)
    values = {
        "message_class": message_class.value,
        "phone": phone,
        "store": store_id,
        "version": version_id,
        "encoding": size.encoding,
        "parts": size.parts,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAYS, values)
        rows = cursor.fetchall()
    found = Route.objects.select_related("gateway", "store", "region").in_bulk([row[0] for row in rows])
    able = [row for row in rows if row[2]]
    chosen = next((row[0] for row in able if row[3]), able[0][0] if able else None)
    return [
        Way(
            found[route],
            found[route].gateway,
            route == chosen,
            _why_not(found[route].gateway, message_class, size.encoding, size.parts, is_able, is_up)
            if route != chosen
            else "",
        )
        for route, _gateway, is_able, is_up in rows
    ]


def _why_not(
    gateway: Gateway, message_class: str, encoding: str, parts: int, is_able: bool, is_up: bool
) -> Promise | str:
    """The first obstacle, in the owner's words; a route that merely stands lower has none."""
    if is_able:
        return _("stands by") if is_up else _("not connected")
    if not gateway.is_active:
        return _("the gateway is not in use")
    if gateway.classes and message_class not in gateway.classes:
        return _("the gateway does not take this class")
    if not gateway.has_unicode and encoding == "UCS-2":
        return _("the gateway does not carry this script")
    if not gateway.has_long_texts and parts > 1:
        return _("the gateway carries no long texts")
    return _("no template has passed at the provider")
