"""Where the value of a card goes that is no more: to the card that took its place, in whoever's hand that is now.

An entry never changes its account (L20): what a refund gives back to a replaced card goes there and on, in one
transaction; what it takes from a merged member's points is brought back to them first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.domain import ledger, restoring
from members.domain.allocation import OpenLot, Use, take_in_order
from members.domain.deeds import CardNotUsable, Outcome, conclude
from members.domain.ledger import Actor, Deed, Leg
from members.domain.lot_parts import open_lot
from members.domain.moves import legs_in, legs_out, lock_accounts
from members.enums import STORED_VALUE, AccountKind, CardStatus, OperationKind
from members.models import Account, Card, Lot, Operation, Store

MOVER = Actor(scope="refunds")


@dataclass(frozen=True)
class Heir:
    """A card that is no more, and the one in its place."""

    old: Card
    card: Card

    @property
    def is_other_member(self) -> bool:
        return self.old.member_id != self.card.member_id

    def held(self) -> dict[str, int]:
        """What the card in its place and its member hold, by account kind."""
        ours = Q(card=None) | Q(card=self.card)
        held = Account.objects.filter(ours, member_id=self.card.member_id).values_list("kind", "balance")
        return {kind: balance or 0 for kind, balance in held}

    def told(self, deed: Deed) -> Deed:
        """The deed as it is told: with what the card in its place holds before it."""
        return replace(deed, balances=self.held())


def heir_of(card: Card) -> Heir | None:
    """The newest card in the place of this one; None when nothing took its place."""
    newest = card
    while found := Card.objects.filter(replaces=newest).select_related("product", "member").first():
        newest = found
    return Heir(card, newest) if newest.pk != card.pk else None


def lock(actor: Actor, heir: Heir | None) -> None:
    """All accounts a refund to a card that is no more touches, before its own deed locks its part of them."""
    if heir:
        lock_accounts(actor, [heir.old, heir.card])


def check(deed: Deed, heir: Heir | None, card: Card) -> None:
    """Under the locks: the card in its place is still the one that was locked. Raises CardNotUsable."""
    if heir is None and deed.card_status != CardStatus.REPLACED:
        return
    now = heir_of(card)
    if (now.card.pk if now else None) != (heir.card.pk if heir else None):
        raise CardNotUsable(_("This card was replaced at this moment. Try again."))


def check_may_receive(deed: Deed, heir: Heir | None) -> None:
    """Refuse to give value back to a closed card: nobody could use it. Raises CardNotUsable."""
    status = deed.card_status
    if heir:
        status = Card.objects.values_list("status", flat=True).get(pk=heir.card.pk)
    if status not in (CardStatus.ACTIVE, CardStatus.FROZEN):
        raise CardNotUsable(
            _("The card that paid is closed: nothing can go back to it. Give goodwill on another card.")
        )


def fetch_points(deed: Deed, heir: Heir, source: Operation, wanted: int) -> Deed:
    """Bring points of the member who was kept back to the one who was merged, those of `source` first.

    Answers the deed with these lots among its own.
    """
    usable = Q(expires_at=None) | Q(expires_at__gt=deed.operation.at)
    theirs = Q(account__member_id=heir.card.member_id, account__kind=AccountKind.POINTS)
    held = Lot.objects.filter(usable, theirs, Q(remaining__gt=0), remaining__gt=F("held")).order_by("id")
    lots = [open_lot(lot, AccountKind.POINTS) for lot in held.select_related("source")]
    lots.sort(key=lambda lot: lot.source != source.pk)
    uses = take_in_order(lots, wanted)
    if not uses:
        return deed
    came = _move(deed, heir.card, heir.old, lots, uses, way="fetched")
    new = Lot.objects.filter(operation=came.operation).select_related("source").order_by("id")
    return replace(deed, lots=(*deed.lots, *(open_lot(lot, AccountKind.POINTS) for lot in new)))


def conclude_for(
    heir: Heir | None, deed: Deed, legs: Sequence[Leg], *, card: Card, store: Store, **said: Any
) -> Outcome:
    """Conclude a refund; what it gave back to a card that is no more goes on, and is told as the newer card's."""
    if heir is None:
        outcome = conclude(deed, legs, card=card, store=store, **said)
        restoring.keep(deed, legs)
        return outcome
    shown = card if heir.is_other_member else heir.card
    outcome = conclude(heir.told(deed), legs, card=shown, store=store, **said)
    restoring.keep(deed, legs)
    _hand_on(deed, heir, legs)
    return replace(outcome, balances=heir.held())


def _hand_on(deed: Deed, heir: Heir, legs: Sequence[Leg]) -> None:
    kinds = {*STORED_VALUE, AccountKind.SERVICES} | ({AccountKind.POINTS} if heir.is_other_member else set())
    accounts = {deed.accounts.get(kind) for kind in kinds} - {None}
    back = {
        use.lot: use.amount for leg in legs if leg.account in accounts for use in leg.uses if use.amount > 0
    }
    apart = Lot.objects.filter(operation=deed.operation, account__in=accounts)
    back |= dict(apart.values_list("id", "remaining"))
    rows = Lot.objects.filter(pk__in=back).select_related("source", "account").order_by("id")
    lots = [open_lot(lot, AccountKind(lot.account.kind)) for lot in rows]
    if lots:
        _move(deed, heir.old, heir.card, lots, [Use(lot.id, -back[lot.id]) for lot in lots], way="on")


def _move(
    deed: Deed, given: Card, taken: Card, lots: Sequence[OpenLot], uses: Sequence[Use], *, way: str
) -> Deed:
    """Part of the refund, which is what was limited and approved: no person's deed of its own. Told to nobody."""
    out = _open(OperationKind.MOVE_OUT, deed, given, way)
    ledger.post(out, legs_out(replace(out, lots=tuple(lots)), uses))
    came = _open(OperationKind.MOVE_IN, deed, taken, way)
    ledger.post(came, legs_in(came, lots, uses))
    return came


def _open(kind: OperationKind, deed: Deed, card: Card, way: str) -> Deed:
    refund = deed.operation
    return ledger.open_deed(
        kind=kind,
        actor=MOVER,
        key=f"{refund.public_id}:{way}:{kind}",
        at=refund.at,
        store_id=refund.store_id,
        member_id=card.member_id,
        card_id=card.pk,
        request={"refund": refund.pk, "card": card.pk, "way": way},
    )
