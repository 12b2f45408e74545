"""A card that is lost: frozen, active again, or replaced by a new one that takes its value over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.domain import audit, events, ledger
from members.domain.allocation import Use
from members.domain.cards import open_card
from members.domain.deeds import CardNotUsable, Outcome, conclude, replayed
from members.domain.ledger import Actor, Deed
from members.domain.moves import legs_in, legs_out, lock_accounts
from members.domain.resting import pause, resume
from members.domain.services import is_paused
from members.enums import STORED_VALUE, AccountKind, CardStatus, HoldStatus, OperationKind
from members.models import (
    Account,
    Card,
    Hold,
    Lot,
    Operation,
    Sharer,
    Store,
    Transfer,
    TransferStatus,
)
from members.refusals import Refused

_MOVED = (*STORED_VALUE, AccountKind.SERVICES)


class CardBusy(Refused):
    """An open hold or a proposed transfer stands on the card; it is ended first. `facts`: how many of each."""

    code = "card_busy"


@dataclass(frozen=True)
class Replacement:
    """The new card, and the deed that opened it."""

    card: Card
    operation: Operation
    is_replay: bool = False


def freeze(*, actor: Actor, key: str, at: datetime, store: Store, card: Card, note: str = "") -> Outcome:
    """A lost card: nothing is spent, recharged, taken or passed on from this moment. Publishes card_frozen.

    Raises CardNotUsable when it is not active.
    """
    return _turn(
        OperationKind.FREEZE,
        CardStatus.FROZEN,
        "card_frozen",
        actor=actor,
        key=key,
        at=at,
        store=store,
        card=card,
        note=note,
    )


def unfreeze(*, actor: Actor, key: str, at: datetime, store: Store, card: Card, note: str = "") -> Outcome:
    """The card is found. Publishes card_unfrozen. Raises CardNotUsable when it is not frozen."""
    return _turn(
        OperationKind.UNFREEZE,
        CardStatus.ACTIVE,
        "card_unfrozen",
        actor=actor,
        key=key,
        at=at,
        store=store,
        card=card,
        note=note,
    )


_FROM = {OperationKind.FREEZE: CardStatus.ACTIVE, OperationKind.UNFREEZE: CardStatus.FROZEN}
_NOT_SO = {
    OperationKind.FREEZE: _("Only an active card can be frozen."),
    OperationKind.UNFREEZE: _("Only a frozen card can be made active again."),
}


def _turn(
    kind: OperationKind,
    status: CardStatus,
    event: str,
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    note: str,
) -> Outcome:
    with transaction.atomic():
        deed = open_for(kind, {_FROM[kind]: ""}, _NOT_SO[kind], actor, key, at, store, card, note=note)
        if deed.is_replay:
            return replayed(deed)
        Card.objects.filter(pk=card.pk).update(status=status)
        outcome = conclude(deed, [], event=event, facts={}, card=card, store=store)
        audit.write(
            actor=actor,
            verb=event,
            subject=card,
            store=store,
            before={"status": deed.card_status},
            after={"status": status.value, "note": note},
            at=at,
        )
        return outcome


def open_for(
    kind: OperationKind,
    usable: dict[CardStatus, str] | set[CardStatus],
    refusal: str | Promise,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    card: Card,
    *,
    note: str = "",
    amount_minor: int = 0,
    lots_of: tuple[AccountKind, ...] = (),
    reverses: Operation | None = None,
    request: dict[str, object] | None = None,
) -> Deed:
    """Open a deed on a card of certain standings, which are judged under its locks. Raises CardNotUsable."""
    deed = ledger.open_deed(
        kind=kind,
        actor=actor,
        key=key,
        at=at,
        store_id=store.pk,
        member_id=card.member_id,
        card_id=card.pk,
        request={"card": card.pk} | (request or {}),
        lots_of=lots_of,
        amount_minor=amount_minor,
        reverses_id=reverses.pk if reverses else None,
        note=note,
    )
    if not deed.is_replay and deed.card_status not in usable:
        raise CardNotUsable(refusal)
    return deed


def check_not_busy(card: Card) -> None:
    """Refuse while a hold or a proposed transfer is open. Under the card's locks. Raises CardBusy."""
    holds = Hold.objects.filter(card=card, status=HoldStatus.OPEN).count()
    transfers = Transfer.objects.filter(card=card, status=TransferStatus.PROPOSED).count()
    if holds or transfers:
        raise CardBusy(
            _("End the open holds and transfers of this card first."), holds=holds, transfers=transfers
        )


