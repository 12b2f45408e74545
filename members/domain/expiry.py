"""Value whose time is over leaves by the ledger door, to the store's expired value (breakage)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from members.domain import batches
from members.domain.allocation import Use
from members.domain.batches import BatchDeed, LockedAccount
from members.domain.deeds import AMOUNT_MAX
from members.domain.ledger import Actor, Leg
from members.domain.lot_parts import open_lot
from members.domain.services import released
from members.enums import AccountKind, OperationKind
from members.models import CardPause, Lot

CLOCK = Actor(scope="expiry")
BATCH = 500
BREAKAGE = {
    AccountKind.PRINCIPAL: AccountKind.BREAKAGE,
    AccountKind.BONUS: AccountKind.BREAKAGE,
    AccountKind.POINTS: AccountKind.POINTS_BREAKAGE,
    AccountKind.SERVICES: AccountKind.SERVICES_BREAKAGE,
}
_UNITS = {AccountKind.POINTS: "points", AccountKind.SERVICES: "services"}


def expire_lots(*, at: datetime, limit: int = 1000) -> dict[str, int]:
    """Post the expiry of up to `limit` lots that ended at or before `at`: one deed an account, a batch at a time.

    Safe to run twice, also at once: the accounts are locked before they are read, and the key of a deed says
    which lots it ends. Nothing of a paused card ends, nor of a frozen account, nor at a store whose day is signed.
    With services the money that waited for them leaves too. Counts the deeds, lots, money (minor units), points
    and services that left.
    """
    counts = {"deeds": 0, "lots": 0, "money_minor": 0, "points": 0, "services": 0}
    ended = _ended(at).order_by("expires_at", "id").values_list("account_id", flat=True)
    accounts = sorted(set(ended[:limit]))
    for first in range(0, len(accounts), BATCH):
        for account, lots in _expire(accounts[first : first + BATCH], at):
            counts["deeds"] += 1
            counts["lots"] += len(lots)
            counts[_UNITS.get(account.kind, "money_minor")] += _value(lots)
    return counts


def _ended(at: datetime) -> QuerySet[Lot]:
    """Lots whose time is over and that hold something nobody has set aside."""
    resting = CardPause.objects.filter(ended_at=None).values("card")
    ended = Lot.objects.filter(remaining__gt=0, expires_at__lte=at).filter(remaining__gt=F("held"))
    return ended.exclude(account__is_frozen=True).exclude(account__card__in=resting)


@transaction.atomic
def _expire(account_ids: Iterable[int], at: datetime) -> list[tuple[LockedAccount, list[Lot]]]:
    """One batch. Gives the accounts that lost something, and what ended on them."""
    accounts = batches.lock(account_ids, at)
    held_by: dict[int, list[Lot]] = defaultdict(list)
    ended = _ended(at).filter(account__in=[account.id for account in accounts]).order_by("id")
    if any(
        account.kind == AccountKind.SERVICES for account in accounts
    ):  # whose money waits where they were sold
        ended = ended.select_related("source").defer("source__request")
    for lot in ended:
        held_by[lot.account_id].append(lot)
    ending = [(account, _payable(held_by[account.id])) for account in accounts if held_by[account.id]]
    deeds = [_deed(account, lots) for account, lots in ending]
    written = batches.post(kind=OperationKind.EXPIRE, actor=CLOCK, at=at, deeds=deeds)
    return [part for part, deed in zip(ending, deeds, strict=True) if deed.key in written]


def _deed(account: LockedAccount, lots: Sequence[Lot]) -> BatchDeed:
    amount = _value(lots)
    uses = tuple(Use(lot.pk, lot.held - lot.remaining) for lot in lots)
    legs = [
        Leg(-amount, account=account.id, uses=uses),
        Leg(amount, store=account.store_id, kind=BREAKAGE[account.kind]),
    ]
    return BatchDeed(
        account=account,
        key=_key(account.id, lots),
        request={"lots": [lot.pk for lot in lots]},
        legs=legs + (deferred_legs(lots, uses) if account.kind == AccountKind.SERVICES else []),
        amount_minor=0 if account.kind in _UNITS else amount,
    )


def _value(lots: Iterable[Lot]) -> int:
    return sum(lot.remaining - lot.held for lot in lots)


def deferred_legs(lots: Iterable[Lot], uses: Sequence[Use]) -> list[Leg]:
    """The money that waited for the services, to the expired value of the store that sold them."""
    waiting = released([open_lot(lot, AccountKind.SERVICES) for lot in lots], uses)
    return [
        leg
        for sold_at, money in waiting.items()
        if money
        for leg in (
            Leg(-money, store=sold_at, kind=AccountKind.DEFERRED),
            Leg(money, store=sold_at, kind=AccountKind.BREAKAGE),
        )
    ]


def _payable(ended: Iterable[Lot]) -> list[Lot]:
    """As many lots as one deed may carry; the rest leave on the next run."""
    lots: list[Lot] = []
    total = 0
    for lot in ended:
        total += lot.remaining - lot.held
        if lots and total > AMOUNT_MAX:
            break
        lots.append(lot)
    return lots


def _key(account_id: int, lots: Sequence[Lot]) -> str:
    """The same lots with the same value ending at the same times are the same deed.

    A lot revived by a refund ends at a new time; one that a hold has let go has less in it than before.
    """
    ending = [lot for lot in lots if lot.expires_at]
    said = ";".join(f"{lot.pk}@{lot.expires_at:%Y-%m-%dT%H:%M:%S.%f}:{lot.remaining}" for lot in ending)
    return f"account:{account_id}:{hashlib.sha256(said.encode()).hexdigest()[:40]}"
