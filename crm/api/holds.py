"""Value set aside for a booking or a deposit: authorised, looked at, released. A bill captures it (bills.py)."""

from __future__ import annotations

from typing import Any

from crm.api.caller import Caller
from crm.api.cards import show_deed
from crm.api.endpoints import ReadEndpoint, WriteEndpoint, one_or_404
from crm.api.fields import Instant, Minor, PublicId, Strict, Text
from crm.api.idempotency import Answer
from crm.api.openapi import documented_read, documented_write
from crm.api.shapes import HeldShape, HoldShape
from members.domain.holds import authorise, release
from members.models import Hold

TAG = "Holds"


class HoldBody(Strict):
    """So much until then. Nothing else can spend it, and it does not expire meanwhile."""

    amount_minor = Minor()
    until = Instant()
    reason = Text(required=False, default="", allow_blank=True, max_length=120)
    store = PublicId(required=False)


class ReleaseBody(Strict):
    """`store` is the hold's own by default."""

    store = PublicId(required=False)


@documented_write(
    "hold_value",
    "Hold value of a card",
    body=HoldBody,
    answers={201: HeldShape},
    tag=TAG,
    examples={
        "A deposit": {"amount_minor": 5000, "until": "2027-01-31T18:00:00+08:00", "reason": "Booking 17"}
    },
)
class HoldsView(WriteEndpoint):
    """Set value aside: captured by a bill, released, or free again when its time is over."""

    body = HoldBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        outcome = authorise(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.get("store")),
            card=one_or_404(caller.cards(), path["public_id"]),
            amount_minor=given["amount_minor"],
            until=given["until"],
            reason=given["reason"],
        )
        held = Hold.objects.select_related("card", "store").get(operation=outcome.operation)
        return 201, show_deed(outcome) | {"hold": HoldShape(held).data}


@documented_read("show_hold", "Show a hold", answer=HoldShape, tag=TAG, is_one=True)
class HoldView(ReadEndpoint):
    """Where a hold stands."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        return HoldShape(one_or_404(caller.holds(), path["public_id"])).data


@documented_write(
    "release_hold",
    "Release a hold",
    body=ReleaseBody,
    answers={201: HeldShape},
    tag=TAG,
    examples={"Release": {}},
)
class ReleaseView(WriteEndpoint):
    """End a hold without a bill."""

    body = ReleaseBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        held = one_or_404(caller.holds(), path["public_id"])
        store = caller.store(given["store"]) if "store" in given else held.store
        outcome = release(actor=caller.actor, key=caller.key, at=caller.at, store=store, hold=held)
        held.refresh_from_db()
        return 201, show_deed(outcome) | {"hold": HoldShape(held).data}
