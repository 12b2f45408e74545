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

Kind = Literal["text", "money", "number", "date", "datetime", "name", "code"]


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
    "name": Placeholder("name", "李雷", _("member’s name")),
    "store": Placeholder("text", "Riverside", _("store")),
    "store_phone": Placeholder("text", "021 5555 0100", _("store’s phone")),
    "at": Placeholder("datetime", "2026-11-22T10:15:00+08:00", _("when it happened")),
}
_BALANCES = {
    "balance": Placeholder("money", 58000, _("balance after: principal and bonus")),
    "principal_balance": Placeholder("money", 50000, _("principal after")),
    "bonus_balance": Placeholder("money", 8000, _("bonus after")),
    "points_balance": Placeholder("number", 120, _("points after")),
    "services_left": Placeholder("number", 7, _("services left on the card")),
    "card": Placeholder("text", "…4821", _("card number, shortened")),
}
BALANCES = tuple(_BALANCES)
_EXPIRES_ON = Placeholder("date", "2026-12-31", _("last day"))
_COUPON = {
    "coupon": Placeholder("text", "20 off a colour", _("coupon")),
    "code": Placeholder("code", "K7M2-9PQX", _("its code")),
    "expires_on": _EXPIRES_ON,
}
_SERVICE = {
    "service": Placeholder("text", "Car wash", _("service")),
    "count": Placeholder("number", 1, _("how many")),
    **_BALANCES,
}
_NUMBERS = {
    "old_phone": Placeholder("text", "138****1234", _("old number, masked")),
    "new_phone": Placeholder("text", "139****5678", _("new number, masked")),
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
            "discount": Placeholder("money", 0, _("taken off before")),
            "points": Placeholder("number", 120, _("points earned")),
            "points_used": Placeholder("number", 0, _("points that paid")),
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
            "points_back": Placeholder("number", 0, _("points given back")),
            **_BALANCES,
        },
    ),
    _type("card_frozen", _("Card frozen"), signals.card_frozen, _BALANCES),
    _type("card_unfrozen", _("Card active again"), signals.card_unfrozen, _BALANCES),
    _type(
        "card_replaced",
        _("Card replaced"),
        signals.card_replaced,
        {"new_card": Placeholder("text", "…7730", _("new card number, shortened")), **_BALANCES},
    ),
    _type(
        "card_closed",
        _("Card closed"),
        signals.card_closed,
        {"amount": Placeholder("money", 30450, _("amount paid out")), **_BALANCES},
    ),
    _type(
        "recharge_refunded",
        _("Recharge refunded"),
        signals.recharge_refunded,
        {
            "amount": Placeholder("money", 50000, _("amount given back")),
            "bonus": Placeholder("money", 8000, _("bonus taken back")),
            **_BALANCES,
        },
    ),
    _type(
        "services_sold",
        _("Services sold"),
        signals.services_sold,
        {**_SERVICE, "amount": Placeholder("money", 90000, _("amount paid"))},
    ),
    _type("service_taken", _("Service taken"), signals.service_taken, _SERVICE),
    _type("service_returned", _("Service returned"), signals.service_returned, _SERVICE),
    _type(
        "value_held",
        _("Value held"),
        signals.value_held,
        {
            "amount": Placeholder("money", 20000, _("amount held")),
            "until": Placeholder("datetime", "2026-11-25T14:30:00+08:00", _("held until")),
            **_BALANCES,
        },
    ),
    _type(
        "hold_ended",
        _("Hold released"),
        signals.hold_ended,
        {"amount": Placeholder("money", 20000, _("amount free again")), **_BALANCES},
    ),
    _type(
        "value_sent",
        _("Value passed on"),
        signals.value_sent,
        {
            "amount": Placeholder("money", 10000, _("amount passed on")),
            "to": Placeholder("name", "韩梅梅", _("to whom")),
            **_BALANCES,
        },
    ),
    _type(
        "value_received",
        _("Value received"),
        signals.value_received,
        {
            "amount": Placeholder("money", 10000, _("amount received")),
            "sender": Placeholder("name", "李雷", _("from whom")),
            **_BALANCES,
        },
    ),
    _type(
        "value_adjusted",
        _("Adjusted"),
        signals.value_adjusted,
        {
            "amount": Placeholder("money", 2000, _("bonus given or taken")),
            "points": Placeholder("number", 100, _("points given or taken")),
            "reason": Placeholder("text", "Goodwill", _("reason")),
            **_BALANCES,
        },
    ),
    _type(
        "value_expiring",
        _("Value expiring"),
        signals.value_expiring,
        {
            "amount": Placeholder("money", 8000, _("amount that expires")),
            "points": Placeholder("number", 300, _("points that expire")),
            "services": Placeholder("number", 2, _("services that expire")),
            "expires_on": _EXPIRES_ON,
        },
    ),
    _type("balance_low", _("Balance low"), signals.balance_low, _BALANCES),
    _type(
        "points_earned",
        _("Points earned"),
        signals.points_earned,
        {
            "points": Placeholder("number", 50, _("points earned")),
            "reason": Placeholder("text", "Birthday", _("reason")),
            "points_balance": _BALANCES["points_balance"],
        },
    ),
    _type("coupon_issued", _("Coupon issued"), signals.coupon_issued, _COUPON),
    _type("coupon_expiring", _("Coupon expiring"), signals.coupon_expiring, _COUPON),
    _type(
        "tier_changed",
        _("Tier changed"),
        signals.tier_changed,
        {
            "tier": Placeholder("text", "Gold", _("tier now")),
            "tier_before": Placeholder("text", "Silver", _("tier before")),
        },
    ),
    _type("phone_change_asked", _("Phone change asked"), signals.phone_change_asked, _NUMBERS),
    _type("phone_changed", _("Phone changed"), signals.phone_changed, _NUMBERS),
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
