"""A bill: from the card what it holds, the rest by outside tenders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain.allocation import take
from members.domain.deeds import (
    AmountRefused,
    Outcome,
    begin,
    check_amount,
    check_tender,
    conclude,
    legs_by_kind,
    replayed,
)
from members.domain.earning import points_earned, points_for
from members.domain.ledger import Actor, Leg, TenderPaid
from members.enums import STORED_VALUE, AccountKind, OperationKind, SpendOrder
from members.models import Card, Store
from members.refusals import Refused


class InsufficientBalance(Refused):
    """The card does not hold that much. `facts["available_minor"]` says how much it holds."""

    code = "insufficient_balance"
    field = "amount"


def spend(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    amount_minor: int,
    tenders: Sequence[TenderPaid] = (),
    note: str = "",
) -> Outcome:
    """A bill, paid by outside tenders and the rest from the card; earns points. Publishes card_spent.

    Raises AmountRefused, InsufficientBalance, CardNotUsable, ledger.PaymentReferenceUsed.
    """
    bill = check_amount(amount_minor)
    outside = sum(check_amount(tender.amount_minor) for tender in tenders)
    for tender in tenders:
        check_tender(tender)
    if outside > bill:
        raise AmountRefused(_("More was tendered than the bill."))
    stored = bill - outside
    with transaction.atomic():
        request = {
            "card": card.pk,
            "amount": bill,
            "tenders": sorted([tender.type, tender.amount_minor, tender.reference] for tender in tenders),
        }
        deed = begin(
            OperationKind.SPEND,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request=request,
            amount_minor=bill,
            lots_of=STORED_VALUE,
            note=note,
        )
        if deed.is_replay:
            return replayed(deed)
        lots = deed.lots_of(*STORED_VALUE)
        available = sum(lot.remaining for lot in lots)
        if stored > available:
            raise InsufficientBalance(
                _("The card does not hold that much."), available_minor=available, wanted_minor=stored
            )
        uses = take(lots, stored, SpendOrder(card.product.spend_order))
        legs = [*legs_by_kind(deed, uses), Leg(bill, store=store.pk, kind=AccountKind.SALES)]
        if outside:
            legs.append(Leg(-outside, store=store.pk, kind=AccountKind.TENDER))
        points = points_for(card.product, bill)
        if points:
            legs += points_earned(deed, card.product, store, points, at)
        taken = {
            kind: -sum(leg.amount for leg in legs if leg.account == deed.accounts[kind])
            for kind in STORED_VALUE
        }
        facts = {
            "amount": bill,
            "stored_value": stored,
            "principal": taken[AccountKind.PRINCIPAL],
            "bonus": taken[AccountKind.BONUS],
            "points": points,
        }
        return conclude(
            deed,
            legs,
            event="card_spent",
            facts=facts,
            card=card,
            store=store,
            tenders=tenders,
            visit={"bill": bill},
        )
