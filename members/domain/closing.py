"""What closing a card pays out, by each method side by side, and the closing itself; one recharge taken back too.

Never more than the principal left (L10). Bonus and points go back to their cost, what is not paid out is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.allocation import OpenLot, Use, share
from members.domain.card_states import check_not_busy, open_for
from members.domain.closing_facts import Used, used_by_source
from members.domain.deeds import Outcome, conclude, legs_by_kind, replayed
from members.domain.gifts import points_back, take_coupon_back
from members.domain.ledger import Actor, ApprovalRequired, Deed, Leg, TenderPaid
from members.domain.lot_parts import open_lot
from members.domain.phone_changes import check_spend
from members.domain.services import deferred_of, owed_legs
from members.enums import STORED_VALUE, AccountKind, CardStatus, OperationKind, TenderType
from members.models import Card, CardKind, CloseMethod, Lot, Operation, Store, Tender
from members.refusals import Refused

_CLOSED_FROM = {CardStatus.ACTIVE, CardStatus.FROZEN}
_COSTS = {AccountKind.BONUS: AccountKind.BONUS_COST, AccountKind.POINTS: AccountKind.POINTS_COST}


class NothingLeft(Refused):
    """Nothing of this recharge is left."""

    code = "nothing_left"


class QuoteChanged(Refused):
    """The card was used since the sum was shown. `facts["payout_minor"]` is the sum now."""

    code = "quote_changed"


@dataclass(frozen=True)
class Portion:
    """What is left of one sale: the money the member is owed at most, and what each method pays of it."""

    source: int
    sold_at: int
    paid_minor: int
    used_minor: int
    left_minor: int
    by_method: dict[CloseMethod, int]


@dataclass(frozen=True)
class Quote:
    """What closing pays out now. `method` is the product's; the others are for comparison."""

    method: CloseMethod
    methods: tuple[CloseMethod, ...]
    portions: tuple[Portion, ...]
    bonus_minor: int = 0
    services: int = 0
    points: int = 0

    @property
    def left_minor(self) -> int:
        return sum(portion.left_minor for portion in self.portions)

    @property
    def payout_minor(self) -> int:
        return self.total(self.method)

    @property
    def kept_minor(self) -> int:
        return self.left_minor - self.payout_minor

    def total(self, method: CloseMethod) -> int:
        return sum(portion.by_method[method] for portion in self.portions)

    def rows(self) -> list[dict[str, Any]]:
        """Each method with what it pays and keeps, for the till's table."""
        return [
            {
                "method": method,
                "label": method.label,
                "payout_minor": self.total(method),
                "kept_minor": self.left_minor - self.total(method),
                "is_ours": method == self.method,
            }
            for method in self.methods
        ]


def quote(card: Card, *, at: datetime) -> Quote:
    """What closing the card would pay out now; nothing is locked."""
    lots = Lot.objects.filter(account__card=card, remaining__gt=0).select_related("account", "source")
    found = [open_lot(lot, AccountKind(lot.account.kind)) for lot in lots if _is_good(lot, at)]
    points = 0
    if _is_last(card):
        owned = Lot.objects.filter(account__member_id=card.member_id, account__card=None, remaining__gt=0)
        points = sum(lot.remaining - lot.held for lot in owned if _is_good(lot, at))
    return quote_of(card, found, points=points)


def quote_of(card: Card, lots: Sequence[OpenLot], *, points: int = 0) -> Quote:
    """The same for lots that are at hand, under their locks."""
    product = card.product
    if product.kind == CardKind.SERVICES:
        methods: tuple[CloseMethod, ...] = (CloseMethod.PRO_RATA, CloseMethod.FULL_PRICE)
        services = [lot for lot in lots if lot.kind == AccountKind.SERVICES]
        portions = [service_portion(lot, product.full_price_minor or 0) for lot in services]
    else:
        methods, services = tuple(CloseMethod), []
        portions = stored_portions([lot for lot in lots if lot.kind in STORED_VALUE])
    method = CloseMethod(product.close_method)
    return Quote(
        method=method if method in methods else CloseMethod.PRO_RATA,
        methods=methods,
        portions=tuple(portions),
        bonus_minor=sum(lot.remaining for lot in lots if lot.kind == AccountKind.BONUS),
        services=sum(lot.remaining for lot in services),
        points=points,
    )


def stored_portions(lots: Sequence[OpenLot]) -> list[Portion]:
    """One portion for each recharge of which principal is left."""
    principal = [lot for lot in lots if lot.kind == AccountKind.PRINCIPAL]
    used = used_by_source(principal, lots)
    by_source: dict[int, list[OpenLot]] = defaultdict(list)
    for lot in principal:
        by_source[lot.source].append(lot)
    return [portion_of(part, used[source]) for source, part in by_source.items()]


