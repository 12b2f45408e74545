"""Rules that answer an event in the very statement of the deed that brings it (`rule_ride` in campaigns/sql/fire.sql).

The text is made here but for the figures only the deed will know, such as the balance after it: the database puts them
between the pieces, and counts its parts. What that cannot be sure of takes the general road (`triggers.fire`).
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any

from campaigns.domain import rulebook, triggers
from campaigns.domain.rulebook import Rule
from members.domain.riders import Coming, Ride
from members.event_types import EVENT_TYPES, Placeholder
from messaging.domain import outbox, texts
from messaging.domain.formatting import formatted
from messaging.domain.texts import Wording
from messaging.encoding import (
    GSM7,
    GSM7_PART_UNITS,
    GSM7_SINGLE_UNITS,
    UCS2_PART_UNITS,
    UCS2_SINGLE_UNITS,
    measure,
)
from messaging.enums import LIFETIME_SECONDS, PRIORITY, MessageClass
from messaging.states import Reason

# Stands where a figure will be: a character a text may hold, and in practice none does. Other than once for each
# figure, and the text takes the general road.
_HOLE = "\u9f98"
_MOST_UNITS = 500  # far from the most parts a text may have, whatever the figures


def ride_of(coming: Coming) -> Ride | None:
    """The rules of this event, to be answered in the deed's statement; None when one of them needs the general road."""
    page = rulebook.page_of(coming.type, coming.store.pk)
    if any(rule.message_class == MessageClass.MARKETING for rule in page.rules):
        return None
    rides = []
    for rule in page.rules:
        ride = _ride(rule, coming)
        if ride is None:
            return None
        rides.append(ride)
    return Ride("rule_ride(d.answer, %s::jsonb, %s::uuid)", [json.dumps(rides), page.stamp], _settle)


def _settle(queued: int) -> None:
    if queued:
        outbox.nudge_on_commit()


def _ride(rule: Rule, coming: Coming) -> dict[str, Any] | None:
    member, at, message_class = coming.member, coming.at, rule.message_class
    hours = outbox.hours_for(message_class)
    wording = texts.preferred(rule.wordings, member.language)
    text = _text(wording, coming) if wording else _no_text()
    if text is None:
        return None
    return {
        "rule": rule.id,
        "dedupe": rule.dedupe_seconds,
        "member": member.pk,
        "store": coming.store.pk,
        "at": at.isoformat(),
        "phone": member.phone,
        "phone_hash": bytes(member.phone_hash).hex(),
        "class": message_class.value,
        "priority": PRIORITY[message_class],
        "version": wording.version_id if wording else None,
        "language": wording.language if wording else "",
        "timezone": outbox.recipient_zone(member, member.phone, coming.store),
        "expires_at": (at + timedelta(seconds=LIFETIME_SECONDS[message_class])).isoformat(),
        "opens": hours.opens.isoformat(),
        "closes": hours.closes.isoformat(),
        "per_day": hours.per_day,
        "per_month": hours.per_month,
    } | text


def _no_text() -> dict[str, Any]:
    sizes = {"units": 0, "single": 0, "part": 1, "encoding": ""}
    return {"pieces": None, "refusal": Reason.NOT_APPROVED.value} | sizes


def _text(wording: Wording, coming: Coming) -> dict[str, Any] | None:
    """The pieces of the text with holes for the later figures, and how to count it."""
    later = [name for name in wording.holes if name in coming.later]
    kinds = EVENT_TYPES[coming.type].placeholders
    signs = {name: _money_sign(wording.language) if kinds[name].kind == "money" else None for name in later}
    if any((sign is None) != (kinds[name].kind == "number") for name, sign in signs.items()):
        return None
    composed = triggers.said(wording, coming, dict.fromkeys(coming.later, _HOLE))
    pieces = composed.text.split(_HOLE)
    if composed.refusal or len(pieces) != len(later) + 1:
        return None
    known = "".join(pieces)
    signed = known + "".join(sign or "" for sign in signs.values()) + "0"
    measured = texts.measured(signed, coming.member.phone)
    units = len(known)
    # a character of two units is never cut in two: then the length alone does not say how many parts there are
    if measured.refusal or units > _MOST_UNITS or measure(signed).units != len(signed):
        return None
    is_short_alphabet = measured.encoding == GSM7
    parts: list[Any] = [pieces[0]]
    for name, piece in zip(later, pieces[1:], strict=True):
        parts += [{"of": name, "sign": signs[name]}, piece]
    return {
        "pieces": parts,
        "refusal": "",
        "encoding": measured.encoding,
        "units": units,
        "single": GSM7_SINGLE_UNITS if is_short_alphabet else UCS2_SINGLE_UNITS,
        "part": GSM7_PART_UNITS if is_short_alphabet else UCS2_PART_UNITS,
    }


@cache
def _money_sign(language: str) -> str | None:
    """What stands before an amount in this language, if amounts are written as `rule_money` writes them; else None."""
    samples = {0: "0.00", 5: "0.05", 1230: "12.30", 123456789: "1,234,567.89", 10**12: "10,000,000,000.00"}
    kind = {"amount": Placeholder("money", 0)}
    shown = {
        minor: formatted({"amount": minor}, kind, language=language, timezone="UTC")["amount"]
        for minor in samples
    }
    sign = shown[0].removesuffix(samples[0])
    return sign if all(shown[minor] == sign + digits for minor, digits in samples.items()) else None
