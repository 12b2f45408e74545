"""A card as a whole at the till: its services, its owner's decisions, a lost one, value passed on, its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.shell.formats import money_exponent
from crm.staff.access import IN_CHARGE
from crm.staff.card_forms import (
    CloseForm,
    NoteForm,
    PassOnForm,
    RefundRechargeForm,
    SellServicesForm,
    SharerForm,
    TakeServiceForm,
)
from crm.staff.codes import check_members_code
from crm.staff.counter import Deed, PaidDeed, once_key
from crm.staff.till import visible_members
from members.amounts import plain_minor
from members.domain import card_states, resting, transfers
from members.domain.card_facts import card_facts
from members.domain.closing import close_card, quote, quote_recharge, refund_recharge
from members.domain.deeds import Outcome
from members.domain.ledger import TenderPaid
from members.domain.payments import CodeRequired
from members.domain.services import sell_services, take_service
from members.enums import OperationKind
from members.models import Card, CardKind, Operation, Sharer, Transfer
from members.refusals import Refused
from messaging.enums import CodePurpose

SHOWN_RECHARGES = 10


class CardDeed(Deed):
    """A deed on one card."""

    def common(self, key: str) -> dict[str, Any]:
        return {"actor": self.access.actor, "key": key, "at": self.at, "store": self.access.store}


class CountCardDeed(CardDeed):
    """A deed on a count card; another card has no such page."""

    def find(self, request: HttpRequest, card: UUID) -> None:
        super().find(request, card)
        if self.card.product.kind != CardKind.SERVICES:
            raise Http404


class SellServices(PaidDeed, CountCardDeed):
    """The services of the card's product, at its price."""

    form_class, template = SellServicesForm, "staff/_deed_services_sell.html"
    kind = OperationKind.SELL_SERVICES

    def context(self, form: Any) -> dict[str, Any]:
        return {"product": self.card.product}

    def do(self, form: Any, key: str) -> Outcome:
        data, price = form.cleaned_data, self.card.product.price_minor or 0
        tender = TenderPaid(data["tender"], price, data["reference"])
        return sell_services(**self.common(key), card=self.card, tender=tender)


class TakeService(CountCardDeed):
    """One service or several, by the owner or somebody the owner named."""

    form_class, template = TakeServiceForm, "staff/_deed_services_take.html"
    kind, asked = OperationKind.SERVE, ("sharer", "count")

    def form_options(self) -> dict[str, Any]:
        return {"card": self.card}

    def context(self, form: Any) -> dict[str, Any]:
        return {"facts": card_facts(self.card), "product": self.card.product}

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        return take_service(**self.common(key), card=self.card, count=data["count"], sharer=data["sharer"])


class CardCare(CardDeed):
    """Everything else one can do with a card, in one list; and the small things done right there."""

    form_class, template, kind = SharerForm, "staff/_deed_card.html", OperationKind.FREEZE

    def context(self, form: Any) -> dict[str, Any]:
        return {"facts": card_facts(self.card), "product": self.card.product}

    def post(self, request: HttpRequest) -> HttpResponse:
        """Pause, resume, name or remove somebody. Done again it changes nothing."""
        form = SharerForm(request.POST if request.POST.get("do") == "share" else None)
        try:
            if not self._act(request, form):
                return self.show(form, status=422)
        except Refused as refusal:
            if not form.is_bound:
                form = SharerForm({})
                form.is_valid()
                form.errors.clear()
            form.refuse(refusal.message, refusal.field)
            return self.show(form, status=422)
        return self.show(SharerForm())

    def _act(self, request: HttpRequest, form: SharerForm) -> bool:
        by: dict[str, Any] = {"actor": self.access.actor, "at": self.at, "store": self.access.store}
        match request.POST.get("do"):
            case "pause":
                resting.pause(**by, card=self.card)
            case "resume":
                resting.resume(**by, card=self.card)
            case "remove":
                named = Sharer.objects.filter(card=self.card, pk=_number(request.POST.get("sharer")))
                resting.remove_sharer(**by, sharer=get_object_or_404(named))
            case "share" if form.is_valid():
                resting.add_sharer(**by, card=self.card, name=form.cleaned_data["name"])
            case "share":
                return False
            case _:
                raise Http404
        return True


