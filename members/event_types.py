"""The events a member can have, each with its signal and the placeholders its templates may use.

docs/events.md lists the same, checked by a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.dispatch import Signal
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members import signals

Kind = Literal["text", "money", "number", "date", "datetime"]


@dataclass(frozen=True)
class Placeholder:
    """One merge field: its kind and a sample value. Money is in minor units, date(time)s in ISO 8601."""

    kind: Kind
    sample: str | int
    label: str | Promise = ""


@dataclass(frozen=True)
class EventType:
    """A kind of fact: what it is called, what announces it, what its texts may say."""

    name: str
    label: str | Promise
    signal: Signal
    placeholders: Mapping[str, Placeholder] = field(default_factory=dict)
    is_external: bool = False


EVERYWHERE: dict[str, Placeholder] = {
    "name": Placeholder("text", "李雷", _("member’s name")),
    "store": Placeholder("text", "Riverside", _("store")),
    "store_phone": Placeholder("text", "021 5555 0100", _("store’s phone")),
    "at": Placeholder("datetime", "2026-11-22T10:15:00+08:00", _("when it happened")),
}
_BALANCES = {
    "balance": Placeholder("money", 58000, _("balance after: principal and bonus")),
    "principal_balance": Placeholder("money", 50000, _("principal after")),
    "bonus_balance": Placeholder("money", 8000, _("bonus after")),
    "points_balance": Placeholder("number", 120, _("points after")),
    "card": Placeholder("text", "…4821", _("card number, shortened")),
}


def _type(
    name: str,
    label: str | Promise,
    signal: Signal,
    placeholders: Mapping[str, Placeholder],
    *,
    is_external: bool = False,
) -> EventType:
    return EventType(name, label, signal, {**EVERYWHERE, **placeholders}, is_external)


_ALL = (
    _type("member_enrolled", _("Member enrolled"), signals.member_enrolled, {}),
    _type("card_opened", _("Card opened"), signals.card_opened, _BALANCES),
    _type(
        "card_recharged",
        _("Card recharged"),
        signals.card_recharged,
        {
            "amount": Placeholder("money", 50000, _("amount paid")),
            "bonus": Placeholder("money", 8000, _("bonus given")),
            "points": Placeholder("number", 0, _("points given")),
            **_BALANCES,
        },
    ),
    _type(
        "card_spent",
        _("Spent"),
        signals.card_spent,
        {
            "amount": Placeholder("money", 12000, _("bill")),
            "stored_value": Placeholder("money", 12000, _("paid by card")),
            "principal": Placeholder("money", 10345, _("of it principal")),
            "bonus": Placeholder("money", 1655, _("of it bonus")),
            "points": Placeholder("number", 120, _("points earned")),
            **_BALANCES,
        },
    ),
    _type(
        "points_redeemed",
        _("Points redeemed"),
        signals.points_redeemed,
        {
            "reward": Placeholder("text", "Head massage", _("reward")),
            "points": Placeholder("number", 300, _("points used")),
            **_BALANCES,
        },
    ),
    _type(
        "card_refunded",
        _("Refunded"),
        signals.card_refunded,
        {
            "amount": Placeholder("money", 12000, _("amount given back")),
            "stored_value": Placeholder("money", 12000, _("of it to the card")),
            "points": Placeholder("number", 120, _("points taken back")),
            **_BALANCES,
        },
    ),
    _type(
        "booking_made",
        _("Booking made"),
        signals.booking_made,
        {
            "service": Placeholder("text", "Haircut", _("service")),
            "starts_at": Placeholder("datetime", "2026-11-25T14:30:00+08:00", _("starts at")),
        },
        is_external=True,
    ),
    _type(
        "customer_arrived",
        _("Customer arrived"),
        signals.customer_arrived,
        {"place": Placeholder("text", "Lobby", _("place"))},
        is_external=True,
    ),
    _type(
        "call_missed",
        _("Call missed"),
        signals.call_missed,
        {"called": Placeholder("text", "021 5555 0100", _("number called"))},
        is_external=True,
    ),
    _type(
        "fund_moved",
        _("Fund movement"),
        signals.fund_moved,
        {
            "account": Placeholder("text", "Savings …0456", _("account")),
            "direction": Placeholder("text", "in", _("direction")),
            "amount": Placeholder("money", 250000, _("amount")),
            "fund_balance": Placeholder("money", 1250000, _("balance there")),
        },
        is_external=True,
    ),
)
EVENT_TYPES: dict[str, EventType] = {event_type.name: event_type for event_type in _ALL}
CUSTOM_PREFIX = "custom."
KINDS: tuple[Kind, ...] = ("text", "money", "number", "date", "datetime")


def custom_type(name: str, label: str, fields: Mapping[str, str]) -> EventType:
    """The event type of a shop's own event, `custom.<name>`, with its declared fields."""
    samples: dict[str, str | int] = {
        "text": "…",
        "money": 10000,
        "number": 1,
        "date": "2026-11-22",
        "datetime": "2026-11-22T10:15:00+08:00",
    }
    placeholders = {key: Placeholder(kind, samples[kind], key) for key, kind in fields.items()}  # type: ignore[arg-type]
    return EventType(
        CUSTOM_PREFIX + name,
        label,
        signals.custom_event_happened,
        {**EVERYWHERE, **placeholders},
        is_external=True,
    )


# What a campaign's text may say of each member of its audience.
AUDIENCE_FIELDS: dict[str, Placeholder] = {
    "name": EVERYWHERE["name"],
    "store": EVERYWHERE["store"],
    "store_phone": EVERYWHERE["store_phone"],
    "balance": Placeholder("money", 58000, _("principal and bonus now")),
    "points_balance": Placeholder("number", 120, _("points now")),
    "last_visit": Placeholder("date", "2026-09-01", _("day of the last visit")),
    "days_away": Placeholder("number", 82, _("days since the last visit")),
}
