"""Value given up knowingly: it leaves by the ledger's door, to expired value, whenever it would have ended."""

from __future__ import annotations

from datetime import datetime

from members.domain import ledger
from members.domain.allocation import Use
from members.domain.deeds import AMOUNT_MAX
from members.domain.expiry import BREAKAGE, deferred_legs
from members.domain.ledger import Actor, Leg
from members.domain.merge_values import lock
from members.enums import STORED_VALUE, AccountKind, OperationKind
from members.models import Account, Lot, Member, Store


def forfeit(*, actor: Actor, at: datetime, store: Store, member: Member) -> None:
    """Everything on the member's accounts, one deed an account, inside the caller's transaction.

    Locks all accounts of the member in id order. Nothing may be held. Told to nobody.
    """
    lock(actor, member)
    for account in Account.objects.filter(member=member, balance__gt=0).order_by("id"):
        _forfeit(account, actor, at, store)


def _forfeit(account: Account, actor: Actor, at: datetime, store: Store) -> None:
    lots = list(Lot.objects.filter(account=account, remaining__gt=0).select_related("source").order_by("pk"))
    kind, amount = AccountKind(account.kind), sum(lot.remaining for lot in lots)
    deed = ledger.open_deed(
        kind=OperationKind.EXPIRE,
        actor=actor,
        key=f"forfeit:{account.pk}:{account.last_seq}",
        at=at,
        store_id=store.pk,
        member_id=account.member_id or 0,
        card_id=account.card_id,
        request={"forfeits": [lot.pk for lot in lots]},
        amount_minor=min(amount, AMOUNT_MAX) if kind in STORED_VALUE else 0,
    )
    uses = tuple(Use(lot.pk, -lot.remaining) for lot in lots)
    legs = [
        Leg(-amount, account=account.pk, uses=uses),
        Leg(amount, store=store.pk, kind=BREAKAGE[kind]),
    ]
    ledger.post(deed, legs + (deferred_legs(lots, uses) if kind == AccountKind.SERVICES else []))