def portion_of(principal: Sequence[OpenLot], used: Used) -> Portion:
    """The methods for one recharge: what it brought, what was spent of it, what is left.

    3,000 paid + 1,000 bonus, 3,594 spent: pro rata 3,000 − 3,594 × 3,000 ÷ 4,000 = 304.50; principal first nothing.
    """
    left = sum(lot.remaining for lot in principal)
    whole = used.principal_minor + used.bonus_minor
    pro_rata = used.principal_minor - (share(used.spent_minor, used.principal_minor, whole) if whole else 0)
    asked = {
        CloseMethod.PRO_RATA: pro_rata,
        CloseMethod.PRINCIPAL_FIRST: used.principal_minor - used.spent_minor,
        CloseMethod.FULL_PRICE: used.principal_minor - used.spent_minor - used.discounts_minor,
    }
    return Portion(
        source=principal[0].source,
        sold_at=principal[0].sold_at,
        paid_minor=used.principal_minor,
        used_minor=used.spent_minor,
        left_minor=left,
        by_method={method: min(max(amount, 0), left) for method, amount in asked.items()},
    )


def service_portion(lot: OpenLot, full_price_minor: int) -> Portion:
    """A count card's lot: its services in proportion, or what was paid less what was taken at full price."""
    left, taken = deferred_of(lot), lot.original - lot.remaining
    full = min(max(lot.paid_minor - taken * full_price_minor, 0), left)
    return Portion(
        source=lot.source,
        sold_at=lot.sold_at,
        paid_minor=lot.paid_minor,
        used_minor=lot.paid_minor - left,
        left_minor=left,
        by_method={
            CloseMethod.PRO_RATA: left,
            CloseMethod.PRINCIPAL_FIRST: full,
            CloseMethod.FULL_PRICE: full,
        },
    )


def close_card(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    payout_minor: int | None = None,
    note: str = "",
) -> Outcome:
    """Close a card for good and pay out by the product's method, to the tenders the money came by.

    `payout_minor` is the sum that was shown: another one now is refused. Points go with the member's last card.
    Publishes card_closed. Raises CardNotUsable, CardBusy, QuoteChanged, CoolingOff,
    ledger.ApprovalRequired.
    """
    with transaction.atomic():
        shown = quote(card, at=at).payout_minor if payout_minor is None else payout_minor
        try:
            deed = open_for(
                OperationKind.CLOSE, _CLOSED_FROM, _("Only an active or a frozen card can be closed."),
                actor, key, at, store, card, note=note, amount_minor=shown, request={"amount": payout_minor},
                lots_of=(*STORED_VALUE, AccountKind.SERVICES, AccountKind.POINTS),
            )  # fmt: skip
        except ApprovalRequired:  # nobody is asked for a yes to what would be refused after it
            check_not_busy(card)
            check_spend(card.member, shown, at)
            raise
        if deed.is_replay:
            return replayed(deed)
        check_not_busy(card)
        lots = [lot for lot in deed.lots if lot.kind != AccountKind.POINTS or _is_last(card)]
        due = quote_of(card, lots)
        if due.payout_minor != shown:
            raise QuoteChanged(
                _("The card was used meanwhile. Look at the sum again."), payout_minor=due.payout_minor
            )
        check_spend(card.member, due.payout_minor, at, besides=deed.operation)
        Card.objects.filter(pk=card.pk).update(status=CardStatus.CLOSED)
        outcome = conclude(
            deed,
            _closing_legs(deed, lots, due.portions, due.method, store),
            event="card_closed",
            facts={"amount": due.payout_minor},
            card=card,
            store=store,
            tenders=_tenders(due.portions, due.method),
        )
        audit.write(
            actor=actor,
            verb="card_closed",
            subject=card,
            store=store,
            after={"paid_out": due.payout_minor, "kept": due.kept_minor, "method": due.method.value},
            at=at,
        )
        return outcome


def quote_recharge(operation: Operation, *, at: datetime) -> Quote:
    """What taking one recharge back would pay out now; nothing is locked."""
    assert operation.card is not None
    lots = Lot.objects.filter(account__card=operation.card, source=operation, remaining__gt=0)
    found = [
        open_lot(lot, AccountKind(lot.account.kind))
        for lot in lots.select_related("account", "source")
        if _is_good(lot, at)
    ]
    return quote_of(operation.card, found)


