"""Value one member gives another: proposed by the one, confirmed by the other, then out and in at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.domain.allocation import OpenLot, Use, take_in_order, take_pro_rata
from members.domain.cards import WrongCard, open_card
from members.domain.deeds import AMOUNT_MAX, AmountRefused, CardNotUsable, begin, conclude
from members.domain.ledger import Actor, ApprovalRequired, Deed, check_same
from members.domain.moves import legs_in, legs_out, lock_accounts, lock_members
from members.domain.payments import CodeRequired
from members.domain.phone_changes import check_gift
from members.domain.recharge_limits import check_held
from members.domain.services import InsufficientServices, is_paused
from members.domain.spending import InsufficientBalance
from members.domain.transfer_limits import check_alone
from members.domain.transfer_refusals import TransferRefused
from members.enums import STORED_VALUE, AccountKind, CardStatus, OperationKind
from members.models import Account, Card, CardKind, Member, Operation, Store, Transfer, TransferStatus
from members.refusals import Refused

VALID_FOR = timedelta(days=3)
_MOVED = (*STORED_VALUE, AccountKind.SERVICES, AccountKind.POINTS)


class TransferEnded(Refused):
    """It was confirmed, withdrawn, declined, or its three days are over."""

    code = "transfer_ended"


class TooFewPoints(Refused):
    """The sender has not that many points."""

    code = "insufficient_points"
    field = "points"


def propose(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    receiver: Member | None,
    to_number: str = "",
    amount_minor: int = 0,
    services: int = 0,
    points: int = 0,
    note: str = "",
    is_confirmed: bool = False,
) -> Transfer:
    """Offer value of a card to another member, for three days. Nothing moves. The same key gives the same transfer.

    `is_confirmed` says that the sender's code was right: nobody gives value away without the sender's phone. A member
    who proposes alone (no person of staff) names a number, kept masked in `to_number`; with no `receiver` it is nobody's.
    Raises CodeRequired, TransferRefused, CardNotUsable, CoolingOff, InsufficientBalance, InsufficientServices,
    TooFewPoints, ledger.IdempotencyConflict.
    """
    if known := Transfer.objects.filter(scope=actor.scope, key=key).first():
        return _same(known, card, receiver, (amount_minor, services, points))
    _check_asked(card, receiver, amount_minor, services, points)
    with transaction.atomic():
        _check_there_is(card, amount_minor, services, points)
        if actor.staff_id is None:
            check_gift(card.member, at)
            check_alone(card.member_id, store.pk, amount_minor, services, points)
        if not is_confirmed:
            raise CodeRequired(_("Passing value on needs the sender’s code."))
        transfer, _made = Transfer.objects.get_or_create(
            scope=actor.scope,
            key=key,
            defaults={
                "card": card,
                "receiver": receiver,
                "to_number": to_number,
                "store": store,
                "amount_minor": amount_minor,
                "services": services,
                "points": points,
                "note": note,
                "is_confirmed": True,
                "staff_id": actor.staff_id,
                "proposed_at": at,
                "expires_at": at + VALID_FOR,
            },
        )
        return _same(transfer, card, receiver, (amount_minor, services, points))


def confirm(*, actor: Actor, at: datetime, transfer: Transfer) -> Transfer:
    """The receiver's yes: the value leaves the one card and arrives on the other, or neither.

    Locked: the transfer, the person of staff, then both members' accounts in id order. Publishes value_sent and
    value_received. Confirmed again it stays as it was. Without a person of staff (the portal) the limits and the own
    account of whoever proposed it hold; when that was the member, the limits of members alone.

    Raises TransferEnded, TransferRefused, CardNotUsable, InsufficientBalance, InsufficientServices, TooFewPoints,
    CardLimitReached, ledger.OwnAccount, ledger.ApprovalRequired.
    """
    with transaction.atomic():
        held = Transfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
        if held.status == TransferStatus.DONE:
            return held
        _check_open(held, at)
        word = _word(actor, held)
        given = Card.objects.select_related("product", "member").get(pk=held.card_id)
        check_gift(given.member, at)
        if held.receiver is None:
            raise TransferRefused(_("Nobody is a member with this number. Enrol them first."))
        taken = _receiving_card(word, held, given, at)
        lock_accounts(word, [given, taken])
        if word.staff_id is None:
            check_alone(given.member_id, held.store_id, held.amount_minor, held.services, held.points)
        try:
            sent, lots, uses = _send(word, held, given, at)
        except ApprovalRequired as above:
            if actor.staff_id is not None:
                raise
            raise TransferRefused(
                _("So much is passed on at the till only, with a second person.")
            ) from above
        received = _receive(word, held, given, taken, lots, uses, at)
        held.status, held.ended_at = TransferStatus.DONE, at
        held.sent, held.received = sent, received
        held.save(update_fields=["status", "ended_at", "sent", "received"])
        return held


def _same(known: Transfer, card: Card, receiver: Member | None, asked: tuple[int, int, int]) -> Transfer:
    """The transfer this key made, if it was for this. Raises ledger.IdempotencyConflict."""
    names = ("card", "receiver", "amount", "services", "points")
    was = (known.card_id, known.receiver_id, known.amount_minor, known.services, known.points)
    now = (card.pk, receiver and receiver.pk, *asked)
    check_same(dict(zip(names, was, strict=True)), dict(zip(names, now, strict=True)))
    return known


def _word(actor: Actor, transfer: Transfer) -> Actor:
    """On whose word the value leaves: the receiver's own yes has no limits, so those of who proposed it hold."""
    return actor if actor.staff_id is not None else replace(actor, staff_id=transfer.staff_id)


