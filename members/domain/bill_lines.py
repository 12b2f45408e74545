"""The lines of a bill as they are kept: goods first, then what came off."""

from __future__ import annotations

from typing import Any

from members.domain.bills import Bill, Line
from members.models import BillLine, BillLineKind, Operation


def rows_of(bill: Bill) -> list[dict[str, Any]]:
    """What is stored of a bill that has more to say than its amount, in order; nothing of a plain one."""
    if bill.lines == (Line(bill.gross_minor),) and not bill.reductions:
        return []
    goods = [
        {
            "kind": BillLineKind.GOODS,
            "amount_minor": line.amount_minor,
            "label": line.label,
            "category_id": line.category,
            "is_discounted": line.is_discounted,
        }
        for line in bill.lines
    ]
    off = [
        {
            "kind": cut.kind,
            "amount_minor": -cut.amount_minor,
            "label": cut.label,
            "category_id": None,
            "is_discounted": False,
        }
        for cut in bill.reductions
    ]
    return [{"position": place, **row} for place, row in enumerate([*goods, *off], start=1)]


def keep(operation: Operation, bill: Bill) -> None:
    """Store them."""
    BillLine.objects.bulk_create([BillLine(operation=operation, **row) for row in rows_of(bill)])
