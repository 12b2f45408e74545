"""The value of a merge: every lot of the merged member's accounts, out of the one and into the other, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from members.domain import ledger
from members.domain.allocation import Use
from members.domain.cards import open_card
from members.domain.ledger import Actor, Deed, Leg, NewLot
from members.domain.lot_parts import open_lot, part_paid
from members.domain.moves import legs_out, lock_accounts
from members.enums import STORED_VALUE, AccountKind, CardStatus, OperationKind
from members.models import Account, Card, LimitedDeed, Lot, Member, Merge, MergeMove, Operation
from members.refusals import Refused


class MergeUsed(Refused):
    """What a merge moved was used since: it cannot be taken apart any more."""

    code = "merge_used"


@dataclass(frozen=True)
class Value:
    """What a member holds: money in minor units, services, points."""

    principal_minor: int = 0
    bonus_minor: int = 0
    services: int = 0
    points: int = 0

    @property
    def money_minor(self) -> int:
        return self.principal_minor + self.bonus_minor

    def limited(self) -> dict[str, int]:
        """As the limits of a person count it: what a yes to the whole merge is bound to."""
        return {
            LimitedDeed.TRANSFER.value: self.money_minor,
            LimitedDeed.TRANSFER_SERVICES.value: self.services,
            LimitedDeed.TRANSFER_POINTS.value: self.points,
        }

    @property
    def is_nothing(self) -> bool:
        return not (self.principal_minor or self.bonus_minor or self.services or self.points)


def value_of(member: Member, at: datetime) -> Value:
    """Everything on the member's accounts that has not expired, pending and held value included."""
    return _sum_of(_live(member, at).values_list("account__kind", "remaining"))


def _sum_of(parts: Iterable[tuple[str, int]]) -> Value:
    sums: dict[str, int] = defaultdict(int)
    for kind, remaining in parts:
        sums[kind] += remaining
    return Value(*(sums[kind] for kind in (*STORED_VALUE, AccountKind.SERVICES, AccountKind.POINTS)))


def cards_of(member: Member) -> list[Card]:
    """The cards that would go over, in the order they were opened."""
    cards = Card.objects.filter(member=member, status=CardStatus.ACTIVE)
    return list(cards.select_related("product", "store", "member").order_by("pk"))


def lock(actor: Actor, *members: Member) -> None:
    """All accounts of these members, in the one order every deed keeps."""
    cards = list(Card.objects.filter(member__in=members))
    lock_accounts(actor, cards, members)


def move_over(done: Merge, actor: Actor) -> None:
    """Each card's value to a new card of the same product; the points with the first. The old cards are replaced."""
    cards, value = cards_of(done.merged), value_of(done.merged, done.at)
    asked = {"way": "over", "whole": value.limited(), "once": done.key}
    for card in cards:
        new = _new_card(done, card, actor)
        _move(done, card, new, actor, asked)
        Card.objects.filter(pk=card.pk).update(status=CardStatus.REPLACED)
        Card.objects.filter(pk=new.pk).update(replaces=card)
    if not cards and not value.is_nothing:
        _move_without_cards(done, actor, asked)


def move_back(done: Merge, actor: Actor, at: datetime) -> None:
    """What came over goes back to the cards it came from. Raises MergeUsed."""
    moves = list(done.moves.select_related("card", "new_card", "received").order_by("pk"))
    _check_untouched(moves)
    for move in moves:
        if _is_of_merge(move):
            Card.objects.filter(pk=move.new_card_id).update(status=CardStatus.CLOSED, replaces=None)
            Card.objects.filter(pk=move.card_id).update(status=CardStatus.ACTIVE)
        if move.received_id:
            lots = Lot.objects.filter(operation=move.received_id).select_related("source", "account")
            _transfer(done, move.new_card, move.card, list(lots), actor, at, {"way": "back"})


def _is_of_merge(move: MergeMove) -> bool:
    """Whether the merge opened the new card in place of the old one. Points of a member without cards came by another."""
    return move.new_card.replaces_id == move.card_id


def _new_card(done: Merge, card: Card, actor: Actor) -> Card:
    new, _outcome = open_card(
        actor=actor,
        key=f"merge:{done.key}:{card.pk}:card",
        at=done.at,
        store=card.store,
        member=done.kept,
        product=card.product,
        is_announced=False,
    )
    return new


def _move(done: Merge, card: Card, new: Card, actor: Actor, asked: dict[str, Any]) -> None:
    of_card = Q(account__card=card) | Q(account__card=None)
    lots = list(
        _live(done.merged, done.at).filter(of_card).select_related("source", "account").order_by("pk")
    )
    sent, received = _transfer(done, card, new, lots, actor, done.at, asked) if lots else (None, None)
    MergeMove.objects.create(merge=done, card=card, new_card=new, sent=sent, received=received)


