"""Count cards: services taken, and given back when they were taken by mistake."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.api.caller import Caller
from crm.api.cards import NOTE_MAX, show_deed
from crm.api.endpoints import WriteEndpoint, named_or_422, one_or_404
from crm.api.fields import PublicId, RowId, Strict, Text, WholeNumber
from crm.api.idempotency import Answer
from crm.api.openapi import documented_write
from crm.api.shapes import DeedShape
from members.domain.services import return_service, take_service
from members.models import Sharer

SERVICES_MAX = 1000


class TakeBody(Strict):
    """One service unless `count` says more; by the owner, or somebody the owner named."""

    count = WholeNumber(required=False, default=1, min_value=1, max_value=SERVICES_MAX)
    sharer = RowId(required=False, help_text="One of the card's `sharers`.")
    store = PublicId(required=False)


class ReturnBody(Strict):
    """Without `count` all that are not back yet. `store` is the one that served by default."""

    count = WholeNumber(required=False, min_value=1, max_value=SERVICES_MAX)
    note = Text(required=False, default="", allow_blank=True, max_length=NOTE_MAX)
    store = PublicId(required=False)


@documented_write(
    "take_service",
    "Take services of a count card",
    body=TakeBody,
    answers={201: DeedShape},
    tag="Count cards",
    examples={"One": {}, "Two": {"count": 2}},
)
class TakeServiceView(WriteEndpoint):
    """Services taken, soonest to end first; their share of the price becomes sales of this store."""

    body = TakeBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        card = one_or_404(caller.cards(), path["public_id"])
        sharer = None
        if "sharer" in given:
            named = Sharer.objects.filter(card=card, removed_at=None)
            detail = _("The owner has not named this person.")
            sharer = named_or_422(named, "/sharer", "not_a_sharer", detail, pk=given["sharer"])
        outcome = take_service(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.get("store")),
            card=card,
            count=given["count"],
            sharer=sharer,
        )
        return 201, show_deed(outcome)


@documented_write(
    "return_service",
    "Return services",
    body=ReturnBody,
    answers={201: DeedShape},
    tag="Count cards",
    examples={"All of them": {}, "One": {"count": 1}},
)
class ReturnServiceView(WriteEndpoint):
    """Services back to the lots they came from, as often as they were taken and no more."""

    body = ReturnBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        operation = one_or_404(caller.operations(), path["public_id"])
        outcome = return_service(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.get("store", operation.store.public_id)),
            operation=operation,
            count=given.get("count"),
            note=given["note"],
        )
        return 201, show_deed(outcome)
