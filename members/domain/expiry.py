"""Value whose time is over leaves by the ledger door, to the store's expired value (breakage)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from members.domain import ledger
from members.domain.allocation import Use
from members.domain.deeds import AMOUNT_MAX
from members.domain.ledger import Actor, Leg
from members.enums import AccountKind, OperationKind
from members.models import Account, Lot

CLOCK = Actor(scope="expiry")
_BREAKAGE = {
    AccountKind.PRINCIPAL: AccountKind.BREAKAGE,
    AccountKind.BONUS: AccountKind.BREAKAGE,
    AccountKind.POINTS: AccountKind.POINTS_BREAKAGE,
}


def expire_lots(*, at: datetime, limit: int = 1000) -> dict[str, int]:
    """Post the expiry of up to `limit` lots that ended at or before `at`, one deed per account, each on its own.

    Safe to run twice, also at once: the accounts are locked before they are read, and the key of a deed says
    which lots it ends. Counts the deeds, lots, money (minor units) and points that left.
    """
    counts = {"deeds": 0, "lots": 0, "money_minor": 0, "points": 0}
    ended = Lot.objects.filter(remaining__gt=0, expires_at__lte=at).order_by("expires_at", "id")
    accounts = dict.fromkeys(ended.values_list("account_id", flat=True)[:limit])
    for account_id in sorted(accounts):
        lots, amount, unit = _expire(account_id, at)
        counts["deeds"] += bool(lots)
        counts["lots"] += lots
        counts[unit] += amount
    return counts


@transaction.atomic
def _expire(account_id: int, at: datetime) -> tuple[int, int, str]:
    account = Account.objects.select_related("card", "member").get(pk=account_id)
    _lock(account)
    kind = AccountKind(account.kind)
    unit = "points" if kind == AccountKind.POINTS else "money_minor"
    lots = _payable(Lot.objects.filter(account=account, remaining__gt=0, expires_at__lte=at).order_by("id"))
    if not lots or account.member is None:
        return 0, 0, unit
    amount = sum(lot.remaining for lot in lots)
    store_id = account.card.store_id if account.card else account.member.home_store_id
    deed = ledger.open_deed(
        kind=OperationKind.EXPIRE,
        actor=CLOCK,
        key=_key(account_id, lots),
        at=at,
        store_id=store_id,
        member_id=account.member.pk,
        card_id=account.card_id,
        request={"lots": [lot.pk for lot in lots]},
        amount_minor=amount if unit == "money_minor" else 0,
    )
    if deed.is_replay:
        return 0, 0, unit
    uses = tuple(Use(lot.pk, -lot.remaining) for lot in lots)
    ledger.post(
        deed, [Leg(-amount, account=account_id, uses=uses), Leg(amount, store=store_id, kind=_BREAKAGE[kind])]
    )
    return len(lots), amount, unit


def _lock(account: Account) -> None:
    """All accounts that a deed of this card locks, in the same order: the till and the clock never wait in a ring."""
    same_deed = Q(card=None) | Q(card=account.card_id)
    accounts = Account.objects.select_for_update(no_key=True).filter(same_deed, member=account.member)
    list(accounts.order_by("id").values_list("id", flat=True))


def _payable(ended: Iterable[Lot]) -> list[Lot]:
    """As many lots as one deed may carry; the rest leave on the next run."""
    lots: list[Lot] = []
    total = 0
    for lot in ended:
        total += lot.remaining
        if lots and total > AMOUNT_MAX:
            break
        lots.append(lot)
    return lots


def _key(account_id: int, lots: Sequence[Lot]) -> str:
    """The same lots ending at the same times are the same deed. A lot revived by a refund ends at a new time."""
    said = ";".join(f"{lot.pk}@{lot.expires_at.isoformat()}" for lot in lots if lot.expires_at)
    return f"account:{account_id}:{hashlib.sha256(said.encode()).hexdigest()[:40]}"