def refund_recharge(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    operation: Operation,
    payout_minor: int | None = None,
    note: str = "",
) -> Outcome:
    """Take back what is unused of one recharge: principal to the tender it came by, its bonus and points to their cost.

    What it gave goes too: its coupon becomes void, and its points leave, also those that wait. Publishes recharge_refunded. Raises NothingLeft, QuoteChanged,
    GiftUsed, CardNotUsable, CoolingOff, ledger.ApprovalRequired.
    """
    card = operation.card
    if operation.kind != OperationKind.RECHARGE or card is None:
        raise NothingLeft(_("Only a recharge can be taken back."))
    with transaction.atomic():
        shown = quote_recharge(operation, at=at).payout_minor if payout_minor is None else payout_minor
        try:
            deed = open_for(
                OperationKind.REFUND_RECHARGE, {CardStatus.ACTIVE}, _("This card is not active."),
                actor, key, at, store, card, note=note, amount_minor=shown, reverses=operation,
                request={"operation": operation.pk, "amount": payout_minor},
                lots_of=(*STORED_VALUE, AccountKind.POINTS),
            )  # fmt: skip
        except ApprovalRequired:  # nobody is asked for a yes to what would be refused after it
            check_spend(card.member, shown, at)
            raise
        if deed.is_replay:
            return replayed(deed)
        lots = [lot for lot in deed.lots_of(*STORED_VALUE) if lot.source == operation.pk]
        due = quote_of(card, lots)
        if not due.left_minor:
            raise NothingLeft(_("Nothing of this recharge is left to take back."))
        if due.payout_minor != shown:
            raise QuoteChanged(
                _("The card was used meanwhile. Look at the sum again."), payout_minor=due.payout_minor
            )
        check_spend(card.member, due.payout_minor, at, besides=deed.operation)
        take_coupon_back(operation, actor, at)
        return conclude(
            deed,
            [
                *_closing_legs(deed, lots, due.portions, due.method, store),
                *points_back(deed, operation, due.left_minor),
            ],
            event="recharge_refunded",
            facts={"amount": due.payout_minor, "bonus": due.bonus_minor},
            card=card,
            store=store,
            tenders=_tenders(due.portions, due.method),
        )


def _closing_legs(
    deed: Deed, lots: Sequence[OpenLot], portions: Iterable[Portion], method: CloseMethod, store: Store
) -> list[Leg]:
    """Everything out of the member's accounts; money to the till of this store, the rest to where it was sold."""
    legs = legs_by_kind(deed, [Use(lot.id, -lot.remaining) for lot in lots])
    legs += _costs_back(lots, store)
    paid: dict[int, int] = defaultdict(int)
    left: dict[int, int] = defaultdict(int)
    for portion in portions:
        paid[portion.sold_at] += portion.by_method[method]
        left[portion.sold_at] += portion.left_minor
    services = _services_back(lots)
    for sold_at, amount in left.items():
        if sold_at in services and amount:
            legs.append(Leg(-amount, store=sold_at, kind=AccountKind.DEFERRED))
        if kept := amount - paid[sold_at]:
            legs.append(Leg(kept, store=sold_at, kind=AccountKind.KEPT))
    legs += [Leg(count, store=sold_at, kind=AccountKind.SERVICES_SOLD) for sold_at, count in services.items()]
    if total := sum(paid.values()):
        legs.append(Leg(total, store=store.pk, kind=AccountKind.TENDER))
    return legs + owed_legs(paid, store.pk)


def _costs_back(lots: Sequence[OpenLot], store: Store) -> list[Leg]:
    """Bonus to the cost of the store that gave it, points to the cost of this one."""
    costs: dict[tuple[int, AccountKind], int] = defaultdict(int)
    for lot in lots:
        if lot.kind in _COSTS:
            at_store = lot.sold_at if lot.kind == AccountKind.BONUS else store.pk
            costs[at_store, _COSTS[lot.kind]] += lot.remaining
    return [Leg(amount, store=at_store, kind=kind) for (at_store, kind), amount in costs.items()]


def _services_back(lots: Sequence[OpenLot]) -> dict[int, int]:
    services: dict[int, int] = defaultdict(int)
    for lot in lots:
        if lot.kind == AccountKind.SERVICES:
            services[lot.sold_at] += lot.remaining
    return services


def _tenders(portions: Iterable[Portion], method: CloseMethod) -> list[TenderPaid]:
    """The money back by the tender it came by; value that no tender brought (opening balances) in cash."""
    due: dict[int, int] = defaultdict(int)
    for portion in portions:
        due[portion.source] += portion.by_method[method]
    came: dict[int, list[Tender]] = defaultdict(list)
    for tender in Tender.objects.filter(operation__in=due, amount_minor__gt=0).order_by("id"):
        came[tender.operation_id].append(tender)
    back = []
    for source, amount in due.items():
        for tender in came[source]:
            part = min(amount, tender.amount_minor)
            amount -= part
            if part:
                back.append(TenderPaid(tender.type, -part, tender.reference))
        if amount:
            back.append(TenderPaid(TenderType.CASH, -amount))
    return back


def _is_good(lot: Lot, at: datetime) -> bool:
    """Whether a deed would have it: not expired, usable already, not all held."""
    has_begun = lot.active_from is None or lot.active_from <= at
    return has_begun and (lot.expires_at is None or lot.expires_at > at) and lot.remaining > lot.held


def _is_last(card: Card) -> bool:
    others = Card.objects.filter(member_id=card.member_id, status__in=_CLOSED_FROM)
    return not others.exclude(pk=card.pk).exists()
