"""Count cards: services sold at once and taken one by one, by the owner or somebody the owner named.

The money of a lot of n services sold for P waits as deferred; whenever k of them are gone, `P × k ÷ n` (rounded)
has become sales. A return takes back what its services became. So the parts always add up to P, in whatever order
services are taken, passed on and returned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from members.domain import restoring
from members.domain.acceptance import accepted_issuers
from members.domain.allocation import OpenLot, Use, give_back, share, take_in_order
from members.domain.cards import WrongCard
from members.domain.deeds import (
    AmountRefused,
    NotOffered,
    Outcome,
    begin,
    check_amount,
    check_tender,
    conclude,
    legs_by_kind,
    replayed,
    replayed_payment,
)
from members.domain.ledger import Actor, ApprovalRequired, Deed, Leg, NewLot, TenderPaid
from members.domain.local_days import day_of, midnight_after
from members.domain.lot_parts import open_lot, part_paid
from members.domain.phone_changes import check_spend
from members.domain.recharge_limits import check_sale, check_validity
from members.enums import AccountKind, OperationKind
from members.models import Card, CardKind, CardPause, CardProduct, Lot, LotUse, Operation, Sharer, Store
from members.refusals import Refused


class InsufficientServices(Refused):
    """There are not that many services left. `facts["left"]` says how many may be taken here."""

    code = "insufficient_services"
    field = "count"


class CardPaused(Refused):
    """The count card rests."""

    code = "card_paused"


class NotSharer(Refused):
    """Nobody the owner has named for this card."""

    code = "not_a_sharer"
    field = "sharer"


class CountRefused(Refused):
    """Not a number of services."""

    code = "count_invalid"
    field = "count"


class ReturnExceedsTaken(Refused):
    """More than was taken and not returned yet. `facts["returnable"]` says how many."""

    code = "return_exceeds_taken"
    field = "count"


def sell_services(
    *, actor: Actor, key: str, at: datetime, store: Store, card: Card, tender: TenderPaid
) -> Outcome:
    """The services of the card's product, paid by outside money only, at its price. Publishes services_sold.

    The money is deferred until they are taken. Raises WrongCard, AmountRefused, NotOffered, CardPaused,
    CardNotUsable, the law's limits, ledger.PaymentReferenceUsed.
    """
    product = _count_product(card)
    paid = check_amount(tender.amount_minor)
    check_tender(tender)
    with transaction.atomic():
        try:
            deed = begin(
                OperationKind.SELL_SERVICES,
                card=card,
                actor=actor,
                key=key,
                at=at,
                store=store,
                request={"card": card.pk, "amount": paid, "tender": tender.type},
                amount_minor=paid,
                lots_of=(AccountKind.SERVICES,),
            )
        except ApprovalRequired:
            _check_not_paused(card)  # nobody is asked for a yes to what would be refused after it
            raise
        if deed.is_replay:
            return replayed_payment(deed, tender)
        if not product.is_active:
            raise NotOffered(_("This card product is no longer offered."))
        if paid != product.price_minor:
            raise AmountRefused(_("The amount paid is not the price of the services."))
        _check_not_paused(card)
        check_validity(deed.house, card.member, product.services_valid_days)
        check_sale(deed.house, card.member, held_minor=sum(map(deferred_of, deed.lots)), paid_minor=paid)
        legs, count = _sale_legs(deed, product, store), product.services_count or 0
        facts = {"service": str(product.service_group), "count": count, "amount": paid}
        return conclude(
            deed, legs, event="services_sold", facts=facts, card=card, store=store, tenders=[tender]
        )


def _sale_legs(deed: Deed, product: CardProduct, store: Store) -> list[Leg]:
    count, price, days = product.services_count or 0, product.price_minor or 0, product.services_valid_days
    last = day_of(store, deed.operation.at) + timedelta(days=days) if days else None
    stores = sorted(product.stores.values_list("pk", flat=True))
    lot = NewLot(
        count,
        paid_minor=price,
        expires_at=midnight_after(store, last) if last else None,
        terms={"stores": stores} if stores else None,
    )
    return [
        Leg(count, account=deed.accounts[AccountKind.SERVICES], lots=(lot,)),
        Leg(-count, store=store.pk, kind=AccountKind.SERVICES_SOLD),
        Leg(-price, store=store.pk, kind=AccountKind.TENDER),
        Leg(price, store=store.pk, kind=AccountKind.DEFERRED),
    ]


def take_service(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    count: int = 1,
    sharer: Sharer | None = None,
) -> Outcome:
    """Services taken at a store that honours them, soonest to end first. Publishes service_taken.

    Their money becomes sales of this store; what another store sold, that store owes. Raises WrongCard, CardPaused,
    NotSharer, InsufficientServices, CardNotUsable, CoolingOff.
    """
    product = _count_product(card)
    _check_count(count)
    with transaction.atomic():
        deed = begin(
            OperationKind.SERVE,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request={"card": card.pk, "count": count, "sharer": sharer.pk if sharer else None},
            lots_of=(AccountKind.SERVICES,),
            note=sharer.name if sharer else "",
        )
        if deed.is_replay:
            return replayed(deed)
        _check_not_paused(card)
        if sharer and not Sharer.objects.filter(pk=sharer.pk, card=card, removed_at=None).exists():
            raise NotSharer(_("The owner of this card has not named this person."))
        lots = usable_here(deed.lots, store.pk)
        left = sum(lot.remaining for lot in lots)
        if count > left:
            raise InsufficientServices(_too_few(deed, left), left=left)
        uses = take_in_order(lots, count)
        money = released(deed.lots, uses)
        check_spend(card.member, sum(money.values()), at, besides=deed.operation)
        legs = [*legs_by_kind(deed, uses), Leg(count, store=store.pk, kind=AccountKind.SERVICES_SERVED)]
        legs += _money_legs(money, store.pk)
        facts = {"service": str(product.service_group), "count": count}
        return conclude(deed, legs, event="service_taken", facts=facts, card=card, store=store)


def return_service(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    operation: Operation,
    count: int | None = None,
    note: str = "",
) -> Outcome:
    """Services taken by mistake, back into the lots they came from; all of them without a count.

    Publishes service_returned. Raises ReturnExceedsTaken, CountRefused, CardNotUsable.
    """
    card = operation.card
    if operation.kind != OperationKind.SERVE or card is None:
        raise ReturnExceedsTaken(_("No services were taken by this."))
    if count is not None:
        _check_count(count)
    with transaction.atomic():
        deed = begin(
            OperationKind.REFUND,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request={"operation": operation.pk, "count": count},
            reverses=operation,
            note=note,
        )
        if deed.is_replay:
            return replayed(deed)
        returned, legs = legs_back(deed, operation, count)
        facts = {"service": str(card.product.service_group), "count": returned}
        outcome = conclude(deed, legs, event="service_returned", facts=facts, card=card, store=store)
        restoring.keep(deed, legs)
        return outcome


def legs_back(deed: Deed, operation: Operation, count: int | None = None) -> tuple[int, list[Leg]]:
    """How many of the services that `operation` took go back (None: all that are left), and the legs of it.

    `restoring.keep` them once they are written. Their money is deferred again at the stores that sold them, and the store that served them has not sold it.
    Under the card's locks. Raises ReturnExceedsTaken.
    """
    left = returnable(operation)
    wanted = left if count is None else count
    if wanted > left or not wanted:
        raise ReturnExceedsTaken(_("Not that many of these services can be returned."), returnable=left)
    uses = give_back(_taken_by(operation), restoring.back_in(operation), wanted)
    lots = {lot.id: lot for lot in _lots_of([use.lot for use in uses])}
    paid = {use.lot: _sold_for(lots[use.lot], use.amount) for use in uses}
    money: dict[int, int] = defaultdict(int)
    for lot_id, minor in paid.items():
        money[lots[lot_id].sold_at] -= minor
    served_at = operation.store_id
    legs = [
        *restoring.legs_into(deed, AccountKind.SERVICES, uses, paid),
        Leg(-wanted, store=served_at, kind=AccountKind.SERVICES_SERVED),
    ]
    return wanted, legs + _money_legs(money, served_at)


def _sold_for(lot: OpenLot, count: int) -> int:
    """What has become sales for the last `count` services of a lot that were taken and did not come back.

    Read from the lot's own uses: others may have been passed on or expired between, each with its part of the price.
    """
    gone = taken = sold = 0
    uses = LotUse.objects.filter(lot=lot.id).order_by("id").values_list("amount", "entry__operation_kind")
    for amount, kind in uses:
        if kind in (OperationKind.SERVE, OperationKind.REFUND):
            taken -= amount
            sold += share(lot.paid_minor, gone - amount, lot.original) - share(
                lot.paid_minor, gone, lot.original
            )
        gone -= amount
    apart = Lot.objects.filter(restored__left=lot.id).aggregate(
        count=Sum("original", default=0), paid=Sum("paid_minor", default=0)
    )
    left = share(lot.paid_minor, taken - apart["count"] - count, lot.original)
    return max(sold - apart["paid"] - left, 0)


def returnable(operation: Operation) -> int:
    """How many services taken by a deed have not been returned."""
    return -sum(use.amount for use in _taken_by(operation)) - sum(restoring.back_in(operation).values())


def usable_here(lots: Iterable[OpenLot], store_id: int) -> list[OpenLot]:
    """The lots of services that a store honours."""
    held = [lot for lot in lots if lot.kind == AccountKind.SERVICES]
    issuers = None
    if any(lot.sold_at != store_id for lot in held):
        issuers = accepted_issuers(store_id, AccountKind.SERVICES)
    return [lot for lot in held if _is_honoured(lot, store_id, issuers)]


def _is_honoured(lot: OpenLot, store_id: int, issuers: frozenset[int] | None) -> bool:
    stores = (lot.terms or {}).get("stores")
    is_accepted = lot.sold_at == store_id or issuers is None or lot.sold_at in issuers
    return is_accepted and (not stores or store_id in stores)


def deferred_of(lot: OpenLot) -> int:
    """The money of a lot that waits for its services."""
    return part_paid(lot, lot.remaining)


def released(lots: Iterable[OpenLot], uses: Sequence[Use]) -> dict[int, int]:
    """The money that stops being deferred by some uses, by the store that sold; negative for what goes back."""
    by_id = {lot.id: lot for lot in lots}
    money: dict[int, int] = defaultdict(int)
    for use in uses:
        lot = by_id[use.lot]
        money[lot.sold_at] += part_paid(lot, -use.amount)
    return money


def _money_legs(money: Mapping[int, int], store_id: int) -> list[Leg]:
    legs = [Leg(-part, store=sold_at, kind=AccountKind.DEFERRED) for sold_at, part in money.items() if part]
    if total := sum(money.values()):
        legs.append(Leg(total, store=store_id, kind=AccountKind.SALES))
    return legs + owed_legs(money, store_id)


def owed_legs(money: Mapping[int, int], store_id: int) -> list[Leg]:
    """What the stores that took the money owe to the one that gave for it."""
    owed = {sold_at: part for sold_at, part in money.items() if part and sold_at != store_id}
    legs = [Leg(part, store=sold_at, kind=AccountKind.SETTLEMENT) for sold_at, part in owed.items()]
    if total := sum(owed.values()):
        legs.append(Leg(-total, store=store_id, kind=AccountKind.SETTLEMENT))
    return legs


def is_paused(card: Card) -> bool:
    """Whether the card rests now."""
    return CardPause.objects.filter(card=card, ended_at=None).exists()


def _check_not_paused(card: Card) -> None:
    if is_paused(card):
        raise CardPaused(_("This card is paused. Resume it first."))


def _count_product(card: Card) -> CardProduct:
    if card.product.kind != CardKind.SERVICES:
        raise WrongCard(_("This is not a count card."))
    return card.product


def _check_count(count: Any) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 1000:
        raise CountRefused(_("The number of services must be from 1 to 1,000."))


def _too_few(deed: Deed, left: int) -> str:
    if sum(lot.remaining for lot in deed.lots) > left:
        return str(_("Not that many of these services are honoured at this store."))
    return str(_("There are not that many services left on the card."))


def _taken_by(operation: Operation) -> list[Use]:
    """What a deed took from which lots."""
    services = LotUse.objects.filter(entry__account_kind=AccountKind.SERVICES, entry__operation=operation)
    return [Use(use.lot_id, use.amount) for use in services.order_by("id")]


def _lots_of(ids: Iterable[int]) -> list[OpenLot]:
    lots = Lot.objects.filter(pk__in=list(ids)).select_related("source")
    return [open_lot(lot, AccountKind.SERVICES) for lot in lots]
