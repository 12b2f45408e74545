"""Receivers that answer an event inside the statement of the deed that brings it, instead of after it.

A receiver may name a rider. Before the deed, the rider is shown what is known of the event and gives a `Ride`: an SQL
expression over `answer` (what the deed's function answers) to be run in the same statement. Where one receiver has no
rider, or its rider has none for this event, the deed takes the general road and announces its event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from members.event_types import EVENT_TYPES
from members.models import Member, MembershipEvent, Store


@dataclass(frozen=True)
class Coming:
    """An event that is about to be stored. `later` names the figures of its payload that only the deed will know."""

    type: str
    member: Member
    store: Store
    at: datetime
    payload: Mapping[str, Any]
    later: frozenset[str]


@dataclass(frozen=True)
class Ride:
    """An SQL expression with its parameters, and what to do with its value once the deed is written."""

    sql: str
    parameters: Sequence[Any]
    settle: Callable[[Any], None]


log = structlog.get_logger(__name__)
STAYS = Ride("", (), lambda _: None)
Rider = Callable[[Coming], Ride | None]
_riders: dict[Callable[..., Any], Rider] = {}


def name_rider(receiver: Callable[..., Any], rider: Rider) -> None:
    """Let `rider` stand in for `receiver` where a deed is one statement. It gives STAYS when there is nothing to do."""
    _riders[receiver] = rider


def _ride_of(receiver: Callable[..., Any], coming: Coming) -> Ride | None:
    """A rider that fails has no ride: on the general road its receiver fails as receivers do, and costs no deed."""
    rider = _riders.get(receiver)
    try:
        return rider(coming) if rider else None
    except Exception:
        log.exception("rider_failed", event_type=coming.type)
        return None


def rides_for(coming: Coming) -> list[Ride] | None:
    """The rides of all receivers of this event; None when one of them has to be told the usual way."""
    rides = []
    receivers, asynchronous = EVENT_TYPES[coming.type].signal._live_receivers(MembershipEvent)
    if asynchronous:
        return None
    for receiver in receivers:
        ride = _ride_of(receiver, coming)
        if ride is None:
            return None
        if ride is not STAYS:
            rides.append(ride)
    return rides