def withdraw(*, at: datetime, transfer: Transfer) -> Transfer:
    """The sender's second thought. Raises TransferEnded when it is over already."""
    return _end(transfer, TransferStatus.WITHDRAWN, at)


def decline(*, at: datetime, transfer: Transfer) -> Transfer:
    """The receiver's no. Raises TransferEnded when it is over already."""
    return _end(transfer, TransferStatus.DECLINED, at)


def end_transfers(*, at: datetime) -> int:
    """Close the proposals nobody confirmed in time; one statement, safe to run twice."""
    lapsed = Transfer.objects.filter(status=TransferStatus.PROPOSED, expires_at__lte=at)
    return lapsed.update(status=TransferStatus.EXPIRED, ended_at=at)


def _end(transfer: Transfer, status: TransferStatus, at: datetime) -> Transfer:
    with transaction.atomic():
        held = Transfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
        if held.status == status:
            return held
        _check_open(held, at)
        held.status, held.ended_at = status, at
        held.save(update_fields=["status", "ended_at"])
        return held


def _check_open(transfer: Transfer, at: datetime) -> None:
    if transfer.status != TransferStatus.PROPOSED:
        raise TransferEnded(_("This transfer is over: %(how)s.") % {"how": transfer.get_status_display()})
    if transfer.expires_at <= at:
        raise TransferEnded(_("This transfer was not confirmed in time."))


def _check_asked(card: Card, receiver: Member | None, amount_minor: int, services: int, points: int) -> None:
    if receiver and receiver.pk == card.member_id:
        raise TransferRefused(_("This is the same member."), field="receiver")
    asked = (amount_minor, services, points)
    if any(isinstance(part, bool) or not isinstance(part, int) or part < 0 for part in asked):
        raise AmountRefused(_("The amount must be a number."))
    if not any(asked):
        raise TransferRefused(_("Say what is to be passed on."), field="amount")
    if max(asked) > AMOUNT_MAX:
        raise AmountRefused(_("The amount is too large."))


def _check_there_is(card: Card, amount_minor: int, services: int, points: int) -> None:
    """What is plainly not there is refused at once; the locks decide when it is confirmed."""
    if Card.objects.filter(pk=card.pk).exclude(status=CardStatus.ACTIVE).exists():
        raise CardNotUsable(_("This card is not active."))
    held = {
        (account.card_id, account.kind): account.balance or 0
        for account in Account.objects.filter(member_id=card.member_id)
    }
    _check_enough(sum(held.get((card.pk, kind), 0) for kind in STORED_VALUE), amount_minor)
    _check_services(held.get((card.pk, AccountKind.SERVICES), 0), services)
    _check_points(held.get((None, AccountKind.POINTS), 0), points)


def _check_enough(available: int, wanted: int) -> None:
    if wanted > available:
        raise InsufficientBalance(
            _("The card does not hold that much."), available_minor=available, wanted_minor=wanted
        )


def _check_services(left: int, wanted: int) -> None:
    if wanted > left:
        raise InsufficientServices(
            _("There are not that many services left on the card."), field="services", left=left
        )


