"""Value from one card to another: out of the one account, into the other, with its origin, terms and end kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Q

from members.domain.allocation import OpenLot, Use
from members.domain.deeds import legs_by_kind
from members.domain.ledger import Actor, Deed, Leg, NewLot
from members.domain.lot_parts import part_paid
from members.enums import AccountKind
from members.models import Account, Card, Member, Staff

_TRANSIT = {
    AccountKind.PRINCIPAL: AccountKind.TRANSIT,
    AccountKind.BONUS: AccountKind.TRANSIT,
    AccountKind.SERVICES: AccountKind.SERVICES_TRANSIT,
    AccountKind.POINTS: AccountKind.POINTS_TRANSIT,
}

_LOCK_MEMBERS = """
SELECT id FROM members_member WHERE id = ANY(%s) AND status = 'active' ORDER BY id FOR SHARE
"""


def lock_members(members: Iterable[Member]) -> set[int]:
    """Let no merge and no erasure of these begin; ids of those who are members still. In id order, before any
    account and any coupon's definition. Not in a deed, which has its accounts: a merge takes them after the members."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_MEMBERS, [[member.pk for member in members]])
        return {row[0] for row in cursor.fetchall()}


def lock_accounts(actor: Actor, cards: Iterable[Card], members: Iterable[Member] = ()) -> None:
    """Lock what deeds of all these cards (and of members without one) will lock, in the one order every deed keeps: the person of staff (whose
    limits may be summed), then all accounts by id. Two transfers that cross each other wait; they never ring.
    """
    if actor.staff_id is not None:
        list(Staff.objects.select_for_update(no_key=True).filter(pk=actor.staff_id).values_list("pk"))
    of_deeds = Q()
    for card in cards:
        of_deeds |= Q(member_id=card.member_id) & (Q(card=None) | Q(card=card))
    for member in members:
        of_deeds |= Q(member=member, card=None)
    accounts = Account.objects.select_for_update(no_key=True).filter(of_deeds)
    list(accounts.order_by("id").values_list("id", flat=True))


def legs_out(deed: Deed, uses: Sequence[Use]) -> list[Leg]:
    """Out of the accounts of a deed, onto the way."""
    legs = legs_by_kind(deed, uses)
    return legs + _on_the_way(deed, _amounts(deed.lots, uses), 1)


def legs_in(deed: Deed, lots: Sequence[OpenLot], uses: Sequence[Use]) -> list[Leg]:
    """From the way into the accounts of a deed: one new lot for each lot used, with what was paid for that part."""
    by_id = {lot.id: lot for lot in lots}
    new: dict[AccountKind, list[NewLot]] = defaultdict(list)
    for use in uses:
        lot = by_id[use.lot]
        new[lot.kind].append(_moved(lot, -use.amount))
    legs = [
        Leg(sum(lot.amount for lot in part), account=deed.accounts[kind], lots=tuple(part))
        for kind, part in new.items()
    ]
    return legs + _on_the_way(deed, _amounts(lots, uses), -1)


def _moved(lot: OpenLot, amount: int) -> NewLot:
    return NewLot(
        amount,
        paid_minor=part_paid(lot, amount),
        expires_at=lot.expires_at,
        terms=lot.terms,
        source=lot.source,
    )


def _amounts(lots: Sequence[OpenLot], uses: Sequence[Use]) -> dict[AccountKind, int]:
    kinds = {lot.id: lot.kind for lot in lots}
    amounts: dict[AccountKind, int] = defaultdict(int)
    for use in uses:
        amounts[_TRANSIT[kinds[use.lot]]] -= use.amount
    return amounts


def _on_the_way(deed: Deed, amounts: dict[AccountKind, int], sign: int) -> list[Leg]:
    store_id = deed.operation.store_id
    return [Leg(sign * amount, store=store_id, kind=kind) for kind, amount in amounts.items()]
