"""What a person may do alone: the usual limits, and what is left of them. `ledger_guard` enforces them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from members.enums import Role
from members.models import LimitedDeed, StaffLimit, Window

# Sensible for a shop of a few people, in minor units or points: (deed, role, window, amount, count).
USUAL: tuple[tuple[LimitedDeed, Role, Window, int | None, int | None], ...] = (
    (LimitedDeed.REFUND, Role.CASHIER, Window.DAY, 20_000, 5),
    (LimitedDeed.REFUND, Role.MANAGER, Window.DAY, 200_000, None),
    (LimitedDeed.REFUND_RECHARGE, Role.CASHIER, Window.DAY, 0, None),
    (LimitedDeed.REFUND_RECHARGE, Role.MANAGER, Window.DAY, 200_000, None),
    (LimitedDeed.RECHARGE, Role.CASHIER, Window.DAY, 2_000_000, None),
    (LimitedDeed.ADJUST, Role.CASHIER, Window.DAY, 2_000, 5),
    (LimitedDeed.ADJUST, Role.MANAGER, Window.DAY, 20_000, None),
    (LimitedDeed.ADJUST_POINTS, Role.CASHIER, Window.DAY, 200, 5),
    (LimitedDeed.ADJUST_POINTS, Role.MANAGER, Window.DAY, 2_000, None),
    (LimitedDeed.CLOSE, Role.CASHIER, Window.DAY, 0, None),
    (LimitedDeed.CLOSE, Role.MANAGER, Window.DAY, 200_000, 10),
    (LimitedDeed.TRANSFER, Role.CASHIER, Window.DAY, 100_000, None),
)


def put_usual_limits() -> int:
    """Put the usual limits in for every store, where nothing is said of that deed, role and window. How many."""
    rows = [
        StaffLimit(deed=deed, role=role, window_hours=window, amount_max=amount, count_max=count)
        for deed, role, window, amount, count in USUAL
    ]
    before = StaffLimit.objects.count()
    StaffLimit.objects.bulk_create(rows, ignore_conflicts=True)
    return StaffLimit.objects.count() - before


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
