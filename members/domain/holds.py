"""Value set aside for a booking or a deposit: authorised, then captured by a spend, released or run out."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain import hold_uses, ledger
from members.domain.allocation import take
from members.domain.deeds import Outcome, begin, check_amount, conclude, replayed
from members.domain.ledger import Actor
from members.domain.lot_terms import is_free_of_bills
from members.domain.payments import InsufficientBalance, usable_for
from members.domain.phone_changes import check_spend
from members.enums import STORED_VALUE, HoldStatus, OperationKind, SpendOrder
from members.models import Card, Hold, Store
from members.refusals import Refused

CLOCK = Actor(scope="holds")


class HoldTimeRefused(Refused):
    """A hold ends in the future."""

    code = "hold_time_invalid"
    field = "until"


def authorise(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    amount_minor: int,
    until: datetime,
    reason: str = "",
) -> Outcome:
    """Set value aside until a time. Nothing else can spend it and it does not expire meanwhile. Publishes value_held.

    Taken in the card product's order, from lots that pay any bill alike. The hold is `outcome.operation.hold`.
    Raises AmountRefused, HoldTimeRefused, InsufficientBalance, CardNotUsable.
    """
    wanted = check_amount(amount_minor)
    with transaction.atomic():
        deed = begin(
            OperationKind.HOLD,
            card=card,
            actor=actor,
            key=key,
            at=at,
            store=store,
            request={"card": card.pk, "amount": wanted, "until": until.isoformat(), "reason": reason},
            amount_minor=wanted,
            lots_of=STORED_VALUE,
            note=reason,
        )
        if deed.is_replay:
            return replayed(deed)
        if until <= at:
            raise HoldTimeRefused(_("A hold ends later than now."))
        lots = [lot for lot in deed.lots_of(*STORED_VALUE) if is_free_of_bills(lot)]
        usable = usable_for(lots, store)
        if wanted > usable.minor:
            said = _("There is not that much on the card to hold.")
            raise InsufficientBalance(said, available_minor=usable.minor, wanted_minor=wanted)
        check_spend(card.member, wanted, at, besides=deed.operation)
        hold = Hold.objects.create(
            operation=deed.operation,
            card=card,
            store=store,
            amount_minor=wanted,
            reason=reason,
            expires_at=until,
        )
        hold_uses.set_aside(hold, take(usable.lots, wanted, SpendOrder(card.product.spend_order)))
        facts = {"amount": wanted, "until": until.isoformat()}
        return conclude(deed, [], event="value_held", facts=facts, card=card, store=store)


def release(*, actor: Actor, key: str, at: datetime, store: Store, hold: Hold) -> Outcome:
    """End a hold without a bill: its value is free again. Publishes hold_ended. Raises HoldEnded.

    Done on a card in any state; value whose time is over meanwhile leaves at the next run of the expiry.
    """
    return _end(actor=actor, key=key, at=at, store=store, hold=hold, status=HoldStatus.RELEASED)


def expire_holds(*, at: datetime, limit: int = 500) -> dict[str, int]:
    """Release up to `limit` holds whose time is over, each on its own. Safe to run twice, also at once."""
    counts = {"expired": 0, "money_minor": 0, "refused": 0}
    over = Hold.objects.filter(status=HoldStatus.OPEN, expires_at__lte=at).select_related(
        "card__member", "card__product", "store"
    )
    for hold in over.order_by("expires_at", "id")[:limit]:
        key = f"hold:{hold.pk}"
        try:
            outcome = _end(
                actor=CLOCK, key=key, at=at, store=hold.store, hold=hold, status=HoldStatus.EXPIRED
            )
        except Refused:
            counts["refused"] += 1  # ended by somebody else meanwhile, or a frozen account
            continue
        counts["expired"] += not outcome.is_replay
        counts["money_minor"] += 0 if outcome.is_replay else hold.amount_minor
    return counts


@transaction.atomic
def _end(*, actor: Actor, key: str, at: datetime, store: Store, hold: Hold, status: HoldStatus) -> Outcome:
    card = hold.card
    deed = ledger.open_deed(
        kind=OperationKind.RELEASE,
        actor=actor,
        key=key,
        at=at,
        store_id=store.pk,
        member_id=card.member_id,
        card_id=card.pk,
        request={"hold": hold.pk},
        amount_minor=hold.amount_minor,
    )
    if deed.is_replay:
        return replayed(deed)
    hold_uses.end(hold, status, deed.operation, at)
    facts = {"amount": hold.amount_minor}
    return conclude(deed, [], event="hold_ended", facts=facts, card=card, store=store)
