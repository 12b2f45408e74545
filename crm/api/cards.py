"""Cards and what is done with them: open, recharge, redeem. Each write is one verb of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from crm.api.caller import Caller
from crm.api.endpoints import ReadEndpoint, WriteEndpoint, named_or_422, one_or_404
from crm.api.fields import Minor, PublicId, RowId, Strict, Text
from crm.api.firings import show_firings
from crm.api.idempotency import Answer
from crm.api.openapi import documented_read, documented_write
from crm.api.shapes import (
    CardWithBalancesShape,
    DeedShape,
    OpenedCardShape,
    OperationShape,
    SharerShape,
    ShownCardShape,
    balances_of,
)
from members.domain.cards import open_card, recharge_card
from members.domain.deeds import Outcome
from members.domain.ledger import TenderPaid
from members.domain.rewards import redeem_points
from members.enums import TenderType
from members.models import Account, Card, CardProduct, RechargePlan, Reward, Sharer

TENDERS_MAX = 5
NOTE_MAX = 200
REFERENCE_MAX = 64


class OpenCardBody(Strict):
    member = PublicId()
    product = RowId(help_text="One of GET /api/v1/products.")
    store = PublicId(required=False)


class RechargeBody(Strict):
    """With a plan, `amount_minor` must be exactly its price. A payment `reference` pays once."""

    amount_minor = Minor()
    tender = serializers.ChoiceField(choices=TenderType.choices)
    reference = Text(required=False, default="", allow_blank=True, max_length=REFERENCE_MAX)
    plan = RowId(required=False, help_text="One of GET /api/v1/plans.")
    store = PublicId(required=False)


class TenderBody(Strict):
    type = serializers.ChoiceField(choices=TenderType.choices)
    amount_minor = Minor()
    reference = Text(required=False, default="", allow_blank=True, max_length=REFERENCE_MAX)


class RedeemBody(Strict):
    reward = RowId(help_text="One of GET /api/v1/rewards.")
    store = PublicId(required=False)


@documented_write(
    "open_card",
    "Open a card",
    body=OpenCardBody,
    answers={201: OpenedCardShape},
    tag="Cards",
    examples={"Open": {"member": "8d2c5c3e-6f57-4d0c-9c3a-0a4b6a1f2e11", "product": 1}},
)
class CardsView(WriteEndpoint):
    """A member of the key's stores gets a card at one of them."""

    body = OpenCardBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        store = caller.store(given.get("store"))
        member = named_or_422(
            caller.members(),
            "/member",
            "member_unknown",
            _("There is no such member that this key may see."),
            public_id=given["member"],
        )
        product = named_or_422(
            CardProduct.objects.filter(is_active=True),
            "/product",
            "not_offered",
            _("This card product is not offered."),
            pk=given["product"],
        )
        card, outcome = open_card(
            actor=caller.actor, key=caller.key, at=caller.at, store=store, member=member, product=product
        )
        answer = {"card": show_card(card, outcome.balances), "firings": show_firings(outcome.event)}
        return 201, answer


@documented_read("show_card", "Show a card", answer=ShownCardShape, tag="Cards", is_one=True)
class CardView(ReadEndpoint):
    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        card = one_or_404(caller.cards(), path["public_id"])
        held = Account.objects.filter(Q(card=card) | Q(card=None), member_id=card.member_id)
        shown = show_card(card, {account.kind: account.balance or 0 for account in held})
        named = Sharer.objects.filter(card=card, removed_at=None).order_by("id")
        return shown | {"sharers": SharerShape(named, many=True).data}


@documented_write(
    "recharge_card",
    "Recharge a card",
    body=RechargeBody,
    answers={201: DeedShape},
    tag="Cards",
    examples={"Cash": {"amount_minor": 50000, "tender": "cash"}},
)
class RechargeView(WriteEndpoint):
    """Money paid in; a plan adds its bonus and points."""

    body = RechargeBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        card = one_or_404(caller.cards(), path["public_id"])
        plan = None
        if "plan" in given:
            plans = RechargePlan.objects.filter(caller.offered())
            detail = _("This recharge plan is not on sale at this store.")
            plan = named_or_422(plans, "/plan", "not_offered", detail, pk=given["plan"])
        outcome = recharge_card(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.get("store")),
            card=card,
            tender=TenderPaid(given["tender"], given["amount_minor"], given["reference"]),
            plan=plan,
        )
        return 201, show_deed(outcome)


@documented_write(
    "redeem_points",
    "Redeem points for a reward",
    body=RedeemBody,
    answers={201: DeedShape},
    tag="Cards",
    examples={"Redeem": {"reward": 1}},
)
class RedeemView(WriteEndpoint):
    """Points for a reward, soonest to expire first."""

    body = RedeemBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        card = one_or_404(caller.cards(), path["public_id"])
        rewards = Reward.objects.filter(caller.offered())
        detail = _("This reward is not offered at this store.")
        outcome = redeem_points(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.get("store")),
            card=card,
            reward=named_or_422(rewards, "/reward", "not_offered", detail, pk=given["reward"]),
        )
        return 201, show_deed(outcome)


def show_card(card: Card, held: Mapping[str, int]) -> dict[str, Any]:
    """The card with these balances by account kind."""
    card.balances = balances_of(held)  # type: ignore[attr-defined]
    return CardWithBalancesShape(card).data


def show_deed(outcome: Outcome) -> dict[str, Any]:
    """A deed as the API shows it: operation, balances after, firings."""
    return {
        "operation": OperationShape(outcome.operation).data,
        "balances": balances_of(outcome.balances),
        "firings": show_firings(outcome.event),
    }