def _move_without_cards(done: Merge, actor: Actor, asked: dict[str, Any]) -> None:
    """Points of a member whose cards are all gone: they go to the points of the kept member, by its own card."""
    mine = Card.objects.filter(member=done.kept).order_by("-pk").first()
    theirs = Card.objects.filter(member=done.merged).order_by("-pk").first()
    if mine is None or theirs is None:
        raise MergeUsed(_("Their points need a card: open one for the member who is kept first."))
    lots = list(_live(done.merged, done.at).filter(account__card=None).select_related("source", "account"))
    sent, received = _transfer(done, theirs, mine, lots, actor, done.at, asked)
    MergeMove.objects.create(merge=done, card=theirs, new_card=mine, sent=sent, received=received)


def _transfer(
    done: Merge,
    card: Card,
    new: Card,
    lots: Sequence[Lot],
    actor: Actor,
    at: datetime,
    asked: dict[str, Any],
) -> tuple[Operation, Operation]:
    """All of these lots out of one card's accounts and into another's. Told to nobody: it stays one person's."""
    out = _open(OperationKind.MOVE_OUT, done, card, lots, actor, at, asked)
    opened = tuple(open_lot(lot, AccountKind(lot.account.kind)) for lot in lots)
    uses = [Use(lot.pk, -lot.remaining) for lot in lots]
    ledger.post(out, legs_out(replace(out, lots=opened), uses))
    into = _open(OperationKind.MOVE_IN, done, new, lots, actor, at, asked)
    ledger.post(into, _legs_in(into, lots))
    return out.operation, into.operation


def _open(
    kind: OperationKind,
    done: Merge,
    card: Card,
    lots: Sequence[Lot],
    actor: Actor,
    at: datetime,
    asked: dict[str, Any],
) -> Deed:
    """`asked` is what all deeds of a merge have in common: the way, over or back, and over all that moves."""
    value = _sum_of((lot.account.kind, lot.remaining) for lot in lots)
    parts = {"amount": value.money_minor, "services": value.services, "points": value.points}
    return ledger.open_deed(
        kind=kind,
        actor=actor,
        key=f"merge:{done.key}:{card.pk}:{asked['way']}:{kind}",
        at=at,
        store_id=done.store_id,
        member_id=card.member_id,
        card_id=card.pk,
        request={"merge": [done.kept_id, done.merged_id], "card": card.pk, **parts, **asked},
        amount_minor=value.money_minor,
    )


def _legs_in(deed: Deed, lots: Iterable[Lot]) -> list[Leg]:
    """One new lot for each: what was paid for the part that came, its terms, its pending time and its end kept."""
    new: dict[AccountKind, list[NewLot]] = defaultdict(list)
    for lot in lots:
        kind = AccountKind(lot.account.kind)
        new[kind].append(_same_lot(lot, kind))
    arriving = [
        Leg(sum(lot.amount for lot in part), account=deed.accounts[kind], lots=tuple(part))
        for kind, part in new.items()
    ]
    return arriving + _from_transit(deed, new)


def _same_lot(lot: Lot, kind: AccountKind) -> NewLot:
    return NewLot(
        lot.remaining,
        paid_minor=part_paid(open_lot(lot, kind), lot.remaining),
        expires_at=lot.expires_at,
        active_from=lot.active_from,
        terms=lot.terms,
        source=lot.source_id,
    )


def _from_transit(deed: Deed, new: dict[AccountKind, list[NewLot]]) -> list[Leg]:
    store_id = deed.operation.store_id
    amounts: dict[AccountKind, int] = defaultdict(int)
    for kind, part in new.items():
        amounts[_TRANSIT[kind]] += sum(lot.amount for lot in part)
    return [Leg(-amount, store=store_id, kind=kind) for kind, amount in amounts.items()]


_TRANSIT = {
    AccountKind.PRINCIPAL: AccountKind.TRANSIT,
    AccountKind.BONUS: AccountKind.TRANSIT,
    AccountKind.SERVICES: AccountKind.SERVICES_TRANSIT,
    AccountKind.POINTS: AccountKind.POINTS_TRANSIT,
}


def _live(member: Member, at: datetime) -> QuerySet[Lot]:
    """The member's lots with value in them. What has ended already stays, for the expiry run."""
    return Lot.objects.filter(account__in=Account.objects.filter(member=member), remaining__gt=0).filter(
        Q(expires_at=None) | Q(expires_at__gt=at)
    )


def _check_untouched(moves: Sequence[MergeMove]) -> None:
    """Nothing was taken of the moved lots, nothing is held, and the new cards were not used."""
    received = [move.received_id for move in moves if move.received_id]
    lots = Lot.objects.filter(operation__in=received)
    fresh = [move.new_card_id for move in moves if _is_of_merge(move)]
    deeds = Operation.objects.filter(card__in=fresh).exclude(pk__in=received)
    if lots.exclude(remaining=F("original"), held=0).exists() or deeds.exists():
        raise MergeUsed(_("The moved value or its card was used since: the merge can no longer be undone."))
