"""What a person may do alone: the usual limits, and what is left of them. `ledger_guard` enforces them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from members.domain import audit
from members.domain.ledger import Actor
from members.enums import Role
from members.models import LimitedDeed, Staff, StaffLimit, Store, Window

# Sensible for a shop of a few people, in minor units, points or services: (deed, role, window, amount, count).
USUAL: tuple[tuple[LimitedDeed, Role, Window, int | None, int | None], ...] = (
    (LimitedDeed.REFUND, Role.CASHIER, Window.DAY, 20_000, 5),
    (LimitedDeed.REFUND, Role.MANAGER, Window.DAY, 200_000, None),
    (LimitedDeed.REFUND_RECHARGE, Role.CASHIER, Window.DAY, 0, None),
    (LimitedDeed.REFUND_RECHARGE, Role.MANAGER, Window.DAY, 200_000, None),
    (LimitedDeed.RECHARGE, Role.CASHIER, Window.DAY, 2_000_000, None),
    (LimitedDeed.SELL_SERVICES, Role.CASHIER, Window.DAY, 2_000_000, None),
    (LimitedDeed.ADJUST, Role.CASHIER, Window.DAY, 2_000, 5),
    (LimitedDeed.ADJUST, Role.MANAGER, Window.DAY, 20_000, None),
    (LimitedDeed.ADJUST_POINTS, Role.CASHIER, Window.DAY, 200, 5),
    (LimitedDeed.ADJUST_POINTS, Role.MANAGER, Window.DAY, 2_000, None),
    (LimitedDeed.CLOSE, Role.CASHIER, Window.DAY, 0, None),
    (LimitedDeed.CLOSE, Role.MANAGER, Window.DAY, 200_000, 10),
    (LimitedDeed.TRANSFER, Role.CASHIER, Window.DAY, 100_000, None),
    (LimitedDeed.TRANSFER_POINTS, Role.CASHIER, Window.DAY, 5_000, None),
    (LimitedDeed.TRANSFER_SERVICES, Role.CASHIER, Window.DAY, 10, None),
    (LimitedDeed.RETURN_SERVICES, Role.MANAGER, Window.DAY, 10, None),
    (LimitedDeed.REFUND_POINTS, Role.MANAGER, Window.DAY, 5_000, None),
)


def usual_missing() -> list[StaffLimit]:
    """The usual limits of every store that nobody has said anything in place of: of that deed, role and window."""
    said = set(StaffLimit.objects.filter(store=None).values_list("deed", "role", "window_hours"))
    return [
        StaffLimit(deed=deed, role=role, window_hours=window, amount_max=amount, count_max=count)
        for deed, role, window, amount, count in USUAL
        if (deed, role, window) not in said
    ]


@transaction.atomic
def put_usual_limits(*, actor: Actor | Staff | None = None, at: datetime | None = None) -> int:
    """Put in those of the usual limits that are missing; how many. Audited when somebody did it. Safe to run twice."""
    before = StaffLimit.objects.count()
    StaffLimit.objects.bulk_create(usual_missing(), ignore_conflicts=True)
    added = StaffLimit.objects.count() - before
    if added and actor is not None and at is not None:
        audit.write(
            actor=actor,
            verb="added",
            subject=("stafflimit", "Staff limits"),
            after={"limits": added},
            at=at,
        )
    return added


def begin_with_usual_limits(*, actor: Actor | Staff, at: datetime) -> int:
    """A house that opens its first store begins with the usual limits; later the owner's word stands. How many."""
    is_first = Store.objects.count() == 1 and not StaffLimit.objects.exists()
    return put_usual_limits(actor=actor, at=at) if is_first else 0


@dataclass(frozen=True)
class Left:
    """What a person may still do alone of one kind of deed; None where nothing limits it."""

    is_limited: bool
    amount: int | None
    count: int | None


def left_for(*, staff_id: int, store_id: int, deed: LimitedDeed) -> Left:
    """What is left of a person's limits at a store now. Locks the person's row if there are any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM control_left(%s, %s, %s, 0, 0)", [staff_id, store_id, deed])
        is_limited, amount, count, _is_over = cursor.fetchone()
    return Left(is_limited, amount, count)