def _check_points(left: int, wanted: int) -> None:
    if wanted > left:
        raise TooFewPoints(_("The member does not have that many points."), available=left)


def _receiving_card(actor: Actor, transfer: Transfer, given: Card, at: datetime) -> Card:
    """The receiver's card for it: of the same product, else one that holds the same; a new one if there is none."""
    held = Card.objects.filter(member=transfer.receiver, status=CardStatus.ACTIVE)
    held = held.select_related("product", "member").order_by("id")
    if same := held.filter(product_id=given.product_id).first():
        return same
    like = held.filter(product__kind=given.product.kind)
    if given.product.kind == CardKind.SERVICES:
        like = like.filter(product__service_group_id=given.product.service_group_id)
    if found := like.first():
        return found
    assert transfer.receiver is not None
    lock_members(
        [transfer.receiver]
    )  # as opening a card does, but before the accounts: that is everybody's order
    lock_accounts(actor, [given], [transfer.receiver])
    card, _outcome = open_card(
        actor=actor,
        key=f"transfer:{transfer.public_id}:card",
        at=at,
        store=transfer.store,
        member=transfer.receiver,
        product=given.product,
    )
    return card


def _send(
    actor: Actor, transfer: Transfer, card: Card, at: datetime
) -> tuple[Operation, Sequence[OpenLot], list[Use]]:
    deed = begin(
        OperationKind.MOVE_OUT,
        card=card,
        actor=actor,
        key=f"transfer:{transfer.public_id}:out",
        at=at,
        store=transfer.store,
        request={
            "transfer": transfer.pk,
            "card": card.pk,
            "amount": transfer.amount_minor,
            "services": transfer.services,
            "points": transfer.points,
            "is_confirmed": transfer.is_confirmed,
        },
        amount_minor=transfer.amount_minor,
        lots_of=_MOVED,
        note=transfer.note,
    )
    uses = _uses(deed, card, transfer)
    assert transfer.receiver is not None
    facts = {"amount": transfer.amount_minor, "to": transfer.receiver.name}
    outcome = conclude(
        deed, legs_out(deed, uses), event="value_sent", facts=facts, card=card, store=transfer.store
    )
    return outcome.operation, deed.lots, uses


def _uses(deed: Deed, card: Card, transfer: Transfer) -> list[Use]:
    """What moves: principal and bonus in proportion whatever the product's order, so that no bonus is left behind."""
    if transfer.services and is_paused(card):
        raise CardNotUsable(_("This card is paused. Resume it first."))
    stored = deed.lots_of(*STORED_VALUE)
    services, points = deed.lots_of(AccountKind.SERVICES), deed.lots_of(AccountKind.POINTS)
    _check_enough(sum(lot.remaining for lot in stored), transfer.amount_minor)
    _check_services(sum(lot.remaining for lot in services), transfer.services)
    _check_points(sum(lot.remaining for lot in points), transfer.points)
    return [
        *take_pro_rata(stored, transfer.amount_minor),
        *take_in_order(services, transfer.services),
        *take_in_order(points, transfer.points),
    ]


def _receive(
    actor: Actor,
    transfer: Transfer,
    given: Card,
    card: Card,
    lots: Sequence[OpenLot],
    uses: Sequence[Use],
    at: datetime,
) -> Operation:
    deed = begin(
        OperationKind.MOVE_IN,
        card=card,
        actor=actor,
        key=f"transfer:{transfer.public_id}:in",
        at=at,
        store=transfer.store,
        request={"transfer": transfer.pk, "card": card.pk, "amount": transfer.amount_minor},
        amount_minor=transfer.amount_minor,
        note=transfer.note,
    )
    if card.product.kind != given.product.kind:
        raise WrongCard(_("The receiver has no card for this."))
    if transfer.services and is_paused(card):
        raise CardNotUsable(_("The receiver’s card is paused. Resume it first."))
    principal = {lot.id for lot in lots if lot.kind == AccountKind.PRINCIPAL}
    added = -sum(use.amount for use in uses if use.lot in principal)
    check_held(deed.house, card.member, held_minor=deed.balances[AccountKind.PRINCIPAL], added_minor=added)
    facts = {"amount": transfer.amount_minor, "sender": given.member.name}
    legs = legs_in(deed, lots, uses)
    return conclude(
        deed, legs, event="value_received", facts=facts, card=card, store=transfer.store
    ).operation
