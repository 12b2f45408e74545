"""Deeds at the ledger that can be taken back."""

from __future__ import annotations

from typing import Any

from crm.api.caller import Caller
from crm.api.cards import NOTE_MAX, show_deed
from crm.api.endpoints import WriteEndpoint, one_or_404
from crm.api.fields import Minor, PublicId, Strict, Text
from crm.api.idempotency import Answer
from crm.api.openapi import documented_write
from crm.api.shapes import DeedShape
from members.domain.refunds import refund


class RefundBody(Strict):
    """Without `amount_minor` all that is left of the spend. `store` is the spend's own by default."""

    amount_minor = Minor(required=False)
    note = Text(required=False, default="", allow_blank=True, max_length=NOTE_MAX)
    store = PublicId(required=False)


@documented_write(
    "refund",
    "Refund a spend",
    body=RefundBody,
    answers={201: DeedShape},
    tag="Operations",
    examples={"All of it": {}, "A part": {"amount_minor": 3000}},
)
class RefundView(WriteEndpoint):
    """Value goes back to the lots it came from, outside money to its tender; earned points are taken back."""

    body = RefundBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        operation = one_or_404(caller.operations(), path["public_id"])
        outcome = refund(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.get("store", operation.store.public_id)),
            operation=operation,
            amount_minor=given.get("amount_minor"),
            note=given["note"],
        )
        return 201, show_deed(outcome)