class FreezeCard(CardDeed):
    """A lost card."""

    form_class, template, kind = NoteForm, "staff/_deed_freeze.html", OperationKind.FREEZE

    def context(self, form: Any) -> dict[str, Any]:
        return {"does": "freeze"}

    def do(self, form: Any, key: str) -> Outcome:
        return card_states.freeze(**self.common(key), card=self.card, note=form.cleaned_data["note"])


class UnfreezeCard(CardDeed):
    """A card that was found. A manager's or an owner's word."""

    form_class, template, kind = NoteForm, "staff/_deed_freeze.html", OperationKind.UNFREEZE
    roles = IN_CHARGE

    def context(self, form: Any) -> dict[str, Any]:
        return {"does": "unfreeze"}

    def do(self, form: Any, key: str) -> Outcome:
        return card_states.unfreeze(**self.common(key), card=self.card, note=form.cleaned_data["note"])


class ReplaceCard(CardDeed):
    """A new card for a lost one. A manager's or an owner's word."""

    form_class, template, kind = NoteForm, "staff/_deed_freeze.html", OperationKind.OPEN_CARD
    roles = IN_CHARGE
    forecast_template = "staff/_forecast_open.html"

    def context(self, form: Any) -> dict[str, Any]:
        return {"does": "replace"}

    def do(self, form: Any, key: str) -> Outcome:
        found = card_states.replace_card(**self.common(key), card=self.card, note=form.cleaned_data["note"])
        return Outcome(found.operation, {}, event=found.operation.events.first())

    def opened_card(self, operation: Operation) -> Card | None:
        return self.member.cards.filter(replaces=self.card).first()


class CloseCard(CardDeed):
    """A card's end: the refund calculator, then the money. A manager's or an owner's word."""

    form_class, template, kind = CloseForm, "staff/_deed_close.html", OperationKind.CLOSE
    forecast_template, roles = "staff/_forecast_close.html", IN_CHARGE

    def context(self, form: Any) -> dict[str, Any]:
        found = quote(self.card, at=self.at)
        shown = plain_minor(found.payout_minor, exponent=money_exponent()) if found.payout_minor else "0"
        return {"quote": found, "shown_amount": shown}

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        return close_card(**self.common(key), card=self.card, payout_minor=data["amount"], note=data["note"])


class RefundRecharge(CardDeed):
    """The unused part of one recharge. A manager's or an owner's word."""

    form_class, template = RefundRechargeForm, "staff/_deed_close_recharge.html"
    kind, asked = OperationKind.REFUND_RECHARGE, ()
    forecast_template, roles = "staff/_forecast_close.html", IN_CHARGE

    def form_options(self) -> dict[str, Any]:
        return {"recharges": recharges_of(self.card)}

    def context(self, form: Any) -> dict[str, Any]:
        rows: list[dict[str, Any]] = [
            {"recharge": recharge, "quote": quote_recharge(recharge, at=self.at)}
            for recharge in recharges_of(self.card)[:SHOWN_RECHARGES]
        ]
        return {
            "rows": [row for row in rows if row["quote"].left_minor],
            "chosen": form.data.get("operation", ""),
        }

    def do(self, form: Any, key: str) -> Outcome:
        data = form.cleaned_data
        return refund_recharge(**self.common(key), operation=data["operation"], note=data["note"])


def recharges_of(card: Card) -> QuerySet[Operation]:
    """The card's recharges of which something is left, newest first."""
    made = Operation.objects.filter(card=card, kind=OperationKind.RECHARGE)
    left = made.filter(sourced_lots__account__card=card, sourced_lots__remaining__gt=0)
    return left.select_related("store", "card__product").distinct().order_by("-id")