def replace_card(
    *, actor: Actor, key: str, at: datetime, store: Store, card: Card, note: str = ""
) -> Replacement:
    """A new card with a new number for a lost one; value, sharers and a rest go over, the old one is dead.

    Publishes card_replaced. That the new card was opened is stored and not announced: it is empty at that moment,
    and the member would be told so. The same key gives the same new card. Raises CardNotUsable, CardBusy.
    """
    with transaction.atomic():
        lock_accounts(actor, [card])
        if known := Card.objects.filter(replaces=card).first():
            return _known(known, actor, key)
        status = Card.objects.values_list("status", flat=True).get(pk=card.pk)
        if status not in (CardStatus.ACTIVE, CardStatus.FROZEN):
            raise CardNotUsable(_("Only an active or a frozen card can be replaced."))
        check_not_busy(card)
        new, opened = open_card(
            actor=actor,
            key=key,
            at=at,
            store=store,
            member=card.member,
            product=card.product,
            is_announced=False,
        )
        rested = is_paused(card)
        if rested:
            resume(actor=actor, at=at, store=store, card=card)
        _move_all(actor, key, at, store, card, new, note)
        _hand_over(card, new)
        if rested:
            pause(actor=actor, at=at, store=store, card=new)
        _tell(card, new, store, opened.operation, at)
        audit.write(
            actor=actor,
            verb="card_replaced",
            subject=card,
            store=store,
            after={"by": new.number, "note": note},
            at=at,
        )
        return Replacement(new, opened.operation)


def _known(new: Card, actor: Actor, key: str) -> Replacement:
    opened = Operation.objects.filter(scope=actor.scope, key=key, kind=OperationKind.OPEN_CARD).first()
    if opened is None:
        raise CardNotUsable(_("This card has been replaced already."))
    return Replacement(new, opened, is_replay=True)


def _move_all(actor: Actor, key: str, at: datetime, store: Store, old: Card, new: Card, note: str) -> None:
    """Everything good on the old card, in one deed out and one in; what has expired unswept stays for the clock.

    The deed out does not name the new card: each try opens another, and a second person's yes is to the deed as asked.
    """
    good = Lot.objects.filter(account__card=old, remaining__gt=0).exclude(expires_at__lte=at)
    left = dict(good.values_list("account__kind").annotate(total=Sum("remaining")))
    if not left:
        return
    amount = sum(left.get(kind, 0) for kind in STORED_VALUE)
    usable = {CardStatus.ACTIVE, CardStatus.FROZEN}
    out = open_for(
        OperationKind.MOVE_OUT, usable, "", actor, f"{key}:out", at, store, old,
        note=note, amount_minor=amount, lots_of=_MOVED, request={"way": "replaced"},
    )  # fmt: skip
    uses = [Use(lot.id, -lot.remaining) for lot in out.lots]
    ledger.post(out, legs_out(out, uses))
    came = open_for(
        OperationKind.MOVE_IN, usable, "", actor, f"{key}:in", at, store, new,
        note=note, amount_minor=amount, request={"replaces": old.pk},
    )  # fmt: skip
    ledger.post(came, legs_in(came, out.lots, uses))


def _hand_over(old: Card, new: Card) -> None:
    Card.objects.filter(pk=old.pk).update(status=CardStatus.REPLACED)
    Card.objects.filter(pk=new.pk).update(replaces=old)
    new.replaces = old
    Sharer.objects.filter(card=old, removed_at=None).update(card=new)


def _tell(old: Card, new: Card, store: Store, opened: Operation, at: datetime) -> None:
    held = {
        account.kind: account.balance or 0
        for account in Account.objects.filter(member_id=new.member_id)
        if account.card_id in (None, new.pk)
    }
    principal, bonus = (held.get(kind, 0) for kind in STORED_VALUE)
    payload = {
        "new_card": f"…{new.number[-4:]}",
        "card": f"…{old.number[-4:]}",
        "balance": principal + bonus,
        "principal_balance": principal,
        "bonus_balance": bonus,
        "points_balance": held.get(AccountKind.POINTS, 0),
        "services_left": held.get(AccountKind.SERVICES, 0),
    }
    events.publish(
        "card_replaced",
        member=new.member,
        store=store,
        source=opened.scope,
        key=f"replaced:{opened.public_id}",
        at=at,
        payload=payload,
        operation=opened,
    )
