"""The demo's limits, a request that waits for a second person, and what the audit log has of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from members.domain import approvals, audit, limits
from members.domain.adjusting import adjust
from members.domain.ledger import Actor, ApprovalRequired
from members.enums import AccountKind, CardStatus
from members.models import Card, Staff, Store


def seed_control(staff: dict[str, Staff], store: Store, *, at: datetime) -> None:
    """The usual limits; a little goodwill of yesterday, done alone; one of today that waits for the manager."""
    limits.put_usual_limits()
    owner, cashier = staff["owner"], staff["cashier"]
    audit.write(
        actor=owner,
        verb="added",
        subject=("stafflimit", "Staff limits"),
        after={"limits": len(limits.USUAL)},
        at=at - timedelta(days=2),
    )
    cards = Card.objects.filter(store=store, status=CardStatus.ACTIVE).select_related("member", "product")
    first, second = cards.order_by("pk")[:2]
    _give(cashier, store, first, 1500, "Coffee spilt on a coat", at - timedelta(days=1))
    try:
        _give(cashier, store, second, 8800, "Appointment lost, waited an hour", at - timedelta(minutes=20))
    except ApprovalRequired as refused:
        approvals.ask(
            refused=refused,
            maker=cashier,
            store=store,
            note="Appointment lost, waited an hour",
            at=at - timedelta(minutes=20),
        )


def _give(by: Staff, store: Store, card: Card, amount: int, reason: str, at: datetime) -> None:
    adjust(
        actor=Actor(f"staff:{by.pk}", by.pk),
        key=f"demo-adjust-{amount}",
        at=at,
        store=store,
        card=card,
        account=AccountKind.BONUS,
        amount=amount,
        reason=reason,
    )