class PassOn(CardDeed):
    """Value offered to another member with the sender's code; nothing moves until the other says yes."""

    form_class, template, kind = PassOnForm, "staff/_deed_transfer.html", OperationKind.MOVE_OUT

    def context(self, form: Any) -> dict[str, Any]:
        return {"is_count_card": self.card.product.kind == CardKind.SERVICES}

    def forecast(self, form: Any) -> HttpResponse:
        raise Http404

    def perform(self, form: Any, once: str) -> HttpResponse:
        if not once:
            form.refuse(_("This form is incomplete. Open it again and repeat your entry."), "")
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            transfer = self._offer(form, f"till:{once}")
        except Refused as refusal:
            form.refuse(refusal.message, refusal.field)
            return self.show(form, status=422)
        return self.show(PassOnForm(), proposed=transfer)

    def _offer(self, form: PassOnForm, key: str) -> Transfer:
        """Only with the sender's code; the same form again needs none."""
        try:
            return self._propose(form, key, is_confirmed=False)
        except CodeRequired:
            if not form.cleaned_data["code"]:
                raise
        check_members_code(self.member, CodePurpose.PASS_ON, form.cleaned_data["code"], self.at)
        return self._propose(form, key, is_confirmed=True)

    def _propose(self, form: PassOnForm, key: str, *, is_confirmed: bool) -> Transfer:
        data = form.cleaned_data
        assert form.receiver is not None
        return transfers.propose(
            **self.common(key),
            card=self.card,
            receiver=form.receiver,
            amount_minor=data["amount"] or 0,
            services=data["services"] or 0,
            points=data["points"] or 0,
            note=data["note"],
            is_confirmed=is_confirmed,
        )


class AnswerTransfer(CardDeed):
    """The receiver's yes or no, or the sender's second thought, at the till."""

    form_class, template, kind = NoteForm, "staff/_deed_transfer_answer.html", OperationKind.MOVE_IN

    def find(self, request: HttpRequest, transfer: UUID) -> None:  # type: ignore[override]
        held = Transfer.objects.select_related(
            "card__member__home_store", "card__product", "receiver__home_store", "store"
        )
        self.transfer = get_object_or_404(held, public_id=transfer)
        # an offer to a number that is nobody's has no receiver
        ends = [end for end in (self.transfer.receiver, self.transfer.card.member) if end]
        seen = visible_members(self.access).filter(pk__in=[end.pk for end in ends])
        found = set(seen.values_list("pk", flat=True))
        if not found:
            raise Http404
        self.member = next(end for end in ends if end.pk in found)

    def context(self, form: Any) -> dict[str, Any]:
        return {"transfer": self.transfer}

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if self.is_forecast:
            return self.forecast(form)
        if request.POST.get("do") in ("withdraw", "decline"):
            return self._end(form, request.POST["do"])
        return self.perform(form, once_key(request))

    def _end(self, form: Any, word: str) -> HttpResponse:
        verb = transfers.withdraw if word == "withdraw" else transfers.decline
        form.is_valid()
        try:
            self.transfer = verb(at=timezone.now(), transfer=self.transfer)
        except Refused as refusal:
            form.refuse(refusal.message, refusal.field)
            return self.show(form, status=422)
        return self.show(self.form())

    def do(self, form: Any, key: str) -> Outcome:
        done = transfers.confirm(actor=self.access.actor, at=self.at, transfer=self.transfer)
        is_receiver = self.member.pk == done.receiver_id
        operation = done.received if is_receiver else done.sent
        assert operation is not None
        return Outcome(operation, {}, event=operation.events.first())


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


CARD_DEEDS = (
    ("cards/<uuid:card>/services/sell/", SellServices, "sell_services"),
    ("cards/<uuid:card>/services/take/", TakeService, "take_service"),
    ("cards/<uuid:card>/freeze/", FreezeCard, "freeze_card"),
    ("cards/<uuid:card>/unfreeze/", UnfreezeCard, "unfreeze_card"),
    ("cards/<uuid:card>/replace/", ReplaceCard, "replace_card"),
    ("cards/<uuid:card>/close/", CloseCard, "close_card"),
    ("cards/<uuid:card>/recharges/refund/", RefundRecharge, "refund_recharge"),
    ("cards/<uuid:card>/care/", CardCare, "card_care"),
    ("cards/<uuid:card>/pass-on/", PassOn, "pass_on"),
    ("transfers/<uuid:transfer>/", AnswerTransfer, "answer_transfer"),
)
